"""Statements on which learner signs in by which name at another provider."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import external_sign_in


def find(connection: Connection, issuer: str, subject: str) -> str | None:
    """The learner whom a provider knows as `subject`; None where there is none."""
    known = sa.select(external_sign_in.c.learner_id).where(
        external_sign_in.c.issuer == issuer, external_sign_in.c.subject == subject
    )
    return connection.execute(known).scalar_one_or_none()


def has_of(connection: Connection, learner_id: str, issuer: str) -> bool:
    """Whether a provider knows a learner, by whatever name."""
    known = sa.select(external_sign_in.c.subject).where(
        external_sign_in.c.learner_id == learner_id, external_sign_in.c.issuer == issuer
    )
    return connection.execute(known.limit(1)).first() is not None


def add(connection: Connection, **values: Any) -> None:
    """Store the name by which a provider knows a learner."""
    connection.execute(sa.insert(external_sign_in).values(**values))
