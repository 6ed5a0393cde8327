"""Grading by hand, overrides and regrades: for a course's creator, and admins."""

from functools import partial
from typing import Final
from uuid import uuid4

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.engine import Connection

from headway.domain.errors import Invalid
from headway.domain.events import event_id_of
from headway.domain.scores import fraction, normalize_score
from headway.http import etags, who
from headway.http.bodies import read_json
from headway.http.creators import acting_for, own_course
from headway.http.cursors import LIMIT, Cursor, Limit, foreign_cursor, read_cursor, write_cursor
from headway.http.exchange import Asked, exchange_of
from headway.http.grading_shapes import (
    FigureUpdated,
    GradeResult,
    GradeSent,
    GradeTold,
    RegradeSent,
    RegradeTold,
    ScoreKept,
    SubmissionList,
)
from headway.http.ids import is_id
from headway.http.reply import PERSONAL, Reply, encode, json_reply
from headway.http.shapes import progress_of
from headway.http.who import Reader
from headway.ledger.by_hand import FEEDBACK_MAX, REASON_MAX, NobodyThere, check_text, step_in_force
from headway.ledger.effects import Effects
from headway.ledger.grade import NO_ATTEMPT, GradeAsked, give_grade
from headway.ledger.override import NOT_HERE, OverrideAsked, override
from headway.ledger.regrade import RegradeAsked, regrade
from headway.views import submissions
from headway.views.subject import named
from headway.views.submissions import Status, read_submissions

_NUMBER_MAX: Final = 2**63 - 1


class _Place(Struct):
    """The attempt that a page of the list ends with."""

    at: int
    attempt: str
    learner: str


