"""How long an outbox of 10,000 events takes to drain, and how long `headway status` takes from its cache."""

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.contenders import HEADWAY_ENV, headway_path
from benchmarks.databases import SQLITE, Databases
from benchmarks.figures import Figure
from benchmarks.population import course
from benchmarks.servers import Broken, Server, free_port
from headway.client import Headway, make_event
from headway.ledger.publish import publish
from headway.store.database import Database
from headway.store.migrate import migrate

COURSE = "outbox"
EVENTS = 10_000
DRAIN_S = 10.0
STATUS_S = 0.3
STATUS_RUNS = 10


def drain(url: str, folder: Path, events: int) -> float:
    """Keep so many events while nothing can be sent, then send them; the seconds that sending took."""
    with Headway("http://127.0.0.1:9", state_folder=folder, background=False) as offline:
        content = course(COURSE, 1, 10)
        steps = [step["id"] for module in content["modules"] for step in module["steps"]]
        made = [make_event("attempted", content["id"], steps[number % len(steps)], score=1) for number in range(events)]
        offline.record(*made)
    with offline.store.writing() as connection:
        connection.execute("UPDATE identity SET server = ?", (url,))
        connection.execute("DELETE FROM place")
    with Headway(url, state_folder=folder, background=False) as online:
        started = perf_counter()
        synced = online.sync(120)
        seconds = perf_counter() - started
        online.progress()
    if synced.recorded != events or synced.waiting or synced.aside:
        raise Broken(f"of {events} events {synced.recorded} were recorded; {synced.waiting} wait, {synced.aside} aside")
    return seconds


def status(url: str, folder: Path) -> float:
    """The seconds of processor time that `headway status` takes from its cache, at best: the rest is the machine's."""
    variables = {**os.environ, "HEADWAY_URL": url, "HEADWAY_STATE_FOLDER": str(folder)}
    command = [headway_path(), "status"]
    best = float("inf")
    for _ in range(STATUS_RUNS):
        before = os.times()
        subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = os.times()
        best = min(best, after.children_user + after.children_system - before.children_user - before.children_system)
    return best


def figures(kind: str, databases: Databases, events: int) -> list[Figure]:
    """Both figures, against a server on a database of a kind."""
    address = databases.create(kind, f"outbox_{kind}")
    database = Database(address)
    migrate(database)
    publish(database, course(COURSE, 1, 10), now=0)
    database.close()
    port = free_port()
    command = [headway_path(), "serve", "--port", str(port), "--database", address]
    with tempfile.TemporaryDirectory() as name, Server(command, port, Path(name) / "log", HEADWAY_ENV):
        url, folder = f"http://127.0.0.1:{port}", Path(name) / "state"
        drain_s = drain(url, folder, events)
        return [
            Figure(f"drain {events:,} events", drain_s, "under", DRAIN_S, ".1f", " s"),
            Figure("headway status from its cache", status(url, folder), "under", STATUS_S, ".2f", " s"),
        ]


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("outbox", __doc__, default=SQLITE)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"that wait [{EVENTS}]")
    given = parser.parse_args()
    return tell(given, on_each(given, partial(figures, events=given.events)))


if __name__ == "__main__":
    sys.exit(main())
