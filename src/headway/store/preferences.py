"""Statements on what learners want to be told by which channel."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.preferences import Preference, types_of
from headway.store import rows
from headway.store.mailing_tables import notice_preference


def of_learner(connection: Connection, learner_id: str) -> dict[str, Preference]:
    """What a learner chose, by kind: where they never did, there is nothing."""
    wanted = sa.select(notice_preference).where(notice_preference.c.learner_id == learner_id)
    return {row.kind: Preference(*row) for row in connection.execute(wanted)}


def not_in_app(connection: Connection, learner_id: str) -> frozenset[str]:
    """The types of notices that a learner does not want in the list."""
    return types_of(kind for kind, one in of_learner(connection, learner_id).items() if not one.in_app)


def put(connection: Connection, found: Iterable[Preference]) -> None:
    """Have learners want kinds by these channels."""
    rows.upsert(connection, notice_preference, found)


def move(connection: Connection, guest_id: str, account_id: str) -> None:
    """Give an account what a guest chose of kinds of which the account chose nothing."""
    brought = of_learner(connection, guest_id).values()
    if brought:
        connection.execute(sa.delete(notice_preference).where(notice_preference.c.learner_id == guest_id))
        moved = [one._replace(learner_id=account_id) for one in brought]
        rows.insert(connection, notice_preference, moved, on_conflict="DO NOTHING")
