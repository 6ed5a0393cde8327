"""Achieving: a learner who crosses a threshold earns the achievement, in the transaction that moves the sums."""

from collections.abc import Iterable, Mapping, Sequence
from operator import add, sub
from typing import Any, Final, NamedTuple, Protocol, TypeAlias
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.achievements import (
    AT_LEVEL,
    GRANTED,
    IN_PART,
    Definition,
    Ladders,
    Totals,
    attended,
    is_first_try,
    is_hard_won,
    is_perfect,
    of_day,
)
from headway.domain.changes import Change
from headway.domain.course import NO_COURSE
from headway.domain.events import fact_event
from headway.domain.facts import ACHIEVED
from headway.domain.progress import FIRST_RUN, PeriodSum, StepSum
from headway.domain.recording import SERVER, Circumstances, contribute
from headway.domain.standing import Standing
from headway.domain.sums import GrantKey, StepKey
from headway.domain.times import format_time, local_day
from headway.ledger.memory import Remembered
from headway.ledger.writing import entry_of_server, no_grader
from headway.store import achievements, sums
from headway.store.catalog import Catalog
from headway.store.entries import Entry

# For each kind of sum: the (learner, key, value) that a transaction changes, and what it read, by (learner, key).
Changed: TypeAlias = Mapping[sums.SumKind, Sequence[tuple[str, Any, Any]]]
Read: TypeAlias = Mapping[sums.SumKind, Mapping[tuple[str, Any], Any]]
_NOTHING: Final = Totals()
_DAILY: Final = len(of_day(PeriodSum()))
_NO_STEP: Final = StepSum()


class Learner(Protocol):
    """A learner locked by this transaction."""

    id: str
    time_zone: str
    standing: Standing
    head: int
    remembered: Remembered | None


class Cause(NamedTuple):
    """What a learner earned something by: an event, or another change of the sums, with its times.

    `received_at` is when it came in; entries made for it get its `day`, and their changes are appended to `told`.
    """

    event_id: str
    at: int
    received_at: int
    day: str | None = None
    told: list[Change] | None = None


class Achieving:
    """The achievements that one transaction's learners earn.

    `version` is the version of the set of definitions, if it is known already.
    """

    def __init__(self, connection: Connection, catalog: Catalog) -> None:
        self.connection = connection
        self.catalog = catalog
        self.version: int | None = None
        # For learners whose sums move by something other than their last entry.
        self.causes: dict[str, Cause] = {}
        # (learner, old level, new level) of each level told in a topic; levels are indexes among all levels.
        self.risen: list[tuple[str, int, int]] = []

    def tell_in(self, learner_id: str, told: list[Change]) -> None:
        """Append the changes for what a learner earns to `told`, if the learner's cause has no such list yet."""
        cause = self.causes.get(learner_id)
        if cause is not None and cause.told is None:
            self.causes[learner_id] = cause._replace(told=told)

    def give(
        self, learners: Mapping[str, Learner], read: Read, changed: Changed, appended: Sequence[Entry]
    ) -> list[Entry]:
        """Return the entries of the achievements that these changes earn, and add them to the learners' sums."""
        moved = _Moved(learners, read, changed).by_learner(self.connection, self.risen)
        crossed = self._crossed(learners, moved)
        due = [(learner_id, one) for learner_id, found in crossed.items() for one in found]
        pairs = [(learner_id, one.id) for learner_id, one in due]
        held = achievements.held(self.connection, pairs) if pairs else set()
        given = list[Entry]()
        for learner_id, one in due:
            learner = learners[learner_id]
            if (learner_id, one.id) not in held and one.id not in learner.standing.sums.achievements:
                given.append(earn(learner, one, self.cause_of(learner, appended)))
        return given

    def _crossed(self, learners: Mapping[str, Learner], moved: Mapping[str, Totals]) -> dict[str, list[Definition]]:
        """Return the definitions whose thresholds each learner crosses, and update the remembered totals."""
        gained = [one.id for one in learners.values() if one.standing.gained]
        ladders = self._ladders() if moved or gained else None
        before = self._totals(learners, moved, ladders)
        crossed: dict[str, list[Definition]] = {}
        for learner_id, by in moved.items():
            if learner_id in before:
                after = before[learner_id] + by
                crossed[learner_id] = ladders.crossed(before[learner_id], after) if ladders else []
                remembered = learners[learner_id].remembered
                if remembered is not None:
                    remembered.totals = after
        for learner_id in gained if ladders else ():
            standing = learners[learner_id].standing
            active = standing.attendance.active
            was, now = attended(active - standing.gained), attended(active)
            crossed.setdefault(learner_id, []).extend(ladders.crossed(was, now) if ladders else ())
        return crossed

    def _ladders(self) -> Ladders:
        version = achievements.read_set(self.connection).version if self.version is None else self.version
        return self.catalog.achievements(self.connection, version)

    def _totals(
        self, learners: Mapping[str, Learner], moved: Iterable[str], ladders: Ladders | None
    ) -> dict[str, Totals]:
        """Return learners' totals before this transaction: remembered ones, and others by one statement if needed."""
        known: dict[str, Totals] = {}
        unknown: list[str] = []
        for learner_id in moved:
            remembered = learners[learner_id].remembered
            if remembered is not None and remembered.totals is not None:
                known[learner_id] = remembered.totals
            else:
                unknown.append(learner_id)
        return known | achievements.totals(self.connection, unknown) if ladders and unknown else known

    def cause_of(self, learner: Learner, appended: Sequence[Entry]) -> Cause:
        """Return a learner's cause: the one set for them, or their last entry of this transaction."""
        said = self.causes.get(learner.id)
        if said is not None:
            return said
        last = next(one for one in reversed(appended) if one.learner_id == learner.id)
        return Cause(last.event_id, last.at, last.received_at, last.day)


