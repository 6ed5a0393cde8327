"""Statements on claim codes."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import claim_code, learner


def put(connection: Connection, learner_id: str, code_hash: str, expires_at: int) -> None:
    """Store a code's hash in place of any that the learner had."""
    forget(connection, learner_id)
    row = {"learner_id": learner_id, "code_hash": code_hash, "expires_at": expires_at}
    connection.execute(sa.insert(claim_code).values(row))


def opened(connection: Connection, code_hash: str, now: int) -> str | None:
    """The imported learner of a code; None where it is unknown or has expired, or the learner was linked or erased."""
    joined = claim_code.join(learner, learner.c.id == claim_code.c.learner_id)
    live = (claim_code.c.code_hash == code_hash, claim_code.c.expires_at > now)
    free = (learner.c.kind == "imported", learner.c.merged_into.is_(None), learner.c.erased_at.is_(None))
    return connection.execute(sa.select(learner.c.id).select_from(joined).where(*live, *free)).scalar()


def forget(connection: Connection, learner_id: str) -> None:
    """Forget a learner's code."""
    connection.execute(sa.delete(claim_code).where(claim_code.c.learner_id == learner_id))
