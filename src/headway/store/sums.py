"""Statements on the sums: read by key, and written as they are now."""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Table
from sqlalchemy.engine import Connection

from headway.domain.days import ImportedDay, PartOfDay, Pause, StepDay
from headway.domain.earned import Achievement, ImportedStreak, LevelReached
from headway.domain.enrolled import Enrolled
from headway.domain.progress import (
    FIRST_RUN,
    AttemptGrade,
    Certificate,
    Completion,
    EnrollmentSum,
    GivenGrade,
    Grant,
    PeriodSum,
    Revocation,
    RunSum,
    Scored,
    StepSum,
)
from headway.domain.resets import ResetKey, ResetMark
from headway.domain.streaks import StreakDays, streak_days_of
from headway.domain.sums import DayKey, GrantKey, LevelKey, PartKey, RunKey, StepDayKey, StepKey, Sums, TopicKey
from headway.store import rows
from headway.store.achievement_tables import achievement
from headway.store.earning_tables import day_part, step_day, topic_level
from headway.store.notice_tables import notice
from headway.store.notices import Notice, NoticePlace
from headway.store.roster_tables import roster
from headway.store.schema import (
    attempt_grade,
    brought,
    certificate,
    course_run,
    day_sum,
    enrollment,
    granted,
    imported_day,
    imported_streak,
    progress_reset,
    step_sum,
    streak_pause,
    topic_sum,
)
from headway.store.step_rows import step_row, step_value, word


class SumKind(NamedTuple):
    """How one kind of sum is stored in its table: its key (after the learner) and its value."""

    table: Table
    read_key: Callable[[rows.Row], Any]
    read_value: Callable[[rows.Row], Any]
    write: Callable[[str, Any, Any], rows.Row]
    held_in: Callable[[Sums], dict[Any, Any]]

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the primary key's columns."""
        return tuple(column.name for column in self.table.primary_key)


def _flat_row(learner_id: str, key: tuple[Any, ...], one: tuple[Any, ...]) -> rows.Row:
    return (learner_id, *key, *one)


def _period_value(row: rows.Row) -> PeriodSum:
    return PeriodSum._make(row[4:])


def _enrollment_value(row: rows.Row) -> EnrollmentSum:
    return EnrollmentSum(bool(row[2]), row[3], row[4], row[5])


def _enrollment_row(learner_id: str, course_id: str, one: EnrollmentSum) -> rows.Row:
    return (learner_id, course_id, *one)


def _certificate_value(row: rows.Row) -> Certificate:
    revoked = row[7:]
    course, run, issued_at, score, version = row[2:7]
    return Certificate(course, run, issued_at, score, version, None if revoked[0] is None else Revocation(*revoked))


def _certificate_row(learner_id: str, certificate_id: str, one: Certificate) -> rows.Row:
    return (learner_id, certificate_id, *one[:5], *(one.revocation or (None, None, None)))


def _grade_value(row: rows.Row) -> AttemptGrade:
    score, passed, at, by = row[7:]
    given = None if score is None else GivenGrade(score, bool(passed), at, by)
    course, run, step, at, waited = row[2:7]
    return AttemptGrade(course, run, step, at, bool(waited), given)


def _grade_row(learner_id: str, attempt_id: str, one: AttemptGrade) -> rows.Row:
    return (learner_id, attempt_id, *one[:5], *(one.given or (None, None, None, None)))


