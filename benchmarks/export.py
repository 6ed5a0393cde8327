"""Handing out everything about a learner with 100,000 events: how soon it begins, and what memory it takes.

By HTTP, from a server of its own: the milliseconds until the first byte of the document, and by how much the server's
memory grows while it is read to its end.
"""

import http.client
import sys
import time
import uuid
from collections.abc import Iterator
from functools import partial
from statistics import median
from threading import Event, Thread
from typing import Any, Final, NamedTuple, Self

from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.contenders import headway_path
from benchmarks.databases import Databases
from benchmarks.figures import Figure
from benchmarks.report import manifest
from benchmarks.servers import Broken, Server, free_port
from benchmarks.site import learner
from benchmarks.workload import guest_tokens
from headway.ledger.publish import publish
from headway.store.database import Database
from headway.store.migrate import migrate

EVENTS: Final = 100_000
EVENTS_A_REQUEST: Final = 500
FIRST_BYTE_MS: Final = 200.0
MEMORY_MB: Final = 50.0
ROUNDS: Final = 3
_SAMPLED_EVERY_S: Final = 0.005
_READ_AT_ONCE: Final = 64 * 1024


class Export(NamedTuple):
    """One export: how soon its first byte came, how long all of it took, its size, and how the server's memory grew."""

    first_byte_ms: float
    whole_s: float
    size_mb: float
    memory_mb: float


class Sampled:
    """The greatest resident memory of a server while something runs."""

    def __init__(self, server: Server) -> None:
        self._server, self._done = server, Event()
        self.before_mb = self.peak_mb = server.resident_mb()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_SAMPLED_EVERY_S):
            self.peak_mb = max(self.peak_mb, self._server.resident_mb())


def export(server: Server, token: str) -> Export:
    """Read one export to its end."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    with Sampled(server) as sampled:
        began = time.perf_counter()
        connection.request("GET", "/api/v1/progress/export", headers={"authorization": f"Bearer {token}"})
        reply = connection.getresponse()
        size, end = len(reply.read(1)), b""
        first_byte_ms = (time.perf_counter() - began) * 1000
        while some := reply.read(_READ_AT_ONCE):
            size, end = size + len(some), (end + some)[-64:]
        whole_s = time.perf_counter() - began
    connection.close()
    if reply.status != 200 or b'"complete":true' not in end:
        raise Broken(f"the export was answered {reply.status} and ended in {end!r}")
    return Export(first_byte_ms, whole_s, size / 1e6, sampled.peak_mb - sampled.before_mb)


def record(port: int, token: str, events: int) -> None:
    """Record so many attempts of one learner."""
    caller, steps = learner(port, token), [step["id"] for one in manifest()["modules"] for step in one["steps"]]
    for start in range(0, events, EVENTS_A_REQUEST):
        count = min(EVENTS_A_REQUEST, events - start)
        caller.ask("POST", "/events", {"events": list(_attempts(steps, start, count))})


def _attempts(steps: list[str], start: int, count: int) -> Iterator[dict[str, Any]]:
    for n in range(start, start + count):
        said = {"id": str(uuid.uuid4()), "type": "attempted", "course": "big", "step": steps[n % len(steps)]}
        at = f"2026-0{n % 9 + 1}-{n % 28 + 1:02}T{n % 24:02}:00:00Z"
        yield {**said, "occurred_at": at, "score": n % 101 / 100, "duration_s": 30, "response": f"answer number {n}"}


def figures(kind: str, databases: Databases, events: int) -> Iterator[Figure]:
    """The figures of one kind of database."""
    url = databases.create(kind, "export")
    database = Database(url)
    migrate(database)
    publish(database, manifest(), now=time.time_ns() // 1000)
    database.close()
    port, log = free_port(), databases.folder / f"export-{kind}.log"
    command = [headway_path(), "serve", "--port", str(port), "--database", url]
    with Server(command, port, log, {"HEADWAY_RATE_LIMITS": "off"}) as server:
        token, small = guest_tokens(port, 2)
        record(port, small, 1)
        record(port, token, events)
        export(server, small)  # what a first export alone brings, as modules, is no learner's
        found = [export(server, token) for _ in range(ROUNDS)]
    first_ms, memory_mb = median(one.first_byte_ms for one in found), max(one.memory_mb for one in found)
    yield Figure(f"first byte of {events:,} events", first_ms, "under", FIRST_BYTE_MS, ".0f", " ms")
    yield Figure("more memory, the most of all rounds", memory_mb, "under", MEMORY_MB, ".1f", " MB")
    whole_s = median(one.whole_s for one in found)
    yield Figure(f"all of it, {found[0].size_mb:.0f} MB", whole_s, "under", None, ".1f", " s")


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("export", __doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"that the learner has [{EVENTS}]")
    given = parser.parse_args()
    return tell(given, on_each(given, partial(figures, events=given.events)))


if __name__ == "__main__":
    sys.exit(main())
