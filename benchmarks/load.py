"""The load: connections kept alive, each sending its next request when the last is answered, and counting.

It shares the machine with the server, so it does little: requests are bytes made beforehand, replies are searched
and not parsed. By itself it loads a server that runs already: `python -m benchmarks.load --port 8000`.
"""

import argparse
import asyncio
import gc
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

import uvloop

from benchmarks.workload import guest_tokens, prepare

RECORDED = b'"status":"recorded"'
LENGTH = b"content-length:"
FAULTS_SHOWN = 3
WARM_S = 1.0
# How long after the end an answer may still come.
PATIENCE_S = 30.0


@dataclass(frozen=True)
class Load:
    """How a server is loaded: so many connections, so many events a request."""

    name: str
    connections: int
    batch: int
    # More requests a second than any server here answers, so that they last for the whole window.
    requests_a_second: int


SINGLES = Load("single events", connections=64, batch=1, requests_a_second=25_000)
BATCHES = Load("100 a request", connections=12, batch=100, requests_a_second=500)


@dataclass
class Measured:
    """What a run showed. Counts of events in the window make the rate; `acknowledged` counts all that were."""

    seconds: float
    events: int
    acknowledged: int
    latencies_ms: list[float]
    statuses: dict[int, int]
    faults: list[str]
    # Of the server, microseconds an event; None where nobody looked.
    cpu_us: float | None = None

    @property
    def rate(self) -> float:
        """Acknowledged events a second."""
        return self.events / self.seconds if self.seconds > 0 else 0.0

    def latency(self, share: float) -> float:
        """The milliseconds within which this share of the requests was answered; 1 gives the slowest."""
        if not self.latencies_ms:
            return float("nan")
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(len(self.latencies_ms) * share))]


@dataclass
class _Tally:
    """What all connections of a run share: the requests left, the window, the counts."""

    requests: Iterator[bytes]
    batch: int
    since: float
    until: float
    left: int
    done: asyncio.Future[None]
    acknowledged: int = 0
    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def next(self, now: float) -> bytes | None:
        if now >= self.until:
            return None
        request = next(self.requests, None)
        if request is None:  # all are sent: the window ends here
            self.until = now
        return request

    def fault(self, what: str) -> None:
        self.faults.append(what)

    def leave(self) -> None:
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    def __init__(self, tally: _Tally) -> None:
        self.tally = tally
        self.transport: asyncio.Transport | None = None
        self.received = b""
        self.sent_at = 0.0
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transport is one by its methods and not by its class.
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting:
            self.tally.fault(f"connection lost while waiting for an answer: {exc}")
            self.waiting = False
            self.tally.leave()

    def send(self, now: float) -> None:
        """Send the next request, or be done."""
        request = self.tally.next(now)
        self.waiting = request is not None
        if request is None or self.transport is None:
            self.tally.leave()
            return
        self.sent_at = now
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        received = self.received + data if self.received else data
        end = received.find(b"\r\n\r\n")
        if end < 0 or len(received) < end + 4 + _length(received[:end]):
            self.received = received
            return
        self.received = b""
        now = perf_counter()
        self._count(received, end, now)
        self.send(now)

    def _count(self, reply: bytes, end: int, now: float) -> None:
        tally = self.tally
        status = int(reply[9:12])
        recorded = reply.count(RECORDED, end)
        tally.statuses[status] += 1
        tally.acknowledged += recorded
        if status != 200 or recorded != tally.batch:
            tally.fault(f"{status}, {recorded} of {tally.batch} recorded: {reply[end + 4 : end + 304]!r}")
        elif tally.since <= now < tally.until:
            tally.latencies.append(now - self.sent_at)


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(LENGTH)
    if at < 0:
        raise RuntimeError(f"a reply without a length: {head!r}")
    return int(lower[at + len(LENGTH) :].split(b"\r\n", 1)[0])


async def _run(port: int, load: Load, requests: Sequence[bytes], warm_s: float, seconds: float) -> Measured:
    loop = asyncio.get_running_loop()
    tally = _Tally(iter(requests), load.batch, 0.0, 0.0, load.connections, loop.create_future())
    made = [
        await loop.create_connection(lambda: _Connection(tally), "127.0.0.1", port) for _ in range(load.connections)
    ]
    start = perf_counter()
    tally.since, tally.until = start + warm_s, start + warm_s + seconds
    for _, connection in made:
        connection.send(start)
    try:
        await asyncio.wait_for(tally.done, warm_s + seconds + PATIENCE_S)
    except TimeoutError:
        tally.fault(f"{tally.left} connections still without an answer {PATIENCE_S:.0f} s after the end")
    for transport, _ in made:
        transport.close()
    return _measured(tally)


def _measured(tally: _Tally) -> Measured:
    latencies = sorted(latency * 1000 for latency in tally.latencies)
    return Measured(
        seconds=tally.until - tally.since,
        events=len(latencies) * tally.batch,
        acknowledged=tally.acknowledged,
        latencies_ms=latencies,
        statuses=dict(tally.statuses),
        faults=tally.faults,
    )


def requests_for(port: int, load: Load, tokens: Sequence[str], seconds: float) -> list[bytes]:
    """As many requests as so many seconds can use up."""
    return prepare(port, tokens, load.batch, max(load.connections, int(load.requests_a_second * seconds)))


def measure(port: int, load: Load, requests: Sequence[bytes], seconds: float, warm_s: float) -> Measured:
    """Load the server at a port of this machine, after a while of warming up that counts for nothing but the ledger."""
    # A collection would walk all those requests in the middle of the window.
    gc.freeze()
    gc.disable()
    try:
        return uvloop.run(_run(port, load, requests, warm_s, seconds))
    finally:
        gc.enable()
        gc.unfreeze()


def describe(measured: Measured) -> str:
    """A line of figures, and the first faults."""
    latencies = ", ".join(f"{name} {measured.latency(share):.1f}" for name, share in _SHARES)
    line = f"{measured.rate:,.0f} events/s; ms: {latencies}; statuses {measured.statuses}"
    return "\n".join([line, *measured.faults[:FAULTS_SHOWN]])


_SHARES = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))


def main() -> int:
    """Load a server that is running."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=SINGLES.connections)
    parser.add_argument("--batch", type=int, default=1, help="events a request")
    parser.add_argument("--learners", type=int, default=300, help="guests to make (0: a made-up token)")
    parser.add_argument("--at-most", type=int, default=20_000, help="events a second to make ready for")
    given = parser.parse_args()
    tokens = guest_tokens(given.port, given.learners) if given.learners else ["nobody"]
    most = max(given.at_most // given.batch, 1)
    load = Load("load", given.connections, given.batch, most)
    requests = requests_for(given.port, load, tokens, given.seconds + WARM_S)
    print(f"loading for {WARM_S + given.seconds:.0f} s", file=sys.stderr, flush=True)
    measured = measure(given.port, load, requests, given.seconds, WARM_S)
    print(describe(measured))
    return 1 if measured.faults else 0


if __name__ == "__main__":
    sys.exit(main())
