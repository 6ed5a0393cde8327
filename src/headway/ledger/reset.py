"""Resetting: a learner begins from nothing, in a course or in all; the ledger keeps its entries, uncounted."""

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.achievements import Metrics, met
from headway.domain.boards import gains_of
from headway.domain.course import NO_COURSE, Course
from headway.domain.errors import IdReused, UnknownCourse
from headway.domain.events import Event, could_name, fact_event, read_event
from headway.domain.exercises import exercises_done
from headway.domain.facts import RESET, Reset
from headway.domain.filed import is_filed
from headway.domain.gating import status_of_course, status_of_module
from headway.domain.levels import LEVELS, RANKS, skills
from headway.domain.practice import Practiced, sessions
from headway.domain.recording import SERVER, Circumstances, Versions, contribute
from headway.domain.standing import Standing
from headway.domain.sums import LevelKey, RunKey, Sums
from headway.domain.times import format_time
from headway.ledger import announcing
from headway.ledger.batch import Batch, BatchLearner
from headway.ledger.boards import settle
from headway.ledger.by_hand import carry_out
from headway.ledger.record import admit
from headway.ledger.submission import StatusChange, Submission
from headway.ledger.wholes import counted
from headway.ledger.writing import entry_of, no_grader
from headway.store import achievements, entries, identities, roster, sums, work
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry, Known

_NO_COURSE: Final = "there is no course of that name"


class ResetWanted(NamedTuple):
    """The learner who resets, the course (None: all), and an id that the client made.

    `token_hash` is the request's session.
    """

    learner_id: str
    id: str
    course: str | None = None
    token_hash: str | None = None


class ResetDone(NamedTuple):
    """What was cleared: numbers of steps with anything recorded, attempts, practice sessions and active days."""

    steps: int
    attempts: int
    sessions: int
    days: int


def reset(database: Database, catalog: Catalog, asked: ResetWanted, *, now: int) -> ResetDone:
    """Reset a learner's progress; sent again under the same id, nothing changes, and the same is returned.

    Raise UnknownCourse, IdReused, or IdentityGone if the session has ended or the learner is part of an account by now.
    """
    if asked.course is not None and not could_name(asked.course):
        raise UnknownCourse(_NO_COURSE, field="course")
    return carry_out(database, partial(_reset, catalog=catalog, asked=asked, now=now))


def _reset(
    connection: Connection, statuses: list[StatusChange], *, catalog: Catalog, asked: ResetWanted, now: int
) -> ResetDone:
    batch = Batch(connection, catalog)
    probe = fact_event(asked.id, RESET, format_time(now), {"sessions": 0, **_about(asked)})
    submission = Submission(asked.learner_id, (probe,), now, token_hash=asked.token_hash)
    batch.lock([submission], wait=True)
    batch.read_facts([submission])
    admit(batch, submission)
    learner = batch.learners[asked.learner_id]
    known = learner.known.get(asked.id)
    if known is not None:
        if known.received_at != now:  # otherwise this very reset, whose COMMIT's answer was lost
            statuses.clear()
        return _done_before(asked, known)
    version, course = batch.courses.get(asked.course, (0, None)) if asked.course else (0, NO_COURSE)
    if course is None:
        raise UnknownCourse(_NO_COURSE, field="course")
    resetting = _Resetting(connection, catalog, learner, asked)
    done = resetting.run(Circumstances(now, 0, "", SERVER, version), course)
    statuses[:] = resetting.statuses
    return done


def _about(asked: ResetWanted) -> dict[str, Any]:
    return {} if asked.course is None else {"course": asked.course, "run": 1}


def _done_before(asked: ResetWanted, known: Known | Entry) -> ResetDone:
    """Return what the reset under this id cleared; IdReused if the id stands for something else."""
    said = None if is_filed(known.body) else read_event(asked.id, known.body)
    if said is None or not isinstance(said.fact, Reset) or said.course != (asked.course or ""):
        raise IdReused("this id was used for something else; make a new UUID for each reset", field="id")
    return _told(json.loads(known.changes or "[]"))


def _told(changes: Iterable[dict[str, Any]]) -> ResetDone:
    return next(ResetDone(**one["cleared"]) for one in changes if one["type"] == "progress_reset")


