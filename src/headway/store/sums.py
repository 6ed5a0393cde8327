"""Statements on the sums: read by keys, written as they now are."""

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
from headway.store.notices import Notice, Place
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


class Kind(NamedTuple):
    """How one kind of sum lies in its table: its key behind the learner, and its value."""

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


STEPS = Kind(
    step_sum,
    lambda row: StepKey(*row[1:4]),
    step_value,
    step_row,
    lambda sums: sums.steps,
)
DAYS = Kind(
    day_sum,
    lambda row: DayKey._make(row[1:4]),
    _period_value,
    _flat_row,
    lambda sums: sums.days,
)
TOPICS = Kind(
    topic_sum,
    lambda row: TopicKey._make(row[1:4]),
    _period_value,
    _flat_row,
    lambda sums: sums.topics,
)
ENROLLMENTS = Kind(
    enrollment,
    lambda row: row[1],
    _enrollment_value,
    _enrollment_row,
    lambda sums: sums.enrollments,
)
RUNS = Kind(
    course_run,
    lambda row: RunKey(row[1], row[2]),
    # The first run begins with what is done, every other with its entry.
    lambda row: RunSum(row[3], row[2] > FIRST_RUN, row[4]),
    lambda learner_id, key, one: (learner_id, *key, one.started_at, one.active_at),
    lambda sums: sums.runs,
)
GRANTS = Kind(
    granted,
    lambda row: GrantKey(*row[1:5]),
    lambda row: Grant(*row[5:]),
    _flat_row,
    lambda sums: sums.grants,
)
CERTIFICATES = Kind(
    certificate,
    itemgetter(1),
    _certificate_value,
    _certificate_row,
    lambda sums: sums.certificates,
)
GRADES = Kind(
    attempt_grade,
    itemgetter(1),
    _grade_value,
    _grade_row,
    lambda sums: sums.grades,
)
IMPORTED_DAYS = Kind(
    imported_day,
    lambda row: DayKey._make(row[1:4]),
    lambda row: ImportedDay(row[4]),
    _flat_row,
    lambda sums: sums.imported_days,
)
PAUSES = Kind(
    streak_pause,
    itemgetter(1),
    lambda row: Pause(*row[2:]),
    lambda learner_id, key, one: (learner_id, key, *one),
    lambda sums: sums.pauses,
)
ACHIEVEMENTS = Kind(
    achievement,
    itemgetter(1),
    lambda row: Achievement(*row[2:]),
    lambda learner_id, key, one: (learner_id, key, *one),
    lambda sums: sums.achievements,
)
IMPORTED_STREAKS = Kind(
    imported_streak,
    itemgetter(1),
    lambda row: ImportedStreak(row[2]),
    lambda learner_id, key, one: (learner_id, key, *one),
    lambda sums: sums.imported_streaks,
)
STEP_DAYS = Kind(
    step_day,
    lambda row: StepDayKey(*row[1:5]),
    lambda row: StepDay(*row[5:]),
    _flat_row,
    lambda sums: sums.step_days,
)
RESETS = Kind(
    progress_reset,
    lambda row: ResetKey(*row[1:4]),
    lambda row: ResetMark(row[4]),
    _flat_row,
    lambda sums: sums.resets,
)
LEVELS = Kind(
    topic_level,
    lambda row: LevelKey(row[1], row[2]),
    lambda row: LevelReached(*row[3:]),
    _flat_row,
    lambda sums: sums.levels,
)
PARTS = Kind(
    day_part,
    lambda row: PartKey(*row[1:5]),
    lambda row: PartOfDay(row[5]),
    _flat_row,
    lambda sums: sums.parts,
)
_OF_COURSES = (STEPS, DAYS, TOPICS, ENROLLMENTS, RUNS, GRANTS, CERTIFICATES, GRADES, IMPORTED_DAYS)
ALL = (*_OF_COURSES, PAUSES, ACHIEVEMENTS, LEVELS, PARTS, STEP_DAYS, IMPORTED_STREAKS, RESETS)
# No sum, and part of no standing: where what guests brought lies. It follows from the ledgers as the sums do.
BROUGHT = Kind(brought, lambda row: row[1], lambda row: row[2:4], lambda *one: (*one[:2], *one[2]), lambda _: {})
# What the roster shows of enrolled learners: worked out of the sums by a version of the course.
ROSTER = Kind(roster, itemgetter(1), lambda row: Enrolled(*row[2:]), lambda *one: (*one[:2], *one[2]), lambda _: {})
# What learners were told: worked out of what entries tell, as far as it is still kept.
NOTICES = Kind(notice, lambda row: Place(*row[1:3]), Notice._make, lambda *one: one[2], lambda _: {})
DERIVED = (*ALL, BROUGHT, ROSTER, NOTICES)


def read(connection: Connection, kind: Kind, keys: Iterable[rows.Row]) -> Iterable[tuple[str, Any, Any]]:
    """(learner, key, value) of those rows with these full primary keys that are there."""
    for row in rows.lookup(connection, kind.table, keys, *kind.table.c.keys(), by=kind.key_names):
        yield row[0], kind.read_key(row), kind.read_value(row)


class Reading(NamedTuple):
    """How rows are asked for by some of their columns, and what each reads as; the learner comes first in a row."""

    table: Table
    what: str
    by: tuple[str, ...]
    read_key: Callable[[rows.Row], Any]
    read_value: Callable[[rows.Row], Any]
    # By which column rows are left out, where only some are asked for.
    column: str = ""


