"""Statements on learners: their lock, their identities, their sessions."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store import rows
from headway.store.schema import certificate, device_sign_in, learner, ledger, session, step_sum


class Locked(NamedTuple):
    """A learner under the lock of this transaction."""

    id: str
    time_zone: str
    merged_into: str | None
    erased_at: int | None
    kind: str = "guest"

    @property
    def is_alive(self) -> bool:
        """Whether this learner is neither erased nor moved into an account."""
        return self.merged_into is None and self.erased_at is None


def lock(connection: Connection, learner_ids: Collection[str], *, wait: bool = True) -> dict[str, Locked]:
    """Lock the learners in order of id, in a statement of its own; with wait=False only those that are free.

    Statements after it see everything that the lock's last holder committed.
    """
    what = "t.id, t.time_zone, t.merged_into, t.erased_at, t.kind"
    found = rows.lock(connection, learner, [(one,) for one in sorted(learner_ids)], what, ("id",), wait=wait)
    return {row[0]: Locked(*row) for row in found}


def existing(connection: Connection, learner_ids: Iterable[str]) -> set[str]:
    """Which of the ids are learners', locked or not."""
    return {row[0] for row in rows.lookup(connection, learner, [(one,) for one in learner_ids], "id", by=("id",))}


def heads(connection: Connection, learner_ids: Iterable[str]) -> dict[str, int]:
    """The number of the last entry of each learner's ledger."""
    return {row[0]: row[1] for row in rows.ask(connection, heads_asked(learner_ids))[0]}


