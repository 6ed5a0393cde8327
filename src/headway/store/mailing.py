"""Statements on notices to be mailed, or already mailed."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.preferences import KIND_OF_MAILED
from headway.store import rows
from headway.store.confirmed import IS_CONFIRMED
from headway.store.mailing_tables import confirmed_address, notice_mail, notice_preference
from headway.store.schema import learner, notice

_decode: Final = msgspec.json.Decoder(Change).decode


class Mailing(NamedTuple):
    """A row of `notice_mail`; times are microseconds."""

    learner_id: str
    notice_id: str
    kind: str
    at: int
    due_at: int | None
    tries: int = 0
    outcome: str | None = None
    ended_at: int | None = None


class Content(NamedTuple):
    """What a mail tells, and to whom; `address` is None where the learner no longer wants it."""

    change: Change
    address: str | None
    time_zone: str


def missing(connection: Connection, since: int, limit: int, *, due_at: int) -> list[Mailing]:
    """Notices after a time that are to be mailed and have no row yet, the oldest first.

    Only confirmed addresses are mailed.
    """
    kind = sa.case(dict(KIND_OF_MAILED), value=notice.c.type)
    own = (notice_preference.c.learner_id == notice.c.learner_id) & (notice_preference.c.kind == kind)
    down = sa.exists().where(notice_mail.c.learner_id == notice.c.learner_id, notice_mail.c.notice_id == notice.c.id)
    wanted = (
        sa.select(notice.c.learner_id, notice.c.id, notice_preference.c.kind, notice.c.at)
        .select_from(notice)
        .join(notice_preference, own)
        .join(learner, learner.c.id == notice.c.learner_id)
        .join(confirmed_address, IS_CONFIRMED)
        .where(
            notice.c.at > since,
            notice.c.type.in_(sorted(KIND_OF_MAILED)),
            notice_preference.c.mailed_since <= notice.c.at,
            ~down,
        )
        .order_by(notice.c.at)
        .limit(limit)
    )
    return [Mailing(*row, due_at) for row in connection.execute(wanted)]


def put_down(connection: Connection, found: Iterable[Mailing]) -> None:
    """Insert notices to be mailed, except those that have a row already."""
    rows.insert(connection, notice_mail, found, on_conflict="DO NOTHING")


def due(connection: Connection, now: int, limit: int) -> list[Mailing]:
    """Mails that are due, the one due longest first; locks them, and skips those that others have locked."""
    wanted = (
        sa.select(notice_mail)
        .where(notice_mail.c.due_at <= now)
        .order_by(notice_mail.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Mailing(*row) for row in connection.execute(wanted)]


def take(connection: Connection, found: Iterable[Mailing], until: int) -> list[Mailing]:
    """Take up mails to send them; nobody else does before `until` (microseconds)."""
    taken = [one._replace(due_at=until, tries=one.tries + 1) for one in found]
    rows.upsert(connection, notice_mail, taken)
    return taken


def end(connection: Connection, found: Iterable[Mailing]) -> None:
    """Note how mails ended that this transaction has locked."""
    rows.upsert(connection, notice_mail, found)


def settle(connection: Connection, one: Mailing) -> None:
    """Note how a mail ended, or when it is due again, unless others took it up since."""
    ended = {"due_at": one.due_at, "outcome": one.outcome, "ended_at": one.ended_at}
    connection.execute(_TAKEN.values(**ended), _held(one))


def put_back(connection: Connection, taken: Iterable[tuple[Mailing, Mailing]]) -> None:
    """Undo taking up mails, given as (as taken up, as before), except those that others took up since."""
    changed: dict[str, Any] = {"due_at": sa.bindparam("as_due_at"), "tries": sa.bindparam("as_tries")}
    values = [{**_held(one), "as_due_at": was.due_at, "as_tries": was.tries} for one, was in taken]
    connection.execute(_TAKEN.values(**changed), values)


_TAKEN: Final = sa.update(notice_mail).where(
    notice_mail.c.learner_id == sa.bindparam("whose"),
    notice_mail.c.notice_id == sa.bindparam("what"),
    notice_mail.c.tries == sa.bindparam("held_tries"),
    notice_mail.c.due_at.is_not(None),
)


def _held(one: Mailing) -> dict[str, Any]:
    return {"whose": one.learner_id, "what": one.notice_id, "held_tries": one.tries}


def contents(connection: Connection, found: Iterable[Mailing]) -> dict[tuple[str, str], Content]:
    """What mails tell, and to which address, by (learner, notice); notices that are gone are left out."""
    asked = list(found)
    key = (notice_preference.c.learner_id == notice_mail.c.learner_id) & (
        notice_preference.c.kind == notice_mail.c.kind
    )
    mailed = (notice.c.learner_id == notice_mail.c.learner_id) & (notice.c.id == notice_mail.c.notice_id)
    address = sa.case((notice_preference.c.mailed_since.is_not(None), confirmed_address.c.email))
    wanted = (
        sa.select(notice_mail.c.learner_id, notice_mail.c.notice_id, notice.c.body, address, learner.c.time_zone)
        .select_from(notice_mail)
        .join(notice, mailed)
        .join(learner, learner.c.id == notice_mail.c.learner_id)
        .outerjoin(notice_preference, key)
        .outerjoin(confirmed_address, IS_CONFIRMED)
        .where(
            rows.among(connection, notice_mail.c.learner_id, {one.learner_id for one in asked}),
            rows.among(connection, notice_mail.c.notice_id, {one.notice_id for one in asked}),
        )
    )
    return {(row[0], row[1]): Content(_decode(row[2]), row[3], row[4]) for row in connection.execute(wanted)}


def forget_before(connection: Connection, *, at: int, limit: int) -> int:
    """Delete rows of mails of notices from before a time, the oldest first; return how many."""
    old = sa.select(notice_mail.c.learner_id, notice_mail.c.notice_id).where(notice_mail.c.at < at)
    gone = connection.execute(old.order_by(notice_mail.c.at).limit(limit)).all()
    rows.delete(connection, notice_mail, [tuple(row) for row in gone])
    return len(gone)
