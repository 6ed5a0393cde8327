"""A receiver of webhooks, which takes, fails, hangs or sends elsewhere, as a test has it."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Received(NamedTuple):
    """A message as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def said(self) -> Any:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        found: str = self.said["type"]
        return found

    @property
    def learner(self) -> str:
        found: str = self.said["data"]["learner"]["id"]
        return found


class Receiver:
    """What came, in order; `answer` gives the status of each, and may raise, wait, or name another place."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hook?a=b"
        self.came: list[Received] = []
        self.taken: list[Received] = []
        self.answer: Callable[[Received], int | str] = lambda _: 204
        self.changed = threading.Condition()

    def wait(self, is_so: Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something is so of what came."""
        with self.changed:
            assert self.changed.wait_for(is_so, seconds), [(one.type, one.learner) for one in self.taken]


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    """Receive on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            one = Received({name.lower(): value for name, value in self.headers.items()}, body)
            with receiver.changed:
                receiver.came.append(one)
                receiver.changed.notify_all()
            answer = receiver.answer(one)
            with receiver.changed:
                if answer in (200, 204):
                    receiver.taken.append(one)
                receiver.changed.notify_all()
            self.send_response(302 if isinstance(answer, str) else answer)
            if isinstance(answer, str):
                self.send_header("location", answer)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server((host, 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
