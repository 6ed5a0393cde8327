"""Statements on pseudonyms: by what an account stands in the ledgers of those whom it grades."""

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
    """Give an account a pseudonym, unless another process was faster, or the account is gone.

    Held against erasure alone: whoever records for it locks it otherwise, and in another order.
    """
    living = sa.select(learner.c.id).where(learner.c.id == learner_id, learner.c.erased_at.is_(None))
    if connection.execute(living.with_for_update(read=True, key_share=True)).first() is not None:
        rows.insert(connection, pseudonym, [(learner_id, pseudonym_id)], on_conflict="DO NOTHING")


def names(connection: Connection, pseudonym_ids: Iterable[str]) -> dict[str, tuple[str, str | None]]:
    """Id and display name of the account behind each pseudonym; those of who was erased are left out."""
    what = "t.id, t.learner_id, (SELECT display_name FROM learner l WHERE l.id = t.learner_id)"
    found = rows.select(connection, pseudonym, [(one,) for one in pseudonym_ids], what, ("id",))
    return {row[0]: (row[1], row[2]) for row in found}
