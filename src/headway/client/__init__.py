"""The Python SDK: HTTP and the durable outbox. Imports nothing of the server."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from headway.client.errors import (
        AddressInvalid,
        AskLater,
        ClientError,
        EventInvalid,
        NotSaved,
        Refused,
        SignInNeeded,
        Unreachable,
    )
    from headway.client.events import make_event
    from headway.client.sdk import Headway, Synced
    from headway.client.sending import Outcome
    from headway.client.shapes import Answer

__all__ = [
    "AddressInvalid",
    "Answer",
    "AskLater",
    "ClientError",
    "EventInvalid",
    "Headway",
    "NotSaved",
    "Outcome",
    "Refused",
    "SignInNeeded",
    "Synced",
    "Unreachable",
    "make_event",
]
_PLACES: Final = {
    "Answer": "shapes",
    "Headway": "sdk",
    "Outcome": "sending",
    "Synced": "sdk",
    "make_event": "events",
}


def __getattr__(name: str) -> Any:
    """Import an exported name on first use: the command line needs only the errors to start."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES.get(name, 'errors')}"), name)
