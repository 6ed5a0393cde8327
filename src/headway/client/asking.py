"""Requests to any endpoint of the server, under the bearer's identity: for what the SDK has no method for."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from string import punctuation
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from headway.client import identities
from headway.client.errors import ClientError, NotSaved, SignInNeeded, Unreachable
from headway.client.identities import Bearer
from headway.client.reading import note_change
from headway.client.sending import Sender
from headway.client.store import Store
from headway.client.transport import BYTES_MAX, Reply, Request, Stream, Transport, accepted

BASE: Final = "/api/v1"
READS: Final = ("GET", "HEAD")
# Prefixes of paths that are complete as given; every other path is below BASE.
_BESIDE: Final = ("/api/", "/health/", "/metrics")

# Takes method, path and body; gives the answer as it arrives, whatever its status and content type.
Ask: TypeAlias = Callable[[str, str, object], AbstractContextManager[Stream]]


def request_of(method: str, path: str, body: object = None) -> Request:
    """A request; a path such as `/progress` is below the API's base path, one that begins with `/api/` is complete."""
    whole = quote(path if path.startswith(_BESIDE) else f"{BASE}/{path.removeprefix('/')}", safe=punctuation)
    sent = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return Request(method, whole, sent)


@contextmanager
def asked(store: Store, transport: Transport, bearer: Bearer, request: Request) -> Iterator[Stream]:
    """Send a request and yield the answer.

    A write by nobody first makes this device's guest, as the first event does; a write below `/auth/` does not, since
    it decides who the caller is.
    """
    is_write = request.method not in READS
    if is_write and not request.path.startswith(f"{BASE}/auth/"):
        Sender(store, transport, bearer).be_somebody()
    with store.reading() as connection:
        identity = identities.known(connection, bearer)
    token = bearer.token or (identity.token if identity else None)
    with transport.stream(request, {"Authorization": f"Bearer {token}"} if token else {}) as stream:
        if is_write:
            # The server has carried out the write: a full disk must not withhold its answer.
            with suppress(NotSaved), store.writing("what is known here may be old") as connection:
                note_change(connection)
        yield stream


@contextmanager
def signed_in_as(url: str, email: str, password: str) -> Iterator[Ask]:
    """Yield a way to ask as an account that is signed in until the context ends; nothing is kept on this device."""
    with closing(Transport(url)) as transport:
        sent = request_of("POST", "/auth/login", {"email": email, "password": password})
        with transport.stream(sent, {}) as stream:
            reply = Reply(stream.status, json_of(stream), stream.headers)
            if reply.status == 401:
                raise SignInNeeded(reply.detail)
            accepted(reply)
            session = {"Cookie": "; ".join(stream.cookies)}
        try:
            yield lambda method, path, body: transport.stream(request_of(method, path, body), session)
        finally:
            # If this fails, the session stays listed on the server until it expires.
            with suppress(ClientError), transport.stream(request_of("POST", "/auth/logout"), session):
                pass


def json_of(stream: Stream) -> Any:
    """The JSON of an answer, None if it is empty; Unreachable if it is not JSON or is larger than 32 MiB."""
    held = bytearray()
    for part in stream.parts():
        held += part
        if len(held) > BYTES_MAX:
            raise Unreachable("the answer is too long to be read as a whole")
    try:
        return json.loads(held) if held else None
    except (ValueError, RecursionError):
        raise Unreachable("the answer is none of a Headway server's") from None
