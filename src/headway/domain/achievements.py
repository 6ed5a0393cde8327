"""Achievements: their definitions, the totals and metrics that they ask for, and which definitions are met."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import pairwise
from operator import add
from typing import Any, Final, NamedTuple, Self

from headway.domain.errors import Invalid
from headway.domain.facts import CERTIFIED, COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.levels import LEVELS, RANKS
from headway.domain.progress import FIRST_RUN, PeriodSum, StepSum
from headway.domain.recording import EARLY, LATE
from headway.domain.scores import FULL
from headway.domain.sums import LevelKey, Sums
from headway.domain.times import ordinal

CATEGORIES: Final = ("first_steps", "practice", "mastery", "streaks", "courses", "persistence", "hours")
TIERS: Final = ("bronze", "silver", "gold", "platinum")
AWAY_DAYS: Final = 14
HARD_FAILURES: Final = 3
ID_MAX: Final = 64
TITLE_MAX: Final = 100
DESCRIPTION_MAX: Final = 300
THRESHOLD_MAX: Final = 1_000_000_000
POINTS_MAX: Final = 10_000
_MS_AN_HOUR: Final = 3_600_000
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


class DefinitionInvalid(Invalid):
    """The definition of an achievement does not fit."""


class Totals(NamedTuple):
    """Totals over a learner's sums that achievements ask for; never stored, only moved by the difference of two sums.

    A step or a module counts once, however many runs it was done in. `first_try` counts steps whose first score
    passed, `hard_won` steps completed after at least three failed attempts; both only in the first run.
    """

    steps: int = 0
    exercises: int = 0
    points: int = 0
    attempts: int = 0
    passed_attempts: int = 0
    duration_ms: int = 0
    perfect: int = 0
    first_try: int = 0
    hard_won: int = 0
    courses_begun: int = 0
    modules: int = 0
    courses: int = 0
    certificates: int = 0
    early_days: int = 0
    late_days: int = 0
    intermediate_topics: int = 0
    advanced_topics: int = 0
    expert_topics: int = 0

    def __add__(self, other: Self) -> Self:  # type: ignore[override]  # a sum of sums, not a longer tuple
        """The sum of two."""
        return tuple.__new__(type(self), map(add, self, other))  # what _make does, without counting again

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The totals of all of a learner's sums."""
        steps = sums.steps.items()
        granted = {(key.kind, key.course, key.module) for key in sums.grants}
        days = dict(zip(cls._fields, of_day(sum(sums.days.values(), PeriodSum())), strict=False))
        return cls(
            **days,
            perfect=len({(key.course, key.step) for key, one in steps if is_perfect(one)}),
            first_try=sum(key.run == FIRST_RUN and is_first_try(one) for key, one in steps),
            hard_won=sum(key.run == FIRST_RUN and is_hard_won(one) for key, one in steps),
            courses_begun=sum(key.run == FIRST_RUN for key in sums.runs),
            **{name: sum(kind == one[0] for one in granted) for kind, name in GRANTED.items()},
            **{name: len({key.day for key in sums.parts if key.part == part}) for part, name in IN_PART.items()},
            **_at_level(sums.levels),
        )


# The totals that count grants, by their kind.
GRANTED: Final[Mapping[str, str]] = {
    MODULE_COMPLETED: "modules",
    COURSE_COMPLETED: "courses",
    CERTIFIED: "certificates",
}


# The totals that count days on which something was done in a part of the day.
IN_PART: Final[Mapping[str, str]] = {EARLY: "early_days", LATE: "late_days"}
# The totals that count topics at a level or above it, from the lowest that takes anything.
AT_LEVEL: Final = tuple(f"{one.name}_topics" for one in LEVELS[1:])


def _at_level(told: Iterable[LevelKey]) -> dict[str, int]:
    """For each total in AT_LEVEL, in how many topics the learner was told of its level or of a higher one."""
    ranks: dict[str, int] = {}
    for topic, level in told:
        ranks[topic] = max(RANKS.get(level, 0), ranks.get(topic, 0))
    return topics_at((0, rank) for rank in ranks.values())


