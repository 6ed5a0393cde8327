"""Retakes: a learner begins a course again, in a run with the next number; the earlier runs are kept."""

from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError, IdReused, UnknownCourse
from headway.domain.events import Event, could_name, fact_event, read_event
from headway.domain.facts import RUN_STARTED, RunStarted
from headway.domain.filed import is_filed
from headway.domain.recording import SERVER, Circumstances, contribute
from headway.domain.step_status import OPEN
from headway.domain.times import format_time
from headway.ledger.batch import Batch, BatchLearner
from headway.ledger.commit import committed, log_statuses
from headway.ledger.record import admit
from headway.ledger.submission import StatusChange, Submission
from headway.ledger.writing import entry_of_server, no_grader
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry, Known

# Limited, because a completion is looked up in all runs: a step counts once.
RUNS_MAX: Final = 20
_NO_COURSE: Final = "there is no course of that name"


class RunEmpty(HeadwayError):
    """Nothing was done in the run that the learner is in."""

    code = "run-empty"


class TooManyRuns(HeadwayError):
    """The learner has begun the course as often as it may be."""

    code = "too-many-runs"


class RunWanted(NamedTuple):
    """The learner, the course to begin again, and an id that the client made; `token_hash` is the request's session."""

    learner_id: str
    course: str
    id: str
    token_hash: str | None = None


class Started(NamedTuple):
    """The run that began, and when (microseconds); `repeated` where it had begun under this id before."""

    course: str
    run: int
    at: int
    repeated: bool = False


def start_run(database: Database, catalog: Catalog, asked: RunWanted, *, now: int) -> Started:
    """Begin the course's next run; sent again under the same id, nothing changes.

    Raise RunEmpty if nothing was done in the current run, TooManyRuns after RUNS_MAX, UnknownCourse, IdReused, or
    IdentityGone if the session has ended.
    """
    if not could_name(asked.course):
        raise UnknownCourse(_NO_COURSE, field="course")
    started, statuses = committed(database, lambda connection: _start(connection, catalog, asked, now))
    log_statuses(statuses)
    return started


def _start(connection: Connection, catalog: Catalog, asked: RunWanted, now: int) -> tuple[Started, list[StatusChange]]:
    batch = Batch(connection, catalog)
    submission = Submission(asked.learner_id, (_event(asked, 1, now),), now, token_hash=asked.token_hash)
    batch.lock([submission], wait=True)
    batch.read_facts([submission])
    admit(batch, submission)
    learner = batch.learners[asked.learner_id]
    known = learner.known.get(asked.id)
    if known is not None:
        started = _started_before(asked, known, now)
        return started, [] if started.repeated else [_status(learner, started, asked)]
    if asked.course not in batch.courses:
        raise UnknownCourse(_NO_COURSE, field="course")
    run = learner.standing.sums.current_run(asked.course)
    _check_begun(batch, learner, asked.course, run)
    started = Started(asked.course, run + 1, now)
    _append(batch, learner, _event(asked, run + 1, now), now)
    batch.write()
    return started, [_status(learner, started, asked)]


def _started_before(asked: RunWanted, known: Known | Entry, now: int) -> Started:
    """Return the run that was begun under this id; `repeated` is false if a lost COMMIT began it just now.

    Raise IdReused if the id stands for something else.
    """
    said = None if is_filed(known.body) else read_event(asked.id, known.body)
    if said is None or not isinstance(said.fact, RunStarted) or said.course != asked.course:
        raise IdReused("this id was used for something else; make a new UUID for each run", field="id")
    return Started(said.course, said.run, said.occurred_at or 0, repeated=known.received_at != now)


def _check_begun(batch: Batch, learner: BatchLearner, course: str, run: int) -> None:
    batch.read_runs([(learner.id, course, run)])
    if not any(one.events for one in learner.steps_of(course, run).values()):
        raise RunEmpty("you have done nothing in this run of the course yet; there is nothing to begin anew")
    if run >= RUNS_MAX:
        raise TooManyRuns(f"a course can be taken {RUNS_MAX} times")


def _event(asked: RunWanted, run: int, now: int) -> Event:
    return fact_event(asked.id, RUN_STARTED, format_time(now), {"course": asked.course, "run": run})


def _append(batch: Batch, learner: BatchLearner, event: Event, now: int) -> None:
    version, course = batch.courses[event.course]
    known = Circumstances(now, 0, learner.time_zone, SERVER, version)
    made = contribute(event, known, course, no_grader)
    batch.appended.append(entry_of_server(learner, event, known, made)[0])


def _status(learner: BatchLearner, started: Started, asked: RunWanted) -> StatusChange:
    return StatusChange(learner.id, started.course, started.run, "", OPEN, None, asked.id)
