"""Clients that disconnect before their reply has ended: what is sent to them afterwards is dropped silently."""

from typing import Any


async def gone(receive: Any) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
