"""HTTP to one server; an answer that is not Headway's, such as a captive portal's page, raises Unreachable.

Uses the standard library alone: it is imported in a third of the time of the usual clients, and has all that is needed
here. No redirect is followed, so that a token goes to no other server.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

from headway import __version__
from headway.client.errors import (
    AddressInvalid,
    AskLater,
    Refused,
    SignInNeeded,
    TokenUnknown,
    Unanswered,
    Unreachable,
)

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse
    from socket import socket

CONNECT_S: Final = 10.0
# Seconds without data until a stream is given up: streams pause at times, and an audit takes long.
PART_S: Final = 600.0
BYTES_MAX: Final = 32 * 1024 * 1024
RETRY_AFTER_S: Final = 5.0
RETRY_AFTER_MAX_S: Final = 3_600.0
_PART: Final = 65_536
_NUMBER: Final = "x-request-id"
_BOTH_WAYS: Final = 2
_PORTS: Final = {"http": 80, "https": 443}


class Reply(NamedTuple):
    """An answer of Headway's: its status, its JSON, its headers (names in lower case)."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def slug(self) -> str:
        """The last part of the problem's type; empty if the answer is not a problem."""
        kind = self.body.get("type") if isinstance(self.body, dict) else None
        return kind.rpartition("/")[2] if isinstance(kind, str) else ""

    @property
    def detail(self) -> str:
        """The problem's detail or title, or else the status."""
        told = (self.body.get("detail") or self.body.get("title")) if isinstance(self.body, dict) else None
        return str(told or f"the server answered {self.status}")


class Request(NamedTuple):
    """A request of any kind: `path` is below the server's address, such as `/api/v1/progress`; `body` is JSON."""

    method: str
    path: str
    body: bytes | None = None


class Stream:
    """An answer of Headway's as it comes: its status, its headers, its bytes."""

    def __init__(self, response: "HTTPResponse", url: str) -> None:
        self._response = response
        self._url = url
        self.status = response.status
        self.headers = _headers(response)
        self.kind = _kind(self.headers)

    @property
    def cookies(self) -> list[str]:
        """The cookies that it sets, each as `name=value`."""
        return [one.partition(";")[0] for one in self._response.headers.get_all("set-cookie", [])]

    @property
    def is_empty(self) -> bool:
        """Whether the answer has no body by its status, 204 or 304."""
        return self.status in (204, 304)

    def parts(self) -> Iterator[bytes]:
        """The answer's bytes, each part as soon as it arrives; Unreachable if they break off."""
        while part := self._part():
            yield part

    def _part(self) -> bytes:
        from http.client import HTTPException  # noqa: PLC0415  # as below

        try:
            part = self._response.read1(_PART)
        except (OSError, HTTPException, ValueError) as error:
            raise Unreachable(f"{self._url} broke off its answer: {_told(error)}") from None
        # http.client takes the end of a connection for the end of the answer.
        if not part and self._response.length:
            raise Unreachable(f"{self._url} broke off its answer")
        return part


