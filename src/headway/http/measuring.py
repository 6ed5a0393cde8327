"""What a process counts of itself for Prometheus: numbers alone, and nobody's name.

With several workers, each writes to files in a shared folder, and whichever is asked adds them up.
"""

import asyncio
import os
import re
import time
from collections import Counter as Tally
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client import Gauge as PrometheusGauge
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from headway import __version__
from headway.domain.errors import HeadwayError
from headway.http.ending import beside
from headway.ledger.writer import Outcome, Waiting

# The folder in which workers share what they count; prometheus-client reads this variable.
SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
LOOK_S: Final = 2.0
_SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_OF_PROCESS: Final = re.compile(r"gauge_\w+_(\d+)\.db")


class Seen(NamedTuple):
    """The state at a moment: waiting events, for how long the oldest has waited, open streams, and commits so far."""

    waiting: int
    lag_s: float
    streams: int
    commits: int


Look: TypeAlias = Callable[[], Seen]


class Metrics:
    """The counters of one process. Safe to call from the event loop and from the writer's thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self._seconds = Histogram(
            "headway_request_seconds", "How long requests took, streams apart.", ["operation"], buckets=_SECONDS, **own
        )
        self._requests = Counter("headway_requests", "Requests that were answered.", ["operation", "status"], **own)
        self._events = Counter("headway_events", "Events, by what became of them.", ["outcome", "reason"], **own)
        self._sizes = Histogram("headway_batch_events", "Events of a transaction.", buckets=_SIZES, **own)
        self._waits = Histogram(
            "headway_commit_wait_seconds", "From handing events in to the commit.", buckets=_SECONDS, **own
        )
        self._failed = Counter("headway_failed_submissions", "Requests of events that came to no commit.", **own)
        boards = Counter("headway_board_reads", "Leaderboards read where there is Redis, by whence.", ["of"], **own)
        self._boards = {is_cached: boards.labels(of) for is_cached, of in ((True, "redis"), (False, "database"))}
        gauge: dict[str, Any] = own | {"multiprocess_mode": "livesum"}
        self._queue = PrometheusGauge("headway_queue_events", "Events that wait to be written.", **gauge)
        self._streams = PrometheusGauge("headway_streams", "Streams that are open.", **gauge)
        self._commits = PrometheusGauge("headway_writer_commits", "Transactions of the processes at work.", **gauge)
        slowest = own | {"multiprocess_mode": "livemax"}
        self._lag = PrometheusGauge("headway_queue_lag_seconds", "How long the oldest event has waited.", **slowest)
        version = PrometheusGauge("headway_build", "The version, as a label.", ["version"], **slowest)
        version.labels(__version__).set(1)
        self._by_operation: dict[str, Any] = {}
        self._by_status: dict[tuple[str, int], Any] = {}
        if SHARED not in os.environ:
            ProcessCollector(**own), PlatformCollector(**own), GCCollector(**own)

    def answered(self, operation: str, status: int, took_s: float | None) -> None:
        """Count a request; `took_s` is None for a stream, which takes as long as somebody listens."""
        counter = self._by_status.get((operation, status))
        if counter is None:
            counter = self._by_status[operation, status] = self._requests.labels(operation, status)
        counter.inc()
        if took_s is None:
            return
        histogram = self._by_operation.get(operation)
        if histogram is None:
            histogram = self._by_operation[operation] = self._seconds.labels(operation)
        histogram.observe(took_s)

    def board_read(self, is_cached: bool) -> None:
        """Count a leaderboard that was read on a site with Redis: from Redis, or from the database."""
        self._boards[is_cached].inc()

    def committed(self, outcomes: Sequence[tuple[Waiting, Outcome]]) -> None:
        """Count the outcomes of one transaction of the writer."""
        now, size, events = time.monotonic(), 0, Tally[tuple[str, str]]()
        for waiting, outcome in outcomes:
            if isinstance(outcome, HeadwayError):
                self._failed.inc()
                continue
            self._waits.observe(now - waiting.since)
            size += len(outcome.results)
            events.update((one.status, one.problem.code if one.problem else "") for one in outcome.results)
        if size:
            self._sizes.observe(size)
        for (status, reason), count in events.items():
            self._events.labels(status, reason).inc(count)

    def note(self, look: Look) -> None:
        """Set the gauges to the state of this moment."""
        seen = look()
        self._queue.set(seen.waiting)
        self._lag.set(seen.lag_s)
        self._streams.set(seen.streams)
        self._commits.set(seen.commits)

    @asynccontextmanager
    async def noting(self, look: Look) -> AsyncIterator[None]:
        """Set the gauges now and then while the context lasts; at its end, withdraw those of this process."""
        try:
            async with beside(self._keep_noting(look)):
                yield
        finally:
            if SHARED in os.environ:
                mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped

    async def _keep_noting(self, look: Look) -> None:
        while True:
            self.note(look)
            await asyncio.sleep(LOOK_S)

    def told(self) -> bytes:
        """The metrics of all workers, in Prometheus's text format."""
        if SHARED not in os.environ:
            return generate_latest(self.registry)
        for pid in _ended(Path(os.environ[SHARED])):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]  # as above
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped
        return generate_latest(shared)


def _ended(folder: Path) -> Iterator[int]:
    """The ids of processes that left gauges behind and have ended, such as one that was killed."""
    for pid in {int(found[1]) for one in folder.iterdir() if (found := _OF_PROCESS.fullmatch(one.name))}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            yield pid
