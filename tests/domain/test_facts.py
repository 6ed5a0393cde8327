"""What the server itself writes into a ledger: read as it was written, and refused where it is broken."""

import json
from collections.abc import Mapping
from typing import Any, get_args

import pytest

from headway.domain.changes import _TOLD_AS, ChangeType
from headway.domain.errors import Invalid, UnknownStep
from headway.domain.events import EventInvalid, fact_event, parse_event, read_event
from headway.domain.facts import (
    COURSELESS_TYPES,
    FACT_TYPES,
    RESET,
    Achieved,
    Graded,
    Granted,
    Leveled,
    Overridden,
    Paused,
    Reset,
    Resumed,
    Revoked,
    RunStarted,
    StreakImported,
    read_fact,
)
from headway.domain.notices import NOT_KEPT
from headway.domain.preferences import KINDS, types_of
from headway.domain.progress import Contribution
from headway.domain.recording import Circumstances, contribute, trust_of
from headway.domain.times import parse_time
from headway.ledger.writing import no_grader
from tests.domain.manifests import course, module, parsed, step

ID = "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b"
AT = "2026-03-01T12:00:00.000000Z"
NOON = parse_time(AT)[0]
PLACE: Mapping[str, Any] = {"course": "python", "run": 2}
GRADE: Mapping[str, Any] = {
    **PLACE,
    "step": "essay",
    "attempt": ID,
    "attempted_at": "2026-02-01T12:00:00.000000Z",
    "day": "2026-02-02",
    "score": 850_000,
    "waited": True,
    "topics": ["loops"],
    "feedback": "Nearly.",
}
SAID: Mapping[str, Mapping[str, Any]] = {
    "module_unlocked": {**PLACE, "module": "m", "cause": "x"},
    "module_completed": {**PLACE, "module": "m", "cause": "x", "score": 800_000},
    "course_completed": {**PLACE, "cause": "x", "score": 800_000},
    "certified": {**PLACE, "cause": "x", "score": 800_000},
    "revoked": {**PLACE, "certificate": ID, "reason": "copied"},
    "run_started": PLACE,
    "graded": GRADE,
    "overridden": {**PLACE, "step": "essay", "score": 1_000_000, "waived": True, "by": ID, "reason": "was ill"},
    "paused": {"from": "2026-03-01", "to": "2026-03-14"},
    "resumed": {"pause": ID, "to": "2026-03-05"},
    "reset": {**PLACE, "sessions": 3, "kept": ["a"], "counts_said": True},
    "streak_imported": {"longest": 12},
    "leveled": {"topic": "loops", "level": "advanced", "previous": "beginner", "cause": "x"},
    "achieved": {"achievement": "first-step", "title": "First step", "tier": "bronze", "points": 5, "cause": "x"},
}
FACTS = {
    "module_unlocked": Granted("m", "x"),
    "module_completed": Granted("m", "x"),
    "course_completed": Granted("", "x"),
    "certified": Granted("", "x"),
    "revoked": Revoked(ID, "copied"),
    "run_started": RunStarted(),
    "graded": Graded(
        *(ID, parse_time("2026-02-01T12:00:00Z")[0], "2026-02-02", None),
        passed_before=False,
        waited=True,
        topics=("loops",),
        feedback="Nearly.",
    ),
    "overridden": Overridden(final=False, waived=True, reason="was ill"),
    "paused": Paused("2026-03-01", "2026-03-14"),
    "resumed": Resumed(ID, "2026-03-05"),
    "reset": Reset(3, ("a",), counts_said=True),
    "streak_imported": StreakImported(12),
    "leveled": Leveled("loops", "advanced", "beginner", "x"),
    "achieved": Achieved("first-step", "First step", "bronze", 5, "x"),
}


@pytest.mark.parametrize("kind", FACT_TYPES)
def test_what_is_written_reads_as_it_was_meant(kind: str) -> None:
    event = fact_event(ID, kind, AT, SAID[kind])
    place = (1, "") if kind in COURSELESS_TYPES else (2, "python")
    assert (event.fact, event.run, event.course, event.occurred_at) == (FACTS[kind], *place, NOON)
    assert (event.step, event.score) == (SAID[kind].get("step"), SAID[kind].get("score"))
    assert read_event(ID, event.body) == event
    assert json.loads(event.body) == {"type": kind, "occurred_at": AT, **SAID[kind]}


