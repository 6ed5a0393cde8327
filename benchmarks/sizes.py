"""What an event and a reading cost in a large course, beside a small one: in turns, as many events in each."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from statistics import median
from time import perf_counter
from typing import Any, Final, NamedTuple

from benchmarks.figures import Figure
from benchmarks.population import step_ids
from benchmarks.servers import Server
from benchmarks.site import Caller, learner
from benchmarks.workload import guest_tokens

TIMES_SMALL: Final = 3.0
READ_MS: Final = 20.0
ROUNDS: Final = 5
READS: Final = 100
# So many learners are on their way at once.
AT_ONCE: Final = 4


class _Cost(NamedTuple):
    """What each of so many events took: of the server's processor, and until the answer was there."""

    cpu_us: float
    wait_ms: float


def figures(server: Server, small: Mapping[str, Any], large: Mapping[str, Any], events: int) -> list[Figure]:
    """Walk learners through both courses, `events` events in each, and read the large one as a whole."""
    walks = [_walk(server.port, one, events) for one in (small, large)]
    rounds = [[_recorded(server, walk, events // ROUNDS) for walk in walks] for _ in range(ROUNDS)]
    _, (_, reader) = rounds[-1]
    return [*_ratios([(small, large) for (small, _), (large, _) in rounds]), *_reading(server, reader, large)]


def _walk(port: int, manifest: Mapping[str, Any], events: int) -> Iterator[tuple[Caller, str, str]]:
    """Learners who get every step right, in order, some of them in turns, until there were so many events."""
    steps = step_ids(manifest)
    groups = -(-events // (AT_ONCE * len(steps)))
    for _ in range(groups):
        some = [learner(port, token) for token in guest_tokens(port, AT_ONCE)]
        for step in steps:
            for one in some:
                yield one, manifest["id"], step


def _recorded(server: Server, walk: Iterator[tuple[Caller, str, str]], count: int) -> tuple[_Cost, Caller]:
    """What the next events of a walk cost, and who sent the last of them."""
    part = list(islice(walk, count))
    cpu_s = server.cpu_s()
    waits = [one.attempt(course_id, step, 1) for one, course_id, step in part]
    return _Cost((server.cpu_s() - cpu_s) / len(part) * 1e6, median(waits)), part[-1][0]


def _ratios(rounds: Sequence[tuple[_Cost, _Cost]]) -> Iterator[Figure]:
    """The medians of the rounds' ratios: a round's two runs lie next to each other in time."""
    for n, (name, unit) in enumerate((("the server's processor", " µs"), ("until the answer, p50", " ms"))):
        pairs = [(small[n], large[n]) for small, large in rounds]
        ratio = median(large / small for small, large in pairs)
        yield Figure(f"an event, large / small: {name}", ratio, "under", TIMES_SMALL, ".2f")
        yield Figure(f"an event, small: {name}", median(small for small, _ in pairs), "under", None, ".1f", unit)
        yield Figure(f"an event, large: {name}", median(large for _, large in pairs), "under", None, ".1f", unit)


def _reading(server: Server, reader: Caller, large: Mapping[str, Any]) -> Iterator[Figure]:
    """Whole requests, one after the other: what they take holds the server's time, and the client's as well."""
    path, waits = f"/progress/courses/{large['id']}", []
    cpu_s = server.cpu_s()
    for _ in range(READS):
        began = perf_counter()
        reader.ask("GET", path)
        waits.append((perf_counter() - began) * 1000)
    cpu_ms = (server.cpu_s() - cpu_s) / READS * 1000
    yield Figure("reading the large course: the server's processor", cpu_ms, "under", READ_MS, ".1f", " ms")
    yield Figure("reading the large course: until the answer, p50", median(waits), "under", READ_MS, ".1f", " ms")
