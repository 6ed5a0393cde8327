"""A started server in this process: uvicorn in a thread, on a port of its own, over a database of the test's."""

import asyncio
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import uvicorn
from litestar import Litestar

from headway.http.app import create_app
from headway.http.proxies import proxy_options
from headway.http.stopping import PROTOCOL
from headway.ledger import accounts
from headway.ledger.publish import publish
from headway.settings import Settings
from headway.store.database import Database

PASSWORD = "correct horse battery"
# A client that is given none reads all the world's certificates, which takes longer than most tests; this one has none.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_TURNS = 3
"""How often the loop goes round until a closed connection is counted out; uvicorn waits a tenth of a second for it."""
COURSE: dict[str, Any] = {
    "id": "python-basics",
    "title": "Python basics",
    "modules": [
        {
            "id": "loops",
            "title": "Loops",
            "steps": [
                {"id": "for-1", "kind": "lesson", "title": "For loops", "topics": ["loops"]},
                {"id": "fizz", "kind": "exercise", "title": "FizzBuzz", "topics": ["loops"]},
                {
                    "id": "quiz",
                    "kind": "quiz",
                    "title": "Ranges",
                    "prompt": "What does range(3) give?",
                    "grader": {
                        "type": "choice",
                        "options": {"a": "0 1 2", "b": "1 2 3"},
                        "answer": "a",
                        "when_right": "Right: it starts at 0.",
                    },
                },
            ],
        }
    ],
}


class Site:
    """A running server and the database under it."""

    def __init__(self, port: int, database: Database) -> None:
        self.port = port
        self.database = database
        self._clients: list[httpx2.Client] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str | None = None, **headers: str) -> httpx2.Client:
        """A client with cookies of its own."""
        sent = {**headers, "authorization": f"Bearer {token}"} if token else headers
        client = httpx2.Client(base_url=f"{self.url}/api/v1", headers=sent, timeout=30, verify=NO_TLS)
        self._clients.append(client)
        return client

    def close(self) -> None:
        """Close the clients and the database's connections."""
        for client in self._clients:
            client.close()
        self.database.close()

    def publish(self, manifest: dict[str, Any] = COURSE) -> None:
        """Put a course in force, as the operator does."""
        publish(self.database, manifest, now=time.time_ns() // 1000)

    def person(self, email: str, role: str | None = None) -> httpx2.Client:
        """A client that is signed in to a new account, with a role where one is named."""
        if role is not None:
            accounts.empower(self.database, email, PASSWORD, role, now=time.time_ns() // 1000)
        client = self.client()
        path = "register" if role is None else "login"
        reply = client.post(f"/auth/{path}", json={"email": email, "password": PASSWORD})
        assert reply.is_success, reply.text
        return client

    def guest(self) -> httpx2.Client:
        """A client with the token of a new guest."""
        with self.client() as client:
            return self.client(client.post("/auth/guest").json()["token"])


class Stoppable(uvicorn.Server):
    """Stops as soon as it is told to and all is answered: uvicorn itself looks ten times a second."""

    _told: asyncio.Event
    _loop: asyncio.AbstractEventLoop

    def stop(self) -> None:
        """Tell it to stop, from another thread."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        """Wait for the word, with uvicorn's own ticks meanwhile: they set the date of replies."""
        self._told, self._loop = asyncio.Event(), asyncio.get_running_loop()
        for counter in itertools.count():
            if await self.on_tick(counter):
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, answer what was taken, and let the application end."""
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await self._wait_tasks_to_complete()
        await self.lifespan.shutdown()


@contextmanager
def serving(url: str, routes: Litestar | None = None, **settings: Any) -> Iterator[Site]:
    """Serve a database, by other routes than Headway's where they are given."""
    # What learners earn would be told among all else that is looked at: tests of that define it, or ask for it.
    chosen: dict[str, Any] = {"rate_limits": False, "shipped_achievements": False} | settings
    known = Settings(database_url=url, **chosen)
    app = create_app(known, routes)
    options: dict[str, Any] = {"log_level": "warning", "access_log": False, "loop": "uvloop", "http": PROTOCOL}
    server = Stoppable(uvicorn.Config(app, **options, **proxy_options(known)))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        _wait_until(lambda: server.started or not thread.is_alive())
        assert server.started, "the server did not start"
        site = Site(port, Database(url))
        try:
            yield site
        finally:
            site.close()
            server.stop()
            thread.join(20)
            assert not thread.is_alive(), "the server did not stop"


def _wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until, "waited for too long"
        time.sleep(0.005)