STEPS = SumKind(
    step_sum,
    lambda row: StepKey(*row[1:4]),
    step_value,
    step_row,
    lambda sums: sums.steps,
)
DAYS = SumKind(
    day_sum,
    lambda row: DayKey._make(row[1:4]),
    _period_value,
    _flat_row,
    lambda sums: sums.days,
)
TOPICS = SumKind(
    topic_sum,
    lambda row: TopicKey._make(row[1:4]),
    _period_value,
    _flat_row,
    lambda sums: sums.topics,
)
ENROLLMENTS = SumKind(
    enrollment,
    lambda row: row[1],
    _enrollment_value,
    _enrollment_row,
    lambda sums: sums.enrollments,
)
RUNS = SumKind(
    course_run,
    lambda row: RunKey(row[1], row[2]),
    # Only the first run begins without an entry of its own, with the first event.
    lambda row: RunSum(row[3], row[2] > FIRST_RUN, row[4]),
    lambda learner_id, key, one: (learner_id, *key, one.started_at, one.active_at),
    lambda sums: sums.runs,
)
GRANTS = SumKind(
    granted,
    lambda row: GrantKey(*row[1:5]),
    lambda row: Grant(*row[5:]),
    _flat_row,
    lambda sums: sums.grants,
)
CERTIFICATES = SumKind(
    certificate,
    itemgetter(1),
    _certificate_value,
    _certificate_row,
    lambda sums: sums.certificates,
)
GRADES = SumKind(
    attempt_grade,
    itemgetter(1),
    _grade_value,
    _grade_row,
    lambda sums: sums.grades,
)
IMPORTED_DAYS = SumKind(
    imported_day,
    lambda row: DayKey._make(row[1:4]),
    lambda row: ImportedDay(row[4]),
    _flat_row,
    lambda sums: sums.imported_days,
)
PAUSES = SumKind(
    streak_pause,
    itemgetter(1),
    lambda row: Pause(*row[2:]),
    lambda learner_id, key, one: (learner_id, key, *one),
    lambda sums: sums.pauses,
)
ACHIEVEMENTS = SumKind(
    achievement,
    itemgetter(1),
    lambda row: Achievement(*row[2:]),
    lambda learner_id, key, one: (learner_id, key, *one),
    lambda sums: sums.achievements,
)
IMPORTED_STREAKS = SumKind(
    imported_streak,
    itemgetter(1),
    lambda row: ImportedStreak(row[2]),
    lambda learner_id, key, one: (learner_id, key, *one),
    lambda sums: sums.imported_streaks,
)
STEP_DAYS = SumKind(
    step_day,
    lambda row: StepDayKey(*row[1:5]),
    lambda row: StepDay(*row[5:]),
    _flat_row,
    lambda sums: sums.step_days,
)
RESETS = SumKind(
    progress_reset,
    lambda row: ResetKey(*row[1:4]),
    lambda row: ResetMark(row[4]),
    _flat_row,
    lambda sums: sums.resets,
)
LEVELS = SumKind(
    topic_level,
    lambda row: LevelKey(row[1], row[2]),
    lambda row: LevelReached(*row[3:]),
    _flat_row,
    lambda sums: sums.levels,
)
PARTS = SumKind(
    day_part,
    lambda row: PartKey(*row[1:5]),
    lambda row: PartOfDay(row[5]),
    _flat_row,
    lambda sums: sums.parts,
)
_OF_COURSES = (STEPS, DAYS, TOPICS, ENROLLMENTS, RUNS, GRANTS, CERTIFICATES, GRADES, IMPORTED_DAYS)
ALL = (*_OF_COURSES, PAUSES, ACHIEVEMENTS, LEVELS, PARTS, STEP_DAYS, IMPORTED_STREAKS, RESETS)
# Not a sum, and not in `Sums`: where events that guests brought lie. It follows from the ledgers as sums do.
BROUGHT = SumKind(brought, lambda row: row[1], lambda row: row[2:4], lambda *one: (*one[:2], *one[2]), lambda _: {})
# What the roster shows of enrolled learners: computed from the sums, by a version of the course.
ROSTER = SumKind(roster, itemgetter(1), lambda row: Enrolled(*row[2:]), lambda *one: (*one[:2], *one[2]), lambda _: {})
# What learners were told: follows from what entries tell, as far as it is still kept.
NOTICES = SumKind(notice, lambda row: NoticePlace(*row[1:3]), Notice._make, lambda *one: one[2], lambda _: {})
DERIVED = (*ALL, BROUGHT, ROSTER, NOTICES)


def read(connection: Connection, kind: SumKind, keys: Iterable[rows.Row]) -> Iterable[tuple[str, Any, Any]]:
    """(learner, key, value) of the rows that exist with these full primary keys."""
    for row in rows.lookup(connection, kind.table, keys, *kind.table.c.keys(), by=kind.key_names):
        yield row[0], kind.read_key(row), kind.read_value(row)


class Reading(NamedTuple):
    """How rows are selected by some of their columns, and read; the learner is the first column of a row."""

    table: Table
    what: str
    by: tuple[str, ...]
    read_key: Callable[[rows.Row], Any]
    read_value: Callable[[rows.Row], Any]
    # The column that must hold one of the texts of a `Wanted`, where only some rows are wanted.
    column: str = ""


class WantedSums(NamedTuple):
    """Rows to be read by keys; `texts` are the values wanted in the reading's `column`, if it has one."""

    reading: Reading
    keys: Iterable[rows.Row]
    texts: Iterable[str] = ()


@cache
def of_kind(kind: SumKind, *by: str) -> Reading:
    """The reading of whole rows of a kind, by these columns or else by the primary key."""
    return Reading(kind.table, _columns(kind.table), by or kind.key_names, kind.read_key, kind.read_value)


def read_together(
    connection: Connection, wanted: Iterable[WantedSums | tuple[Reading, Iterable[rows.Row]]]
) -> Iterable[tuple[Reading, list[tuple[str, Any, Any]]]]:
    """For each reading (learner, key, value) of the rows found, all by one statement."""
    asked = [WantedSums(*one) for one in wanted]
    questions = [rows.Question(one.table, keys, one.what, one.by, one.column, texts) for one, keys, texts in asked]
    for (one, *_), found in zip(asked, rows.ask(connection, *questions), strict=True):
        yield one, [(row[0], one.read_key(row), one.read_value(row)) for row in found]


@cache
def _columns(table: Table) -> str:
    return ", ".join(f"t.{column.name}" for column in table.c)


