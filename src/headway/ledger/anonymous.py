"""What is left of an erased learner's ledger: course, step, score and day of each event, without the time of day."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.domain.events import (
    ENROLLMENT_TYPES,
    Event,
    check_event,
    enrollment_event,
    fact_event,
    read_event,
    with_passed,
)
from headway.domain.facts import GRADED, RUN_STARTED, Fact, Graded, Overridden, RunStarted
from headway.domain.recording import ERASED
from headway.domain.scores import FULL
from headway.domain.sums import Sums
from headway.domain.times import DAY, HOUR, format_time, offset_day
from headway.ledger.refold import fold_alone
from headway.store.catalog import Catalog
from headway.store.entries import Entry

# By offset from the UTC day (same, before, after): the first microsecond in it, and the zone where it is that day.
_PLACES: Final = {0: (0, "UTC"), -1: (0, "Etc/GMT+12"), 1: (10 * HOUR, "Etc/GMT-14")}


class _NotKept(HeadwayError):
    """Nothing of the entry is kept."""


def left_of(
    connection: Connection, catalog: Catalog, learner_id: str, counted: Iterable[Entry]
) -> tuple[list[Entry], Sums]:
    """Return entries and sums, under a new anonymous learner id, of somebody who did the same on the same days.

    Entries that cannot be counted are left out: they must not keep a learner from being erased.
    """
    entries = _anonymous(learner_id, counted)
    folded = fold_alone(connection, catalog, learner_id, entries)
    while folded.broken:
        broken = {fault.key for fault in folded.broken}
        entries = [one for one in entries if str(one.seq) not in broken]
        entries = [one._replace(seq=seq) for seq, one in enumerate(entries, 1)]
        folded = fold_alone(connection, catalog, learner_id, entries)
    true = {stored.seq: made for stored, made in folded.amended}
    return [true.get(one.seq, one) for one in entries], folded.sums


def _anonymous(learner_id: str, counted: Iterable[Entry]) -> list[Entry]:
    """Return the entries run by run and in order of time, under new ids; of their times the day and the order stay.

    Grades are left out: the graded attempts carry the score themselves, and whether it passed.
    """
    entries = sorted(counted, key=lambda one: (one.at, one.event_id))
    grades = _grades(entries)
    made: list[Entry] = []
    last = -1
    for entry in entries:
        begins, time_zone = _place(entry)
        at = max(last + 1, begins)
        try:
            event = _without_answer(entry, grades.get(entry.event_id), at)
        except HeadwayError:
            continue
        last = at
        made.append(
            entry._replace(
                learner_id=learner_id,
                event_id=event.id,
                body=event.body,
                received_at=at,
                clock_skew=0,
                time_zone=time_zone,
                source=ERASED,
            )
        )
    # A late event from before a new run began was recorded in the new run, so each run's entries go behind its start.
    made.sort(key=lambda one: (one.run, one.type != RUN_STARTED))
    return [one._replace(seq=seq) for seq, one in enumerate(made, 1)]


class _Grade(NamedTuple):
    score: int
    passed: bool


def _grades(entries: Iterable[Entry]) -> dict[str, _Grade]:
    """Return each graded attempt's final grade, by its id: a later grade lowers no score, and takes no pass away."""
    grades: dict[str, _Grade] = {}
    for entry in entries:
        try:
            fact = read_event(entry.event_id, entry.body).fact if entry.type == GRADED else None
        except HeadwayError:
            continue
        if isinstance(fact, Graded):
            before = grades.get(fact.attempt, _Grade(0, False))
            score, passed = max(entry.score or 0, before.score), bool(entry.passed) or before.passed
            grades[fact.attempt] = _Grade(score, passed)
    return grades


def _place(entry: Entry) -> tuple[int, str]:
    """Return the earliest time that the entry may get (microseconds), and a zone where that is on the entry's day."""
    ahead = date.fromisoformat(entry.day) - date.fromisoformat(offset_day(entry.at, 0))
    begins, time_zone = _PLACES[max(-1, min(ahead.days, 1))]
    return entry.at - entry.at % DAY + begins, time_zone


def _without_answer(entry: Entry, grade: _Grade | None, at: int) -> Event:
    """Return the event as a client would send it that reports its score, duration and hints, and nothing else."""
    said = read_event(entry.event_id, entry.body)
    if said.fact is not None:
        return _without_reason(said, said.fact, at)
    if said.type in ENROLLMENT_TYPES:
        return enrollment_event(str(uuid4()), said.type, said.course)
    content: dict[str, Any] = {"type": said.type, "course": said.course, "step": said.step}
    score = entry.score if grade is None else grade.score
    if score is not None:
        content["score"] = score / FULL
    if entry.duration_ms:
        content["duration_s"] = entry.duration_ms / 1000
    if entry.hints:
        content["hints"] = entry.hints
    event = check_event(str(uuid4()), content)
    return event if grade is None else with_passed(event, passed=grade.passed)


def _without_reason(said: Event, fact: Fact, at: int) -> Event:
    """Return what still counts of a server's entry: the start of a run, or an override without its reason."""
    content: dict[str, Any] = {"course": said.course, "run": said.run}
    if isinstance(fact, Overridden):
        content |= {"step": said.step, "score": said.score, "final": fact.final, "waived": fact.waived}
    elif not isinstance(fact, RunStarted):
        raise _NotKept("what the server granted was somebody's")
    return fact_event(str(uuid4()), said.type, format_time(at), content)
