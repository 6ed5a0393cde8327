"""Statements on the ledger's entries."""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from msgspec import Raw
from sqlalchemy.engine import Connection

from headway.domain.filed import MARK, is_filed
from headway.domain.recording import SERVER
from headway.store import archive, guard, rows
from headway.store.schema import learner, ledger

# SQLite puts no more than 500 selections together.
_LEDGERS_A_STATEMENT: Final = 200


class Entry(NamedTuple):
    """One row of the ledger: what was sent, what the server knew then, and what follows from both."""

    learner_id: str
    seq: int
    event_id: str
    body: str
    received_at: int
    clock_skew: int
    time_zone: str
    source: str
    version: int
    type: str
    course_id: str
    run: int
    step_id: str
    at: int
    day: str
    trust: str
    score: int | None
    passed: bool
    duration_ms: int
    hints: int
    changes: str | None
    streak_rules: str | None

    @property
    def facts(self) -> tuple[str, int, str, Raw, int, int, str, str, int, str | None]:
        """What was sent and what the server knew, in the order of `EntryFacts`."""
        known = (self.received_at, self.clock_skew, self.time_zone, self.source, self.version, self.streak_rules)
        return (self.learner_id, self.seq, self.event_id, Raw(self.body.encode()), *known)


class Known(NamedTuple):
    """The entry that an event id already stands for; `body` may be a reference to the archive."""

    body: str
    received_at: int
    changes: str | None
    course_id: str
    run: int
    step_id: str
    version: int
    score: int | None
    passed: bool


_KNOWN = ", ".join(f"t.{name}" for name in ("learner_id", "event_id", *Known._fields))


def known(connection: Connection, ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """The entries of those (learner, event id) pairs that are in the ledger."""
    return known_answered(rows.ask(connection, known_asked(ids))[0])


def known_asked(ids: Iterable[tuple[str, str]]) -> rows.Question:
    """The question for the entries of (learner, event id) pairs, answered by `known_answered`."""
    return rows.Question(ledger, ids, _KNOWN, ("learner_id", "event_id"))


def known_answered(found: Iterable[rows.Row]) -> dict[tuple[str, str], Known]:
    """The entries found for (learner, event id) pairs."""
    return {(row[0], row[1]): Known(*row[2:]) for row in found}


def of_server(connection: Connection, times: Iterable[tuple[str, int]]) -> list[rows.Row]:
    """(learner, body, changes) of the server's own entries of these (learner, time) pairs, by learner and number."""
    what, by = "t.learner_id, t.body, t.changes, t.seq", ("learner_id", "received_at")
    found = rows.select(connection, ledger, times, what, by, "AND t.source = 'server'")
    return [row[:3] for row in sorted(found, key=lambda row: (row[0], row[3]))]


def zones_since(connection: Connection, learner_id: str, day: str) -> set[str]:
    """The zones that the learner's days were counted in, from a day on."""
    wanted = sa.select(ledger.c.time_zone).where(ledger.c.learner_id == learner_id, ledger.c.day >= day)
    return set(connection.execute(wanted.distinct()).scalars())


def append(connection: Connection, entries: Iterable[Entry]) -> None:
    """Append entries, already numbered, to their learners' ledgers."""
    rows.add_together(connection, appended(entries))


def appended(entries: Iterable[Entry]) -> rows.Addition:
    """The addition, for `rows`, of entries to their learners' ledgers."""
    return rows.Addition(ledger, entries, replaces=False)


def between(connection: Connection, first: str, last: str, *, batch: int = 1000) -> Generator[Entry, None, None]:
    """The entries of all learners from first to last id, in order of learner and number, in bounded memory.

    Close the generator unless you read it to its end.
    """
    statement = (
        sa.select(ledger)
        .where(ledger.c.learner_id >= first, ledger.c.learner_id <= last)
        .order_by(ledger.c.learner_id, ledger.c.seq)
    )
    yield from streamed(connection, statement, batch)


def filled(connection: Connection, found: Sequence[Entry]) -> list[Entry]:
    """The entries with their bodies, read from the archive if they lie there; needed wherever a body is used."""
    bodies = archive.read(connection, (one.body for one in found))
    return [one._replace(body=bodies.get(one.body, one.body)) for one in found] if bodies else [*found]


def streamed(connection: Connection, statement: sa.Select[Any], batch: int = 1000) -> Generator[Entry, None, None]:
    """The entries that a statement selects, in bounded memory."""
    with connection.execute(statement.execution_options(yield_per=batch)) as found:
        for some in found.partitions():
            yield from filled(connection, [Entry(*row) for row in some])


def due(
    connection: Connection, whole: tuple[str, str], before: int, after: tuple[str, int] | None, limit: int
) -> list[Entry]:
    """Entries, received before a time, of learners from first to last id, whose bodies are still in the database.

    Without the server's own, which are recognized by their bodies when a request is repeated. In order of learner and
    number, after the pair `after`.
    """
    ours = (ledger.c.learner_id >= whole[0], ledger.c.learner_id <= whole[1])
    is_here = sa.func.substr(ledger.c.body, 1, 1) != MARK
    wanted = sa.select(ledger).where(*ours, ledger.c.received_at < before, ledger.c.source != SERVER, is_here)
    if after is not None:
        behind = sa.and_(ledger.c.learner_id == after[0], ledger.c.seq > after[1])
        wanted = wanted.where(ledger.c.learner_id >= after[0], sa.or_(ledger.c.learner_id > after[0], behind))
    wanted = wanted.order_by(ledger.c.learner_id, ledger.c.seq).limit(limit)
    return [Entry(*row) for row in connection.execute(wanted)]


def still_here(connection: Connection, found: Iterable[Entry]) -> list[Entry]:
    """Which of the entries are still in the ledger, with their bodies still in the database."""
    listed = list(found)
    keys = [(one.learner_id, one.event_id) for one in listed]
    stored = rows.lookup(connection, ledger, keys, "learner_id", "event_id", "body", by=("learner_id", "event_id"))
    here = {(row[0], row[1]) for row in stored if not is_filed(row[2])}
    return [one for one in listed if (one.learner_id, one.event_id) in here]


def due_count(connection: Connection, before: int) -> tuple[int, int]:
    """How many entries of all learners `due` would return, and the total length of their bodies, in characters."""
    is_here = sa.func.substr(ledger.c.body, 1, 1) != MARK
    figures = (sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.length(ledger.c.body)), 0))
    wanted = sa.select(*figures).where(ledger.c.received_at < before, ledger.c.source != SERVER, is_here)
    count, characters = connection.execute(wanted).one()
    return int(count), int(characters)


