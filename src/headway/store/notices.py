"""Statements on notices."""

from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import rows
from headway.store.notice_tables import notice

# More than any entry tells.
PARTS_MAX: Final = 1_000


class Notice(NamedTuple):
    """A row of `notice`; `body` is the change as JSON, times are microseconds."""

    learner_id: str
    seq: int
    n: int
    id: str
    type: str
    subject: str
    at: int
    body: str
    read_at: int | None = None


class NoticePlace(NamedTuple):
    """A notice's place in a learner's list: the entry that it was told with or after, and which part of that."""

    seq: int
    n: int


def added(found: Iterable[Notice]) -> rows.Addition:
    """The addition, for `rows`, of notices told with entries; it replaces any at their places, to refuse no event."""
    return rows.Addition(notice, found, replaces=True)


def add_missing(connection: Connection, found: Iterable[Notice]) -> None:
    """Add notices, except those whose learner has one of that id."""
    rows.insert(connection, notice, found, on_conflict="DO NOTHING")


class NoticeQuery(NamedTuple):
    """A choice of a learner's notices: before a place, without the types `but`, perhaps only unread ones."""

    learner_id: str
    before: NoticePlace | None = None
    but: Collection[str] = ()
    unread_only: bool = False


def page(connection: Connection, asked: NoticeQuery, limit: int) -> list[Notice]:
    """A learner's notices, the newest first."""
    before, wanted = asked.before, sa.select(notice).where(_shown(asked.learner_id, asked.but))
    if before is not None:
        wanted = wanted.where(sa.tuple_(notice.c.seq, notice.c.n) < sa.tuple_(before.seq, before.n))
    if asked.unread_only:
        wanted = wanted.where(notice.c.read_at.is_(None))
    newest_first = wanted.order_by(notice.c.seq.desc(), notice.c.n.desc()).limit(limit)
    return [Notice(*row) for row in connection.execute(newest_first)]


def unread(connection: Connection, learner_id: str, but: Collection[str] = ()) -> int:
    """How many of a learner's notices are unread, without those of the types `but`."""
    new = notice.c.read_at.is_(None)
    counted = sa.select(sa.func.count()).select_from(notice).where(_shown(learner_id, but), new)
    return connection.execute(counted).scalar_one()


def _shown(learner_id: str, but: Collection[str]) -> sa.ColumnElement[bool]:
    own = notice.c.learner_id == learner_id
    return own & notice.c.type.not_in(sorted(but)) if but else own


def of_id(connection: Connection, learner_id: str, notice_id: str) -> Notice | None:
    """A learner's notice of that id."""
    wanted = sa.select(notice).where(notice.c.learner_id == learner_id, notice.c.id == notice_id)
    row = connection.execute(wanted).first()
    return None if row is None else Notice(*row)


def mark_read(connection: Connection, learner_id: str, up_to: NoticePlace | None, at: int) -> int:
    """Mark all of a learner's notices as read, or those up to and including a place; return how many were unread."""
    new = (notice.c.learner_id == learner_id) & notice.c.read_at.is_(None)
    if up_to is not None:
        new &= sa.tuple_(notice.c.seq, notice.c.n) <= sa.tuple_(up_to.seq, up_to.n)
    return connection.execute(sa.update(notice).where(new).values(read_at=at)).rowcount


def mark_one_read(connection: Connection, one: Notice, at: int) -> None:
    """Mark a notice as read; the first time stands."""
    key = (notice.c.learner_id == one.learner_id) & (notice.c.id == one.id)
    connection.execute(sa.update(notice).where(key, notice.c.read_at.is_(None)).values(read_at=at))


def known(connection: Connection, ids: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the (learner, id) pairs that are notices already."""
    return {
        (row[0], row[1]) for row in rows.lookup(connection, notice, ids, "learner_id", "id", by=("learner_id", "id"))
    }


def next_parts(connection: Connection, places: Iterable[tuple[str, int]]) -> dict[str, int]:
    """By learner, the part number for the next notice after an entry, given (learner, number of the entry) pairs.

    It follows all changes that the entry itself tells, including those that are no notices, because streams tell them
    too.
    """
    asked = list(places)
    found = rows.lookup(connection, notice, asked, "learner_id", "n", by=("learner_id", "seq"))
    last: dict[str, int] = dict.fromkeys((learner_id for learner_id, _ in asked), PARTS_MAX - 1)
    for learner_id, n in found:
        last[learner_id] = max(last[learner_id], n)
    return {learner_id: n + 1 for learner_id, n in last.items()}


def move(connection: Connection, guest_id: str, account_id: str, head: int) -> None:
    """Move a guest's notices behind those of an account, whose ledger ends with entry `head`.

    Notices whose subject the account was told already are deleted.
    """
    order = (notice.c.seq, notice.c.n)
    brought = [Notice(*row) for row in connection.execute(_of(guest_id).order_by(*order))]
    if not brought:
        return
    own = {row[5] for row in connection.execute(_of(account_id))}
    first = next_parts(connection, [(account_id, head)])[account_id]
    new = [one for one in brought if one.subject not in own]
    connection.execute(sa.delete(notice).where(notice.c.learner_id == guest_id))
    placed = (one._replace(learner_id=account_id, seq=head, n=first + n) for n, one in enumerate(new))
    add_missing(connection, placed)


def _of(learner_id: str) -> sa.Select[Any]:
    return sa.select(notice).where(notice.c.learner_id == learner_id)


def forget_before(connection: Connection, *, at: int, limit: int) -> int:
    """Delete notices from before a time, the oldest first, at most `limit`; return how many."""
    oldest = sa.select(notice.c.learner_id, notice.c.seq, notice.c.n).where(notice.c.at < at)
    gone: Collection[Any] = connection.execute(oldest.order_by(notice.c.at).limit(limit)).all()
    rows.delete(connection, notice, [tuple(row) for row in gone])
    return len(gone)
