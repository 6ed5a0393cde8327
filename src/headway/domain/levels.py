"""Skill levels: which level a learner has reached in a topic, and when. A level once reached stays."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias


class Level(NamedTuple):
    """A level, the number of completed exercises that it takes, and the mean of best scores (millionths)."""

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
    """An exercise over all runs: its best score (millionths), and when it was first scored and first completed."""

    topics: tuple[str, ...]
    best: int | None
    scored_at: int | None
    completed_at: int | None


class Skill(NamedTuple):
    """A learner's standing in a topic; `best_total` sums the best scores of the `scores` exercises that have one."""

    level: Level
    previous: Level | None
    changed_at: int | None
    exercises_completed: int
    scores: int
    best_total: int

    @property
    def next(self) -> Level | None:
        """The next higher level; None for the highest."""
        return next((one for one in LEVELS if one.exercises > self.level.exercises), None)


class HeldLevel(NamedTuple):
    """The highest level of a topic that a learner was told of, when, and the level before it."""

    level: str
    at: int
    previous: str

    @property
    def rank(self) -> int:
        """The level's position in LEVELS, from 0."""
        return RANKS.get(self.level, 0)


# (time, entry, level before) of the entry that told a learner of a level.
LevelTold: TypeAlias = tuple[int, str, str]


def highest(told: Iterable[tuple[str, str, LevelTold]]) -> dict[str, HeldLevel]:
    """The highest level told of each topic, from (topic, level, when and how it was told)."""
    found: dict[str, HeldLevel] = {}
    for topic, level, (at, _, previous) in told:
        one = HeldLevel(level, at, previous)
        if topic not in found or found[topic].rank < one.rank:
            found[topic] = one
    return found


def with_held(found: Mapping[str, Skill], held: Mapping[str, HeldLevel]) -> dict[str, Skill]:
    """The standing in each topic, raised to the level that the learner was told of: late events take no level away."""
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

    They are counted in the order in which they were done, each with its best score to date; a level once reached is
    kept, whatever later exercises score.
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
    """The standing in a topic, from moves (time, exercises completed, scores, sum of best scores)."""
    moves.sort()
    skill, above, last = _NEW, LEVELS[1].exercises, len(moves) - 1
    completed = scores = total = 0
    for n, (at, done, scored, best) in enumerate(moves):
        completed, scores, total = completed + done, scores + scored, total + best
        # Judge only behind the last move of a moment: they happened together.
        if completed >= above and (n == last or moves[n + 1][0] != at):
            skill = _risen(skill, (completed, scores, total), at)
            above = len(moves) + 1 if skill.next is None else skill.next.exercises
    return Skill(*skill[:3], completed, scores, total)


def _risen(skill: Skill, counted: tuple[int, int, int], at: int) -> Skill:
    """The skill with the highest level reached now, if that is higher than the one held."""
    for level in reversed(LEVELS):
        if level.exercises <= skill.level.exercises:
            break
        if _reaches(counted, level):
            return skill._replace(level=level, previous=skill.level, changed_at=at)
    return skill


def _reaches(counted: tuple[int, int, int], level: Level) -> bool:
    completed, scores, best = counted
    return completed >= level.exercises and best >= level.mean * scores > 0
