"""Statements on attempts that people grade, and on those that a regrade judges anew."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import archive, entries, rows
from headway.store.entries import Entry
from headway.store.schema import attempt_grade, brought, course_run, learner, ledger, step_sum


def entries_by_id(connection: Connection, learner_id: str, event_ids: Iterable[str]) -> dict[str, Entry]:
    """Those of a learner's entries that count, by id: the learner's own, and those that guests brought."""
    wanted = [(learner_id, one) for one in event_ids]
    by = ("learner_id", "event_id")
    found = {row[2]: Entry(*row) for row in rows.lookup(connection, ledger, wanted, *Entry._fields, by=by)}
    elsewhere = [pair for pair in wanted if pair[1] not in found]
    places = [(row[0], row[1]) for row in rows.lookup(connection, brought, elsewhere, "guest_id", "seq", by=by)]
    theirs = rows.lookup(connection, ledger, places, *Entry._fields, by=("learner_id", "seq"))
    found |= {row[2]: Entry(*row) for row in theirs}
    return dict(zip(found, entries.filled(connection, [*found.values()]), strict=True))


def attempts_of(connection: Connection, course_id: str, step: str, learner_ids: Iterable[str]) -> dict[str, int]:
    """How often each of these learners attempted a step (by key), over all runs; those who never did are left out."""
    found: dict[str, int] = {}
    wanted, by = [(one, course_id, step) for one in learner_ids], ("learner_id", "course_id", "step_id")
    for learner_id, attempts in rows.lookup(connection, step_sum, wanted, "learner_id", "attempts", by=by):
        if attempts:
            found[learner_id] = found.get(learner_id, 0) + attempts
    return found


def attempts(
    connection: Connection, place: tuple[str, str], ledgers: Iterable[str], after: tuple[str, int] | None, limit: int
) -> list[Entry]:
    """Attempts at a step (course, key) from some ledgers, in order of learner and number, after the pair `after`."""
    course_id, step = place
    wanted = sa.select(ledger).where(
        rows.among(connection, ledger.c.learner_id, ledgers),
        ledger.c.course_id == course_id,
        ledger.c.step_id == step,
        ledger.c.type == "attempted",
    )
    if after is not None:
        learner_id, seq = after
        behind = sa.and_(ledger.c.learner_id == learner_id, ledger.c.seq > seq)
        wanted = wanted.where(sa.or_(ledger.c.learner_id > learner_id, behind))
    wanted = wanted.order_by(ledger.c.learner_id, ledger.c.seq).limit(limit)
    return entries.filled(connection, [Entry(*row) for row in connection.execute(wanted)])


def brought_ids(connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The guests that brought the events of these (account, event id) pairs, for those that guests brought."""
    names = ("learner_id", "event_id", "guest_id")
    found = rows.lookup(connection, brought, wanted, *names, by=("learner_id", "event_id"))
    return {(row[0], row[1]): row[2] for row in found}


def moved_since(connection: Connection, course_id: str, at: int) -> dict[str, str]:
    """The account of each guest who was moved, since a time, into an account that began the course."""
    moved = (
        sa.select(learner.c.id, learner.c.merged_into)
        .join(course_run, course_run.c.learner_id == learner.c.merged_into)
        .where(learner.c.merged_at >= at, course_run.c.course_id == course_id)
    )
    return {row[0]: row[1] for row in connection.execute(moved)}


class Submitted(NamedTuple):
    """An attempt that was handed in to a person, with what was sent and, where it is graded, the body of the grade.

    `attempts` are the learner's on the step in that run. Times are microseconds.
    """

    learner_id: str
    attempt_id: str
    run: int
    step_id: str
    at: int
    score: int | None
    passed: bool | None
    graded_at: int | None
    display_name: str | None
    attempts: int
    sent: str
    graded: str | None

    @property
    def place(self) -> tuple[int, str, str]:
        """Its place in the order of attempts."""
        return self.at, self.attempt_id, self.learner_id


class AttemptQuery(NamedTuple):
    """A search for attempts: of steps by key, waiting or graded or (None) both, after the place `behind`."""

    steps: Collection[str]
    learner_id: str | None
    waiting: bool | None
    behind: tuple[int, str, str] | None


