"""Upkeep: what operators had done to the database (backups, audits in the background), and statements on it."""

from collections.abc import Collection, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Index, String, Table, Text
from sqlalchemy.engine import Connection, RowMapping

from headway.store.columns import Id, metadata, only
from headway.store.doors import security_event

KEPT: Final = 20

# One row per task; while it is under way, `noted_at` is when it was last seen working. At most one of a kind is under
# way at a time. Backups leave this table out: what was done to one database does not concern another.
upkeep = Table(
    "upkeep",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("noted_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("outcome", String(16)),
    Column("done", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    # Its result, as JSON.
    Column("report", Text),
    Index("ix_upkeep_under_way", "kind", unique=True, **only("ended_at IS NULL")),
)


def hold(connection: Connection) -> None:
    """Let nobody else begin a task until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE upkeep IN SHARE ROW EXCLUSIVE MODE")


def begin(connection: Connection, kind: str, run_id: str, now: int, total: int) -> RowMapping:
    """Note that a task begins; no other of its kind may be under way."""
    values = {"id": run_id, "kind": kind, "began_at": now, "noted_at": now, "done": 0, "total": total}
    return connection.execute(sa.insert(upkeep).values(**values).returning(upkeep)).mappings().one()


def note(connection: Connection, run_id: str, now: int, done: int) -> bool:
    """Note how far a task has come; return whether it is still under way."""
    mine = sa.and_(upkeep.c.id == run_id, upkeep.c.ended_at.is_(None))
    return connection.execute(sa.update(upkeep).where(mine).values(noted_at=now, done=done)).rowcount == 1


def end(connection: Connection, run_id: str, now: int, how: tuple[str, int], report: str | None) -> None:
    """Note that a task ended, as (outcome, done), and its report; delete the oldest tasks."""
    mine = sa.and_(upkeep.c.id == run_id, upkeep.c.ended_at.is_(None))
    outcome, done = how
    ended = {"noted_at": now, "ended_at": now, "outcome": outcome, "done": done, "report": report}
    connection.execute(sa.update(upkeep).where(mine).values(**ended))
    _forget_old(connection)


def give_up(connection: Connection, kind: str, before: int, now: int) -> int:
    """Note as lost the tasks not seen working since a time, because their processes ended; return how many."""
    lost = sa.and_(upkeep.c.kind == kind, upkeep.c.ended_at.is_(None), upkeep.c.noted_at < before)
    return connection.execute(sa.update(upkeep).where(lost).values(ended_at=now, outcome="lost")).rowcount


def one(connection: Connection, kind: str, run_id: str) -> RowMapping | None:
    """A task of a kind by its id; None where there is none."""
    wanted = sa.select(upkeep).where(upkeep.c.kind == kind, upkeep.c.id == run_id)
    return connection.execute(wanted).mappings().first()


def newest(connection: Connection, kind: str) -> Sequence[RowMapping]:
    """All tasks of a kind that are kept, the newest first."""
    wanted = sa.select(upkeep).where(upkeep.c.kind == kind).order_by(upkeep.c.began_at.desc(), upkeep.c.id)
    return connection.execute(wanted).mappings().all()


def under_way(connection: Connection, kind: str) -> RowMapping | None:
    """The task of a kind that is under way, if any."""
    wanted = sa.select(upkeep).where(upkeep.c.kind == kind, upkeep.c.ended_at.is_(None))
    return connection.execute(wanted).mappings().first()


def last(connection: Connection, kind: str) -> RowMapping | None:
    """The task of a kind that ended last, of those that ran to completion."""
    came = upkeep.c.outcome.not_in(("lost", "stopped", "failed"))
    wanted = sa.select(upkeep).where(upkeep.c.kind == kind, came).order_by(upkeep.c.ended_at.desc()).limit(1)
    return connection.execute(wanted).mappings().first()


def forget_named(connection: Connection, names: Collection[str]) -> None:
    """Delete the reports that name one of these ids, so that none names an erased learner."""
    told = connection.execute(sa.select(upkeep.c.id, upkeep.c.report).where(upkeep.c.report.is_not(None))).all()
    naming = [run_id for run_id, report in told if any(name in report for name in names)]
    if naming:
        connection.execute(sa.update(upkeep).where(upkeep.c.id.in_(naming)).values(report=None))


def add_done(connection: Connection, kind: str, run: dict[str, Any]) -> None:
    """Note a task that has ended already."""
    connection.execute(sa.insert(upkeep).values(kind=kind, noted_at=run["ended_at"], **run))
    _forget_old(connection)


def _forget_old(connection: Connection) -> None:
    newest = sa.select(upkeep.c.id).order_by(upkeep.c.began_at.desc()).limit(KEPT)
    connection.execute(sa.delete(upkeep).where(upkeep.c.ended_at.is_not(None), upkeep.c.id.not_in(newest)))


def newest_time(connection: Connection) -> int | None:
    """The latest time noted of upkeep or of security events: a clock that shows an earlier time was set back."""
    noted = sa.select(sa.func.max(upkeep.c.noted_at)).scalar_subquery()
    happened = sa.select(sa.func.max(security_event.c.at)).scalar_subquery()
    found = [one for one in connection.execute(sa.select(noted, happened)).one() if one is not None]
    return max(found, default=None)
