"""Deliver to webhooks: messages that are due are leased, sent outside of any transaction, and settled.

A lease runs out: if a process is killed, it is unknown whether it sent a message, and the message is sent again.
"""

from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any, Final, NamedTuple
from uuid import uuid4

import msgspec
import structlog
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.notices import WEBHOOK_DISABLED, id_apart, subject_apart
from headway.domain.times import MINUTE, SECOND, format_time
from headway.domain.webhooks import GIVEN_UP_AFTER, endpoint_pause, message_id, pause_after
from headway.ledger import announcing
from headway.ledger.commit import committed
from headway.store import learners, notices, webhooks
from headway.store.database import Database
from headway.store.notices import Notice
from headway.store.webhooks import Content, DueDelivery

log = structlog.get_logger()

TAKEN_FOR: Final = MINUTE
# The most messages to one endpoint under way in a process: a slow endpoint does not hold up the others.
OF_ENDPOINT_MAX: Final = 6
# Of a process's places, this many are kept for endpoints with nothing under way.
KEPT_FREE: Final = 4
ERROR_MAX: Final = 200
_MILLISECOND: Final = SECOND // 1000
_GONE: Final = 410
_encode: Final = msgspec.json.Encoder().encode


class Message(NamedTuple):
    """A message and its endpoint; `secret` is as it is stored, `url` as it was given."""

    due: DueDelivery
    id: str
    type: str
    body: bytes
    url: str
    secret: str


class Outcome(NamedTuple):
    """The result of sending: the receiver's status, or the error if there was none; duration in milliseconds."""

    status: int | None
    error: str | None
    took_ms: int

    @property
    def is_taken(self) -> bool:
        """Whether the receiver answered 2xx."""
        return self.status is not None and 200 <= self.status < 300


class _Taken(NamedTuple):
    """The messages that were leased; `gone` are the endpoints whose accounts may no longer have them."""

    messages: list[Message]
    gone: set[str]


def take(database: Database, limit: int, *, now: int, under_way: Iterable[str] = ()) -> list[Message]:
    """Lease messages that are due: for each endpoint the first of each learner.

    `under_way` names the endpoint of each message that is being sent.
    """
    counted = Counter(under_way)
    taken = committed(database, lambda connection: _take(connection, limit, now, counted))
    # Each in a transaction of its own, in order: an endpoint is locked first, never after one that waits for it.
    for gone in sorted(taken.gone):
        committed(database, partial(_disable_if_gone, webhook_id=gone, now=now))
    return taken.messages


def _take(connection: Connection, limit: int, now: int, under_way: Counter[str]) -> _Taken:
    waited_for = webhooks.waited_for(connection, now)
    endpoints = webhooks.allowed(connection, waited_for)
    free = [one for one in endpoints if under_way[one] < OF_ENDPOINT_MAX]
    free.sort(key=lambda one: (under_way[one], waited_for[one]))
    found = webhooks.firsts(connection, now, {one: OF_ENDPOINT_MAX - under_way[one] for one in free[:limit]})
    chosen = _shared_out(found, limit, under_way)
    told = webhooks.contents(connection, chosen)
    taken = webhooks.lease(connection, chosen, now + TAKEN_FOR)
    for one in taken:
        if one[1:4] not in told:  # as when the entry that told it was mended since
            webhooks.settle(connection, one, None)
    messages = [_message(one, told[one[1:4]], endpoints[one.webhook_id]) for one in taken if one[1:4] in told]
    return _Taken(messages, waited_for.keys() - endpoints.keys())


def _shared_out(found: Iterable[DueDelivery], limit: int, under_way: Counter[str]) -> list[DueDelivery]:
    """Choose what is sent: for each place the oldest message, of the endpoint with the fewest under way.

    The last places are for endpoints with nothing under way: however many are slow, another finds one free.
    """
    counted, waiting, chosen = under_way.copy(), dict[str, list[DueDelivery]](), list[DueDelivery]()
    for one in sorted(found, key=lambda one: one.due_at, reverse=True):
        waiting.setdefault(one.webhook_id, []).append(one)
    while len(chosen) < limit:
        most = OF_ENDPOINT_MAX if limit - len(chosen) > KEPT_FREE else 1
        able = [due[-1] for key, due in waiting.items() if due and counted[key] < most]
        if not able:
            break
        one = min(able, key=lambda one: (counted[one.webhook_id], one.due_at))
        chosen.append(waiting[one.webhook_id].pop())
        counted[one.webhook_id] += 1
    return chosen


