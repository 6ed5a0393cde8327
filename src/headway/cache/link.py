"""The way to Redis, bounded in time: whoever waits for an answer has another one to give."""

from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from redis import Redis

# For so long nobody asks a Redis that did not answer, or not in time.
REST_S: Final = 1.0
_WRITING_S: Final = 1.0
_HEALTH_S: Final = 15


def lost() -> tuple[type[Exception], ...]:
    """What a Redis raises that is unreachable, slow or full.

    A name that cannot be resolved is the operating system's error, and so is a future that is not done in time.
    """
    from redis import RedisError  # noqa: PLC0415  # large, and few servers have a Redis

    return RedisError, OSError


def connected(address: str, patience_s: float = _WRITING_S) -> "Redis":
    """A client of the Redis of this address, which waits so long for each answer and tries nothing twice."""
    from redis import Redis  # noqa: PLC0415  # as above
    from redis.backoff import NoBackoff  # noqa: PLC0415  # as above
    from redis.retry import Retry  # noqa: PLC0415  # as above

    return Redis.from_url(
        address,
        socket_timeout=patience_s,
        socket_connect_timeout=patience_s,
        retry=Retry(NoBackoff(), 0),
        # Of a connection that only listens: else nobody would notice that it is dead.
        health_check_interval=_HEALTH_S,
        decode_responses=True,
        protocol=2,  # which servers of every age speak
    )


class Link:
    """Whether Redis is to be asked at this moment. Any thread may say that it failed."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    @property
    def rests(self) -> bool:
        """Whether it is left alone for a while."""
        return monotonic() < self._rests_until

    def failed(self) -> None:
        """It did not do what it was asked."""
        self._rests_until = monotonic() + REST_S
