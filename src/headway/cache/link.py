"""The connection to Redis, with limits on waiting: all who ask it can do without its answer."""

from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from redis import Redis

# How long Redis is left alone after it failed to answer, or to answer in time.
REST_S: Final = 1.0
_WRITING_S: Final = 1.0
_HEALTH_S: Final = 15


def lost() -> tuple[type[Exception], ...]:
    """The exceptions of a Redis that is unreachable, slow or full.

    OSError includes that of a name that cannot be resolved, and the timeout of a future.
    """
    from redis import RedisError  # noqa: PLC0415  # large, and few servers have a Redis

    return RedisError, OSError


def connected(address: str, patience_s: float = _WRITING_S) -> "Redis":
    """A client of the Redis at this address, which waits `patience_s` for each answer and never retries."""
    from redis import Redis  # noqa: PLC0415  # as above
    from redis.backoff import NoBackoff  # noqa: PLC0415  # as above
    from redis.retry import Retry  # noqa: PLC0415  # as above

    return Redis.from_url(
        address,
        socket_timeout=patience_s,
        socket_connect_timeout=patience_s,
        retry=Retry(NoBackoff(), 0),
        # For connections that only listen: otherwise nobody would notice that one is dead.
        health_check_interval=_HEALTH_S,
        decode_responses=True,
        protocol=2,  # which servers of every age speak
    )


class Link:
    """Whether Redis may be asked now; any thread may report that it failed."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    @property
    def rests(self) -> bool:
        """Whether Redis is being left alone for a while after a failure."""
        return monotonic() < self._rests_until

    def failed(self) -> None:
        """Note that Redis failed to do what it was asked."""
        self._rests_until = monotonic() + REST_S
