"""Statements on what a learner did on the days of a range: entries that count, own ones and those that guests brought.

Each question is one statement. Entries that no longer count must be left out here.
"""

from collections import Counter
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy.engine import Connection

from headway.domain.periods import Range
from headway.domain.practice import Practiced
from headway.domain.progress import Completion, PeriodSum
from headway.store import reset_marks, rows
from headway.store.achievements import EARNED, Earned, in_order
from headway.store.figures import total_part, total_read
from headway.store.rows import Part

_T = TypeVar("_T", int, "Done", Practiced)
_FIGURES: Final = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in PeriodSum._fields)
_NAMES: Final = ", ".join(PeriodSum._fields)
_WITHIN: Final = "e.day BETWEEN :first AND :last"
_ATTEMPTS: Final = "e.type = 'attempted'"


def _counted(names: str, condition: str, *, is_reset: bool, flat: bool = False) -> Part:
    """Columns of the entries that count; `is_reset` says to check each entry against the learner's resets."""
    of_own, of_brought = (
        f" AND {reset_marks.condition(one)}" if is_reset else "" for one in ("''", "CAST(b.guest_id AS text)")
    )
    what = ", ".join(f"e.{name}" for name in names.split(", "))
    own = f"SELECT {what} FROM ledger e WHERE e.learner_id = :learner AND {condition}{of_own}"  # noqa: S608  # our own words
    of_guests = (
        f"SELECT {what} FROM brought b CROSS JOIN ledger e"  # noqa: S608  # our own words
        f" WHERE b.learner_id = :learner AND e.learner_id = b.guest_id AND e.seq = b.seq AND {condition}{of_brought}"
    )
    return Part(names, f"FROM ({own} UNION ALL {of_guests}) w", flat)


def _regraded(names: str, condition: str) -> Part:
    """The same columns of attempts that were given another score since, with that score and whether it passes."""
    what = ", ".join(f"e.{name}" for name in names.split(", ")) + ", g.score AS new_score, g.passed AS new_passed"
    # CROSS JOIN makes SQLite walk the grades, of which there are few, and look up each attempt.
    given = f"SELECT {what} FROM attempt_grade g CROSS JOIN"  # noqa: S608  # our own words
    by = f"WHERE g.learner_id = :learner AND g.score IS NOT NULL AND {condition}"
    own = f"{given} ledger e {by} AND e.learner_id = :learner AND e.event_id = g.attempt_id"
    of_guests = (
        f"{given} brought b CROSS JOIN ledger e {by} AND b.learner_id = :learner AND b.event_id = g.attempt_id"
        " AND e.learner_id = b.guest_id AND e.seq = b.seq"
    )
    return Part(f"{names}, new_score, new_passed", f"FROM ({own} UNION ALL {of_guests}) w")


def _sums(table: str, key: str, condition: str = "") -> Part:
    grouped = f"SELECT {key}, {_FIGURES} FROM {table} WHERE learner_id = :learner {condition} GROUP BY {key}"  # noqa: S608  # our own words
    return Part(f"{key}, {_NAMES}", f"FROM ({grouped}) d")


_EVENT: Final = "day, course_id, version, step_id, type, score, passed, duration_ms"
_PRACTICE: Final = "at, day, passed, duration_ms"


@cache
def _of_range(is_reset: bool) -> tuple[Part, ...]:
    return (
        _sums("day_sum", "day", "AND day BETWEEN :first AND :last"),
        _counted(_EVENT, f"{_WITHIN} AND e.type IN ('opened', 'worked', 'attempted', 'completed')", is_reset=is_reset),
        _regraded(_EVENT, _WITHIN),
        Part(
            "course_id, step_id, completed_at, completed_by, completed_on, completed_version",
            "FROM step_sum WHERE learner_id = :learner AND completed_at IS NOT NULL",
        ),
        EARNED,
    )


@cache
def _of_all(is_reset: bool) -> tuple[Part, ...]:
    return (
        total_part("true"),
        Part(
            "first, last",
            "FROM (SELECT min(day) AS first, max(day) AS last FROM day_sum WHERE learner_id = :learner) d",
        ),
        _sums("day_sum", "day", "AND day BETWEEN :first AND :last"),
        _sums("topic_sum", "topic"),
        # Flat, as ten thousand numbers are read in a tenth of the time of as many rows.
        _counted("score", f"{_ATTEMPTS} AND e.score IS NOT NULL", is_reset=is_reset, flat=True),
        _counted("duration_ms", f"{_ATTEMPTS} AND e.duration_ms <> 0", is_reset=is_reset, flat=True),
        _regraded("score", _ATTEMPTS),
        _counted("day, score", f"{_WITHIN} AND {_ATTEMPTS}", is_reset=is_reset),
        _regraded("day, score", _WITHIN),
        EARNED,
    )


