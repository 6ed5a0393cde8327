"""Statements on the channels by which learners want each kind of notice."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.preferences import Preference, types_of
from headway.store import rows
from headway.store.mailing_tables import notice_preference


def of_learner(connection: Connection, learner_id: str) -> dict[str, Preference]:
    """A learner's preferences by kind; kinds without a choice are missing."""
    wanted = sa.select(notice_preference).where(notice_preference.c.learner_id == learner_id)
    return {row.kind: Preference(*row) for row in connection.execute(wanted)}


def not_in_app(connection: Connection, learner_id: str) -> frozenset[str]:
    """The types of notices that a learner does not want in the list."""
    return types_of(kind for kind, one in of_learner(connection, learner_id).items() if not one.in_app)


def put(connection: Connection, found: Iterable[Preference]) -> None:
    """Write preferences, replacing those of the same learner and kind."""
    rows.upsert(connection, notice_preference, found)


def move(connection: Connection, guest_id: str, account_id: str) -> None:
    """Move a guest's preferences to an account, except for kinds of which the account has its own."""
    brought = of_learner(connection, guest_id).values()
    if brought:
        connection.execute(sa.delete(notice_preference).where(notice_preference.c.learner_id == guest_id))
        moved = [one._replace(learner_id=account_id) for one in brought]
        rows.insert(connection, notice_preference, moved, on_conflict="DO NOTHING")
