"""Archiving: what learners sent long ago moves out of the ledger into files, each verified before anything is moved.

The ledger keeps the entries with every column in use; of their bodies it keeps references and digests.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple
from uuid import uuid4

import msgspec
import structlog
from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.domain.events import under_name
from headway.domain.filed import reference
from headway.ledger.audit import pages
from headway.ledger.commit import committed
from headway.ledger.resting import Progress
from headway.store import archive as store
from headway.store import entries, learners
from headway.store.archive import Portion
from headway.store.archive_files import ArchiveUnavailable, Written
from headway.store.database import Database, mark_for_scrubbing
from headway.store.entries import Entry
from headway.store.entry_facts import EntryFacts

log = structlog.get_logger()

ENTRIES_A_PORTION: Final = 5_000
CHARACTERS_A_PORTION: Final = 2_000_000
_READ_AT_ONCE: Final = 200
_ALONE: Final = "archive"


class Archived(NamedTuple):
    """What was moved, or would be: counts of entries, files, characters moved, and bytes written.

    A dry run leaves files and bytes at 0.
    """

    entries: int
    files: int
    characters: int
    size: int


class Checked(NamedTuple):
    """A portion of the archive, the path of its file, and what is wrong with it, if anything."""

    portion: Portion
    path: str
    fault: str | None


class _Gone(HeadwayError):
    """Some of the entries are not there any more."""

    code = "unavailable"


def archive(
    database: Database,
    *,
    before: int,
    now: Callable[[], int],
    progress: Progress = lambda _: None,
    entries_a_portion: int = ENTRIES_A_PORTION,
) -> Archived:
    """Move the bodies of entries received before a time (microseconds) into files, while recording goes on.

    Each portion is moved as a whole. After being stopped or killed, a new run continues with what is left. Raise
    ArchiveUnavailable if the folder cannot be used; nothing more is moved then.
    """
    database.archive.prepare()
    look_through(database)
    settle(database)
    moved = Archived(0, 0, 0, 0)
    for portion in _portions(database, before, entries_a_portion):
        moved = Archived(*map(sum, zip(moved, _move(database, portion, now), strict=True)))
        progress(len(portion))
    return moved


def survey(database: Database, *, before: int) -> Archived:
    """What `archive` would move."""
    with database.read() as connection:
        count, characters = entries.due_count(connection, before)
    return Archived(count, 0, characters, 0)


def check(database: Database) -> Iterator[Checked]:
    """Read all files of the archive, and tell of each whether it is whole."""
    with database.read() as connection:
        found = [one for one in store.portions(connection) if one.file is not None]
    for one in found:
        yield Checked(one, str(database.archive.folder / (one.file or "")), database.archive.fault(one.written))


def check_whole(database: Database) -> None:
    """Raise ArchiveUnavailable if a file is missing or damaged: for commands that change many learners one by one."""
    for one in check(database):
        if one.fault is not None:
            raise database.archive.damaged(one.portion.file or "", one.fault)


def shrink(database: Database) -> bool:
    """Make a SQLite file give back the space of what was moved out; return whether it could. Recording waits."""
    with database.transaction() as connection:
        mark_for_scrubbing(connection)
    return database.scrub()


def look_through(database: Database) -> None:
    """Mark files with lines to which no entry refers, whatever left them there, for `settle` to write anew.

    This reads the whole ledger, and does not wait for an archiving that is under way.
    """
    found = unreferred(database)
    if found:
        log.warning("archive_unreferred", portions=len(found))
        committed(database, lambda connection: store.note_gone(connection, found))


def unreferred(database: Database) -> list[int]:
    """Return the ids of portions whose files hold lines to which no entry refers. This reads the whole ledger."""
    with database.read() as connection:
        return store.unreferred(connection)


def settle(database: Database) -> bool:
    """Remove unused files, write those anew that hold lines of learners who are gone, and return whether all is done.

    What cannot be done now, because the folder is not available, is logged and left for the next time.
    """
    if is_settled(database):
        return True
    with database.alone(wait=True, what=_ALONE):
        return _settle(database)


def is_settled(database: Database) -> bool:
    """Return whether there is nothing for `settle` to do."""
    with database.read() as connection:
        return not store.unsettled(connection)


def _settle(database: Database) -> bool:
    with database.read() as connection:
        found = store.unsettled(connection)
    done = True
    for one in found:
        try:
            cleared = _clear(database, one)
            while cleared is not None and cleared.gone:
                cleared = _write_anew(database, cleared)
        except (ArchiveUnavailable, OSError, msgspec.DecodeError) as error:
            log.warning("archive_unsettled", portion=one.id, error=str(error))
            done = False
    return done


def _clear(database: Database, one: Portion) -> Portion | None:
    """Remove a portion's second file, and the portion if it has no file of its own; return the portion as it is now."""
    if one.other is not None:
        database.archive.remove(one.other)
        with database.transaction() as connection:
            store.note_other(connection, one.id, None)
            store.forget(connection, one.id)
    with database.read() as connection:
        return store.portion_of(connection, one.id)


