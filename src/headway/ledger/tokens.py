"""Personal access tokens: made and revoked by the account that they open."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.domain.identity import ROLES
from headway.domain.times import parse_time
from headway.ledger.security import Happening, Origin, note
from headway.ledger.session_owner import owner
from headway.store import learners, tokens
from headway.store.database import Database

TOKENS_MAX: Final = 50
# The expiry of a token without one: expiry is a column that all sessions have.
NEVER: Final = parse_time("9999-12-31T00:00:00Z", field="expires_at")[0]


class TooManyTokens(HeadwayError):
    """The account has as many tokens as it may have."""

    code = "too-many-tokens"


class NoCreator(HeadwayError):
    """The account has not the role that the scope is for."""

    code = "forbidden"


def make(database: Database, session_hash: str, token: Mapping[str, Any], *, now: int, origin: Origin) -> None:
    """Add a token (a row of `session`) for the account of a session; IdentityGone where that has ended."""
    with database.transaction() as connection:
        owner(connection, session_hash, token["learner_id"], now)
        add(connection, token, now=now, origin=origin)


def add(connection: Connection, token: Mapping[str, Any], *, now: int, origin: Origin) -> None:
    """Add a token within a transaction that holds its owner's lock."""
    learner_id = token["learner_id"]
    if "creator" in token["scopes"].split():
        account = learners.by_id(connection, learner_id)
        if account is None or not set(ROLES).intersection(account["roles"].split()):
            raise NoCreator("only creators can make tokens with the scope creator", field="scopes")
    if not has_room(connection, learner_id, now):
        raise TooManyTokens(f"an account has at most {TOKENS_MAX} tokens; revoke one that is not used any more")
    learners.add_sessions(connection, token)
    note(connection, Happening.TOKEN_MADE, learner_id, at=now, origin=origin, detail=token["name"])


def has_room(connection: Connection, learner_id: str, now: int) -> bool:
    """Return whether an account may have another token; expired ones are deleted first."""
    tokens.clear_expired(connection, learner_id, now)
    return tokens.count(connection, learner_id) < TOKENS_MAX


def revoke(database: Database, session_hash: str, learner_id: str, token_id: str, *, now: int, origin: Origin) -> bool:
    """End a token at once; False where the account has none of that id."""
    with database.transaction() as connection:
        owner(connection, session_hash, learner_id, now)
        name = tokens.end(connection, learner_id, token_id)
        if name is not None:
            note(connection, Happening.TOKEN_REVOKED, learner_id, at=now, origin=origin, detail=name)
        return name is not None
