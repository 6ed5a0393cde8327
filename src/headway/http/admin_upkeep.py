"""A site's state, for its admins: audits in the background, figures worked out again, and the system's figures."""

import asyncio
import platform
import shutil
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct
from sqlalchemy.engine import Connection

from headway import __version__
from headway.domain.errors import Unavailable
from headway.domain.times import format_time
from headway.http import who
from headway.http.admin_achievements import administered, check_admin
from headway.http.exchange import Asked, exchange_of
from headway.http.ids import is_id
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.services import Services
from headway.http.who import Reader
from headway.ledger import auditing, backup
from headway.ledger.faults import shown
from headway.ledger.recompute import Updated, recompute
from headway.store import learners, sizes, upkeep
from headway.store.migrate import current, newest

RUNNING: Final = "running"
_LOOK_AGAIN_S: Final = 0.2


class FaultShown(Struct):
    """A stored value that differs from `true`, the one that follows from the ledger; long texts are cut."""

    table: str
    learner: str
    key: str
    column: str
    stored: str | int | float | bool | None
    true: str | int | float | bool | None


class AuditReported(Struct):
    """What an audit found: `faults` are the first hundred of `found`, `differing` counts the learners who have any."""

    learners: int
    events: int
    found: int
    differing: int
    faults: list[FaultShown]


class AuditShown(Struct):
    """An audit: `done` of `total` learners were looked at.

    `status` is running, clean, found, stopped (with its server), failed, or lost (its process ended). `report` is null
    until it is over, and again once somebody was erased who is named in it.
    """

    id: str
    status: str
    began_at: str
    ended_at: str | None
    done: int
    total: int
    report: AuditReported | None


class FigureChanged(Struct, omit_defaults=True):
    """A figure of a learner that changes from `old` to `new`; `key` names its row, `achievements` those that are added.

    `learner` is empty for what belongs to nobody, such as courses and counters.
    """

    learner: str
    field: str
    old: str | int | float | bool | None
    new: str | int | float | bool | None
    key: str = ""
    achievements: list[str] = []


class AuditTold(Struct):
    """The result of an audit: how many of all learners differ, and in which figures. It changes nothing.

    `updates` are the first hundred of `found`: the stored value, and what a rebuild makes of it.
    """

    id: str
    total: int
    updated: int
    unchanged: int
    found: int
    updates: list[FigureChanged]


class BackfillTold(Struct):
    """What a backfill changed; `updates` are the first thousand, `broken` counts the ledgers that it cannot mend."""

    dry_run: bool
    total: int
    updated: int
    unchanged: int
    broken: int
    updates: list[FigureChanged]


class DatabaseShown(Struct):
    """The database; `log_bytes` is the size of SQLite's log, `free_bytes` the room on its disk."""

    kind: str
    version: str
    revision: str | None
    newest_revision: str
    size_bytes: int
    log_bytes: int | None
    free_bytes: int | None


class WriterShown(Struct):
    """The writer of the process that answers: events that wait, for how long the oldest has, and its commits."""

    waiting_events: int
    lag_s: float
    commits: int


class BackupShown(Struct):
    """The last backup: when it was taken, and what it holds."""

    taken_at: str
    rows: int
    size_bytes: int
    sha256: str


class SystemShown(Struct):
    """The state of a site: versions, sizes, the writer, the last backup, and audits."""

    headway: str
    python: str
    now: str
    started_at: str
    workers: int
    learners: int
    database: DatabaseShown
    writer: WriterShown
    last_backup: BackupShown | None
    last_audit: AuditShown | None
    audit_under_way: AuditShown | None


@post("/admin/audit", status_code=200)
async def start_audit(request: Asked, background: FromQuery[bool] = False) -> Reply:
    """Audit everything, or join the audit that is under way: wait for what it finds, or leave it in the background."""
    stopping = exchange_of(request).stopping = asyncio.Event()
    services = await administered(request)
    begun, is_new = await services.run(partial(auditing.begin, services.database, now=who.now()))
    if is_new:
        run = partial(auditing.run, services.database, services.catalog, begun["id"], now=who.now)
        services.in_background(partial(run, stopping=services.stopping))
    if background:
        return json_reply(_audit(begun), 202, (PERSONAL,))
    report = await _over(services, begun["id"], stopping)
    return json_reply(_told(begun["id"], report), 200, (PERSONAL,))


async def _over(services: Services, audit_id: str, stopping: asyncio.Event) -> AuditReported:
    """Wait for an audit, and return what it found; Unavailable if the server stops meanwhile, or there is no report."""
    while not stopping.is_set():
        row = await services.read(lambda connection: upkeep.one(connection, auditing.KIND, audit_id))
        found = None if row is None else _audit(row)
        if found is not None and found.report is not None:
            return found.report
        if found is None or found.status != RUNNING:
            # Broken off, or somebody was erased meanwhile who is named in its report.
            raise Unavailable("the audit has no report; begin another", retry_after_s=2)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_AGAIN_S):
                await stopping.wait()
    raise Unavailable("the server is stopping; begin the audit again in a moment", retry_after_s=2)


