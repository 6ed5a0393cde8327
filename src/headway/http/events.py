"""`POST /events`: the hot path. A request is decoded once, waits for one commit, and is encoded once."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import asgi
from litestar.exceptions import MethodNotAllowedException
from msgspec import Meta, Struct

from headway.domain.errors import HeadwayError
from headway.domain.events import Event, parse_event
from headway.http import who
from headway.http.apart import EVENTS_MAX, Unread, read_apart
from headway.http.bodies import decode_json, read_body
from headway.http.exchange import Exchange, exchange_in
from headway.http.grading import graded
from headway.http.problems import problem_of
from headway.http.recording import clock_skew, record
from headway.http.refusals import BodyInvalid, Malformed
from headway.http.remembered import Session
from headway.http.reply import PERSONAL, json_reply
from headway.http.shapes import EventResult, StepProgress, progress_of, result_of
from headway.ledger.submission import REFUSED

_ID_SHOWN_MAX: Final = 200


class Batch(Struct, forbid_unknown_fields=True):
    """Events of one learner, in any order; each is judged by itself."""

    events: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=EVENTS_MAX)]
    sent_at: str | None = None


class EventsRecorded(Struct):
    """What became of each event, in the order of the request; how the steps stand now; what all this brought about."""

    results: list[EventResult]
    steps: list[StepProgress]
    changes: list[dict[str, Any]]


_decode = msgspec.json.Decoder(Batch).decode


# Plain ASGI: what Litestar adds to a handler costs more than all that is done here.
@asgi("/events", copy_scope=False)
async def record_events(scope: Any, receive: Any, send: Any) -> None:
    """Record up to 500 events. A refused one does not affect the others; a reply means that these are committed."""
    if scope["method"] != "POST":
        raise MethodNotAllowedException(headers={"allow": "POST"})
    exchange = exchange_in(scope)
    session = await who.writing_session(exchange)
    sent_at, read = await _take(exchange, await read_body(exchange, receive))
    reply = json_reply(await _record(exchange, session, sent_at, read), 200, (PERSONAL,))
    await reply(scope, receive, send)


async def _take(exchange: Exchange, raw: bytes) -> tuple[str | None, list[Event | EventResult]]:
    try:
        sent = decode_json(raw, _decode)
    except (BodyInvalid, Malformed):
        sent_at, apart = await exchange.services.run(lambda: decode_json(raw, read_apart))
        return sent_at, [_unread(one) if isinstance(one, Unread) else _read(one) for one in apart]
    return sent.sent_at, [_read(one) for one in sent.events]


async def _record(
    exchange: Exchange, session: Session | None, sent_at: str | None, read: list[Event | EventResult]
) -> EventsRecorded:
    received_at = who.now()
    skew = clock_skew(sent_at, received_at)
    events = [one for one in read if isinstance(one, Event)]
    if not events:
        return EventsRecorded([one for one in read if isinstance(one, EventResult)], [], [])
    verdicts = await graded(exchange, events)
    receipt = await record(exchange, session, events, received_at, skew, verdicts)
    judged = map(result_of, receipt.results)
    results = [next(judged) if isinstance(one, Event) else one for one in read]
    return EventsRecorded(results, [progress_of(one) for one in receipt.steps], receipt.changes)


def _read(sent: Mapping[str, Any]) -> Event | EventResult:
    try:
        return parse_event(sent)
    except HeadwayError as error:
        return EventResult(_shown_id(sent.get("id")), REFUSED, problem_of(error))


def _unread(one: Unread) -> EventResult:
    return EventResult(_shown_id(one.id), REFUSED, problem_of(one.problem))


def _shown_id(sent: object) -> str | None:
    return sent[:_ID_SHOWN_MAX] if isinstance(sent, str) else None


handlers: Final = [record_events]
