"""What a learner did in a period: figures with medians and spread, by topic, and the trend of the last days."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway.domain.course import Step
from headway.domain.periods import EVER, Period, Range, Strength, parse_period, range_of, strength
from headway.domain.progress import PeriodSum
from headway.domain.scores import FULL, mean_percent, ratio_percent
from headway.domain.spread import Spread, spread
from headway.domain.times import day_of, days_between, local_day, ordinal
from headway.store import work
from headway.store.catalog import Catalog
from headway.store.work import Done, Work
from headway.views.subject import Subject

TREND_DAYS: Final = 7
_NOTHING: Final = PeriodSum()


class Between(Struct):
    """The bounds of the middle half: a quarter is below `low`, a quarter above `high`."""

    low: float
    high: float


class TopicStatistics(Struct):
    """A topic that was worked on in the period; `strength` is even where there are fewer than three scores."""

    topic: str
    exercises_completed: int
    attempts: int
    average_percent: float | None
    pass_rate_percent: float | None
    duration_s: float
    strength: Strength


class TrendDay(Struct):
    """The attempts of one of the last seven days."""

    day: str
    attempts: int
    average_percent: float | None
    median_percent: float | None


class Statistics(Struct):
    """The figures of a period, from `from` to `to`, both included; percentages are of the attempts made in it.

    Durations per attempt are over the attempts that reported a duration.
    """

    period: Period
    first: str | None = msgspec.field(name="from")
    last: str = msgspec.field(name="to")
    exercises_completed: int
    steps_completed: int
    attempts: int
    average_percent: float | None
    median_percent: float | None
    spread_percent: Between | None
    pass_rate_percent: float | None
    duration_s: float
    average_duration_s: float | None
    median_duration_s: float | None
    spread_duration_s: Between | None
    hints: int
    points: int
    topics: list[TopicStatistics]
    trend: list[TrendDay]


class _Figures(NamedTuple):
    """What statistics are made from, and the period's days.

    `recent` are the scores of the last days by day, `earned` the points of achievements.
    """

    within: Range
    total: PeriodSum
    scores: list[int]
    durations_ms: list[int]
    topics: Mapping[str, PeriodSum]
    days: Mapping[str, PeriodSum]
    recent: Mapping[str, list[int]]
    earned: int


_NO_FIGURES: Final = _Figures(Range("", ""), _NOTHING, [], [], {}, {}, {}, 0)


def read_statistics(
    connection: Connection, catalog: Catalog, subject: Subject, now: int, period: str = "week"
) -> Statistics:
    """Return a learner's statistics of the current period of a kind; Invalid if there is no such kind."""
    known = parse_period(period)
    today = local_day(now, subject.time_zone)
    within, earliest = range_of(known, today), day_of(ordinal(today) - TREND_DAYS + 1)
    recent = Range(earliest, today)
    figures = _read(connection, catalog, subject.learner_id, within, recent)
    return _statistics(known, _shown(within, figures, today), figures, recent)


def _read(connection: Connection, catalog: Catalog, learner_id: str | None, within: Range, recent: Range) -> _Figures:
    if learner_id is None:
        return _NO_FIGURES
    if within is EVER:
        return _of_all(connection, learner_id, recent)
    return _of_range(connection, catalog, learner_id, within, recent)


def _shown(within: Range, figures: _Figures, today: str) -> Range:
    """Return the days of a period; of the period `all`, from the first day on which anything was done."""
    if within is not EVER:
        return within
    return figures.within._replace(last=max(today, figures.within.last))


def _of_all(connection: Connection, learner_id: str, recent: Range) -> _Figures:
    found = work.of_all(connection, learner_id, recent)
    earned = sum(one.points for one in found.earned)
    lists = found.scores, found.durations_ms
    return _Figures(found.within, found.total, *lists, found.topics, found.days, found.recent, earned)


