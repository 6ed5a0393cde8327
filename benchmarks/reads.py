"""What keeps a learner going, as one with 10,000 events reads it: each read under 20 ms of the server's processor."""

import argparse
import json
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.contenders import HEADWAY_ENV, headway, headway_path
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.population import attempt, course, parts, step_ids
from benchmarks.servers import ROOT, Server, free_port
from benchmarks.site import EMAIL, PASSWORD, Caller
from headway.domain.events import Event
from headway.domain.times import DAY
from headway.ledger.boards import count_all_in
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.definitions import install, shipped
from headway.ledger.submission import Submission
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database

READ_MS: Final = 20.0
EVENTS: Final = 10_000
READS: Final = 100
DAYS: Final = 900
# Who are on the boards beside them.
OTHERS: Final = 50
SHOWS: Final = ("name", "streak", "points", "levels", "courses", "achievements")
PATHS: Final = {
    "overview": "/progress",
    "streak": "/progress/streak?days=366",
    "achievements": "/progress/achievements",
    "badges": "/progress/badges",
    "levels": "/progress/skill-levels",
    "statistics of today": "/progress/statistics?period=day",
    "statistics of all time": "/progress/statistics?period=all",
    "history of a month": "/progress/history",
    "history of a year": "/progress/history?days=366",
    "sessions": "/progress/sessions",
    "reviews": "/progress/reviews",
    "predictions": "/progress/predictions",
    "leaderboard": "/leaderboards/all",
    "leaderboard around oneself": "/leaderboards/all?around=me",
    "a course's leaderboard": "/leaderboards/all?course=one",
    "peers": "/progress/peers?period=all",
    "notifications": "/notifications?limit=200",
    "notifications unread": "/notifications?unread=true",
    "events": "/progress/events?limit=200",
    "sharing": "/progress/sharing",
    "the shared page": "/share/{token}",
}


def filled(url: str, folder: Path, events: int) -> None:
    """An account with so many events over years, in two courses, and others with a few."""
    manifests = [_open(course(name, 10, 250)) for name in ("one", "two")]
    for manifest in manifests:
        path = folder / f"{manifest['id']}.json"
        path.write_text(json.dumps(manifest))
        headway("course", "publish", str(path), "--database", url)
    command = [headway_path(), "admin", "create", EMAIL, "--database", url]
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, cwd=ROOT, check=True, capture_output=True)
    database, now = Database(url), time.time_ns() // 1000
    install(database, shipped())
    with database.read() as connection:
        row = learners.by_email(connection, EMAIL)
    assert row is not None
    ids = [str(uuid.uuid4()) for _ in range(OTHERS)]
    add_learners(database, [{"id": one, "kind": "account", "time_zone": "UTC", "created_at": now} for one in ids])
    walks = {row["id"]: events} | dict.fromkeys(ids, 20)
    sent = (Submission(one, some, now) for one, n in walks.items() for some in parts(_walk(manifests, n, now)))
    for answer in record_all(database, Catalog(), sent):
        assert not isinstance(answer, Exception), answer
    count_all_in(database, now=now)
    # As PostgreSQL does by itself within a minute, and would beside what is measured.
    with database.writers.connect() as connection:
        connection.exec_driver_sql("ANALYZE" if database.path else "VACUUM ANALYZE")
    database.close()


def _open(manifest: dict[str, Any]) -> dict[str, Any]:
    return manifest | {"modules": [one | {"requires": []} for one in manifest["modules"]]}


def _walk(manifests: list[dict[str, Any]], events: int, now: int) -> Iterable[Event]:
    """Attempts over some years, more or less well, the last of them of this hour; every step comes again and again."""
    for n in range(events):
        manifest = manifests[n % len(manifests)]
        steps = step_ids(manifest)
        at = now - (events - 1 - n) * DAYS * DAY // events
        yield attempt(manifest, steps[n // len(manifests) % len(steps)], at, random.randint(50, 100) / 100)


def figures(kind: str, databases: Databases, given: argparse.Namespace) -> list[Figure]:
    """Measure on a new database of a kind."""
    url, port = databases.create(kind, f"reads_{kind}"), free_port()
    filled(url, databases.folder, given.events)
    log = databases.folder / f"reads_{kind}.log"
    with Server([headway_path(), "serve", "--port", str(port), "--database", url], port, log, HEADWAY_ENV) as server:
        caller = Caller(port, {})
        caller.sign_in()
        page = json.loads(caller.ask("PUT", "/progress/sharing", {"shows": SHOWS}))
        paths = {name: path.format(token=page["url"].rpartition("/")[2]) for name, path in PATHS.items()}
        return list(_measured(server, databases, caller, paths, given.reads))


def _measured(
    server: Server, databases: Databases, caller: Caller, paths: Mapping[str, str], reads: int
) -> Iterator[Figure]:
    for name, path in paths.items():
        for _ in range(3):
            caller.ask("GET", path)
        waits, server_s, database_s = list[float](), server.cpu_s(), databases.cpu_s()
        for _ in range(reads):
            began = perf_counter()
            caller.ask("GET", path)
            waits.append((perf_counter() - began) * 1000)
        server_ms = (server.cpu_s() - server_s) / reads * 1000
        database_ms = (databases.cpu_s() - database_s) / reads * 1000
        yield Figure(f"{name}: the server's processor", server_ms, "under", READ_MS, ".1f", " ms")
        if databases.cpu_s():
            yield Figure(f"{name}: PostgreSQL's", database_ms, "under", None, ".1f", " ms")
        yield Figure(f"{name}: until the answer, p50", median(waits), "under", None, ".1f", " ms")


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("reads", __doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"that the learner has [{EVENTS}]")
    parser.add_argument("--reads", type=int, default=READS, help=f"how often each is read [{READS}]")
    given = parser.parse_args()
    return tell(given, on_each(given, partial(figures, given=given)))


if __name__ == "__main__":
    sys.exit(main())