@get("/creator/courses/{course:str}/submissions")
async def list_submissions(  # noqa: PLR0913, PLR0917 - each is a parameter of the path or the query
    request: Asked,
    course: FromPath[str],
    step: FromQuery[str | None] = None,
    learner: FromQuery[str | None] = None,
    status: FromQuery[Status] = "waiting",
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Reply:
    """What learners handed in at the steps that people grade, the oldest first."""
    catalog = exchange_of(request).services.catalog
    behind = _behind(cursor)

    def look(connection: Connection, reader: Reader) -> bytes:
        content = own_course(connection, catalog, reader.row, course)
        # Before the learner is looked up: otherwise the refusal would show who is known on the site.
        submissions.check_step(content, step)
        learner_id = None if learner is None else named(connection, learner)
        if learner is not None and learner_id is None:
            return encode(SubmissionList([], None, {}))
        asked = submissions.SubmissionQuery(step, learner_id, status, behind, limit)
        page = read_submissions(connection, content, asked)
        more = None if page.next_place is None else write_cursor(_Place(*page.next_place))
        return encode(SubmissionList(page.items, more, page.guides))

    return etags.tagged(request, await who.read_as_caller(request, look), PERSONAL)


def _behind(cursor: str | None) -> tuple[int, str, str] | None:
    place = read_cursor(cursor, _Place)
    if place is None:
        return None
    if not (0 <= place.at <= _NUMBER_MAX and is_id(place.attempt) and is_id(place.learner)):
        raise foreign_cursor()
    return place.at, place.attempt, place.learner


@post("/creator/courses/{course:str}/grades", status_code=200)
async def grade_attempt(request: Asked, course: FromPath[str]) -> Reply:
    """Grade an attempt that waits, or raise the grade that it has: a lower one is not recorded."""
    services = exchange_of(request).services
    teacher = await acting_for(request, course)
    sent = await read_json(request, msgspec.json.Decoder(GradeSent).decode)
    score, entry_id = _score(sent.score), _entry_id(sent.id)
    feedback = check_text(_or_none(sent.feedback) or "", "feedback", FEEDBACK_MAX, may_be_empty=True)
    attempt = _id_named(sent.attempt, "attempt")
    learner_id = await services.read(lambda connection: named(connection, sent.learner))
    if learner_id is None:
        raise NobodyThere(NO_ATTEMPT)
    asked = GradeAsked(course, learner_id, attempt, score, feedback, teacher, entry_id)
    given = await services.run(partial(give_grade, services.database, services.catalog, asked, now=who.now()))
    result, step = given.receipt.results[0], given.receipt.steps[0]
    why = UNSET if given.had is None else _why_kept(given.had, score)
    told = GradeTold(GradeResult(result.id, result.status), progress_of(step), given.receipt.changes, why)
    return json_reply(told, 200, (PERSONAL,))


@post("/creator/courses/{course:str}/regrades", status_code=200)
async def regrade_step(request: Asked, course: FromPath[str], dry_run: FromQuery[bool] = False) -> Reply:
    """Judge a step's responses anew; or, for one learner, say what the step counts for, or waive it."""
    services = exchange_of(request).services
    teacher = await acting_for(request, course)
    sent = await read_json(request, msgspec.json.Decoder(RegradeSent).decode)
    reason = check_text(sent.reason, "reason", REASON_MAX)
    learner = _or_none(sent.learner)
    if learner is None:
        _check_whole(sent)
        whole = RegradeAsked(course, sent.step, reason, teacher)
        act = partial(regrade, services.database, services.catalog, whole, now=who.now, dry_run=dry_run)
        # It takes as long as publishing, and runs in a thread apart from those that read.
        return _told(await services.publish(act), dry_run=dry_run)
    score, entry_id = _overriding(sent), _entry_id(sent.id)

    def look(connection: Connection) -> str | None:
        # Before the learner is looked up: otherwise the refusal would show who is known on the site.
        step_in_force(connection, services.catalog, course, sent.step)
        return named(connection, learner)

    learner_id = await services.read(look)
    if learner_id is None:
        raise NobodyThere(NOT_HERE)
    asked = OverrideAsked(course, learner_id, sent.step, score, sent.final, reason, teacher, entry_id)
    one = partial(override, services.database, services.catalog, asked, now=who.now(), dry_run=dry_run)
    return _told(await services.run(one), dry_run=dry_run)


def _told(found: Effects, *, dry_run: bool) -> Reply:
    told = RegradeTold(
        dry_run,
        found.total,
        found.updated,
        found.unchanged,
        [FigureUpdated(*one) for one in found.updates],
        [ScoreKept(*one) for one in found.kept],
        found.left_out,
        found.note,
    )
    return json_reply(told, 200, (PERSONAL,))


def _check_whole(sent: RegradeSent) -> None:
    """Raise Invalid for fields that are about one learner."""
    if sent.waive or sent.final or not isinstance(sent.score, UnsetType) or _or_none(sent.id) is not None:
        raise Invalid("learner is missing: score, waive, final and id are about one learner", field="learner")


def _overriding(sent: RegradeSent) -> int | None:
    """The score that a step is to have, in millionths; None for a waiver."""
    if sent.waive:
        if sent.final or not isinstance(sent.score, UnsetType):
            raise Invalid("waive: a waiver has no score, and is never final", field="waive")
        return None
    if isinstance(sent.score, UnsetType):
        raise Invalid("score is missing: what the step is to count for; or waive it with waive: true", field="score")
    return _score(sent.score)


def _why_kept(had: int, less: int) -> str:
    """Why a grade lower than the one there is was not recorded, and what to do instead."""
    return (
        f"the attempt has {fraction(had)} already, and a grade never lowers: nothing of this one was recorded. To have"
        f" the step count {fraction(less)}, override it with final: true"
    )


def _score(sent: object) -> int:
    score = normalize_score(sent)
    if score is None:
        raise Invalid("score is missing: 0 to 1, or a percentage up to 100", field="score")
    return score


def _entry_id(sent: str | UnsetType | None) -> str:
    named_id = _or_none(sent)
    return str(uuid4()) if named_id is None else event_id_of(named_id)


def _id_named(sent: str, field: str) -> str:
    try:
        return event_id_of(sent)
    except Invalid:
        raise Invalid(f"{field} must be a UUID", field=field) from None


def _or_none(sent: str | UnsetType | None) -> str | None:
    return None if isinstance(sent, UnsetType) else sent


handlers: Final = [list_submissions, grade_attempt, regrade_step]
