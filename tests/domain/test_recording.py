"""From an event to what it adds: pass marks, graded steps, clocks that are wrong, days and durations."""

from collections.abc import Mapping
from typing import Any

import pytest

from headway.domain.course import Course
from headway.domain.errors import GradedStep, UnknownStep
from headway.domain.events import EventInvalid, enrollment_event, parse_event
from headway.domain.progress import Contribution, Worth
from headway.domain.recording import Circumstances, contribute, effective_at, is_ahead, trust_of, worth_of
from headway.domain.times import MINUTE, SECOND, format_time, parse_time
from tests.domain.manifests import course, module, parsed, step

ID = "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b"
NOON = parse_time("2026-03-01T12:00:00Z")[0]
COURSE: Course = parsed(
    course(
        module(
            "first",
            step("quiz", topics=["loops", "lists"], pass_mark=79.995),
            step("graded", grader={"type": "choice"}, pass_mark=50),
            step("read", kind="lesson", points=3),
            step("free", pass_mark=0),
            step("new-name", renamed_from=["old-name", "older-name"]),
        )
    )
)


def full_marks_for_yes(_config: Mapping[str, Any], response: Any) -> int:
    return 1_000_000 if response == "yes" else 0


def made(known: Mapping[str, Any] | None = None, **fields: Any) -> Contribution:
    sent = {"id": ID, "type": "attempted", "course": "python", "step": "quiz", "occurred_at": "2026-03-01T11:00:00Z"}
    circumstances = Circumstances(NOON, 0, "UTC", "reported", 1)._replace(**(known or {}))
    return contribute(parse_event({**sent, **fields}), circumstances, COURSE, full_marks_for_yes)


@pytest.mark.parametrize(
    ("kind", "score", "passed", "completes"),
    [
        ("attempted", 79.9949, False, False),
        ("attempted", 79.995, True, True),
        ("attempted", 80, True, True),
        ("attempted", 1, True, True),
        ("attempted", 0, False, False),
        ("attempted", None, False, False),
        # `completed` completes whatever the score, and is no attempt: it passes nothing.
        ("completed", 100, False, True),
        ("completed", 0, False, True),
        ("completed", None, False, True),
        ("opened", None, False, False),
        ("worked", None, False, False),
    ],
)
def test_an_attempt_at_or_above_the_pass_mark_completes(
    kind: str, score: float | None, passed: bool, completes: bool
) -> None:
    contribution = made(type=kind, score=score)
    assert (contribution.passed, contribution.completes) == (passed, completes)
    assert contribution.is_activity == (kind in ("attempted", "completed"))


def test_a_pass_mark_of_nothing_still_needs_a_score() -> None:
    assert made(step="free", score=0).passed
    assert not made(step="free").passed


def test_what_an_event_adds_is_under_the_first_name_of_its_step() -> None:
    for name in ("new-name", "old-name", "older-name"):
        assert made(step=name, score=1).step == "old-name"
    with pytest.raises(UnknownStep) as refusal:
        made(step="newest-name")
    assert refusal.value.field == "step"


def test_an_event_carries_the_version_and_topics_that_it_was_recorded_under() -> None:
    contribution = made({"version": 7}, score=0.5, hints=3, duration_s=2)
    assert tuple(contribution) == (
        *(ID, "attempted", "python", 1, "quiz", 7),
        *(parse_time("2026-03-01T11:00:00Z")[0], "2026-03-01", 500_000, False, 2_000, 3, ("loops", "lists")),
        *(False, None, False, ""),
    )


@pytest.mark.parametrize(("response", "score"), [("yes", 1_000_000), ("no", 0), ([1], 0)])
def test_a_graded_step_is_graded_from_the_response(response: object, score: int) -> None:
    contribution = made(step="graded", response=response)
    assert (contribution.score, contribution.passed) == (score, score == 1_000_000)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "attempted", "score": 1, "response": "yes"},
        {"type": "attempted", "score": 0},
        {"type": "completed"},
        {"type": "completed", "response": "yes"},
        {"type": "completed", "score": 1},
    ],
)
def test_a_graded_step_takes_no_score_and_no_word_of_the_clients(fields: Mapping[str, Any]) -> None:
    with pytest.raises(GradedStep):
        made(step="graded", **fields)


def test_a_graded_step_needs_a_response_to_be_attempted_and_none_to_be_opened() -> None:
    with pytest.raises(EventInvalid) as refusal:
        made(step="graded")
    assert refusal.value.field == "response"
    assert made(step="graded", type="opened").score is None
    assert made(step="graded", type="worked", duration_s=5).duration_ms == 5_000


def test_a_response_to_a_step_without_a_grader_is_kept_and_counts_for_nothing() -> None:
    assert made(response="yes") == made()


def test_the_server_vouches_for_what_it_graded_alone() -> None:
    def trust(kind: str, of: str, source: str) -> str:
        event = parse_event({"id": ID, "type": kind, "course": "python", "step": of, "occurred_at": format_time(NOON)})
        return trust_of(event, source, COURSE.step(event.step or ""))

    assert trust("attempted", "graded", "reported") == "graded"
    assert trust("attempted", "graded", "imported") == "graded"
    assert trust("opened", "graded", "reported") == "reported"
    assert trust("attempted", "quiz", "reported") == "reported"
    assert trust("attempted", "quiz", "imported") == "imported"
    assert trust_of(enrollment_event(ID, "left", "python", format_time(NOON)), "imported", None) == "imported"