class Transport:
    """Asks one server; each request is over within `timeout_s` seconds, however slowly the answer comes."""

    def __init__(self, url: str, timeout_s: float = 30.0) -> None:
        self.url = normalized(url)
        self.timeout_s = timeout_s
        self._idle: list[HTTPConnection] = []

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None, etag: str | None = None
    ) -> Reply:
        """Send a request below the API's base path; returns Headway's answer, of any status, or Unreachable."""
        headers = {"Accept": "application/json", "User-Agent": f"headway/{__version__}"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"If-None-Match": etag} if etag else {}
        sent = None if body is None else json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
        headers |= {"Content-Type": "application/json"} if sent is not None else {}
        with suppress(IndexError):
            connection = self._idle.pop()
            with suppress(_Closed):
                return self._exchanged(connection, (method, path, sent, headers))
        try:
            return self._exchanged(self._connection(), (method, path, sent, headers))
        except _Closed as error:
            raise Unanswered(f"{self.url} closed the connection: {error}") from None

    def within(self, timeout_s: float) -> "Transport":
        """A transport that shares these connections and has a shorter time limit."""
        other = Transport(self.url, min(self.timeout_s, timeout_s))
        other._idle = self._idle
        return other

    def get(self, path: str, *, token: str | None = None, etag: str | None = None) -> Reply:
        """The answer to a GET, also 304 where `etag` still holds; an error for a refusal."""
        reply = accepted(self.ask("GET", path, token=token, etag=etag))
        if reply.body is None and (reply.status != 304 or etag is None):
            raise _foreign(self.url, reply.status)  # a GET is answered with a body, or with 304 for an etag
        return reply

    @contextmanager
    def stream(self, request: Request, headers: Mapping[str, str]) -> Iterator[Stream]:
        """Send a request and yield Headway's answer, of any size; each part of it may take ten minutes."""
        from http.client import HTTPException  # noqa: PLC0415  # as above

        sent = {"User-Agent": f"headway/{__version__}", **headers}
        sent |= {"Content-Type": "application/json"} if request.body is not None else {}
        connection = self._connection()
        try:
            try:
                connection.connect()
                connection.sock.settimeout(PART_S)
                connection.request(request.method, urlsplit(self.url).path + request.path, request.body, sent)
                response = connection.getresponse()
            except (OSError, HTTPException, ValueError) as error:
                raise Unreachable(f"{self.url} cannot be reached: {_told(error)}") from None
            with response:  # if the server closes after its answer, closing the connection leaves that open
                if response.getheader(_NUMBER) is None:
                    raise _foreign(self.url, response.status)
                yield Stream(response, self.url)
        finally:
            connection.close()

    def close(self) -> None:
        """Close what is open; the next request opens another connection."""
        while self._idle:
            self._idle.pop().close()

    def _connection(self) -> "HTTPConnection":
        from http.client import HTTPConnection, HTTPSConnection  # noqa: PLC0415  # answers from the cache need none

        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme == "http":
            return HTTPConnection(host, port, timeout=CONNECT_S)
        proxy = _proxy(host)
        connection = HTTPSConnection(*(proxy or (host, port)), timeout=CONNECT_S)
        if proxy is not None:
            connection.set_tunnel(host, port)
        return connection

    def _connect(self, connection: "HTTPConnection") -> None:
        from http.client import HTTPException  # noqa: PLC0415  # as above

        if connection.sock is not None:
            return
        try:
            connection.connect()
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            raise Unanswered(f"{self.url} cannot be reached: {_told(error)}") from None

    def _exchanged(self, connection: "HTTPConnection", request: tuple[str, str, bytes | None, dict[str, str]]) -> Reply:
        from http.client import HTTPException, RemoteDisconnected  # noqa: PLC0415  # as above

        method, path, sent, headers = request
        self._connect(connection)
        try:
            connection.sock.settimeout(self.timeout_s)
            with _Deadline(connection.sock, self.timeout_s) as deadline:
                with suppress(BrokenPipeError, ConnectionResetError):  # it may answer before it has read everything
                    connection.request(method, f"{urlsplit(self.url).path}/api/v1{path}", sent, headers)
                response = connection.getresponse()
                raw = _read(response, deadline)
        except (RemoteDisconnected, ConnectionResetError) as error:
            connection.close()
            raise _Closed(str(error)) from None
        except (OSError, HTTPException, ValueError) as error:
            connection.close()
            raise Unreachable(f"{self.url} cannot be reached: {_told(error)}") from None
        if response.will_close:
            connection.close()
        else:
            self._idle.append(connection)
        return self._read_as_ours(response, raw)

    def _read_as_ours(self, response: "HTTPResponse", raw: bytes) -> Reply:
        headers = _headers(response)
        if response.status in (204, 304) and _NUMBER in headers:
            return Reply(response.status, None, headers)
        try:
            body = json.loads(raw) if _kind(headers) in ("application/json", "application/problem+json") else None
        except (ValueError, RecursionError):
            body = None
        reply = Reply(response.status, body, headers)
        if not _is_ours(reply):
            foreign = _foreign(self.url, response.status)
            # A proxy before the server may set limits, or be down for maintenance, as well.
            if response.status in (429, 503) and "retry-after" in headers:
                raise AskLater(foreign.detail, retry_after_s(reply))
            raise foreign
        return reply


class _Closed(Exception):
    """The connection ended before the answer began."""


class _Foreign(Unanswered):
    """An answer that is not from a Headway server."""

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status


def _foreign(url: str, status: int) -> _Foreign:
    return _Foreign(f"{url} answers {status}, but not as a Headway server does", status)