def topics_at(risen: Iterable[tuple[int, int]]) -> dict[str, int]:
    """How much each total in AT_LEVEL grows, given pairs (rank of the level before, rank of the level now)."""
    found = dict.fromkeys(AT_LEVEL, 0)
    for was, now in risen:
        for name in AT_LEVEL[was:now]:
            found[name] += 1
    return found


def of_day(one: PeriodSum) -> tuple[int, ...]:
    """A day's contribution to the totals: the values of the first six fields of `Totals`, in their order."""
    return (
        one.steps_completed,
        one.exercises_completed,
        one.points,
        one.attempts,
        one.passed_attempts,
        one.duration_ms,
    )


def is_perfect(one: StepSum) -> bool:
    """Whether the learner's best score of the step is the full score."""
    return one.best == FULL


def is_first_try(one: StepSum) -> bool:
    """Whether the first score of a step completed it."""
    done, first = one.completion, one.first
    return done is not None and first is not None and done.event_id == first.event_id and one.passed_attempts > 0


def is_hard_won(one: StepSum) -> bool:
    """Whether a step was completed that took several failed attempts; one that waits for a grade has not failed."""
    return one.completion is not None and one.attempts - one.passed_attempts - one.unscored >= HARD_FAILURES


class Attended(NamedTuple):
    """Figures of a learner's active days; a comeback is an active day more than 14 days after the one before it.

    Freezes and pauses, which keep a streak, do not count here: they depend on the site's settings.
    """

    active_days: int = 0
    days_in_a_row: int = 0
    comebacks: int = 0


def attended(active: Iterable[int]) -> Attended:
    """The figures of active days, given as ordinals."""
    days = sorted(active)
    if not days:
        return Attended()
    longest = length = 1
    comebacks = 0
    for before, after in pairwise(days):
        length = length + 1 if after - before == 1 else 1
        longest = max(longest, length)
        comebacks += after - before > AWAY_DAYS
    return Attended(len(days), longest, comebacks)


class Metrics(NamedTuple):
    """All that achievements can ask for."""

    totals: Totals
    attended: Attended

    @classmethod
    def of(cls, sums: Sums) -> Self:
        """The metrics of all of a learner's sums."""
        return cls(Totals.of(sums), attended(map(ordinal, sums.active_days())))

    def value(self, metric: str) -> int:
        """The learner's value of a metric, in the metric's unit, rounded down to a whole number."""
        name = METRICS[metric]
        found: int = getattr(self.attended if name in Attended._fields else self.totals, name)
        return found // _MS_AN_HOUR if name == "duration_ms" else found


# Metric that a definition may ask for: the field of `Totals` or `Attended` that holds it.
METRICS: Final[Mapping[str, str]] = {
    "steps": "steps",
    "exercises": "exercises",
    "points": "points",
    "attempts": "attempts",
    "passed_attempts": "passed_attempts",
    "hours": "duration_ms",
    "perfect_scores": "perfect",
    "first_try_passes": "first_try",
    "hard_won": "hard_won",
    "active_days": "active_days",
    "days_in_a_row": "days_in_a_row",
    "comebacks": "comebacks",
    "courses_begun": "courses_begun",
    "modules": "modules",
    "courses": "courses",
    "certificates": "certificates",
    "early_days": "early_days",
    "late_days": "late_days",
    **{name: name for name in AT_LEVEL},
}


class Definition(NamedTuple):
    """An achievement: a learner whose metric reaches the threshold earns it, and its points.

    A hidden one is not shown to a learner who has not earned it.
    """

    id: str
    title: str
    description: str
    category: str
    metric: str
    threshold: int
    points: int
    tier: str
    hidden: bool = False


def met(definitions: Iterable[Definition], now: Metrics) -> list[Definition]:
    """The definitions whose threshold is reached."""
    return [one for one in definitions if now.value(one.metric) >= one.threshold]


