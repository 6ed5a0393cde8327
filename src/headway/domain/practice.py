"""Practice sessions: attempts that lie no more than half an hour apart."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from headway.domain.times import MINUTE

GAP: Final = 30 * MINUTE


class Practiced(NamedTuple):
    """One attempt, sorted by its time (microseconds). `day` is the learner's local day."""

    at: int
    day: str
    passed: bool
    duration_ms: int


class Session(NamedTuple):
    """Attempts without a long gap: when the first and the last was made, how many there were, and how many passed.

    `day` is the local day of the first.
    """

    started_at: int
    ended_at: int
    day: str
    attempts: int
    passed: int
    duration_ms: int


def sessions(attempts: Iterable[Practiced], gap: int = GAP) -> list[Session]:
    """The practice sessions that attempts, in any order, fall into, the earliest first; `gap` in microseconds."""
    together: list[list[Practiced]] = []
    ended_at = 0
    for one in sorted(attempts):
        if together and one.at - ended_at <= gap:
            together[-1].append(one)
        else:
            together.append([one])
        ended_at = one.at
    return [_session(some) for some in together]


def _session(some: list[Practiced]) -> Session:
    passed, duration_ms = sum(one.passed for one in some), sum(one.duration_ms for one in some)
    return Session(some[0].at, some[-1].at, some[0].day, len(some), passed, duration_ms)
