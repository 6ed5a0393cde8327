"""Skill levels: what a learner has come to in a topic, and when. A level that was reached stays."""

from collections.abc import Iterable, Mapping
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
    moves: dict[str, list[tuple[int, int, int, int]]] = {}
    for topics, best, scored_at, completed_at in exercises:
        for topic in topics:
            own = moves.setdefault(topic, [])
            if completed_at is not None:
                own.append((completed_at, 1, 0, 0))
            if best is not None and scored_at is not None:
                own.append((scored_at, 0, 1, best))
    return {topic: _skill(own) for topic, own in moves.items() if own}


def _skill(moves: list[tuple[int, int, int, int]]) -> Skill:
    """The standing in a topic by what was completed and scored: (time, completed, scores, sum of best scores)."""
    moves.sort()
    skill, above, last = _NEW, LEVELS[1].exercises, len(moves) - 1
    completed = scores = total = 0
    for n, (at, done, scored, best) in enumerate(moves):
        completed, scores, total = completed + done, scores + scored, total + best
        # What was done in one moment was done together.
        if completed >= above and (n == last or moves[n + 1][0] != at):
            skill = _risen(skill, (completed, scores, total), at)
            above = len(moves) + 1 if skill.next is None else skill.next.exercises
    return Skill(*skill[:3], completed, scores, total)


def _risen(skill: Skill, counted: tuple[int, int, int], at: int) -> Skill:
    """With the highest level that is reached now, if it is higher than the one that is held."""
    for level in reversed(LEVELS):
        if level.exercises <= skill.level.exercises:
            break
        if _reaches(counted, level):
            return skill._replace(level=level, previous=skill.level, changed_at=at)
    return skill


def _reaches(counted: tuple[int, int, int], level: Level) -> bool:
    completed, scores, best = counted
    return completed >= level.exercises and best >= level.mean * scores > 0
