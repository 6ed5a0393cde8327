"""What `doctor` finds in how a site is run: its files, its backups, and the services around it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway.cli.findings import Finding, State, judged
from headway.cli.screen import now
from headway.domain.times import DAY, format_time

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, RowMapping

    from headway.settings import Settings
    from headway.store.database import Database

_MIB: Final = 1024**2
# A commit checkpoints a log before it is larger, unless a reader holds it.
_LOG_MAX: Final = 256 * _MIB
_BACKUP_AGE_MAX: Final = 2 * DAY
_AHEAD_MAX: Final = 5_000_000
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def files_of(path: Path) -> list[Path]:
    """Those of a SQLite database's file and the files beside it that exist."""
    beside = [path.with_name(path.name + end) for end in ("", "-wal", "-shm", "-lock")]
    # Path.exists fails where the folder may not be entered.
    return [one for one in beside if os.path.exists(one)]  # noqa: PTH110 - as said above


def of_files(path: Path) -> Iterator[Finding]:
    """Who may read a SQLite database, and how large its log is."""
    path = path.resolve()
    there = files_of(path)
    open_to_others = [one.name for one in there if one.stat().st_mode & _OTHERS]
    told = ", ".join(open_to_others) + " open to others" if open_to_others else "its owner's alone"
    advice = "The file holds addresses and hashes of passwords: `chmod 600` the files, or 700 their folder."
    is_closed = not open_to_others or not path.parent.stat().st_mode & _OTHERS
    yield judged("file permissions", told, fine=is_closed, advice=advice, otherwise=State.NOTE)
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size if log.exists() else 0
    advice = "Somebody reads from an old state, and the log cannot shrink: a backup, an audit, or another program."
    yield judged("log", f"{size / _MIB:.1f} MiB", fine=size <= _LOG_MAX, advice=advice, otherwise=State.NOTE)


def of_ledger(connection: "Connection") -> Finding:
    """Whether the ledger refuses to be changed."""
    from headway.store import guard

    reasons = guard.standing_open(connection)
    told = f"stands open to be changed ({', '.join(map(repr, reasons))})" if reasons else "append-only"
    advice = (
        "Somebody wrote into the table ledger_opened, and whoever reaches the database can change what was recorded:"
        " `headway rebuild` shuts it. Compare with a backup."
    )
    return judged("ledger", told, fine=not reasons, advice=advice)


def of_history(connection: "Connection") -> Iterator[Finding]:
    """When the last backup and audit were, and whether the clock has gone back since."""
    from headway.ledger import auditing, backup
    from headway.store import upkeep

    yield _of_backup(upkeep.last(connection, backup.KIND))
    audited = upkeep.last(connection, auditing.KIND)
    if audited is not None:
        clean = audited["outcome"] == "clean"
        advice = "`headway audit` shows what differs, `headway rebuild` mends it."
        yield judged(
            "last audit", f"{format_time(audited['began_at'])}, {audited['outcome']}", fine=clean, advice=advice
        )
    newest = upkeep.newest_time(connection)
    if newest is not None:
        ahead = newest - now()
        advice = "The clock has gone back since, or was ahead: what comes now would be recorded as older than it is."
        told = f"{ahead / 1e6:.0f} s ahead of this clock" if ahead > 0 else "before now"
        yield judged("newest record", told, fine=ahead <= _AHEAD_MAX, advice=advice)


def _of_backup(row: "RowMapping | None") -> Finding:
    advice = "`headway backup FILE` takes one, beside the running server; take one every night."
    if row is None:
        return Finding("last backup", State.NOTE, "none of this database", advice)
    age = now() - row["began_at"]
    told = f"{format_time(row['began_at'])}, {row['done']:,} rows"
    return judged("last backup", told, fine=age <= _BACKUP_AGE_MAX, advice=advice, otherwise=State.NOTE)


def of_surroundings(settings: "Settings", *, mail: bool) -> Iterator[Finding]:
    """What the site relies on: cache, proxy, metrics, and the mail server if that is to be asked."""
    if settings.redis_url is not None:
        yield _of_redis(settings.redis_url)
    yield from _of_proxy(settings)
    if settings.metrics_token is None:
        yield Finding("metrics", State.FINE, "to this machine alone")
    else:
        yield Finding("metrics", State.FINE, "to whoever has the token")
    if mail and settings.smtp_url is not None:
        from headway.http.mail import Mail

        fault = Mail(settings).fault()
        advice = (
            "Nobody gets a mail: look at smtp_url, and at the mail server's log. A certificate of your own authority is"
            " believed where SSL_CERT_FILE names it."
        )
        yield judged("mail server", fault or "takes mails", fine=fault is None, advice=advice)


def _of_redis(address: str) -> Finding:
    from headway.http.redis_ping import fault_of_redis

    fault = fault_of_redis(address)
    advice = "Everything stays right without it, and slower: see that it runs and that redis_url names it."
    return judged("redis", fault or "answers", fine=fault is None, advice=advice)


def of_cache(database: "Database", settings: "Settings") -> Iterator[Finding]:
    """How many of the leaderboards Redis holds as the database has them; nothing if Redis does not answer."""
    if settings.redis_url is None:
        return
    from headway.cache.boards import BoardCache
    from headway.cache.link import lost
    from headway.ledger.board_cache import held

    cache = BoardCache(settings.redis_url)
    try:
        right, there = held(database, cache, now=now())
    except lost():
        return
    finally:
        cache.close()
    advice = "The database serves the others. A running server builds what is missing within seconds: is Redis full?"
    told = f"{right} of {there}"
    yield judged("boards in redis", told, fine=right == there, advice=advice, otherwise=State.NOTE)


def _of_proxy(settings: "Settings") -> Iterator[Finding]:
    is_https = (settings.public_url or "").startswith("https://")
    if is_https:
        advice = "Learners come by HTTPS, as public_url says: set https=on, or cookies are not Secure."
        yield judged("https", "on" if settings.https else "off", fine=settings.https, advice=advice)
    is_behind = is_https and settings.host in ("127.0.0.1", "::1", "localhost")
    if is_behind and settings.trusted_proxies is None:
        advice = "Name the proxy in trusted_proxies, or all learners have its address and share its limits."
        yield Finding("proxy", State.WRONG, "not named", advice)
