"""How the processes of a site call each other by Redis."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from headway.cache.link import Link, connected

if TYPE_CHECKING:
    from redis.client import PubSub

Listening: TypeAlias = "PubSub"
_CHANNEL: Final = "headway:told"


class Calls:
    """A channel of a Redis. Whatever fails raises what `lost` names."""

    def __init__(self, address: str) -> None:
        self.link = Link()
        self._client = connected(address)

    def call(self, learner_ids: list[str]) -> bool:
        """Call learners' ids; whether anybody heard."""
        return bool(self._client.publish(_CHANNEL, ",".join(learner_ids)))

    @contextmanager
    def listening(self) -> Iterator[Listening]:
        """What calls arrive on."""
        from redis.client import PubSub  # noqa: PLC0415  # large, and few servers have a Redis

        with PubSub(self._client.connection_pool, ignore_subscribe_messages=True) as heard:
            heard.subscribe(_CHANNEL)
            yield heard

    def close(self) -> None:
        """Call nobody more."""
        self._client.close()


def heard(listening: Listening, patience_s: float) -> set[str] | None:
    """The ids of the next call; None where there was none for so long."""
    message: dict[str, Any] | None = listening.get_message(timeout=patience_s)
    return None if message is None else {*message["data"].split(",")}
