"""The examples of the contract are true: what they say was sent is recorded, and what is read then is what they say."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import msgspec
import pytest

from headway.certificates.credential import signed_credential
from headway.domain.achievements import parse_definition
from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.outline import outline, outline_step
from headway.domain.times import format_time, parse_time
from headway.graders.registry import public_grader
from headway.http import (
    examples,
    examples_of_courses,
    examples_of_credentials,
    examples_of_export,
    examples_of_practice,
    examples_of_progress,
)
from headway.http.impact import impact_of
from headway.http.shapes import progress_of
from headway.ledger.definitions import define
from headway.ledger.grading import grade_answers
from headway.ledger.publish import publish
from headway.ledger.record import record
from headway.ledger.submission import Receipt, Submission
from headway.store import courses, learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.views.asked_range import AskedRange
from headway.views.course_progress import read_course, read_module
from headway.views.events import read_events
from headway.views.export import export_json
from headway.views.history import read_history
from headway.views.overview import read_overview
from headway.views.report import InForce
from headway.views.reviews import read_reviews
from headway.views.roster import read_learner
from headway.views.runs import read_runs
from headway.views.sessions import read_sessions
from headway.views.skills import read_skills
from headway.views.statistics import read_statistics
from headway.views.streak import read_streak
from headway.views.subject import Subject
from tests.certificates.samples import FACTS, ISSUER, SIGNER
from tests.certificates.test_credential import check

T = TypeVar("T")

COURSE: Final = "python-basics"
ADA: Final = Subject(examples.LEARNER["id"], examples.LEARNER["time_zone"])
NOON, _ = parse_time("2026-03-01T12:00:00Z")
ENTRIES: Final = [one for one in reversed(examples_of_practice.EVENTS["items"]) if one["trust"] != "server"]
SENT: Final = {one["id"]: one for one in examples.EVENTS_SENT["events"]}
RECORDED: Final = (examples.STEP_RECORDED, examples.ATTEMPT_RECORDED, examples.EVENTS_RECORDED)


def at(text: str) -> int:
    return parse_time(text)[0]


def event_of(entry: Mapping[str, Any]) -> Event:
    """The event that an entry tells of, as it was sent."""
    if entry["type"] == "enrolled":
        return enrollment_event(entry["id"], "enrolled", COURSE, entry["occurred_at"])
    if entry["id"] in SENT:
        return parse_event(SENT[entry["id"]])
    names = ("id", "type", "course", "step", "occurred_at", "duration_s", "hints", "response")
    return parse_event({name: entry[name] for name in names if name in entry})


class Story:
    """A learner of whom all was recorded that the examples say, and what recording and exporting said meanwhile."""

    def __init__(self, database: Database) -> None:
        self.database, self.catalog = database, Catalog()
        define(database, parse_definition("loop-the-loop", examples.DEFINITION_SENT))
        first = examples.MANIFEST | {"title": "Python"}
        self.published = [
            publish(database, dict(one), now=at(f"2026-0{n}-05T08:00:00Z"), publisher=None)
            for n, one in enumerate((first, examples.MANIFEST), start=1)
        ]
        names = ("id", "kind", "email", "display_name", "time_zone")
        row = {name: examples.LEARNER[name] for name in names}
        with database.transaction() as connection:
            learners.add(connection, row | {"created_at": at(examples.LEARNER["created_at"])})
        self.replies = {one["id"]: self.record(one) for one in ENTRIES[:2]}
        exported_at = at(examples_of_export.EXPORT["exported_at"])
        self.export = json.loads(b"".join(export_json(self.read, ADA, exported_at)))
        self.replies |= {one["id"]: self.record(one) for one in ENTRIES[2:]}

    def record(self, entry: Mapping[str, Any]) -> Receipt:
        event = event_of(entry)
        verdicts = grade_answers(self.database, self.catalog, [event])
        sent = Submission(ADA.learner_id or "", (event,), at(entry["received_at"]), verdicts=verdicts)
        with self.database.transaction() as connection:
            receipt = record(connection, self.catalog, [sent])[0]
        assert isinstance(receipt, Receipt)
        return receipt

    def read(self, view: Callable[..., T], *parameters: Any) -> T:
        with self.database.read() as connection:
            return view(connection, *parameters)

    def in_force(self) -> InForce:
        return InForce(*self.read(self.catalog.in_force, [COURSE])[COURSE])


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    database = Database(database_url)
    migrate(database)
    yield Story(database)
    database.close()


def plain(found: object) -> Any:
    """As a client reads it."""
    return json.loads(msgspec.json.encode(found))


def page(items: object) -> dict[str, Any]:
    return {"items": plain(items), "next_cursor": None}


def test_what_is_read_of_a_learner(story: Story) -> None:
    read, catalog = story.read, story.catalog
    week = AskedRange("2026-02-28", "2026-03-01")
    assert plain(read(read_overview, catalog, ADA, NOON)) == examples_of_progress.OVERVIEW
    assert plain(read(read_course, catalog, ADA, COURSE)) == examples_of_progress.COURSE
    assert plain(read(read_module, catalog, ADA, COURSE, "loops")) == examples_of_progress.MODULE
    assert page(read(read_runs, catalog, ADA, COURSE)) == examples_of_progress.RUNS
    assert page(read(read_skills, catalog, ADA)) == examples_of_progress.SKILLS
    assert page(read(read_reviews, catalog, ADA, NOON).items) == examples_of_progress.REVIEWS
    assert page(read(read_sessions, ADA, NOON, AskedRange()).items) == examples_of_practice.SESSIONS
    assert plain(read(read_streak, ADA, NOON)) == examples_of_practice.STREAK
    assert plain(read(read_history, ADA, NOON, week)) == examples_of_practice.HISTORY
    assert plain(read(read_statistics, catalog, ADA, NOON, "week")) == examples_of_practice.STATISTICS
    report = read(read_learner, catalog, story.in_force(), ADA.learner_id, NOON)
    assert plain(report) == examples_of_progress.LEARNER_REPORT


def test_what_a_ledger_holds(story: Story) -> None:
    found, shown = page(story.read(read_events, story.catalog, ADA).items), examples_of_practice.EVENTS
    # The server makes new ids for what it adds.
    for one, known in zip(found["items"], shown["items"], strict=True):
        one["id"] = known["id"] if one["trust"] == "server" else one["id"]
    assert found == shown


@pytest.mark.parametrize("shown", RECORDED)
def test_what_recording_replies(story: Story, shown: dict[str, Any]) -> None:
    result = shown["result"] if "result" in shown else shown["results"][0]
    receipt = story.replies[result["id"]]
    (step,) = [shown["progress"]] if "progress" in shown else shown["steps"]
    assert result["status"] == receipt.results[0].status
    assert plain([progress_of(one) for one in receipt.steps]) == [step]
    assert plain(receipt.changes) == shown["changes"]


def test_what_is_exported(story: Story) -> None:
    shown = examples_of_export.EXPORT
    # Some of the tables: most are empty, or long.
    tables = {name: story.export["tables"][name] for name in shown["tables"]}
    assert story.export | {"tables": tables} == shown


def test_what_is_read_of_a_course(story: Story) -> None:
    version, course = story.in_force()
    row = story.read(courses.page, "", 2)[0]
    listed = {name: row[name] for name in ("id", "title", "version")} | {"created_at": format_time(row["created_at"])}
    assert page([listed]) == examples_of_courses.COURSES
    assert {"version": version, **outline(course, public_grader)} == examples_of_courses.OUTLINE
    step = course.step_named(examples_of_courses.STEP["id"])
    shown = outline_step(step, public_grader) | {"version": version, "files": dict(step.files)}
    assert shown == examples_of_courses.STEP
    assert plain(impact_of(story.published[0])) == examples.PUBLISHED["impact"]


def test_what_is_signed_of_a_certificate() -> None:
    shown = examples.CERTIFICATE
    facts = FACTS._replace(id=shown["id"], learner_name=shown["learner_name"], issued_at=at(shown["issued_at"]))
    assert signed_credential(facts, ISSUER, SIGNER) == examples_of_credentials.CREDENTIAL
    # Not every zlib compresses the list alike.
    check(examples_of_credentials.STATUS)