class Ladders:
    """Definitions by metric, sorted by threshold, so that crossed thresholds are found without checking every one."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        steps: dict[str, list[tuple[int, Definition]]] = {}
        for one in definitions:
            name = METRICS[one.metric]
            threshold = one.threshold * (_MS_AN_HOUR if name == "duration_ms" else 1)
            steps.setdefault(name, []).append((threshold, one))
        self._ladders: dict[str, tuple[list[int], list[Definition]]] = {}
        for name, of in steps.items():
            of.sort()
            self._ladders[name] = [threshold for threshold, _ in of], [one for _, one in of]

    def __bool__(self) -> bool:
        return bool(self._ladders)

    def crossed(self, before: Totals | Attended, after: Totals | Attended) -> list[Definition]:
        """The definitions whose threshold lies above the value before, and at or below the value after."""
        found: list[Definition] = []
        for name, was, now in zip(before._fields, before, after, strict=True):
            if now > was and name in self._ladders:
                thresholds, definitions = self._ladders[name]
                first = bisect_right(thresholds, was)
                if first < len(thresholds) and thresholds[first] <= now:
                    found += definitions[first : bisect_right(thresholds, now)]
        return found


def parse_definition(definition_id: str, said: object) -> Definition:
    """A definition from its fields without the id; DefinitionInvalid names the field and the fix."""
    if not isinstance(said, Mapping):
        raise DefinitionInvalid("a definition is a table of fields", field=definition_id)
    unknown = sorted(map(str, said.keys() - set(Definition._fields[1:])))
    if unknown:
        raise DefinitionInvalid(f"{unknown[0]!r} is no field of a definition; leave it out", field=unknown[0][:ID_MAX])
    if not _ID.fullmatch(definition_id) or len(definition_id) > ID_MAX:
        raise DefinitionInvalid(
            f"id must be 1 to {ID_MAX} of a-z, 0-9 and single hyphens between them, such as first-step", field="id"
        )
    return Definition(
        definition_id,
        _text(said, "title", TITLE_MAX),
        _text(said, "description", DESCRIPTION_MAX),
        _one_of(said, "category", CATEGORIES),
        _one_of(said, "metric", METRICS),
        _number(said, "threshold", 1, THRESHOLD_MAX),
        _number(said, "points", 0, POINTS_MAX),
        _one_of(said, "tier", TIERS),
        _flag(said, "hidden"),
    )


def parse_definitions(files: Mapping[str, Mapping[str, Any]]) -> list[Definition]:
    """All definitions in some files (name: tables by id); DefinitionInvalid names the file, the id and the field."""
    found: dict[str, tuple[str, Definition]] = {}
    for file, tables in files.items():
        for name, said in tables.items():
            try:
                one = parse_definition(name, said)
            except DefinitionInvalid as fault:
                raise DefinitionInvalid(f"{file}, {name}: {fault.detail}", field=fault.field) from None
            if name in found:
                raise DefinitionInvalid(f"{file}, {name}: {found[name][0]} defines this id already", field="id")
            found[name] = file, one
    return [one for _, one in found.values()]


def _text(said: Mapping[str, Any], field: str, longest: int) -> str:
    value = said.get(field)
    if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
        raise DefinitionInvalid(f"{field} must be 1 to {longest} characters on one line", field=field)
    return value


def _one_of(said: Mapping[str, Any], field: str, names: Iterable[str]) -> str:
    value = said.get(field)
    if not isinstance(value, str) or value not in names:
        raise DefinitionInvalid(f"{field} must be one of {', '.join(names)}", field=field)
    return value


def _number(said: Mapping[str, Any], field: str, least: int, most: int) -> int:
    value = said.get(field)
    if type(value) is not int or not least <= value <= most:
        raise DefinitionInvalid(f"{field} must be a whole number from {least} to {most}", field=field)
    return value


def _flag(said: Mapping[str, Any], field: str) -> bool:
    value = said.get(field, False)
    if not isinstance(value, bool):
        raise DefinitionInvalid(f"{field} must be true or false", field=field)
    return value
