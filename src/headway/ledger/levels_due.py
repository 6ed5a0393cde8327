"""Levels that learners have reached and were never told of: from before levels were told, or by a new version."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.exercises import exercises_done, versions_of
from headway.domain.levels import LEVELS, RANKS, skills
from headway.domain.progress import StepSum
from headway.domain.sums import StepKey
from headway.ledger.topics import Topics
from headway.store import courses, sums
from headway.store.catalog import Catalog


class DueLevel(NamedTuple):
    """A level in a topic that a learner has reached, and the one that they were told of before."""

    topic: str
    level: str
    previous: str

    @property
    def risen(self) -> tuple[int, int]:
        """The indexes of the previous and the new level among all levels."""
        return RANKS[self.previous], RANKS[self.level]


def levels_due(connection: Connection, catalog: Catalog, ids: Sequence[str]) -> dict[str, list[DueLevel]]:
    """Return the levels that each learner has reached by the stored sums, by a fixed number of statements."""
    kinds = (sums.TOPICS, sums.LEVELS)
    asked = [(sums.of_kind(kind, "learner_id"), [(one,) for one in ids]) for kind in kinds]
    (_, in_topics), (_, told) = sums.read_together(connection, asked)
    known = {one: Topics() for one in ids}
    for learner_id, key, one in in_topics:
        known[learner_id].count(key.topic, one.exercises_completed)
    for learner_id, key, one in told:
        known[learner_id].hold(key.topic, key.level, one)
    wanted = {one: topics for one, topics in known.items() if any(map(topics.has_enough, topics.exercises))}
    return _reached(connection, catalog, wanted) if wanted else {}


def _reached(connection: Connection, catalog: Catalog, wanted: Mapping[str, Topics]) -> dict[str, list[DueLevel]]:
    of_learners: dict[str, dict[StepKey, StepSum]] = {}
    for learner_id, key, one in sums.read_learners(connection, sums.STEPS, wanted):
        of_learners.setdefault(learner_id, {})[key] = one
    in_force = courses.versions(connection, {key.course for steps in of_learners.values() for key in steps})
    wanted_versions = {pair for steps in of_learners.values() for pair in versions_of(steps)} | set(in_force.items())
    known, damaged = catalog.undamaged(connection, wanted_versions)
    now = {
        course: (version, known[course, version]) for course, version in in_force.items() if (course, version) in known
    }
    found: dict[str, list[DueLevel]] = {}
    for learner_id, steps in of_learners.items():
        if damaged.keys() & (versions_of(steps) | {(key.course, in_force.get(key.course, 0)) for key in steps}):
            continue  # their levels cannot be worked out now
        topics = wanted[learner_id]
        reached = skills(one.exercise for one in exercises_done(steps, known, now))
        due = [
            DueLevel(topic, one.level.name, LEVELS[topics.rank(topic)].name)
            for topic, one in sorted(reached.items())
            if RANKS[one.level.name] > topics.rank(topic)
        ]
        found |= {learner_id: due} if due else {}
    return found