@pytest.mark.parametrize("kind", FACT_TYPES)
def test_no_client_sends_what_the_server_says(kind: str) -> None:
    with pytest.raises(EventInvalid) as refusal:
        parse_event({"id": ID, "type": kind, "occurred_at": AT, "course": "python", "step": "essay"})
    assert refusal.value.field == "type"


def test_an_event_of_another_type_is_no_fact() -> None:
    others: list[Any] = ["attempted", "enrolled", "", None, 5, [], {}]
    for kind in others:
        assert read_fact({"type": kind}) is None


BROKEN: list[tuple[str, dict[str, Any]]] = [
    *((kind, {"run": None}) for kind in FACT_TYPES if kind not in COURSELESS_TYPES),
    *((kind, {"occurred_at": "yesterday"}) for kind in FACT_TYPES),
    ("module_completed", {"score": 1_000_001}),
    ("module_completed", {"score": -1}),
    ("module_completed", {"score": 0.5}),
    ("module_completed", {"score": True}),
    ("certified", {"cause": ...}),
    ("graded", {"attempt": ...}),
    ("graded", {"attempted_at": "2026-02-30T12:00:00Z"}),
    ("graded", {"day": ...}),
    ("graded", {"before": "much"}),
    ("revoked", {"reason": ...}),
    ("revoked", {"certificate": ...}),
    ("run_started", {"course": ...}),
    ("run_started", {"run": "two"}),
    ("paused", {"from": "2026-02-30"}),
    ("paused", {"to": ...}),
    ("resumed", {"pause": ...}),
    ("resumed", {"to": "20260305"}),
]


@pytest.mark.parametrize(("kind", "wrong"), BROKEN)
def test_a_broken_entry_is_invalid(kind: str, wrong: dict[str, Any]) -> None:
    content = {"type": kind, "occurred_at": AT, **SAID[kind], **wrong}
    with pytest.raises(Invalid):
        read_event(ID, json.dumps({name: value for name, value in content.items() if value is not ...}))


COURSE = parsed(course(module("m", step("essay", kind="assignment", pass_mark=90, topics=["prose"]))))


def contributed(kind: str, zone: str = "Asia/Tokyo", **said: Any) -> Contribution:
    known = Circumstances(NOON, 0, zone, "server", 7, 1)
    return contribute(fact_event(ID, kind, "2026-03-01T23:00:00Z", {**SAID[kind], **said}), known, COURSE, no_grader)


def test_an_entry_adds_what_it_says_on_the_learners_day_in_the_run_that_it_names() -> None:
    made = contributed("graded")
    assert made[:5] == (ID, "graded", "python", 2, "essay")
    assert (made.version, made.day, made.worked_on, made.is_graded) == (7, "2026-03-02", "2026-02-02", True)
    assert (made.score, made.topics, made.duration_ms, made.hints) == (850_000, ("prose",), 0, 0)
    granted = contributed("module_completed")
    assert (granted.step, granted.score, granted.passed, granted.topics) == ("", 800_000, False, ())
    assert not made.is_activity
    assert not granted.is_activity


@pytest.mark.parametrize(
    ("kind", "said", "passed"),
    [
        ("graded", {"score": 899_999}, False),
        ("graded", {"score": 900_000}, True),
        # Once passed stays passed, though the mark is higher now.
        ("graded", {"score": 850_000, "before": 700_000, "passed_before": True}, True),
        ("overridden", {"score": 899_999, "waived": False}, False),
        ("overridden", {"score": 900_000, "waived": False}, True),
        ("overridden", {"score": 0, "waived": True}, True),
        ("certified", {"score": 1_000_000}, False),
    ],
)
def test_a_grade_at_the_mark_passes_and_a_waiver_does(kind: str, said: dict[str, Any], passed: bool) -> None:
    assert contributed(kind, **said).passed is passed


def test_the_server_vouches_for_what_it_says_of_a_step() -> None:
    essay = COURSE.step("essay")
    assert trust_of(fact_event(ID, "graded", AT, GRADE), "server", essay) == "graded"
    assert trust_of(fact_event(ID, "certified", AT, SAID["certified"]), "server", None) == "server"


def test_a_step_that_no_version_has_is_unknown() -> None:
    with pytest.raises(UnknownStep):
        contributed("graded", step="nowhere")


def test_whatever_is_told_can_be_asked_for() -> None:
    told = {_TOLD_AS.get(one, one) for one in FACT_TYPES} - {RESET} | NOT_KEPT | types_of(KINDS)
    assert told | {"progress_reset"} <= set(get_args(ChangeType))