def raise_epochs(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Note that these learners' sums, locked by this transaction, are moved without an entry in their ledgers."""
    ids = sorted(learner_ids)
    if ids:
        moved = rows.among(connection, learner.c.id, ids)
        connection.execute(sa.update(learner).where(moved).values(epoch=learner.c.epoch + 1))


def heads_asked(learner_ids: Iterable[str]) -> rows.Question:
    """The question for the ends of ledgers: (learner, last number, flags, epoch, last event id).

    Flags are 1 where guests brought events, plus 2 where the learner ever reset anything.
    """
    last = f"(SELECT coalesce(max(seq), 0) FROM {ledger.name} l WHERE l.learner_id = t.id)"  # noqa: S608  # names of our own tables
    last_id = f"(SELECT l.event_id FROM {ledger.name} l WHERE l.learner_id = t.id ORDER BY l.seq DESC LIMIT 1)"  # noqa: S608  # names of our own tables
    joined = "CASE WHEN EXISTS (SELECT 1 FROM brought b WHERE b.learner_id = t.id) THEN 1 ELSE 0 END"
    reset = "CASE WHEN EXISTS (SELECT 1 FROM progress_reset p WHERE p.learner_id = t.id) THEN 2 ELSE 0 END"
    return rows.Question(
        learner, [(one,) for one in learner_ids], f"t.id, {last}, {joined} + {reset}, t.epoch, {last_id}", ("id",)
    )


def marks_asked(learner_ids: Iterable[str]) -> rows.Question:
    """The question for `marks`: (learner, last number, time of the last guest's move)."""
    last = f"(SELECT coalesce(max(seq), 0) FROM {ledger.name} l WHERE l.learner_id = t.id)"  # noqa: S608  # names of our own tables
    moved = "(SELECT coalesce(max(merged_at), 0) FROM learner g WHERE g.merged_into = t.id)"
    return rows.Question(learner, [(one,) for one in learner_ids], f"t.id, {last}, {moved}", ("id",))


def marks(connection: Connection, learner_ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Values that change whenever a learner's entries do: the ledger's last number, and the time of the last move."""
    return {row[0]: (row[1], row[2]) for row in rows.ask(connection, marks_asked(learner_ids))[0]}


def add(connection: Connection, *learners: Mapping[str, Any]) -> None:
    """Add learners; columns left out are empty."""
    rows.insert(connection, learner, map(_row, learners))


def add_missing(connection: Connection, *learners: Mapping[str, Any]) -> None:
    """Add learners that do not exist yet, even if another process adds them at the same time."""
    rows.insert(connection, learner, map(_row, learners), on_conflict="DO NOTHING")


def _row(one: Mapping[str, Any]) -> rows.Row:
    blank = dict.fromkeys(learner.c.keys()) | {"roles": "", "epoch": 0, "leaderboard_opt_out": False}
    return tuple((blank | dict(one) | {"name_key": name_key(one.get("display_name"))}).values())


def name_key(display_name: str | None) -> str:
    """A name in the form that it is searched and sorted by: case folded and cut to 400 characters."""
    return (display_name or "").casefold()[:400]


class Misnamed(NamedTuple):
    """A learner's stored name key, and the one that follows from the name."""

    stored: str
    true: str


def misnamed(connection: Connection, learner_ids: Iterable[str]) -> dict[str, Misnamed]:
    """The learners whose stored name key does not match their name, by id."""
    keys = [(one,) for one in learner_ids]
    found = rows.select(connection, learner, keys, "t.id, t.name_key, t.display_name", ("id",))
    named = {row[0]: Misnamed(row[1], name_key(row[2])) for row in found}
    return {one: by for one, by in named.items() if by.stored != by.true}


def mend_name(connection: Connection, learner_id: str, one: Misnamed) -> None:
    """Correct a learner's name key."""
    connection.execute(sa.update(learner).where(learner.c.id == learner_id).values(name_key=one.true))


def add_sessions(connection: Connection, *sessions: Mapping[str, Any]) -> None:
    """Add sessions; all columns are given."""
    rows.insert(
        connection,
        session,
        [tuple(one[column.name] for column in session.c) for one in sessions],
    )


def sessions_asked(token_hashes: Iterable[str]) -> rows.Question:
    """The question for when sessions end, by their tokens: (token hash, time)."""
    return rows.Question(session, [(one,) for one in token_hashes], "t.token_hash, t.expires_at", ("token_hash",))


def by_session(connection: Connection, token_hash: str, now: int) -> RowMapping | None:
    """The learner of a live session, with the session's kind and times: one indexed read."""
    statement = (
        sa.select(
            learner,
            session.c.id.label("session_id"),
            session.c.kind.label("session_kind"),
            session.c.scopes,
            session.c.last_used_at,
            session.c.expires_at,
        )
        .join(session, session.c.learner_id == learner.c.id)
        .where(
            session.c.token_hash == token_hash,
            session.c.expires_at > now,
            learner.c.erased_at.is_(None),
        )
    )
    return connection.execute(statement).mappings().first()


def by_email(connection: Connection, email: str) -> RowMapping | None:
    """The account with that (normalized) address."""
    return connection.execute(sa.select(learner).where(learner.c.email == email)).mappings().first()


def by_id(connection: Connection, learner_id: str) -> RowMapping | None:
    """The learner with that id."""
    return connection.execute(sa.select(learner).where(learner.c.id == learner_id)).mappings().first()


def by_external_ids(connection: Connection, external_ids: Iterable[str]) -> dict[str, str]:
    """Learner ids by external id, for those that exist; for one linked to an account, the account's."""
    keys = [(one,) for one in external_ids]
    what = "t.external_id, coalesce(t.merged_into, t.id)"
    found = rows.select(connection, learner, keys, what, ("external_id",))
    return {row[0]: row[1] for row in found}


def page(connection: Connection, after: str, limit: int) -> list[str]:
    """Learner ids in order, after the given one."""
    statement = sa.select(learner.c.id).order_by(learner.c.id).limit(limit)
    if after:
        statement = statement.where(learner.c.id > after)
    return list(connection.execute(statement).scalars())


def erased(connection: Connection, learner_ids: Iterable[str]) -> set[str]:
    """Those of the learners who were erased."""
    keys = [(one,) for one in learner_ids]
    return {row[0] for row in rows.select(connection, learner, keys, "t.id", ("id",), "AND t.erased_at IS NOT NULL")}


def change(connection: Connection, learner_id: str, values: dict[str, Any]) -> None:
    """Set columns of a learner."""
    if "display_name" in values:
        values = {**values, "name_key": name_key(values["display_name"])}
    connection.execute(sa.update(learner).where(learner.c.id == learner_id).values(**values))


def touch_session(connection: Connection, token_hash: str, *, last_used_at: int, expires_at: int) -> None:
    """Note a session's use and prolong it."""
    connection.execute(
        sa.update(session)
        .where(session.c.token_hash == token_hash)
        .values(last_used_at=last_used_at, expires_at=expires_at)
    )


def end_session(connection: Connection, token_hash: str) -> None:
    """End a session."""
    connection.execute(sa.delete(session).where(session.c.token_hash == token_hash))


def count(connection: Connection) -> int:
    """How many learners there are, guests and imported ones included."""
    return connection.execute(sa.select(sa.func.count()).select_from(learner)).scalar_one()


def end_sessions(connection: Connection, learner_id: str) -> None:
    """End all sessions of a learner, and approved sign-ins of devices that have not fetched their token yet."""
    connection.execute(sa.delete(session).where(session.c.learner_id == learner_id))
    connection.execute(sa.delete(device_sign_in).where(device_sign_in.c.learner_id == learner_id))


def possessions(connection: Connection, learner_id: str) -> tuple[int, int, int]:
    """How many steps, events and certificates a learner has, including those of learners moved into this one.

    A move leaves each ledger as it is, and moves everything else.
    """
    parts = sa.select(learner.c.id).where((learner.c.id == learner_id) | (learner.c.merged_into == learner_id))
    kinds = {
        step_sum: step_sum.c.learner_id == learner_id,
        ledger: ledger.c.learner_id.in_(parts) & (ledger.c.source != "server"),
        certificate: certificate.c.learner_id == learner_id,
    }
    counts = (sa.select(sa.func.count()).select_from(table).where(own) for table, own in kinds.items())
    found = connection.execute(sa.select(*(one.scalar_subquery() for one in counts))).one()
    return found[0], found[1], found[2]