def _write_anew(database: Database, one: Portion) -> Portion | None:
    """Write a portion's file anew, with empty lines in place of those to which no entry refers any more.

    The other lines keep their place. If more learners were erased meanwhile, the new file is the one to be removed, and
    the caller has to repeat this.
    """
    found = database.archive.lines(one.file or "")
    lines = [store.read_line(line) for line in found]
    with database.read() as connection:
        now = store.portion_of(connection, one.id)
        kept = store.alive(connection, one.id, lines)
    if now is None:
        return None
    name = _name()
    committed(database, lambda connection: store.note_other(connection, one.id, name))
    span = [line for line, is_kept in zip(lines, kept, strict=True) if is_kept and line is not None]
    whole = [line if is_kept else b"" for line, is_kept in zip(found, kept, strict=True)]
    file = database.archive.write(name, whole) if span else None
    committed(database, lambda connection: store.settle(connection, now, file, span))
    with database.read() as connection:
        settled = store.portion_of(connection, one.id)
    return settled and _clear(database, settled)


def _move(database: Database, portion: Sequence[Entry], now: Callable[[], int]) -> Archived:
    """Move one portion, without learners erased since it was read and entries that another command moved meanwhile."""
    with database.alone(wait=True, what=_ALONE):
        while True:
            _settle(database)
            with database.read() as connection:
                portion = entries.still_here(connection, portion)
            if not portion:
                return Archived(0, 0, 0, 0)
            file = _moved(database, portion, now())
            if file is not None:
                return Archived(len(portion), 1, sum(len(one.body) for one in portion), file.size)


def _moved(database: Database, portion: Sequence[Entry], now: int) -> Written | None:
    """Write a portion's file, then have the ledger refer to it; None where some of the entries are gone meanwhile."""
    name, lines = _name(), [EntryFacts(*one.facts) for one in portion]
    begun = committed(database, lambda connection: store.begin(connection, name, now))
    file = database.archive.write(name, [msgspec.json.encode(line) for line in lines])
    referring = [(*one[:3], _referred(begun.id, line, one)) for line, one in enumerate(portion)]

    def refer(connection: Connection) -> None:
        learners.lock(connection, {one.learner_id for one in portion})
        if store.file_of(connection, begun.id) == name:
            return  # an earlier try was committed, and its answer was lost
        # An entry that has a reference already must not end up in two files: erasing looks in one.
        are_here = len(entries.still_here(connection, portion)) == len(portion)
        if not are_here or store.move(connection, referring) != len(portion):
            raise _Gone("somebody was erased while their entries were moved")
        if not store.settle(connection, begun, file, lines):
            raise _Gone("the portion was settled while its file was written")

    try:
        committed(database, refer)
    except _Gone:
        return None
    return file


def _portions(database: Database, before: int, size: int) -> Iterator[list[Entry]]:
    """What is to be moved, in order of learner and number, a portion at a time."""
    portion: list[Entry] = []
    characters = 0
    for one in _due(database, before):
        portion.append(one)
        characters += len(one.body)
        if len(portion) == size or characters >= CHARACTERS_A_PORTION:
            yield portion
            portion, characters = [], 0
    if portion:
        yield portion


def _due(database: Database, before: int) -> Iterator[Entry]:
    for ids in pages(database, None):
        found: list[Entry] = []
        while True:
            after = (found[-1].learner_id, found[-1].seq) if found else None
            with database.read() as connection:
                found = entries.due(connection, (ids[0], ids[-1]), before, after, _READ_AT_ONCE)
            yield from found
            if len(found) < _READ_AT_ONCE:
                break


def _referred(number: int, line: int, one: Entry) -> str:
    under_key = under_name(one.body, step=one.step_id) if one.step_id else one.body
    return str(reference(number, line, one.body, under_key))


def _name() -> str:
    """A name that no file has: databases may share a folder, and one may be a copy of another."""
    return f"{uuid4().hex}.jsonl.gz"
