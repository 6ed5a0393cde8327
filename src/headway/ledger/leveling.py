"""Leveling: a learner who reaches a level in a topic is told once, in the transaction that moves the sums."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.course import Course
from headway.domain.earned import LevelReached
from headway.domain.exercises import exercise_of, exercises_done, step_of, versions_of
from headway.domain.facts import LEVELED
from headway.domain.levels import LEVELS, RANKS, Exercise, skills
from headway.domain.progress import FIRST_RUN, Contribution, StepSum
from headway.domain.sums import LevelKey, StepKey
from headway.ledger.achieving import Achieving, Cause, Changed, Learner, Read, said_by_server
from headway.ledger.topics import Place, Topics
from headway.store import sums
from headway.store.catalog import Catalog
from headway.store.entries import Entry
from headway.store.sums import Reading

_NO_STEP: Final = StepSum()
# In any course: a day counts once.
_PARTS: Final = sums.of_kind(sums.PARTS, "learner_id", "part", "day")
_OF_LEARNER: Final = tuple(sums.of_kind(kind, "learner_id") for kind in (sums.TOPICS, sums.LEVELS))


class MovedSums(NamedTuple):
    """What a transaction moves: its learners, their sums as read and as they are now, and the courses it knows."""

    learners: Mapping[str, Learner]
    read: Read
    changed: Changed
    courses: Mapping[str, tuple[int, Course]]
    appended: Sequence[Entry]


class Leveling:
    """The levels that one transaction's learners reach."""

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self.connection = connection
        self.catalog = catalog
        self._topics: dict[str, Topics] = {}
        # Learners whose topics are being read.
        self._unknown: set[str] = set()

    def asked(
        self, learners: Mapping[str, Learner], on_steps: Iterable[tuple[str, Contribution]]
    ) -> list[tuple[Reading, AbstractSet[tuple[str, ...]]]]:
        """Return what to read for learners whose exercises these may move: all their topics and told levels.

        For early and late hours, also the days on which these contributions lie.
        """
        parts = set[tuple[str, ...]]()
        for learner_id, one in on_steps:
            if one.part:
                parts.add((learner_id, one.part, one.day))
            if one.topics and learner_id not in self._topics and (one.score is not None or one.completes):
                remembered = learners[learner_id].remembered
                if remembered is not None and remembered.topics is not None:
                    self._topics[learner_id] = remembered.topics
                else:
                    self._unknown.add(learner_id)
        return [(_PARTS, parts), *((reading, {(one,) for one in self._unknown}) for reading in _OF_LEARNER)]

    def give(self, moved: MovedSums, achieving: Achieving) -> list[Entry]:
        """Return the entries that tell learners of the levels they reach, and pass these levels on to achievements."""
        self._learn(moved)
        for learner_id, key, one in moved.changed[sums.LEVELS]:
            self._raise(learner_id, key, one, achieving)
        for learner_id, key, one in moved.changed[sums.TOPICS]:
            was = moved.read[sums.TOPICS].get((learner_id, key))
            if learner_id in self._topics:
                by = one.exercises_completed - (was.exercises_completed if was else 0)
                self._topics[learner_id].count(key.topic, by)
        given: list[Entry] = []
        for learner_id, found in sorted(self._looked_at(moved).items()):
            learner = moved.learners[learner_id]
            for topic, level in self._reached(learner, found, moved):
                held = self._topics[learner_id].held.get(topic)
                was = held.level if held is not None else LEVELS[0].name
                given.append(reach(learner, (topic, level, was), achieving.cause_of(learner, moved.appended)))
                key = LevelKey(topic, level)
                self._raise(learner_id, key, learner.standing.sums.levels[key], achieving)
        return given

    def _learn(self, moved: MovedSums) -> None:
        """Build the known topics from what was read; learners told of a level otherwise are read here."""
        told = {learner_id for learner_id, _, _ in moved.changed[sums.LEVELS]} - self._topics.keys() - self._unknown
        levels = [(*pair, one) for pair, one in moved.read[sums.LEVELS].items()]
        levels += sums.read_learners(self.connection, sums.LEVELS, told) if told else ()
        fresh = {learner_id: Topics() for learner_id in self._unknown | told}
        if not fresh:
            return
        for (learner_id, key), one in moved.read[sums.TOPICS].items():
            if learner_id in fresh:
                fresh[learner_id].count(key.topic, one.exercises_completed)
        for learner_id, level, one in levels:
            if learner_id in fresh:
                fresh[learner_id].hold(level.topic, level.level, one)
        for learner_id, topics in fresh.items():
            remembered = moved.learners[learner_id].remembered
            if remembered is not None and learner_id in self._unknown:
                remembered.topics = topics
        self._topics |= fresh
        self._unknown.clear()

    def _raise(self, learner_id: str, key: LevelKey, told: LevelReached, achieving: Achieving) -> None:
        """Note that a learner was told of a level, and by how many levels they rose."""
        topics = self._topics[learner_id]
        was = topics.rank(key.topic)
        topics.hold(key.topic, key.level, told)
        if topics.rank(key.topic) > was:
            achieving.risen.append((learner_id, was, topics.rank(key.topic)))

    def _looked_at(self, moved: MovedSums) -> dict[str, set[str]]:
        """Return the topics in which learners may have reached a level: enough exercises, one of them moved."""
        places: dict[str, set[Place]] = {}
        for learner_id, key, one in moved.changed[sums.STEPS]:
            was = moved.read[sums.STEPS].get((learner_id, key)) or _NO_STEP
            if learner_id in self._topics and not _counts_alike(was, one):
                places.setdefault(learner_id, set()).add((key.course, key.step))
        found: dict[str, set[str]] = {}
        for learner_id, topics in self._topics_of(self._ready(places), moved):
            found.setdefault(learner_id, set()).update(filter(self._topics[learner_id].has_enough, topics))
        return {learner_id: topics for learner_id, topics in found.items() if topics}

    def _ready(self, places: Mapping[str, set[Place]]) -> dict[str, set[Place]]:
        """Return learners with enough exercises in any topic; for the others, drop the exercises that are known."""
        ready: dict[str, set[Place]] = {}
        for learner_id, found in places.items():
            topics = self._topics[learner_id]
            if any(map(topics.has_enough, topics.exercises)):
                ready[learner_id] = found
            else:
                topics.done = None
        return ready

    def _topics_of(self, ready: Mapping[str, set[Place]], moved: MovedSums) -> Iterator[tuple[str, Iterable[str]]]:
        """Yield the topics of the exercises at these places, and update what is known of the exercises."""
        once: dict[tuple[str, Place], StepSum] = {}
        for learner_id, places in ready.items():
            for place in places:
                of_all = moved.learners[learner_id].standing.sums
                if of_all.current_run(place[0]) == FIRST_RUN:
                    once[learner_id, place] = of_all.steps[StepKey(place[0], FIRST_RUN, place[1])]
                else:
                    # What was done in other runs is not always at hand: everything is read again.
                    self._topics[learner_id].done = None
                    yield learner_id, list(self._topics[learner_id].exercises)
        done = {(place[0], one.completion.version) for (_, place), one in once.items() if one.completion}
        loaded = self.catalog.load(self.connection, done)
        now = self._in_force({place[0] for (_, place), one in once.items() if not one.completion}, moved)
        for (learner_id, place), one in once.items():
            course = loaded[place[0], one.completion.version] if one.completion else now[place[0]][1]
            step = step_of(course, place[1])
            if step is not None and step.is_exercise:
                known = self._topics[learner_id].done
                if known is not None:
                    known[place] = exercise_of(step.topics, [one])
                yield learner_id, step.topics

    def _in_force(self, course_ids: set[str], moved: MovedSums) -> dict[str, tuple[int, Course]]:
        known = {one: moved.courses[one] for one in course_ids & moved.courses.keys()}
        missing = course_ids - known.keys()
        return known | (self.catalog.in_force(self.connection, missing) if missing else {})

    def _reached(self, learner: Learner, topics: AbstractSet[str], moved: MovedSums) -> list[tuple[str, str]]:
        """Return the levels that a learner has reached in these topics, and was not told of."""
        known = self._topics[learner.id]
        if known.done is None:
            known.done = self._exercises(learner, moved)
        found = skills(one for one in known.done.values() if not topics.isdisjoint(one.topics))
        levels = ((topic, found[topic].level.name) for topic in sorted(topics) if topic in found)
        return [(topic, level) for topic, level in levels if RANKS[level] > known.rank(topic)]

    def _exercises(self, learner: Learner, moved: MovedSums) -> dict[Place, Exercise]:
        """All exercises of a learner, as they are by now."""
        reading = sums.of_kind(sums.STEPS, "learner_id")
        ((_, found),) = sums.read_together(self.connection, [(reading, [(learner.id,)])])
        steps: dict[StepKey, StepSum] = {key: one for _, key, one in found} | learner.standing.sums.steps
        completed_by = self.catalog.load(self.connection, versions_of(steps))
        courses = self._in_force({key.course for key in steps}, moved)
        return {one.place: one.exercise for one in exercises_done(steps, completed_by, courses)}


def reach(learner: Learner, told: Sequence[str], cause: Cause) -> Entry:
    """Return the entry that tells a learner of a level; `told` is (topic, level, previous level)."""
    said = dict(zip(("topic", "level", "previous"), told, strict=True))
    return said_by_server(learner, LEVELED, said, cause)


def _counts_alike(was: StepSum, now: StepSum) -> bool:
    """Return whether a step counts for levels as it did before, as is so after most attempts."""
    return (was.completion, was.best_said, was.override) == (now.completion, now.best_said, now.override) and (
        was.first is None
    ) == (now.first is None)