def is_too_large(error: Unreachable) -> bool:
    """Whether something on the way, such as a proxy, found the request too large."""
    return isinstance(error, _Foreign) and error.status == 413


class _Deadline:
    """Cuts a connection when its time is over: a socket's own time limit begins anew with each byte that arrives."""

    def __init__(self, connected: "socket", seconds: float) -> None:
        import threading  # noqa: PLC0415  # as above
        from socket import socket as named  # noqa: PLC0415  # as above

        # A duplicate of the descriptor: shutting that down bypasses the TLS layer.
        self._socket = named(fileno=os.dup(connected.fileno()))
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self.is_over = False

    def _cut(self) -> None:
        self.is_over = True
        with suppress(OSError):  # closed from there already
            self._socket.shutdown(_BOTH_WAYS)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._timer.cancel()
        self._socket.close()
        if self.is_over:
            raise TimeoutError("it takes too long to answer")


def accepted(reply: Reply) -> Reply:
    """The reply; if it is a refusal, raise the error for it instead."""
    if reply.status < 300 or reply.status == 304:
        return reply
    if reply.status == 401:
        raise TokenUnknown(_said_once(reply))
    if reply.slug == "insufficient-scope":
        raise SignInNeeded(_said_once(reply))
    if reply.status in (429, 503):
        raise AskLater(reply.detail, retry_after_s(reply))
    if reply.status >= 500:
        raise Unreachable(reply.detail)
    raise Refused(reply.detail, reply.status, reply.slug)


def _said_once(reply: Reply) -> str:
    """The server's detail, with the advice to sign in where it gives none of its own."""
    advises = "sign in" in reply.detail or reply.slug == "insufficient-scope"
    return reply.detail if advises else f"{reply.detail}; sign in again"


def retry_after_s(reply: Reply) -> float:
    """The seconds for which the server asks to be left alone (`Retry-After`, seconds or a date), an hour at most."""
    said = reply.headers.get("retry-after", "")
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), RETRY_AFTER_MAX_S)
    from datetime import UTC, datetime  # noqa: PLC0415  # a date is rare
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # as above

    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return RETRY_AFTER_S
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - datetime.now(UTC)).total_seconds()), RETRY_AFTER_MAX_S)


def normalized(url: str) -> str:
    """A server's address without a trailing slash or `/api/v1`; AddressInvalid if it is not an address."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise AddressInvalid(f"{url!r} is no address; write one such as https://learn.example.org") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise AddressInvalid(f"{url!r} is no address of a server; write one such as https://learn.example.org")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = f":{port}" if port not in (None, _PORTS[parts.scheme]) else ""
    return f"{parts.scheme}://{host}{shown}{parts.path.rstrip('/').removesuffix('/api/v1')}"


def _headers(response: "HTTPResponse") -> dict[str, str]:
    return {name.lower(): value for name, value in response.getheaders()}


def _kind(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_ours(reply: Reply) -> bool:
    """Whether an answer is Headway's: a success carries a request number, a refusal is one of Headway's problems."""
    if not isinstance(reply.body, dict) or 300 <= reply.status < 400:
        return False
    if reply.status < 300:
        return _NUMBER in reply.headers
    return str(reply.body.get("type", "")).startswith("/problems/")


def _read(response: "HTTPResponse", deadline: _Deadline) -> bytes:
    held = bytearray()
    while (part := response.read(_PART)) and not deadline.is_over:
        held += part
        if len(held) > BYTES_MAX:
            raise ValueError("the answer has no end")
    return bytes(held)


def _told(error: Exception) -> str:
    if getattr(error, "reason", None) == "WRONG_VERSION_NUMBER":  # OpenSSL's word for an answer that is no TLS
        return "nobody speaks HTTPS there; is its address http://…?"
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _proxy(host: str) -> tuple[str, int] | None:
    """The proxy that HTTPS_PROXY names, unless NO_PROXY exempts the host."""
    if not any(name.lower() == "https_proxy" for name in os.environ):
        return None
    from urllib.request import getproxies, proxy_bypass  # noqa: PLC0415  # rarely needed

    named = getproxies().get("https", "")
    if not named or proxy_bypass(host):
        return None
    parts = urlsplit(named if "://" in named else f"http://{named}")
    return (parts.hostname, parts.port or 8080) if parts.hostname else None