def _disable_if_gone(connection: Connection, webhook_id: str, now: int) -> None:
    endpoint = webhooks.find(connection, webhook_id, lock=True)
    if endpoint is not None and not webhooks.allowed(connection, [webhook_id]):
        _disable(connection, endpoint, "whoever made it may not have it any more", now)


def _message(due: DueDelivery, told: Content, endpoint: RowMapping) -> Message:
    said = {
        "type": told.change["type"],
        "timestamp": format_time(told.at),
        "data": {
            "id": told.id,
            "learner": {"id": told.learner_id, "external_id": told.external_id},
            "change": told.change,
        },
    }
    identity = message_id(due.webhook_id, told.id)
    return Message(due, identity, told.change["type"], _encode(said), endpoint["url"], endpoint["secret"])


def settle(database: Database, message: Message, outcome: Outcome, *, now: int) -> None:
    """Record the result of sending a message: it is done, due again later, or given up."""
    committed(database, lambda connection: _settle(connection, message, outcome, now))


def _settle(connection: Connection, message: Message, outcome: Outcome, now: int) -> None:
    due = message.due
    # Another failure may delete all that waits for this endpoint, and must not conflict with this settling.
    endpoint = webhooks.find(connection, due.webhook_id, lock=not outcome.is_taken)
    if endpoint is None:
        return
    if outcome.is_taken and endpoint["failures"]:
        webhooks.change(connection, due.webhook_id, failures=0, failing_since=None, retry_at=0)
    pause = None if outcome.is_taken else pause_after(due.tries)
    webhooks.settle(connection, due, None if pause is None else now + pause)
    if learners.existing(connection, [due.learner_id]):  # else a learner who was erased meanwhile would leave a trace
        webhooks.log(connection, _logged(message, outcome, now))
    if outcome.is_taken:
        return
    if pause is None:
        log.error("webhook_message_given_up", webhook=due.webhook_id, message=message.id)
    _note_failure(connection, endpoint, outcome, now)


def _logged(message: Message, outcome: Outcome, now: int) -> dict[str, Any]:
    due = message.due
    place = {"webhook_id": due.webhook_id, "learner_id": due.learner_id, "seq": due.seq, "n": due.n}
    said = {"id": str(uuid4()), "message_id": message.id, "type": message.type, "at": now, "attempt": due.tries}
    error = None if outcome.error is None else outcome.error[:ERROR_MAX]
    return place | said | {"took_ms": outcome.took_ms, "status": outcome.status, "error": error}


def _note_failure(connection: Connection, endpoint: RowMapping, outcome: Outcome, now: int) -> None:
    """Have an endpoint rest, longer after each failure; messages under way at the same time count as one failure."""
    failures, since = endpoint["failures"] + 1, endpoint["failing_since"] or now
    if outcome.status == _GONE:
        _disable(connection, endpoint, "the receiver answered 410: it is gone", now)
    elif now - since >= GIVEN_UP_AFTER:
        _disable(connection, endpoint, f"nothing was taken since {format_time(since)}", now)
    elif now - outcome.took_ms * _MILLISECOND >= endpoint["retry_at"]:
        values = {"failures": failures, "failing_since": since, "retry_at": now + endpoint_pause(failures)}
        webhooks.change(connection, endpoint["id"], **values)


def _disable(connection: Connection, endpoint: RowMapping, why: str, now: int) -> None:
    """Disable an endpoint, found under lock, and tell its owner."""
    webhook_id = endpoint["id"]
    if not endpoint["active"]:
        return
    webhooks.change(connection, webhook_id, active=False, disabled_at=now, disabled_why=why)
    webhooks.forget_due(connection, webhook_id)
    log.warning("webhook_disabled", webhook=webhook_id, why=why)
    owner = endpoint["learner_id"]
    learners.lock(connection, [owner])
    head = learners.heads(connection, [owner]).get(owner, 0)
    change = {"type": WEBHOOK_DISABLED, "webhook": webhook_id, "url": endpoint["url"], "reason": why}
    subject = subject_apart(change, now)
    told = Notice(
        owner,
        head,
        notices.next_parts(connection, [(owner, head)])[owner],
        id_apart(owner, subject),
        change["type"],
        subject,
        now,
        _encode(change).decode(),
    )
    notices.add_missing(connection, [told])
    announcing.note(connection, [owner])
