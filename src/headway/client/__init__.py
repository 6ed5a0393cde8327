"""The Python SDK: HTTP and the durable outbox. Imports nothing of the server."""

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
