"""How the processes of a site notify each other through Redis."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from headway.cache.link import Link, connected

if TYPE_CHECKING:
    from redis.client import PubSub

Listening: TypeAlias = "PubSub"
_CHANNEL: Final = "headway:told"


class Calls:
    """A channel in Redis. Failures raise what `lost` names."""

    def __init__(self, address: str) -> None:
        self.link = Link()
        self._client = connected(address)

    def call(self, learner_ids: list[str]) -> bool:
        """Publish learners' ids; return whether any process received them."""
        return bool(self._client.publish(_CHANNEL, ",".join(learner_ids)))

    @contextmanager
    def listening(self) -> Iterator[Listening]:
        """A subscription on which calls arrive."""
        from redis.client import PubSub  # noqa: PLC0415  # large, and few servers have a Redis

        with PubSub(self._client.connection_pool, ignore_subscribe_messages=True) as heard:
            heard.subscribe(_CHANNEL)
            yield heard

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def heard(listening: Listening, patience_s: float) -> set[str] | None:
    """The learners' ids of the next call; None where none arrives within `patience_s`."""
    message: dict[str, Any] | None = listening.get_message(timeout=patience_s)
    return None if message is None else {*message["data"].split(",")}
