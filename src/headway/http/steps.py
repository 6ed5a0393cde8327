"""The calls for a single event on a step: its completion, and an attempt that the server grades."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

import msgspec
from litestar import post
from litestar.params import FromPath
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.errors import GradedStep, HeadwayError, UnknownCourse, UnknownStep
from headway.domain.events import Event, EventInvalid, check_event, event_id_of
from headway.http import who
from headway.http.bodies import read_json
from headway.http.exchange import Asked, Exchange, exchange_of
from headway.http.grading import graded, verdict_on
from headway.http.recording import clock_skew, record
from headway.http.refusals import NoGrader
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.shapes import EventResult, StepProgress, progress_of, result_of
from headway.ledger.submission import Receipt

_FIELDS: Final = frozenset({"id", "occurred_at", "score", "duration_s", "hints", "response", "sent_at"})
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class StepRecorded(Struct):
    """What became of the event, the step's progress after it, and the changes."""

    result: EventResult
    progress: StepProgress
    changes: list[Change]


class Attempt(Struct):
    """The server's verdict on an answer; the score is 0 to 1."""

    score: float | None
    passed: bool
    feedback: str


class AttemptRecorded(Struct):
    """What became of the attempt, its verdict, the step's progress after it, and the changes."""

    result: EventResult
    attempt: Attempt
    progress: StepProgress
    changes: list[Change]


@post("/courses/{course:str}/steps/{step:str}/completion", status_code=200)
async def complete_step(request: Asked, course: FromPath[str], step: FromPath[str]) -> Reply:
    """Complete a step, whatever the score."""
    exchange = exchange_of(request)
    session = await who.writing_session(exchange)
    sent = await read_json(request, _decode, empty=b"{}")
    received_at = who.now()
    skew = clock_skew(sent.get("sent_at"), received_at)
    event = _event("completed", (course, step), sent, _FIELDS)
    receipt = _accepted(await record(exchange, session, [event], received_at, skew))
    recorded = StepRecorded(result_of(receipt.results[0]), progress_of(receipt.steps[0]), receipt.changes)
    return json_reply(recorded, 200, (PERSONAL,))


@post("/courses/{course:str}/steps/{step:str}/attempts", status_code=200)
async def attempt_step(request: Asked, course: FromPath[str], step: FromPath[str]) -> Reply:
    """Have an answer graded by the server, and record the attempt."""
    exchange = exchange_of(request)
    session = await who.writing_session(exchange)
    sent = await read_json(request, _decode)
    received_at = who.now()
    skew = clock_skew(sent.get("sent_at"), received_at)
    event = _event("attempted", (course, step), _with_response(sent), _FIELDS - {"score"})
    verdicts = await graded(exchange, [event])
    if not verdicts:
        await _check_graded(exchange, event)
    receipt = _accepted(await record(exchange, session, [event], received_at, skew, verdicts), event.type)
    result = receipt.results[0]
    attempt = Attempt(*await verdict_on(exchange, event, receipt, verdicts))
    recorded = AttemptRecorded(result_of(result), attempt, progress_of(receipt.steps[0]), receipt.changes)
    return json_reply(recorded, 200, (PERSONAL,))


def _with_response(sent: Mapping[str, Any]) -> dict[str, Any]:
    """The body, with the answer under its name in events, `response`."""
    if sent.get("answer") is None:
        raise EventInvalid("answer is missing: what the learner answered", field="answer")
    if "response" in sent:
        raise EventInvalid("'response' is no field here; send the answer as answer", field="response")
    return {"response" if name == "answer" else name: value for name, value in sent.items()}


def _event(kind: str, place: tuple[str, str], sent: Mapping[str, Any], known: frozenset[str]) -> Event:
    unknown = sent.keys() - known
    if unknown:
        field = min(unknown)[:200]
        fix = "to have an answer graded, send it to …/attempts" if field == "answer" else "leave it out"
        raise EventInvalid(f"{field!r} is no field here; {fix}", field=field)
    event_id = str(uuid4()) if sent.get("id") is None else event_id_of(sent["id"])
    content = {name: value for name, value in sent.items() if name not in ("id", "sent_at")}
    course, step = place
    try:
        return check_event(event_id, {**content, "type": kind, "course": course, "step": step})
    except HeadwayError as error:
        raise _in_terms_of_the_call(error, kind) from None


def _in_terms_of_the_call(error: HeadwayError, kind: str) -> HeadwayError:
    """An error as this call puts it: a path with an invalid id names nothing, and the `response` is its `answer`."""
    if error.field == "course":
        return UnknownCourse("there is no course of that name")
    if error.field == "step":
        return UnknownStep("there is no step of that name")
    if isinstance(error, GradedStep):
        return GradedStep("the server grades this step: send the answer as answer, to …/attempts", field=error.field)
    if error.field == "response" and kind == "attempted":
        return EventInvalid(error.detail.replace("response", "answer"), field="answer")
    return error


async def _check_graded(exchange: Exchange, event: Event) -> None:
    """Raise the reason why nothing grades the answer to this step."""

    def look(connection: Connection) -> None:
        found = exchange.services.catalog.in_force(connection, [event.course]).get(event.course)
        if found is None:
            raise UnknownCourse(f"there is no course {event.course!r}")
        step = found[1].step(event.step or "")
        if step is None:
            raise UnknownStep(f"course {event.course} has no step {event.step!r}; its outline lists them")
        if step.grader is None:
            raise NoGrader(f"step {step.id} has no grader: send an attempted event with a score of your own")

    await exchange.services.read(look)


def _accepted(receipt: Receipt, kind: str = "completed") -> Receipt:
    problem = receipt.results[0].problem
    if problem is not None:
        of_call = problem.field == "response" or isinstance(problem, GradedStep)
        told = _in_terms_of_the_call(problem, kind) if of_call else problem
        raise told.with_traceback(None)
    return receipt


handlers: Final = [complete_step, attempt_step]