class _Resetting:
    """One reset under the learner's lock: reads all sums, and has the domain's rules clear those in its scope."""

    def __init__(self, connection: Connection, catalog: Catalog, learner: BatchLearner, asked: ResetWanted) -> None:
        self.connection = connection
        self.catalog = catalog
        self.learner = learner
        self.asked = asked
        self._stored = {
            kind: {key: value for _, key, value in sums.read_learners(connection, kind, [learner.id])}
            for kind in sums.ALL
        }
        done = ((key.course, one.completion) for key, one in self._stored[sums.STEPS].items())
        self._versions = Versions(catalog.load(connection, {(course, one.version) for course, one in done if one}))
        self.statuses: list[StatusChange] = []
        self._guests = [one.id for one in identities.moved_into(connection, [learner.id]).get(learner.id, ())]

    def run(self, known: Circumstances, course: Course) -> ResetDone:
        """Write the entry, and the sums that are left."""
        standing, event = self._standing(), self._event(known.received_at)
        known = known._replace(time_zone=self.learner.time_zone)
        made = contribute(event, known, course, no_grader)
        before = self._statuses(standing.sums)
        changes = standing.apply(made, name="", today=made.day)
        self._note(before, self._statuses(standing.sums))
        entry = entry_of((self.learner.id, self.learner.head + 1), event, known, made, SERVER, changes)
        entries.append(self.connection, [entry])
        announcing.note(self.connection, [self.learner.id])
        settle(self.connection, {self.learner.id: gains_of(standing.sums)})
        with counted(self.connection, self.catalog, roster.courses_of(self.connection, [self.learner.id])):
            for kind in sums.ALL:
                self._write(kind, kind.held_in(standing.sums))
        return _told(changes)

    def _statuses(self, found: Sums) -> dict[tuple[str, int, str], str]:
        """Return the statuses of courses and their modules, by (course, current run, module or "")."""
        known = {key.course for key in self._stored[sums.STEPS].keys() | self._stored[sums.GRANTS].keys()}
        told: dict[tuple[str, int, str], str] = {}
        for course_id, (_, course) in sorted(self.catalog.in_force(self.connection, known).items()):
            run = RunKey(course_id, found.current_run(course_id))
            of_run = found.of_run(run)
            told[*run, ""] = status_of_course(*of_run)
            told |= {(*run, module.id): status_of_module(module, *of_run) for module in course.modules}
        return told

    def _note(self, before: dict[tuple[str, int, str], str], after: dict[tuple[str, int, str], str]) -> None:
        changed = ((place, status) for place, status in after.items() if status != before[place])
        self.statuses += (StatusChange(self.learner.id, *place, status, None, RESET) for place, status in changed)

    def _write(self, kind: sums.SumKind, left: dict[Any, Any]) -> None:
        stored, learner_id = self._stored[kind], self.learner.id
        gone = [kind.write(learner_id, *one)[: len(kind.key_names)] for one in stored.items() if one[0] not in left]
        sums.remove(self.connection, kind, gone)
        changed = [(learner_id, key, one) for key, one in left.items() if stored.get(key) != one]
        sums.write(self.connection, kind, changed)

    def _standing(self) -> Standing:
        standing = Standing(self._versions.worth_of)
        standing.guests = self._guests
        for kind, found in self._stored.items():
            kind.held_in(standing.sums).update(found)
        return standing

    def _event(self, now: int) -> Event:
        # The reset covers all that is there, whatever the servers' clocks say.
        steps = self._stored[sums.STEPS].values()
        resets = self._stored[sums.RESETS].values()
        at = max([now, *(one.updated_at for one in steps), *(one.up_to for one in resets)])
        said: dict[str, Any] = {"sessions": self._sessions(), "counts_said": True, **_about(self.asked)}
        left = self._standing().sums
        left.clear(self.asked.course or "", at, ())
        if left.levels:
            levels = self._levels(left)
            left.keep_levels(levels, (at, self.asked.id))
            said |= {"levels": levels}
        if self.asked.course is None:
            said |= {"kept": self._kept(left)}
        return fact_event(self.asked.id, RESET, format_time(at), said)

    def _sessions(self) -> int:
        """Return the number of practice sessions that are cleared."""
        runs: dict[str, int] = {}
        for key in self._stored[sums.RUNS]:
            runs[key.course] = max(key.run, runs.get(key.course, 1))
        found = work.attempt_times(self.connection, self.learner.id)
        scope = {self.asked.course} if self.asked.course else runs.keys()
        times = (at for course, run, at in found if course in scope and run >= runs.get(course, 1))
        return len(sessions(Practiced(at, "", False, 0) for at in times))

    def _levels(self, left: Sums) -> list[LevelKey]:
        """Return the levels that the remaining sums amount to, in the topics in which any level was told."""
        courses = self.catalog.in_force(self.connection, {key.course for key in left.steps})
        found = skills(one.exercise for one in exercises_done(left.steps, self._versions, courses))
        ranks = {topic: RANKS[one.level.name] for topic, one in found.items()}
        stay = {key for key in left.levels if RANKS.get(key.level, 0) <= ranks.get(key.topic, 0)}
        now = {LevelKey(key.topic, LEVELS[ranks.get(key.topic, 0)].name) for key in left.levels}
        return sorted(stay | {key for key in now if RANKS[key.level]})

    def _kept(self, left: Sums) -> Sequence[str]:
        """Return the ids of the earned achievements that the remaining sums still meet."""
        held = self._stored[sums.ACHIEVEMENTS].keys()
        if not held:
            return []
        _, definitions = achievements.in_force(self.connection)
        return sorted({one.id for one in met(definitions, Metrics.of(left))} & held)
