"""Noting what matters for security: sign-ins and refusals, passwords, sessions, tokens, roles, erasures."""

from enum import StrEnum
from typing import NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.store import security
from headway.store.database import Database

_DETAIL_MAX = 200
_ADDRESS_MAX = 64


class Happening(StrEnum):
    """The kinds of security events."""

    REGISTERED = "registered"
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a kind of event, and no password
    PASSWORD_RESET_ASKED = "password-reset-asked"  # noqa: S105 - as above
    PASSWORD_RESET = "password-reset"  # noqa: S105 - as above
    SESSION_REVOKED = "session-revoked"
    TOKEN_MADE = "token-made"  # noqa: S105 - as above
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - as above
    ROLE_GIVEN = "role-given"
    ROLE_TAKEN = "role-taken"
    CLAIM_CODE_MADE = "claim-code-made"
    LINKED = "linked"
    CERTIFICATE_REVOKED = "certificate-revoked"
    ERASED = "erased"


class Origin(NamedTuple):
    """Where something came from: the network address, and who acted if that is not the learner."""

    address: str | None = None
    actor_id: str | None = None


OPERATOR = Origin()


def note(
    connection: Connection,
    what: Happening,
    learner_id: str | None,
    *,
    at: int,
    origin: Origin = OPERATOR,
    detail: str | None = None,
) -> None:
    """Record a security event in the transaction that causes it.

    `detail` is for people: the name of a session, a role.
    """
    security.add(
        connection,
        {
            "id": str(uuid4()),
            "at": at,
            "kind": what.value,
            "learner_id": learner_id,
            "actor_id": origin.actor_id or (learner_id if origin.address else None),
            "address": origin.address[:_ADDRESS_MAX] if origin.address else None,
            "detail": detail[:_DETAIL_MAX] if detail else None,
        },
    )


def note_refusal(database: Database, learner_id: str | None, *, at: int, origin: Origin) -> None:
    """Record a refused sign-in; `learner_id` is None if there is no such account."""
    with database.transaction() as connection:
        note(connection, Happening.SIGN_IN_FAILED, learner_id, at=at, origin=Origin(origin.address))