def _of_range(connection: Connection, catalog: Catalog, learner_id: str, within: Range, recent: Range) -> _Figures:
    found = work.of_range(connection, learner_id, within._replace(first=min(within.first, recent.first)))
    attempts = [one for one in found.events if one.type == "attempted"]
    inside = [one for one in attempts if within.first <= one.day]
    lately: dict[str, list[int]] = {}
    for one in attempts:
        if one.score is not None and one.day >= recent.first:
            lately.setdefault(one.day, []).append(one.score)
    return _Figures(
        within,
        sum((one for day, one in found.days.items() if within.first <= day), _NOTHING),
        [one.score for one in inside if one.score is not None],
        [one.duration_ms for one in inside if one.duration_ms],
        _by_topic(connection, catalog, found, within),
        found.days,
        lately,
        sum(one.points for one in found.earned if within.first <= one.day <= within.last),
    )


def _by_topic(connection: Connection, catalog: Catalog, found: Work, within: Range) -> dict[str, PeriodSum]:
    """Return the sums by topic, with topics as the steps' versions name them."""
    events = [one for one in found.events if within.first <= one.day]
    completed = {
        place: one.version for place, one in found.completions.items() if within.first <= one.day <= within.last
    }
    versions = {(one.course, one.version) for one in events}
    versions |= {(course_id, version) for (course_id, _), version in completed.items()}
    courses = catalog.load(connection, versions)
    sums: dict[str, PeriodSum] = {}
    for place, moved in _of_steps(events).items():
        _add(sums, courses[place[:2]].step_by_key(place[2]), moved)
    for (course_id, key), version in completed.items():
        step = courses[course_id, version].step_by_key(key)
        _add(sums, step, PeriodSum(exercises_completed=int(step.is_exercise)))
    return sums


def _add(sums: dict[str, PeriodSum], step: Step, moved: PeriodSum) -> None:
    for topic in step.topics:
        sums[topic] = sums.get(topic, _NOTHING) + moved


def _of_steps(events: Iterable[Done]) -> dict[tuple[str, int, str], PeriodSum]:
    """What was done on each step of a version."""
    found: dict[tuple[str, int, str], list[int]] = {}
    for one in events:
        sums = found.setdefault((one.course, one.version, one.step), [0, 0, 0, 0, 0])
        sums[4] += one.duration_ms
        if one.type == "attempted":
            sums[0] += 1
            sums[1] += one.passed
            if one.score is not None:
                sums[2] += 1
                sums[3] += one.score
    return {place: PeriodSum(*sums) for place, sums in found.items()}


def _statistics(period: Period, within: Range, figures: _Figures, recent: Range) -> Statistics:
    total, scores, durations = figures.total, spread(figures.scores), spread(figures.durations_ms)
    said = len(figures.durations_ms)
    return Statistics(
        period,
        within.first or None,
        within.last,
        total.exercises_completed,
        total.steps_completed,
        total.attempts,
        mean_percent(total.score_total, total.scores),
        scores and _percent(scores.median),
        scores and Between(_percent(scores.low), _percent(scores.high)),
        ratio_percent(total.passed_attempts, total.attempts) if total.attempts else None,
        total.duration_ms / 1000,
        _seconds(Fraction(sum(figures.durations_ms), said)) if said else None,
        durations and _seconds(durations.median),
        durations and Between(_seconds(durations.low), _seconds(durations.high)),
        total.hints,
        total.points + figures.earned,
        [_topic(name, one) for name, one in sorted(figures.topics.items())],
        [
            _trend_day(day, figures.days.get(day, _NOTHING), figures.recent.get(day, []))
            for day in days_between(*recent)
        ],
    )


def _topic(name: str, one: PeriodSum) -> TopicStatistics:
    return TopicStatistics(
        name,
        one.exercises_completed,
        one.attempts,
        mean_percent(one.score_total, one.scores),
        ratio_percent(one.passed_attempts, one.attempts) if one.attempts else None,
        one.duration_ms / 1000,
        strength(one.score_total, one.scores),
    )


def _trend_day(day: str, done: PeriodSum, scores: list[int]) -> TrendDay:
    found: Spread | None = spread(scores)
    return TrendDay(day, done.attempts, mean_percent(done.score_total, done.scores), found and _percent(found.median))


def _percent(millionths: Fraction) -> float:
    return ratio_percent(millionths.numerator, millionths.denominator * FULL)


def _seconds(milliseconds: Fraction) -> float:
    return round(milliseconds) / 1000