def orphans(connection: Connection, limit: int) -> list[str]:
    """Ids in the ledger that are no learner's."""
    statement = sa.select(ledger.c.learner_id).distinct().where(~sa.exists().where(learner.c.id == ledger.c.learner_id))
    return list(connection.execute(statement.limit(limit)).scalars())


def is_recorded_behind(connection: Connection, course_id: str, version: int) -> bool:
    """Whether anything was recorded by a later version of the course; there is no index for it, so all may be read."""
    found = sa.select(sa.literal(1)).where(ledger.c.course_id == course_id, ledger.c.version > version).limit(1)
    return connection.execute(found).first() is not None


class Only(NamedTuple):
    """Limits entries to those about a course, or about one of its steps, by key."""

    course_id: str
    step_id: str | None = None


def before(connection: Connection, ends: Mapping[str, int], limit: int, only: Only | None = None) -> list[list[Entry]]:
    """For each ledger the entries before a number, at most `limit`, the newest first.

    Their bodies may be references to the archive; use `filled` on those to be shown.
    """
    wanted = _numbers(ends, limit) if only is None else _numbers_of(connection, ends, limit, only)
    found = rows.lookup(connection, ledger, wanted, *Entry._fields, by=("learner_id", "seq"))
    by_learner: dict[str, list[Entry]] = {learner_id: [] for learner_id in ends}
    for row in found:
        by_learner[row[0]].append(Entry(*row))
    return [sorted(one, key=lambda entry: -entry.seq) for one in by_learner.values()]


def _numbers(ends: Mapping[str, int], limit: int) -> list[tuple[str, int]]:
    """The last numbers before each ledger's end; numbers have no gaps."""
    return [(learner_id, seq) for learner_id, end in ends.items() for seq in range(max(1, end - limit), end)]


def _numbers_of(connection: Connection, ends: Mapping[str, int], limit: int, only: Only) -> list[tuple[str, int]]:
    """The last numbers, before each ledger's end, of entries about a course or a step.

    Each ledger is read backwards until there are enough: an index by step would have to be written with every event.
    """
    about = [ledger.c.course_id == only.course_id]
    if only.step_id is not None:
        about.append(ledger.c.step_id == only.step_id)
    listed, found = list(ends.items()), list[tuple[str, int]]()
    for n in range(0, len(listed), _LEDGERS_A_STATEMENT):
        parts = [
            sa.select(ledger.c.learner_id, ledger.c.seq)
            .where(ledger.c.learner_id == learner_id, ledger.c.seq < end, *about)
            .order_by(ledger.c.seq.desc())
            .limit(limit)
            .subquery()
            for learner_id, end in listed[n : n + _LEDGERS_A_STATEMENT]
        ]
        found += [(row[0], row[1]) for row in connection.execute(sa.union_all(*map(sa.select, parts)))]
    return found


def replace(connection: Connection, entries: Iterable[Entry], reason: str) -> None:
    """Replace entries by others of the same number and body; bodies in the archive stay there."""
    listed = list(entries)
    keys = [(one.learner_id, one.seq) for one in listed]
    found = rows.lookup(connection, ledger, keys, "learner_id", "seq", "body", by=("learner_id", "seq"))
    filed = {(row[0], row[1]): row[2] for row in found if is_filed(row[2])}
    stored = [one._replace(body=filed.get((one.learner_id, one.seq), one.body)) for one in listed]
    with guard.opened(connection, reason):
        rows.upsert(connection, ledger, stored)


def remove(connection: Connection, learner_ids: Collection[str], reason: str) -> None:
    """Delete all entries of learners who are being removed."""
    archive.let_go(connection, learner_ids)
    with guard.opened(connection, reason):
        connection.execute(sa.delete(ledger).where(ledger.c.learner_id.in_(learner_ids)))
