"""Skill levels: what a learner has come to in a topic, and when. A level that was reached stays."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple, TypeAlias


class Level(NamedTuple):
    """A level, and what it takes: so many exercises completed, and a mean of best scores (millionths)."""

    name: str
    exercises: int
    mean: int


LEVELS: Final = (
    Level("beginner", 0, 0),
    Level("intermediate", 10, 600_000),
    Level("advanced", 30, 700_000),
    Level("expert", 50, 800_000),
)


RANKS: Final = {one.name: n for n, one in enumerate(LEVELS)}


class Exercise(NamedTuple):
    """An exercise in whichever runs: its best score, since when it has one, and when it was first completed."""

    topics: tuple[str, ...]
    best: int | None
    scored_at: int | None
    completed_at: int | None


class Skill(NamedTuple):
    """Where a learner stands in a topic: `best_total` is of the `scores` exercises that have one."""

    level: Level
    previous: Level | None
    changed_at: int | None
    exercises_completed: int
    scores: int
    best_total: int

    @property
    def next(self) -> Level | None:
        """The level above; None above the highest."""
        return next((one for one in LEVELS if one.exercises > self.level.exercises), None)


class Held(NamedTuple):
    """A level that a learner was told of, when, and which one it followed."""

    level: str
    at: int
    previous: str

    @property
    def rank(self) -> int:
        """The level's place among all, from 0."""
        return RANKS.get(self.level, 0)


# When a learner was told of a level, by which entry, and which one it followed.
Told: TypeAlias = tuple[int, str, str]


def highest(told: Iterable[tuple[str, str, Told]]) -> dict[str, Held]:
    """The highest of the levels told of each topic, out of (topic, level, when it was told)."""
    found: dict[str, Held] = {}
    for topic, level, (at, _, previous) in told:
        one = Held(level, at, previous)
        if topic not in found or found[topic].rank < one.rank:
            found[topic] = one
    return found


def with_held(found: Mapping[str, Skill], held: Mapping[str, Held]) -> dict[str, Skill]:
    """The standing in each topic, no lower than what the learner was told of: what comes late takes no level away."""
    kept = dict(found)
    for topic, one in held.items():
        skill = kept.get(topic, _NEW)
        if one.rank > RANKS[skill.level.name]:
            level, previous = LEVELS[one.rank], LEVELS[RANKS.get(one.previous, 0)]
            kept[topic] = skill._replace(level=level, previous=previous, changed_at=one.at)
    return kept


_NEW: Final = Skill(LEVELS[0], None, None, 0, 0, 0)


def skills(exercises: Iterable[Exercise]) -> dict[str, Skill]:
    """The learner's standing in each topic of these exercises.

    They are gone through in the order in which they were done, each with the best score that it came to: exercises that
    follow, and scores that get better, take no level away.
    """
    moves: list[tuple[int, str, int, int, int]] = []
    for one in exercises:
        for topic in one.topics:
            if one.completed_at is not None:
                moves.append((one.completed_at, topic, 1, 0, 0))
            if one.best is not None and one.scored_at is not None:
                moves.append((one.scored_at, topic, 0, 1, one.best))
    found: dict[str, Skill] = {}
    for (at, topic), together in groupby(sorted(moves), key=itemgetter(0, 1)):
        skill = found.get(topic, _NEW)
        for _, _, completed, scores, best in together:
            skill = skill._replace(
                exercises_completed=skill.exercises_completed + completed,
                scores=skill.scores + scores,
                best_total=skill.best_total + best,
            )
        found[topic] = _risen(skill, at)
    return found


def _risen(skill: Skill, at: int) -> Skill:
    """The highest level that is reached now, if it is higher than the one that is held."""
    reached = [one for one in LEVELS if _reaches(skill, one)]
    if not reached or reached[-1].exercises <= skill.level.exercises:
        return skill
    return skill._replace(level=reached[-1], previous=skill.level, changed_at=at)


def _reaches(skill: Skill, level: Level) -> bool:
    return skill.exercises_completed >= level.exercises and skill.best_total >= level.mean * skill.scores > 0
