"""Requests to other servers, bounded in time and in the size of the reply.

A time limit of `requests` begins anew with each byte: a server that sends one now and then would hold a thread up for
good.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from socket import socket
from time import monotonic
from typing import Any, Final, NamedTuple
from urllib.parse import SplitResult

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.exceptions import TimeoutError as TimedOut

from headway.http.watch import Watch

BYTES_MAX: Final = 256 * 1024
_PART: Final = 8_192


_watches: Final = threading.local()


@contextmanager
def _watching(seconds: float) -> Iterator[Watch]:
    watch = _watches.current = Watch()
    try:
        with watch.within(seconds):
            yield watch
    finally:
        _watches.current = None
        watch.close()


class _Watched(HTTPConnection):
    def _new_conn(self) -> socket:
        connected = super()._new_conn()
        if (watch := getattr(_watches, "current", None)) is not None:
            watch.add(connected)
        return connected


class _Plain(HTTPConnectionPool):
    ConnectionCls = _Watched


class _WatchedSafe(_Watched, HTTPSConnection):
    pass


class _Safe(HTTPSConnectionPool):
    ConnectionCls = _WatchedSafe


_POOLS: Final = {"http": _Plain, "https": _Safe}


class Answer(NamedTuple):
    """Another server's answer, of which only the status matters."""

    status: int


def post_at(address: str, url: SplitResult, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
    """POST to a network address; with HTTPS, the server there must prove to be the one that the URL names.

    No name is resolved, no proxy used, and no redirect followed. TimeoutError, or OSError if there is no answer.
    """
    named = {"server_hostname": url.hostname, "assert_hostname": url.hostname} if url.scheme == "https" else {}
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    pool: Any = _POOLS[url.scheme](address, port, timeout=seconds, retries=False, **named)
    with pool, _watching(seconds) as watch:
        try:
            sent = {**headers, "host": url.netloc}
            reply = pool.urlopen("POST", path, body, sent, redirect=False, preload_content=False)
            reply.close()
        except (HTTPError, OSError, ValueError) as error:
            if watch.is_over or isinstance(error, TimedOut):
                raise TimeoutError(f"no answer in {seconds:.0f} seconds") from None
            raise OSError(_in_short(error)) from None
    return Answer(reply.status)


def _in_short(error: Exception) -> str:
    """What went wrong, without the objects that the library puts into its messages."""
    cause = getattr(error, "reason", None) or error
    return f"{type(cause).__name__}: {str(cause).rpartition(': ')[2]}"


class BoundedAdapter(HTTPAdapter):
    """Ends each request by `ends_at` on the monotonic clock, and takes no reply larger than BYTES_MAX."""

    def __init__(self, ends_at: float) -> None:
        super().__init__()
        self._ends_at = ends_at

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As in the base class, with connections that are watched."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As in the base class, with connections that are watched."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request and read the whole reply; requests.Timeout, or RequestException if the reply is too large."""
        # A compressed reply may be small when it is sent and large when it is read.
        request.headers["accept-encoding"] = "identity"
        with _watching(max(self._ends_at - monotonic(), 0)) as watch:
            try:
                reply = super().send(request, *args, **kwargs)
                body = _read(reply)
            except (requests.RequestException, HTTPError, OSError) as error:
                if watch.is_over:
                    raise requests.Timeout("it took too long") from None
                raise requests.ConnectionError(str(error)) from error
        # A reply that was cut off with its connection may look whole.
        if watch.is_over:
            raise requests.Timeout("it took too long")
        reply.raw = BytesIO(body)
        return reply


def _read(reply: requests.Response) -> bytes:
    body = b""
    with reply.raw as parts:
        for part in parts.stream(_PART, decode_content=True):
            body += part
            if len(body) > BYTES_MAX:
                raise requests.RequestException(f"more than {BYTES_MAX} bytes")
    return body


def bound(session: requests.Session, ends_at: float) -> None:
    """Bound all requests of a session in time and size."""
    for scheme in ("https://", "http://"):
        session.mount(scheme, BoundedAdapter(ends_at))