class Wanted(NamedTuple):
    """Rows that are asked for by keys; where the reading leaves some out, those of the texts."""

    reading: Reading
    keys: Iterable[rows.Row]
    texts: Iterable[str] = ()


@cache
def of_kind(kind: Kind, *by: str) -> Reading:
    """The whole rows of a kind, by their primary keys where nothing else is said."""
    return Reading(kind.table, _columns(kind.table), by or kind.key_names, kind.read_key, kind.read_value)


def read_together(
    connection: Connection, wanted: Iterable[Wanted | tuple[Reading, Iterable[rows.Row]]]
) -> Iterable[tuple[Reading, list[tuple[str, Any, Any]]]]:
    """For each reading (learner, key, value) of what is there: all in one statement."""
    asked = [Wanted(*one) for one in wanted]
    questions = [rows.Question(one.table, keys, one.what, one.by, one.column, texts) for one, keys, texts in asked]
    for (one, *_), found in zip(asked, rows.ask(connection, *questions), strict=True):
        yield one, [(row[0], one.read_key(row), one.read_value(row)) for row in found]


@cache
def _columns(table: Table) -> str:
    return ", ".join(f"t.{column.name}" for column in table.c)


def _step_score(columns: rows.Row) -> StepSum:
    events, scores, total, best, first, latest, done_at, updated_at, graded_best, override = columns
    # By place, as they stand in StepSum, and as the tuples that they are: a course's learners have millions of them,
    # and a call by names takes thrice.
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
    """What rules ask of a step: not to be written back, for most of what is stored is left out."""
    what, width = ", ".join(f"t.{name}" for name in (*key_names, *_SCORE)), len(key_names)
    return Reading(step_sum, what, by, read_key, lambda row: _step_score(row[width:]))


_RUN_NAMES: Final = RUNS.key_names
STEP_SCORES: Final = _step_scores(STEPS.key_names, STEPS.key_names, STEPS.read_key)
STEP_SCORES_OF_RUN: Final = _step_scores(STEPS.key_names, _RUN_NAMES, STEPS.read_key)
SOME_STEP_SCORES_OF_RUN: Final = STEP_SCORES_OF_RUN._replace(column="step_id")
# By the steps' keys alone, where the run is known.
SCORES_OF_RUN_BY_STEP: Final = _step_scores(("learner_id", "step_id"), _RUN_NAMES, itemgetter(1))
SOME_SCORES_OF_RUN_BY_STEP: Final = SCORES_OF_RUN_BY_STEP._replace(column="step_id")
GRANTS_OF_RUN: Final = of_kind(GRANTS, "learner_id", "course_id", "run")
GRANTS_OF_MODULES: Final = GRANTS_OF_RUN._replace(column="module_id")


def read_learners(connection: Connection, kind: Kind, learner_ids: Iterable[str]) -> Iterable[tuple[str, Any, Any]]:
    """(learner, key, value) of all rows of these learners."""
    for learner_id, key, row in read_rows(connection, kind, learner_ids):
        yield learner_id, key, kind.read_value(row)


def read_rows(connection: Connection, kind: Kind, learner_ids: Iterable[str]) -> Iterable[tuple[str, Any, rows.Row]]:
    """(learner, key, row as it is stored) of all rows of these learners; `kind.write` gives the row that should be."""
    keys = [(one,) for one in learner_ids]
    for row in rows.lookup(connection, kind.table, keys, *kind.table.c.keys(), by=("learner_id",)):
        yield row[0], kind.read_key(row), tuple(row)


def write(connection: Connection, kind: Kind, changed: Iterable[tuple[str, Any, Any]]) -> None:
    """Put (learner, key, value) in the place of what was, in order of key."""
    rows.add_together(connection, written(kind, changed))


def written(kind: Kind, changed: Iterable[tuple[str, Any, Any]]) -> rows.Addition:
    """What puts (learner, key, value) in the place of what was, in order of key."""
    made: list[Any] = [kind.write(*one) for one in changed]
    # A key begins each row and stands there once: what lies behind it is never compared.
    return rows.Addition(kind.table, sorted(made), replaces=True)


def remove(connection: Connection, kind: Kind, keys: Iterable[rows.Row]) -> None:
    """Delete the rows with these full primary keys."""
    rows.delete(connection, kind.table, keys)


def streak_days(connection: Connection, learner_ids: Iterable[str]) -> dict[str, StreakDays]:
    """What each learner's streak is worked out from; who has neither days nor pauses is left out. One statement."""
    keys = [(one,) for one in learner_ids]
    counted, by = "t.learner_id, t.day, t.activities", ("learner_id",)
    asked = (
        rows.Question(day_sum, keys, counted, by),
        rows.Question(imported_day, keys, counted, by),
        rows.Question(streak_pause, keys, "t.learner_id, t.first_on, t.last_on", by),
    )
    days, imported, pauses = map(_by_learner, rows.ask(connection, *asked))
    # Pauses count from the first active day on, which may be recorded by whoever asks.
    return {
        one: streak_days_of(days.get(one, ()), imported.get(one, ()), pauses.get(one, ()))
        for one in days.keys() | pauses.keys()
    }


def _by_learner(found: Iterable[rows.Row]) -> dict[str, list[rows.Row]]:
    by_learner: dict[str, list[rows.Row]] = {}
    for learner_id, *row in found:
        by_learner.setdefault(learner_id, []).append(row)
    return by_learner
