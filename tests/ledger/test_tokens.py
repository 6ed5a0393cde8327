"""Personal access tokens in the database: their limit holds under the account's lock."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any
from uuid import uuid4

import pytest

from headway.domain.errors import IdentityGone
from headway.ledger import tokens
from headway.ledger.security import OPERATOR
from headway.ledger.session_owner import owner
from headway.store import learners
from tests.ledger.world import World

NOW = 1_000_000


def opened(learner_id: str, kind: str = "account", **more: Any) -> dict[str, Any]:
    """A session of somebody's."""
    times = {"created_at": 0, "last_used_at": 0, "expires_at": 2 * NOW}
    row = {"token_hash": uuid4().hex * 2, "id": str(uuid4()), "learner_id": learner_id, "kind": kind, **times}
    return row | {"name": None, "scopes": None} | more


def account(world: World) -> dict[str, Any]:
    """The session of a new account."""
    learner_id = str(uuid4())
    session = opened(learner_id)
    with world.database.transaction() as connection:
        learners.add(connection, {"id": learner_id, "kind": "account", "time_zone": "UTC", "created_at": 0})
        learners.add_sessions(connection, session)
    return session


def test_a_token_waits_for_one_that_is_being_made_and_is_counted_after_it(world: World) -> None:
    session = account(world)
    learner_id, secret = session["learner_id"], session["token_hash"]

    def token() -> dict[str, Any]:
        return opened(learner_id, "token", name="x", scopes="read")

    for _ in range(tokens.TOKENS_MAX - 1):
        tokens.make(world.database, secret, token(), now=NOW, origin=OPERATOR)
    with ThreadPoolExecutor(1) as threads:
        with world.database.transaction() as connection:
            owner(connection, secret, learner_id, NOW)
            tokens.add(connection, token(), now=NOW, origin=OPERATOR)
            waiting = threads.submit(tokens.make, world.database, secret, token(), now=NOW, origin=OPERATOR)
            with pytest.raises(NotYet):
                waiting.result(0.5)
        with pytest.raises(tokens.TooManyTokens):
            waiting.result(20)


@pytest.mark.parametrize("kind", ["token", "guest"])
def test_only_a_session_of_the_account_makes_and_revokes_tokens(world: World, kind: str) -> None:
    session = account(world)
    learner_id = session["learner_id"]
    other = opened(learner_id, kind, scopes="read write creator")
    with world.database.transaction() as connection:
        learners.add_sessions(connection, other)
    token = opened(learner_id, "token", name="x", scopes="read")
    with pytest.raises(IdentityGone):
        tokens.make(world.database, other["token_hash"], token, now=NOW, origin=OPERATOR)
    with pytest.raises(IdentityGone):
        tokens.make(world.database, session["token_hash"], token, now=3 * NOW, origin=OPERATOR)
    tokens.make(world.database, session["token_hash"], token, now=NOW, origin=OPERATOR)
    with pytest.raises(IdentityGone):
        tokens.revoke(world.database, other["token_hash"], learner_id, token["id"], now=NOW, origin=OPERATOR)
    assert tokens.revoke(world.database, session["token_hash"], learner_id, token["id"], now=NOW, origin=OPERATOR)
