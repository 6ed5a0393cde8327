"""Guests with secrets, and their moves into accounts."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid4

from headway.domain.events import Event
from headway.ledger.accounts import Merged
from headway.ledger.merge import move_guest
from headway.ledger.record import Answer
from headway.ledger.submission import Submission
from headway.store import learners
from headway.store.schema import learner
from tests.ledger.world import HOUR, NOON, World

LATER = NOON + 5 * HOUR


class Guest(NamedTuple):
    """A guest and the hash of its secret."""

    id: str
    token_hash: str


def session_of(learner_id: str, token: str, expires_at: int = NOON + 900 * HOUR, kind: str = "guest") -> dict[str, Any]:
    times = {"created_at": NOON, "last_used_at": NOON, "expires_at": expires_at}
    names = {"id": str(uuid4()), "learner_id": learner_id, "kind": kind, "name": None, "scopes": None}
    return {"token_hash": sha256(token.encode()).hexdigest(), **names, **times}


def guest_in(world: World, *events: Event, zone: str = "UTC") -> Guest:
    """A guest that has recorded these events."""
    guest_id = world.learner(zone, kind="guest")
    session = session_of(guest_id, guest_id)
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session)
    guest = Guest(guest_id, session["token_hash"])
    if events:
        world.send(guest_id, *events)
    return guest


def move(world: World, account_id: str, guest: Guest, now: int = LATER) -> Merged | None:
    return move_guest(world.database, world.catalog, account_id, guest.token_hash, now=now)


def as_guest(guest: Guest, events: Sequence[Event], at: int = NOON + HOUR) -> Submission:
    """What a request with the guest's secret hands in."""
    return Submission(guest.id, tuple(events), at, token_hash=guest.token_hash)


def answered(world: World, guest: Guest, *events: Event) -> Answer:
    """What becomes of events that come with the guest's secret."""
    (answer,) = world.submit(as_guest(guest, events))
    return answer


def placed(world: World, guest: Guest) -> tuple[str | None, int | None, int | None]:
    """Where a guest belongs, by its row."""
    row = next(one for one in world.rows_of(learner.name) if one["id"] == guest.id)
    return row["merged_into"], row["merged_at"], row["merged_after"]