def _told(audit_id: str, report: AuditReported) -> AuditTold:
    updates = [
        FigureChanged(one.learner, f"{one.table}.{one.column}", one.stored, one.true, one.key) for one in report.faults
    ]
    unchanged = report.learners - report.differing
    return AuditTold(audit_id, report.learners, report.differing, unchanged, report.found, updates)


@get("/admin/audit/{audit:str}")
async def read_audit(request: Asked, audit: FromPath[str]) -> Reply:
    """An audit: how far it has come, or what it found."""

    def look(connection: Connection, reader: Reader) -> AuditShown:
        check_admin(reader)
        found = upkeep.one(connection, auditing.KIND, audit) if is_id(audit) else None
        if found is None:
            raise NotFound("there is no audit of that id, or it was long ago")
        return _audit(found)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), 200, (PERSONAL,))


@post("/admin/backfill", status_code=200)
async def backfill_figures(request: Asked, dry_run: FromQuery[bool] = False) -> Reply:
    """Work out all figures, grants and achievements again, and write what differs, or tell what that would be."""
    services = await administered(request)
    run = partial(recompute, services.database, services.catalog, now=who.now, dry_run=dry_run)
    report = await services.publish(run)
    updates = [_changed(one) for one in report.updates]
    told = BackfillTold(dry_run, report.total, report.updated, report.unchanged, report.broken, updates)
    return json_reply(told, 200, (PERSONAL,))


@get("/admin/system")
async def read_system(request: Asked) -> Reply:
    """The site's system: versions, sizes, what waits to be written, the last backup and audit."""
    services = exchange_of(request).services

    def look(connection: Connection, reader: Reader) -> SystemShown:
        check_admin(reader)
        return _system(services, connection)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), 200, (PERSONAL,))


def _system(services: Services, connection: Connection) -> SystemShown:
    audited, under_way = upkeep.last(connection, auditing.KIND), upkeep.under_way(connection, auditing.KIND)
    saved = upkeep.last(connection, backup.KIND)
    return SystemShown(
        headway=__version__,
        python=platform.python_version(),
        now=format_time(who.now()),
        started_at=format_time(services.started_at),
        workers=services.settings.workers,
        learners=learners.count(connection),
        database=_database(services, connection),
        writer=_writer(services),
        last_backup=None if saved is None else _backup(saved),
        last_audit=None if audited is None else _audit(audited),
        audit_under_way=None if under_way is None else _audit(under_way),
    )


def _database(services: Services, connection: Connection) -> DatabaseShown:
    path, log_bytes, free_bytes = services.database.path, None, None
    if path is not None:
        log_bytes, free_bytes = _size_of(path.with_name(path.name + "-wal")), shutil.disk_usage(path.parent).free
    known = sizes.server_version(connection), current(connection), newest(), sizes.size(connection)
    return DatabaseShown(services.database.dialect, *known, log_bytes, free_bytes)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _writer(services: Services) -> WriterShown:
    seen = services.look()
    return WriterShown(seen.waiting, round(seen.lag_s, 3), seen.commits)


def _backup(row: Mapping[Any, Any]) -> BackupShown:
    told = msgspec.json.decode(row["report"])
    return BackupShown(format_time(row["began_at"]), told["rows"], told["size"], told["sha256"])


def _audit(row: Mapping[Any, Any]) -> AuditShown:
    ended_at = row["ended_at"]
    status = row["outcome"] or RUNNING
    if ended_at is None and row["noted_at"] < who.now() - auditing.LOST_AFTER:
        status = "lost"
    report = row["report"] and msgspec.json.decode(row["report"])
    return AuditShown(
        row["id"],
        status,
        format_time(row["began_at"]),
        None if ended_at is None else format_time(ended_at),
        row["done"],
        row["total"],
        _reported(report) if report else None,
    )


def _reported(report: Mapping[str, Any]) -> AuditReported:
    faults = [
        FaultShown(**{**one, "stored": shown(one["stored"]), "true": shown(one["true"])}) for one in report["faults"]
    ]
    # Older reports do not count the learners who differ.
    differing = report.get("differing", len({one.learner for one in faults if one.learner}))
    return AuditReported(report["learners"], report["events"], report["found"], differing, faults)


def _changed(one: Updated) -> FigureChanged:
    return FigureChanged(one.learner_id, one.field, one.old, one.new, one.key, list(one.achievements))


handlers: Final = [start_audit, read_audit, backfill_figures, read_system]