@pytest.mark.parametrize(
    ("occurred_at", "skew_s", "counts_as", "ahead"),
    [
        ("2026-03-01T11:00:00Z", 0, "2026-03-01T11:00:00Z", False),
        ("2025-03-01T11:00:00Z", 0, "2025-03-01T11:00:00Z", False),
        ("2026-03-01T12:00:00Z", 0, "2026-03-01T12:00:00Z", False),
        # Ahead of the server: taken as now, and flagged when it is more than five minutes.
        ("2026-03-01T12:00:01Z", 0, "2026-03-01T12:00:00Z", False),
        ("2026-03-01T12:05:00Z", 0, "2026-03-01T12:00:00Z", False),
        ("2026-03-01T12:05:00.000001Z", 0, "2026-03-01T12:00:00Z", True),
        ("9999-12-31T23:59:59Z", 0, "2026-03-01T12:00:00Z", True),
        # A clock that is known to be an hour behind, or ahead.
        ("2026-03-01T10:00:00Z", 3_600, "2026-03-01T11:00:00Z", False),
        ("2026-03-01T12:30:00Z", -3_600, "2026-03-01T11:30:00Z", False),
        ("2026-03-01T11:30:00Z", 3_600, "2026-03-01T12:00:00Z", True),
        ("2026-03-01T13:04:00Z", -3_600, "2026-03-01T12:00:00Z", False),
        # Nothing happened before 1970.
        ("1970-01-01T00:30:00Z", -3_600, "1970-01-01T00:00:00Z", False),
        ("1970-01-01T00:00:00+05:00", 0, "1970-01-01T00:00:00Z", False),
    ],
)
def test_an_event_counts_when_it_happened_and_never_after_it_came(
    occurred_at: str, skew_s: int, counts_as: str, ahead: bool
) -> None:
    skew = skew_s * SECOND
    assert made({"clock_skew": skew}, occurred_at=occurred_at).at == parse_time(counts_as)[0]
    event = parse_event({"id": ID, "type": "opened", "course": "c", "step": "s", "occurred_at": occurred_at})
    assert effective_at(event, Circumstances(NOON, skew, "UTC", "reported", 1)) == parse_time(counts_as)[0]
    assert is_ahead(event, NOON, skew) == ahead


def test_an_event_without_a_time_happens_when_it_comes() -> None:
    event = parse_event({"id": ID, "type": "opened", "course": "c", "step": "s", "occurred_at": format_time(NOON)})
    known = Circumstances(NOON + 5, 3_600 * SECOND, "UTC", "reported", 1)
    assert effective_at(event._replace(occurred_at=None), known) == NOON + 5
    assert not is_ahead(event._replace(occurred_at=None), NOON, 10 * 60 * MINUTE)


@pytest.mark.parametrize(
    ("occurred_at", "zone", "day"),
    [
        ("2026-02-28T23:30:00Z", "UTC", "2026-02-28"),
        # UTC says nothing of where the learner is: the zone decides.
        ("2026-02-28T23:30:00Z", "Europe/Berlin", "2026-03-01"),
        ("2026-02-28T23:30:00-00:00", "Europe/Berlin", "2026-03-01"),
        ("2026-03-01T04:30:00+00:00", "America/New_York", "2026-02-28"),
        # An offset does.
        ("2026-02-28T23:30:00+01:00", "America/New_York", "2026-02-28"),
        ("2026-02-28T23:30:00-01:00", "Asia/Tokyo", "2026-02-28"),
        ("2026-03-01T00:30:00+14:00", "UTC", "2026-03-01"),
        ("2026-02-28T23:30:00-11:00", "UTC", "2026-02-28"),
        # What is ahead of the server happens now, on the day that it is where the learner is.
        ("2026-03-05T00:00:00Z", "UTC", "2026-03-01"),
        ("2026-03-05T00:00:00+13:00", "UTC", "2026-03-02"),
        ("2026-03-05T00:00:00Z", "Pacific/Kiritimati", "2026-03-02"),
    ],
)
def test_the_day_is_the_one_that_the_offset_says_else_the_zone(occurred_at: str, zone: str, day: str) -> None:
    assert made({"time_zone": zone}, occurred_at=occurred_at).day == day


@pytest.mark.parametrize(
    ("sent_s", "counted_ms"),
    [(0, 0), (None, 0), (0.0015, 2), (59.9, 59_900), (3_600, 3_600_000), (3_600.001, 3_600_000), (86_400, 3_600_000)],
)
def test_at_most_an_hour_of_an_event_counts(sent_s: float | None, counted_ms: int) -> None:
    assert made(duration_s=sent_s).duration_ms == counted_ms


def test_an_enrollment_adds_to_no_step() -> None:
    event = enrollment_event(ID, "enrolled", "python", "2026-02-28T23:30:00Z")
    contribution = contribute(event, Circumstances(NOON, 0, "Asia/Tokyo", "imported", 2), COURSE, full_marks_for_yes)
    assert tuple(contribution) == (
        *(ID, "enrolled", "python", 1, "", 2, parse_time("2026-02-28T23:30:00Z")[0], "2026-03-01"),
        *(None, False, 0, 0, (), False, None, False, ""),
    )


def test_a_completion_is_worth_the_points_and_topics_of_its_step() -> None:
    assert worth_of(COURSE, "read") == Worth(3, False, ())
    assert worth_of(COURSE, "quiz") == Worth(10, True, ("loops", "lists"))
    assert worth_of(COURSE, "old-name") == Worth(10, True, ())
    for no_key in ("new-name", "older-name", "nowhere"):
        with pytest.raises(KeyError):
            worth_of(COURSE, no_key)
