"""What recording puts down for leaderboards: the changes of points and exercises solved, to be counted in later."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.boards import SITE, Gain, first_counted, gain_of, place_of
from headway.domain.progress import FIRST_RUN, StepSum
from headway.domain.recording import Versions
from headway.domain.standing import Standing
from headway.domain.sums import StepKey, Sums
from headway.store import boards, sums
from headway.store.catalog import Catalog
from headway.store.rows import Addition

_NO_GAIN: Final = Gain(SITE, 0, 0)
# Learner, course and step.
_Place: TypeAlias = tuple[str, str, str]


class Learner(Protocol):
    """A learner locked by this transaction."""

    @property
    def standing(self) -> Standing:
        """Their sums and active days."""


class Moving:
    """Works out what a recording transaction puts down for the boards: the changes of what counts on them."""

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self._connection = connection
        self._catalog = catalog

    def moved(
        self,
        learners: Mapping[str, Learner],
        read: Mapping[sums.SumKind, Mapping[tuple[str, Any], Any]],
        changed: Mapping[sums.SumKind, Sequence[tuple[str, Any, Any]]],
    ) -> Addition:
        """Return the rows to be written: gains after minus before, of each step and of each achievement."""
        found = list[tuple[str, Gain]]()
        steps_read = read[sums.STEPS]
        steps = {
            (learner_id, key.course, key.step)
            for learner_id, key, value in changed[sums.STEPS]
            if _may_count(value) and _evidence(value) != _evidence(steps_read.get((learner_id, key)))
        }
        runs = {place: self._runs(place, learners[place[0]].standing.sums, steps_read) for place in steps}
        versions = self._versions(runs)
        for (learner_id, course, step), before_and_after in runs.items():
            was, now = (_gain(course, step, of_runs, versions) for of_runs in before_and_after)
            found += _difference(learner_id, was, now)
        for learner_id, key, one in changed[sums.ACHIEVEMENTS]:
            before = read[sums.ACHIEVEMENTS].get((learner_id, key))
            was, now = (one and Gain(SITE, one.at, place_of(one.points, 0)) for one in (before, one))
            found += _difference(learner_id, was, now)
        return boards.moved([boards.move_row(one, str(uuid4()), gain) for one, gain in found if gain.place])

    def _runs(
        self, place: _Place, held: Sums, steps_read: Mapping[tuple[str, StepKey], StepSum]
    ) -> tuple[list[StepSum], list[StepSum]]:
        """A step's sums in all runs, as they were read and as they now are."""
        learner_id, course, step = place
        keys = [StepKey(course, run, step) for run in range(FIRST_RUN, held.current_run(course) + 1)]
        others = self._unread(learner_id, keys, held) if len(keys) > 1 else {}
        was = (steps_read.get((learner_id, key)) or others.get(key) for key in keys)
        now = (held.steps.get(key) or others.get(key) for key in keys)
        return [one for one in was if one is not None], [one for one in now if one is not None]

    def _versions(self, runs: Mapping[_Place, tuple[list[StepSum], list[StepSum]]]) -> Versions:
        """Return the versions by which steps were completed, which say what a completion is worth."""
        done = ((course, one.completion) for (_, course, _), both in runs.items() for of in both for one in of)
        pairs = {(course, completion.version) for course, completion in done if completion is not None}
        return Versions(self._catalog.load(self._connection, pairs))

    def _unread(self, learner_id: str, keys: Sequence[StepKey], held: Sums) -> dict[StepKey, StepSum]:
        """Return a step's sums in runs that this transaction did not read: only retakes have any."""
        missing = [(learner_id, *key) for key in keys if key not in held.steps]
        return {key: value for _, key, value in sums.read(self._connection, sums.STEPS, missing)}


def _gain(course: str, step: str, runs: Iterable[StepSum], versions: Versions) -> Gain | None:
    return gain_of(course, first_counted(runs, lambda done: versions.worth_of(course, done.version, step)))


def _may_count(one: StepSum) -> bool:
    return one.completion is not None


def _evidence(one: StepSum | None) -> object:
    """Return the parts of a step's sum that decide whether and where it counts."""
    return one and (one.completion, one.graded_best, one.override)


def _difference(learner_id: str, was: Gain | None, now: Gain | None) -> Iterator[tuple[str, Gain]]:
    if was == now:
        return
    if was is not None:
        yield learner_id, was._replace(place=-was.place)
    if now is not None:
        yield learner_id, now


def look_again(connection: Connection, learner_id: str) -> None:
    """Put down that a learner's visibility on boards may have changed; readers take that into account at once."""
    boards.put_down(connection, boards.moved([boards.move_row(learner_id, str(uuid4()), _NO_GAIN)]))