class Done(NamedTuple):
    """One event on a step; its score in millionths."""

    day: str
    course: str
    version: int
    step: str
    type: str
    score: int | None
    passed: bool
    duration_ms: int


class Work(NamedTuple):
    """What was done on the days of a range: sums by day, and events.

    First completions of steps and achievements are included whatever their day.
    """

    days: dict[str, PeriodSum]
    events: list[Done]
    completions: dict[tuple[str, str], Completion]
    earned: list[Earned]


def of_range(connection: Connection, learner_id: str, within: Range) -> Work:
    """A learner's work on the days of a range."""
    asked = {"learner": learner_id, "first": within.first, "last": within.last}
    days, events, regraded, completed, earned = rows.gather(
        connection, *_of_range(reset_marks.any_of(connection, learner_id)), **asked
    )
    first: dict[tuple[str, str], Completion] = {}
    for course_id, step_id, *row in completed:
        # The first over all runs, because a step counts once.
        one = Completion(*row)
        first[course_id, step_id] = min(one, first.get((course_id, step_id), one))
    changed = [(old := Done(*row), old._replace(score=score, passed=passed)) for *row, score, passed in regraded]
    return Work(_by_key(days), _as_graded([Done(*row) for row in events], changed), first, in_order(earned))


class AllWork(NamedTuple):
    """All that a learner ever did, and the range of its days: totals, sums by topic, attempts' scores and durations.

    `days` are the sums of a recent range by day, and `recent` the scores in the same range.
    """

    total: PeriodSum
    within: Range
    days: dict[str, PeriodSum]
    topics: dict[str, PeriodSum]
    scores: list[int]
    durations_ms: list[int]
    recent: dict[str, list[int]]
    earned: list[Earned]


def of_all(connection: Connection, learner_id: str, recent: Range) -> AllWork:
    """A learner's work on all days; `recent` is the range of `days` and `recent` in the result."""
    asked = {"learner": learner_id, "first": recent.first, "last": recent.last}
    parts = _of_all(reset_marks.any_of(connection, learner_id))
    found = rows.gather(connection, *parts, **asked)
    total, ((first, last),), days, topics, scores, durations_ms, regraded, lately, regraded_lately, earned = found
    by_day: dict[str, list[int]] = {}
    for day in {day for day, _ in lately}:
        own = [score for other, score in lately if other == day]
        by_day[day] = _scores(own, [(old, new) for other, old, new, _ in regraded_lately if other == day])
    changed = _scores(scores, [row[:2] for row in regraded])
    within = Range(first or "", last or "")
    sums = _by_key(days), _by_key(topics)
    return AllWork(total_read(total), within, *sums, changed, durations_ms, by_day, in_order(earned))


def practiced(connection: Connection, learner_id: str, within: Range) -> list[Practiced]:
    """A learner's attempts on the days of a range."""
    asked = {"learner": learner_id, "first": within.first, "last": within.last}
    condition = f"{_WITHIN} AND {_ATTEMPTS}"
    is_reset = reset_marks.any_of(connection, learner_id)
    parts = _counted(_PRACTICE, condition, is_reset=is_reset), _regraded(_PRACTICE, condition)
    attempts, regraded = rows.gather(connection, *parts, **asked)
    changed = [(old := Practiced(*row), old._replace(passed=bool(passed))) for *row, _, passed in regraded]
    return _as_graded([Practiced(*row) for row in attempts], changed)


def attempt_times(connection: Connection, learner_id: str) -> list[tuple[str, int, int]]:
    """(course, run, time) of each of a learner's attempts."""
    part = _counted("course_id, run, at", _ATTEMPTS, is_reset=reset_marks.any_of(connection, learner_id))
    (found,) = rows.gather(connection, part, learner=learner_id)
    return [(course, run, at) for course, run, at in found]


def _scores(recorded: list[Any], regraded: list[Any]) -> list[int]:
    """Present scores, from recorded ones and (recorded, given) pairs of attempts that were given another score."""
    if not regraded:
        return [score for score in recorded if score is not None]
    given = [new for old, new in regraded if old is None]
    changed = [(old, new) for old, new in regraded if old is not None]
    return [*_as_graded([score for score in recorded if score is not None], changed), *given]


def _as_graded(found: list[_T], changed: list[tuple[_T, _T]]) -> list[_T]:
    """Replace values, given as (old, new); it does not matter which of several equal ones is replaced."""
    if not changed:
        return found
    left = Counter(old for old, _ in changed)
    kept = [new for _, new in changed]
    for one in found:
        if left[one]:
            left[one] -= 1
        else:
            kept.append(one)
    return kept


def _by_key(found: list[Any]) -> dict[str, PeriodSum]:
    return {row[0]: PeriodSum(*row[1:]) for row in found}
