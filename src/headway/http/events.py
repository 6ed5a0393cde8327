"""`POST /events`: the hot path. A request is decoded once, waits for one commit, and is encoded once."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from litestar import post
from msgspec import Meta, Struct

from headway.domain.errors import HeadwayError
from headway.domain.events import Event, parse_event
from headway.http import who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, exchange_of
from headway.http.problems import problem_of
from headway.http.recording import clock_skew, record
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.shapes import EventResult, StepProgress, progress_of, result_of
from headway.ledger.submission import REFUSED

EVENTS_MAX: Final = 500
_ID_SHOWN_MAX: Final = 200


class EventsSent(Struct, forbid_unknown_fields=True):
    """Events of one learner, in any order; each is judged by itself."""

    events: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=EVENTS_MAX)]
    sent_at: str | None = None


class EventsRecorded(Struct):
    """What became of each event, in the order of the request; how the steps stand now; what all this brought about."""

    results: list[EventResult]
    steps: list[StepProgress]
    changes: list[dict[str, Any]]


_decode = msgspec.json.Decoder(EventsSent).decode


@post("/events", status_code=200)
async def record_events(request: Asked) -> Reply:
    """Record up to 500 events. One that is refused refuses itself alone; a reply means that the rest is committed."""
    exchange = exchange_of(request)
    session = await who.writing_session(exchange)
    sent = await read_json(request, _decode)
    received_at = who.now()
    skew = clock_skew(sent.sent_at, received_at)
    read = [_read(one) for one in sent.events]
    events = [one for one in read if isinstance(one, Event)]
    if not events:
        return _reply(EventsRecorded([one for one in read if isinstance(one, EventResult)], [], []))
    receipt = await record(exchange, session, events, received_at, skew)
    judged = map(result_of, receipt.results)
    results = [next(judged) if isinstance(one, Event) else one for one in read]
    return _reply(EventsRecorded(results, [progress_of(one) for one in receipt.steps], receipt.changes))


def _read(sent: Mapping[str, Any]) -> Event | EventResult:
    try:
        return parse_event(sent)
    except HeadwayError as error:
        return EventResult(_shown_id(sent.get("id")), REFUSED, problem_of(error))


def _shown_id(sent: object) -> str | None:
    return sent[:_ID_SHOWN_MAX] if isinstance(sent, str) else None


def _reply(recorded: EventsRecorded) -> Reply:
    return json_reply(recorded, 200, (PERSONAL,))


handlers: Final = [record_events]
