"""Statements on the archive, and the one way in which bodies that lie in it are read."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.filed import MARK, PORTION_DIGITS, Reference, digest_of, is_filed, read_reference
from headway.store import guard, rows
from headway.store.archive_files import Archive, ArchiveUnavailable, FileMissing, Written
from headway.store.archive_tables import archive_portion as portion
from headway.store.entry_facts import EntryFacts
from headway.store.schema import ledger

# The execution option of an engine that tells its connections where the archive lies.
OPTION: Final = "archive"


class Portion(NamedTuple):
    """A row of `archive_portion`."""

    id: int
    file: str | None
    other: str | None
    entries: int
    size: int
    sha256: str
    first_learner: str | None
    first_seq: int | None
    last_learner: str | None
    last_seq: int | None
    archived_at: int
    gone: int

    @property
    def written(self) -> Written:
        """The file as it was written."""
        return Written(self.file or "", self.size, self.sha256)


_line: Final = msgspec.json.Decoder(EntryFacts).decode


def read(connection: Connection, stored: Iterable[str]) -> dict[str, str]:
    """The bodies that the references among these texts stand for, by text; ArchiveUnavailable names a file at fault."""
    wanted: dict[int, list[tuple[str, Reference]]] = {}
    for text in stored:
        if text.startswith(MARK) and (filed := read_reference(text)) is not None:
            wanted.setdefault(filed.portion, []).append((text, filed))
    if not wanted:
        return {}
    archive = archive_of(connection)
    found = rows.lookup(connection, portion, ((number,) for number in wanted), "id", "file", by=("id",))
    names = {row[0]: row[1] for row in found}
    bodies: dict[str, str] = {}
    for number in sorted(wanted):
        name, lines = _lines(connection, archive, number, names.get(number))
        bodies |= {text: _body(archive, name, lines, filed) for text, filed in wanted[number]}
    return bodies


def archive_of(connection: Connection) -> Archive:
    """The archive of a connection's database."""
    found: Archive = connection.get_execution_options()[OPTION]
    return found


def _lines(connection: Connection, archive: Archive, number: int, name: str | None) -> tuple[str, list[bytes]]:
    if name is None:
        raise ArchiveUnavailable(f"portion {number} of the archive has no file: restore a backup")
    try:
        return name, archive.lines(name)
    except FileMissing:
        # Since this snapshot it may have been rewritten without a learner who was erased; lines keep their numbers.
        with connection.engine.connect() as latest:
            now = file_of(latest, number)
        if now in (None, name):
            raise
        return now, archive.lines(now)


def _body(archive: Archive, name: str, lines: Sequence[bytes], filed: Reference) -> str:
    try:
        body = bytes(_line(lines[filed.line]).sent).decode()
    except (IndexError, msgspec.DecodeError, UnicodeDecodeError):
        raise archive.damaged(name, f"does not hold what it must in line {filed.line + 1}") from None
    if digest_of(body) != filed.digest:
        raise archive.damaged(name, f"holds something else in line {filed.line + 1}")
    return body


def portions(connection: Connection) -> list[Portion]:
    """All portions, in order."""
    return [Portion(*row) for row in connection.execute(sa.select(portion).order_by(portion.c.id))]


def unsettled(connection: Connection) -> list[Portion]:
    """Portions with another file that may have to be deleted, or with lines of erased or cleared learners."""
    wanted = sa.select(portion).where(sa.or_(portion.c.other.is_not(None), portion.c.gone > 0))
    return [Portion(*row) for row in connection.execute(wanted.order_by(portion.c.id))]


def portion_of(connection: Connection, number: int) -> Portion | None:
    """A portion by its number."""
    row = connection.execute(sa.select(portion).where(portion.c.id == number)).first()
    return None if row is None else Portion(*row)


def file_of(connection: Connection, number: int) -> str | None:
    """The file of a portion, if it has one."""
    return connection.execute(sa.select(portion.c.file).where(portion.c.id == number)).scalar()


def begin(connection: Connection, other: str, now: int) -> Portion:
    """A new portion without a file; the name of the file to be written is noted first, as `other`."""
    number: int = connection.execute(sa.select(sa.func.coalesce(sa.func.max(portion.c.id), 0) + 1)).scalar_one()
    values = {"id": number, "other": other, "entries": 0, "size": 0, "sha256": "", "archived_at": now}
    made = connection.execute(sa.insert(portion).values(**values).returning(portion)).one()
    return Portion(*made)