def _step_score(columns: rows.Row) -> StepSum:
    events, scores, total, best, first, latest, done_at, updated_at, graded_best, override = columns
    # By position, in the order of StepSum's fields, and as plain tuples: a course's learners have millions of these,
    # and calls by name take three times as long.
    parts = (
        *(events, 0, 0, scores, total, best),
        None if first is None else _scored(first),
        None if latest is None else _scored(latest),
        None if done_at is None else _tuple(Completion, (done_at, "", "", 0)),
        *(0, 0, updated_at, 0, graded_best),
        *((None, done_at is not None) if override is None else word(done_at, override)),
    )
    return _tuple(StepSum, parts)


@lru_cache(maxsize=4096)
def _scored(score: int) -> Scored:
    return Scored(0, "", score)


_tuple: Final = tuple.__new__
_SCORE: Final = (
    *("events", "scores", "score_total", "best_score", "first_score", "latest_score"),
    *("completed_at", "updated_at", "graded_best", "override"),
)


def _step_scores(key_names: tuple[str, ...], by: tuple[str, ...], read_key: Callable[[rows.Row], Any]) -> Reading:
    """The parts of a step's sum that rules need; never write them back, for most of the row is missing."""
    what, width = ", ".join(f"t.{name}" for name in (*key_names, *_SCORE)), len(key_names)
    return Reading(step_sum, what, by, read_key, lambda row: _step_score(row[width:]))


_RUN_NAMES: Final = RUNS.key_names
STEP_SCORES: Final = _step_scores(STEPS.key_names, STEPS.key_names, STEPS.read_key)
STEP_SCORES_OF_RUN: Final = _step_scores(STEPS.key_names, _RUN_NAMES, STEPS.read_key)
SOME_STEP_SCORES_OF_RUN: Final = STEP_SCORES_OF_RUN._replace(column="step_id")
# Keyed by step alone, for when the run is known.
SCORES_OF_RUN_BY_STEP: Final = _step_scores(("learner_id", "step_id"), _RUN_NAMES, itemgetter(1))
SOME_SCORES_OF_RUN_BY_STEP: Final = SCORES_OF_RUN_BY_STEP._replace(column="step_id")
GRANTS_OF_RUN: Final = of_kind(GRANTS, "learner_id", "course_id", "run")
GRANTS_OF_MODULES: Final = GRANTS_OF_RUN._replace(column="module_id")


def read_learners(connection: Connection, kind: SumKind, learner_ids: Iterable[str]) -> Iterable[tuple[str, Any, Any]]:
    """(learner, key, value) of all rows of these learners."""
    for learner_id, key, row in read_rows(connection, kind, learner_ids):
        yield learner_id, key, kind.read_value(row)


def read_rows(connection: Connection, kind: SumKind, learner_ids: Iterable[str]) -> Iterable[tuple[str, Any, rows.Row]]:
    """(learner, key, stored row) of all rows of these learners; `kind.write` returns the row as it should be."""
    keys = [(one,) for one in learner_ids]
    for row in rows.lookup(connection, kind.table, keys, *kind.table.c.keys(), by=("learner_id",)):
        yield row[0], kind.read_key(row), tuple(row)


def write(connection: Connection, kind: SumKind, changed: Iterable[tuple[str, Any, Any]]) -> None:
    """Insert or replace (learner, key, value), in order of key."""
    rows.add_together(connection, written(kind, changed))


def written(kind: SumKind, changed: Iterable[tuple[str, Any, Any]]) -> rows.Addition:
    """The addition, for `rows`, that inserts or replaces (learner, key, value), in order of key."""
    made: list[Any] = [kind.write(*one) for one in changed]
    # Each row begins with its key, and keys are unique here, so sorting never compares what follows.
    return rows.Addition(kind.table, sorted(made), replaces=True)


def remove(connection: Connection, kind: SumKind, keys: Iterable[rows.Row]) -> None:
    """Delete the rows with these full primary keys."""
    rows.delete(connection, kind.table, keys)


def streak_days(connection: Connection, learner_ids: Iterable[str]) -> dict[str, StreakDays]:
    """The days that each learner's streak is computed from, without those who have no days or pauses; one statement."""
    keys = [(one,) for one in learner_ids]
    counted, by = "t.learner_id, t.day, t.activities", ("learner_id",)
    asked = (
        rows.Question(day_sum, keys, counted, by),
        rows.Question(imported_day, keys, counted, by),
        rows.Question(streak_pause, keys, "t.learner_id, t.first_on, t.last_on", by),
    )
    days, imported, pauses = map(_by_learner, rows.ask(connection, *asked))
    # Learners with pauses alone are included: the caller may be recording their first active day.
    return {
        one: streak_days_of(days.get(one, ()), imported.get(one, ()), pauses.get(one, ()))
        for one in days.keys() | pauses.keys()
    }


def _by_learner(found: Iterable[rows.Row]) -> dict[str, list[rows.Row]]:
    by_learner: dict[str, list[rows.Row]] = {}
    for learner_id, *row in found:
        by_learner.setdefault(learner_id, []).append(row)
    return by_learner
