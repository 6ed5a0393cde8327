"""Statements on pseudonyms, which stand for an account in the ledgers of learners whom it grades."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import rows
from headway.store.schema import learner, pseudonym


def of(connection: Connection, learner_id: str) -> str | None:
    """The pseudonym of an account; None where it has graded nobody yet."""
    found = sa.select(pseudonym.c.id).where(pseudonym.c.learner_id == learner_id)
    return connection.execute(found).scalar_one_or_none()


def add(connection: Connection, learner_id: str, pseudonym_id: str) -> None:
    """Give an account a pseudonym, unless another process has done so, or the account is erased.

    Takes a lock against erasure only: those who record for the account lock it in another order.
    """
    living = sa.select(learner.c.id).where(learner.c.id == learner_id, learner.c.erased_at.is_(None))
    if connection.execute(living.with_for_update(read=True, key_share=True)).first() is not None:
        rows.insert(connection, pseudonym, [(learner_id, pseudonym_id)], on_conflict="DO NOTHING")


def names(connection: Connection, pseudonym_ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """The id and display name of the account of each pseudonym; those of erased accounts are left out."""
    what = "t.id, t.learner_id, (SELECT display_name FROM learner l WHERE l.id = t.learner_id)"
    found = rows.select(connection, pseudonym, [(one,) for one in pseudonym_ids], what, ("id",))
    return {row[0]: (row[1], row[2]) for row in found}
