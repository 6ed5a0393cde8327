"""A way to a server on which things happen: what passes is told, and any request can be given another fate."""

import http.client
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import pytest

from tests.http.server import Site

HOP = ("connection", "content-length", "date", "server", "transfer-encoding", "host")
PROBLEM = "application/problem+json"


class Fate(NamedTuple):
    """What becomes of a request: an answer of its own, or the server's that is `lost`, or is given `slowly`."""

    status: int = 0
    body: str = ""
    kind: str = PROBLEM
    headers: tuple[tuple[str, str], ...] = ()
    lost: str = ""
    slowly: float = 0.0


def problem(status: int, slug: str, **headers: str) -> Fate:
    """A refusal of Headway's own."""
    said = json.dumps({"type": f"/problems/{slug}", "title": slug, "status": status, "detail": f"it is {slug}"})
    return Fate(status, said, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))


OURS = (("x-request-id", "1"),)
PORTAL = "<html><body><form>Welcome to the hotel's network! Room number?</form></body></html>"
FATES: dict[str, Fate] = {
    "the request is lost": Fate(lost="request"),
    "the answer is lost": Fate(lost="answer"),
    "the answer is cut": Fate(lost="half"),
    "500": problem(500, "internal"),
    "503": problem(503, "busy", retry_after="0"),
    "429": problem(429, "rate-limited", retry_after="0"),
    "502 of a proxy": Fate(502, "<html>Bad gateway</html>", "text/html"),
    "a portal": Fate(200, PORTAL, "text/html"),
    "a portal that claims to be JSON": Fate(200, PORTAL, "application/json"),
    "a portal that leads elsewhere": Fate(302, PORTAL, "text/html", (("location", "http://portal.invalid/"),)),
    "a portal's 401": Fate(401, PORTAL, "text/html"),
    "a portal's 400": Fate(400, PORTAL, "text/html"),
    "nothing": Fate(204),
    "JSON of another": Fate(200, '{"ok": true}', "application/json"),
    "results of others": Fate(200, '{"results": [], "steps": [], "changes": []}', "application/json", OURS),
    "results that are none": Fate(200, '{"results": [1], "steps": [null], "changes": []}', "application/json", OURS),
    "a learner that is none": Fate(200, '{"learner": 1, "token": 2, "results": 3}', "application/json", OURS),
    "a list": Fate(200, "[]", "application/json"),
    "garbage": Fate(200, "\0\1{{{", "application/json"),
    "JSON without end": Fate(200, "[" * 100_000, "application/json"),
    "a strange problem": problem(418, "teapot"),
}


class Trouble:
    """Listens on a port and passes everything on, but for the fates that were told for the next requests."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.fates: deque[Fate] = deque()
        self.asked: list[tuple[str, str, Any, str | None]] = []
        self.always: Fate | None = None
        self.looks_on: Callable[[], None] = lambda: None
        self._listening = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._listening.daemon_threads = True
        self._thread = threading.Thread(target=self._listening.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listening.server_address[1]}"

    def batches(self) -> list[list[str]]:
        """The ids of the events of each request that brought any."""
        return [[one["id"] for one in body["events"]] for _, path, body, _ in self.asked if path.endswith("/events")]

    def fate_of_next(self) -> Fate:
        """What becomes of the request that has just come in."""
        if self.always is not None:
            return self.always
        return self.fates.popleft() if self.fates else Fate()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        trouble = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                sent = self.rfile.read(int(self.headers.get("content-length", 0)))
                body = json.loads(sent) if sent else None
                trouble.asked.append((self.command, self.path, body, self.headers.get("authorization")))
                trouble.looks_on()
                _answer(self, trouble.fate_of_next(), trouble.port, sent)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 - the names that are looked for

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown()
        self._listening.server_close()
        self._thread.join(5)


class Picky(Trouble):
    """Refuses every request with one of some events in it, or with more than so many."""

    def __init__(self, port: int, refusal: Fate, poison: set[str], most: int = 500) -> None:
        super().__init__(port)
        self.refusal, self.poison, self.most = refusal, poison, most

    def fate_of_next(self) -> Fate:
        batch = self.batches()[-1] if self.asked[-1][1].endswith("/events") else []
        return self.refusal if self.poison.intersection(batch) or len(batch) > self.most else Fate()


def _answer(handler: BaseHTTPRequestHandler, fate: Fate, port: int, sent: bytes) -> None:
    if fate.lost == "request":
        handler.close_connection = True
        return
    status, headers, body = fate.status, dict(fate.headers), fate.body.encode()
    if status == 0:
        status, headers, body = _passed_on(handler, port, sent)
    else:
        headers["content-type"] = fate.kind
    if fate.lost == "answer":
        handler.close_connection = True
        return
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    if fate.lost == "half":
        body, handler.close_connection = body[: len(body) // 2], True
    for part in [body[at : at + 1] for at in range(len(body))] if fate.slowly else [body]:
        time.sleep(fate.slowly)
        handler.wfile.write(part)
        handler.wfile.flush()


def _passed_on(handler: BaseHTTPRequestHandler, port: int, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in HOP}
    try:
        connection.request(handler.command, handler.path, sent or None, headers)
        response = connection.getresponse()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in HOP}
        return response.status, kept, response.read()
    finally:
        connection.close()


@pytest.fixture
def trouble(site: Site) -> Iterator[Trouble]:
    """A way to the server on which things happen."""
    with Trouble(site.port) as started:
        yield started