def submitted(connection: Connection, course_id: str, wanted: AttemptQuery, limit: int) -> list[Submitted]:
    """Attempts of a course that were handed in to a person, the oldest first: one statement."""
    grade, steps = attempt_grade.c, step_sum.c
    sent, attempt = _body_of("sent", grade.attempt_id)
    said, given = _body_of("said", grade.graded_by)
    own_step = sa.and_(*(steps[name] == grade[name] for name in ("learner_id", "course_id", "run", "step_id")))
    joined = attempt_grade.join(learner, learner.c.id == grade.learner_id).outerjoin(step_sum, own_step)
    for one in (*attempt, *given):
        joined = joined.outerjoin(*one)
    columns = (grade.learner_id, grade.attempt_id, grade.run, grade.step_id, grade.at, grade.score, grade.passed)
    more = (grade.graded_at, learner.c.display_name, sa.func.coalesce(steps.attempts, 0), sent, said)
    found = (
        sa.select(*columns, *more)
        .select_from(joined)
        .where(grade.course_id == course_id, rows.among(connection, grade.step_id, wanted.steps), *_conditions(wanted))
    )
    order = (grade.at, grade.attempt_id, grade.learner_id)
    listed = [Submitted._make(row) for row in connection.execute(found.order_by(*order).limit(limit))]
    bodies = archive.read(connection, (one.sent for one in listed))
    return [one._replace(sent=bodies.get(one.sent, one.sent)) for one in listed]


def _conditions(wanted: AttemptQuery) -> Iterator[sa.ColumnElement[bool]]:
    grade = attempt_grade.c
    # Worded as in the partial indexes, so that the database knows that they hold every row asked for.
    yield sa.literal_column("attempt_grade.waited")
    if wanted.waiting is not None:
        yield grade.score.is_(None) if wanted.waiting else grade.score.is_not(None)
    if wanted.learner_id is not None:
        yield grade.learner_id == wanted.learner_id
    if wanted.behind is not None:
        at, attempt_id, learner_id = wanted.behind
        later = sa.and_(grade.attempt_id == attempt_id, grade.learner_id > learner_id)
        yield sa.or_(grade.at > at, sa.and_(grade.at == at, sa.or_(grade.attempt_id > attempt_id, later)))


def feedback(connection: Connection, learner_id: str, course_id: str, run: int) -> dict[str, str]:
    """The body of the grade of the latest graded attempt at each step of a run, by step key; one statement."""
    grade = attempt_grade.c
    mine = (grade.learner_id == learner_id, grade.course_id == course_id, grade.run == run)
    newest_first = (grade.at.desc(), grade.attempt_id.desc())
    place = sa.func.row_number().over(partition_by=grade.step_id, order_by=newest_first).label("place")
    graded = sa.select(grade.attempt_id, place).where(*mine, grade.graded_by.is_not(None)).subquery()
    said, given = _body_of("said", grade.graded_by)
    latest = sa.and_(grade.learner_id == learner_id, grade.attempt_id == graded.c.attempt_id, graded.c.place == 1)
    joined: sa.FromClause = graded.join(attempt_grade, latest)
    for one in given:
        joined = joined.outerjoin(*one)
    return {row[0]: row[1] for row in connection.execute(sa.select(grade.step_id, said).select_from(joined)) if row[1]}


def _body_of(
    name: str, event_id: sa.ColumnElement[str]
) -> tuple[sa.ColumnElement[str], list[tuple[sa.FromClause, sa.ColumnElement[bool]]]]:
    """The body of an entry that an attempt's row names, the learner's own or brought by a guest, and its joins."""
    own, lies, theirs = ledger.alias(f"{name}_own"), brought.alias(f"{name}_lies"), ledger.alias(f"{name}_theirs")
    mine = attempt_grade.c.learner_id
    joins: list[tuple[sa.FromClause, sa.ColumnElement[bool]]] = [
        (own, sa.and_(own.c.learner_id == mine, own.c.event_id == event_id)),
        (lies, sa.and_(lies.c.learner_id == mine, lies.c.event_id == event_id)),
        (theirs, sa.and_(theirs.c.learner_id == lies.c.guest_id, theirs.c.seq == lies.c.seq)),
    ]
    return sa.func.coalesce(own.c.body, theirs.c.body), joins