def earn(learner: Learner, definition: Definition, cause: Cause) -> Entry:
    """Return the entry by which a learner earns an achievement; its changes are told where the cause says."""
    said = {
        "achievement": definition.id,
        "title": definition.title,
        "tier": definition.tier,
        "points": definition.points,
    }
    return said_by_server(learner, ACHIEVED, said, cause)


def said_by_server(learner: Learner, kind: str, said: Mapping[str, Any], cause: Cause) -> Entry:
    """Return an entry that the server adds about a learner, and add it to the learner's sums."""
    of_day = {} if cause.day in (None, local_day(cause.at, learner.time_zone)) else {"day": cause.day}
    event = fact_event(str(uuid4()), kind, format_time(cause.at), {**said, **of_day, "cause": cause.event_id})
    known = Circumstances(cause.received_at, 0, learner.time_zone, SERVER, 0)
    made = contribute(event, known, NO_COURSE, no_grader)
    entry, changes = entry_of_server(learner, event, known, made)
    if cause.told is not None:
        cause.told.extend(changes)
    return entry


class _Moved:
    """By how much a transaction moves learners' totals: after minus before, worked out from the changed sums alone."""

    def __init__(self, learners: Mapping[str, Learner], read: Read, changed: Changed) -> None:
        self.learners = learners
        self.read = read
        self.changed = changed
        self._by: dict[str, list[int]] = {}

    def by_learner(self, connection: Connection, risen: Iterable[tuple[str, int, int]]) -> dict[str, Totals]:
        """Return the differences of the learners whose totals move at all."""
        for learner_id, was, now in risen:
            for name in AT_LEVEL[was:now]:
                self._add(learner_id, name, 1)
        self._count_days()
        self._count_steps()
        for learner_id, key, _ in self.changed[sums.RUNS]:
            if key.run == FIRST_RUN and (learner_id, key) not in self.read[sums.RUNS]:
                self._add(learner_id, "courses_begun", 1)
        self._count_parts()
        self._count_grants(connection)
        return {learner_id: Totals._make(by) for learner_id, by in self._by.items() if any(by)}

    def _of(self, learner_id: str) -> list[int]:
        if learner_id not in self._by:
            self._by[learner_id] = [*_NOTHING]
        return self._by[learner_id]

    def _add(self, learner_id: str, name: str, by: int) -> None:
        if by:
            self._of(learner_id)[_PLACES[name]] += by

    def _count_days(self) -> None:
        read = self.read[sums.DAYS]
        for learner_id, key, value in self.changed[sums.DAYS]:
            was = read.get((learner_id, key))
            by = of_day(value) if was is None else map(sub, of_day(value), of_day(was))
            known = self._of(learner_id)
            known[:_DAILY] = map(add, known, by)

    def _count_steps(self) -> None:
        read = self.read[sums.STEPS]
        perfect = set[tuple[str, StepKey]]()
        for learner_id, key, value in self.changed[sums.STEPS]:
            was = read.get((learner_id, key)) or _NO_STEP
            if key.run == FIRST_RUN:
                self._add(learner_id, "first_try", is_first_try(value) - is_first_try(was))
                self._add(learner_id, "hard_won", is_hard_won(value) - is_hard_won(was))
            if is_perfect(value) and not is_perfect(was):
                perfect.add((learner_id, key))
        # A step counts once, whatever the run. When a step is completed, its sums in all runs have been read.
        steps = {(learner_id, key.course, key.step) for learner_id, key in perfect}
        for learner_id, course, step in steps:
            of_all = self.learners[learner_id].standing.sums
            keys = (StepKey(course, run, step) for run in range(FIRST_RUN, of_all.current_run(course) + 1))
            known = (key for key in keys if (learner_id, key) not in perfect)
            if not any(is_perfect(of_all.steps.get(key, _NO_STEP)) for key in known):
                self._add(learner_id, "perfect", 1)

    def _count_parts(self) -> None:
        """Count a day once, in however many courses: everything stored about these days was read."""
        known = {(learner_id, key[:2]) for learner_id, key in self.read[sums.PARTS]}
        changed = {(learner_id, key[:2]) for learner_id, key, _ in self.changed[sums.PARTS]}
        for learner_id, (part, _) in changed - known:
            self._add(learner_id, IN_PART[part], 1)

    def _count_grants(self, connection: Connection) -> None:
        """Count a module or course once, whatever the run: the grants of other runs, if any, are looked up."""
        read = self.read[sums.GRANTS]
        new = dict[tuple[str, str, str, str], tuple[str, GrantKey]]()
        others = list[tuple[str, GrantKey]]()
        for learner_id, key, _ in self.changed[sums.GRANTS]:
            if key.kind not in GRANTED or (learner_id, key) in read:
                continue
            new[learner_id, key.course, key.kind, key.module] = learner_id, key
            runs = self.learners[learner_id].standing.sums.runs
            if key.run > FIRST_RUN or any(one.course == key.course and one.run > key.run for one in runs):
                others.append((learner_id, key))
        stored = achievements.granted_in_other_runs(connection, others) if others else set()
        for place in new.keys() - stored:
            self._add(place[0], GRANTED[place[2]], 1)


_PLACES: Final = {name: n for n, name in enumerate(Totals._fields)}