def note_other(connection: Connection, number: int, other: str | None) -> None:
    """Note a portion's other file, which is to be deleted unless it becomes the portion's own; None: there is none."""
    connection.execute(sa.update(portion).where(portion.c.id == number).values(other=other))


def settle(connection: Connection, was: Portion, file: Written | None, span: Sequence[EntryFacts]) -> bool:
    """Replace a portion's file, and note the old one for deletion; False where the portion has changed meanwhile."""
    values: dict[str, Any] = {"file": None, "other": was.file, "gone": 0, "entries": len(span)}
    if file is not None:
        first, last = span[0], span[-1]
        values |= {"file": file.name, "size": file.size, "sha256": file.sha256}
        values |= {"first_learner": first.ledger, "first_seq": first.seq}
        values |= {"last_learner": last.ledger, "last_seq": last.seq}
    same = sa.and_(portion.c.id == was.id, portion.c.file.is_not_distinct_from(was.file), portion.c.gone == was.gone)
    return connection.execute(sa.update(portion).where(same).values(**values)).rowcount == 1


def forget(connection: Connection, number: int) -> None:
    """Delete the row of a portion that has no file."""
    connection.execute(sa.delete(portion).where(portion.c.id == number, portion.c.file.is_(None)))


def move(connection: Connection, moved: Sequence[tuple[str, int, str, str]]) -> int:
    """Replace bodies by references, given as (learner, number, event id, text); return how many were replaced."""
    with guard.opened(connection, "archive"):
        return rows.change(connection, ledger, "body", moved, by=("learner_id", "seq", "event_id"))


def let_go(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Note that files hold lines of learners whose entries are about to be deleted."""
    number = sa.func.substr(ledger.c.body, len(MARK) + 1, PORTION_DIGITS)
    wanted = sa.select(number).distinct().where(ledger.c.learner_id.in_(list(learner_ids)))
    found = connection.execute(wanted.where(sa.func.substr(ledger.c.body, 1, 1) == MARK)).scalars()
    note_gone(connection, [int(one) for one in found])


def note_gone(connection: Connection, numbers: Sequence[int]) -> None:
    """Note that these portions' files hold lines that no entry refers to, or soon will: they are to be rewritten."""
    if numbers:
        of_these = portion.c.id.in_(numbers)
        connection.execute(sa.select(portion.c.id).where(of_these).order_by(portion.c.id).with_for_update())
        connection.execute(sa.update(portion).where(of_these).values(gone=portion.c.gone + 1))


def unreferred(connection: Connection) -> list[int]:
    """Portions that hold more lines than entries refer to, where that was not noted yet."""
    number = sa.func.substr(ledger.c.body, len(MARK) + 1, PORTION_DIGITS)
    is_filed_now = sa.func.substr(ledger.c.body, 1, 1) == MARK
    found = connection.execute(sa.select(number, sa.func.count()).where(is_filed_now).group_by(number))
    referring = {int(row[0]): row[1] for row in found}
    of_file = [one for one in portions(connection) if one.file is not None and not one.gone]
    return [one.id for one in of_file if referring.get(one.id, 0) < one.entries]


def alive(connection: Connection, number: int, lines: Sequence[EntryFacts | None]) -> list[bool]:
    """For each line of a portion, whether an entry still refers to it."""
    keys = [(one.ledger, one.seq) for one in lines if one is not None]
    found = rows.lookup(connection, ledger, keys, "learner_id", "seq", "body", by=("learner_id", "seq"))
    stored = {(row[0], row[1]): row[2] for row in found}
    return [one is not None and _refers(stored.get((one.ledger, one.seq)), number, n) for n, one in enumerate(lines)]


def _refers(stored: str | None, number: int, line: int) -> bool:
    filed = read_reference(stored) if stored is not None and is_filed(stored) else None
    return filed is not None and (filed.portion, filed.line) == (number, line)


def read_line(line: bytes) -> EntryFacts | None:
    """The facts in a line of a file; None where the line was emptied."""
    return _line(line) if line else None
