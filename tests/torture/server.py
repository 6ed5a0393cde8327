"""A real Headway server in processes of its own: started, waited for, stopped, killed, and made to show its logs."""

import contextlib
import http.client
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Thread
from typing import IO, Self

from tests.torture.warm import Forked, start

HEADWAY = str(Path(sys.executable).with_name("headway"))
START_PATIENCE_S = 30.0
STOP_PATIENCE_S = 20.0
LOG_SHOWN_BYTES = 6_000
_LISTENS = re.compile(rb"listens on http://[^:\s]+:(\d+)")


def environment() -> dict[str, str]:
    """This process's variables, with nothing in them that Headway would take for its settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HEADWAY_")}
    # What learners earn would be told among all else that is looked at; it has tests of its own.
    chosen = {"HEADWAY_RATE_LIMITS": "off", "HEADWAY_LOG_LEVEL": "warning", "HEADWAY_SHIPPED_ACHIEVEMENTS": "off"}
    return kept | chosen


class Server:
    """`headway serve` on a database. Within `with` it runs; leaving kills what is left of it.

    A `cold` one is started as an operator does; others are forked, which spares them the second of importing.
    """

    def __init__(self, database: str, folder: Path, *flags: str, cold: bool = False, **variables: str) -> None:
        self.database = database
        self.log = folder / "server.log"
        self.flags = flags
        self.variables = variables
        self.port = 0
        # Workers are started as the process was that starts them; other packages are not imported yet.
        self._is_cold = cold or "--workers" in flags or "PYTHONPATH" in os.environ
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | Forked:
        assert self._process is not None, "the server was never started"
        return self._process

    def spawn(self) -> None:
        """Start the processes, in a group of their own, and wait for nothing. Each start listens on a free port."""
        arguments = ["serve", "--port", "0", "--database", self.database, *self.flags]
        variables = environment() | self.variables
        with self.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
            self._start_of_log = log.tell()
            if self._is_cold:
                self._process = subprocess.Popen(
                    [HEADWAY, *arguments], stdin=nothing, stdout=log, stderr=log, env=variables, start_new_session=True
                )
            else:
                self._process = start(arguments, variables, [nothing.fileno(), log.fileno(), log.fileno()])

    def start(self) -> Self:
        """Start, and wait until it is ready for requests."""
        self.spawn()
        self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        """Wait for /health/ready to say yes; a server that ends instead is an error with its log."""
        until = time.monotonic() + START_PATIENCE_S
        while not self._is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.said()}")
            if time.monotonic() > until:
                raise AssertionError(f"the server is not ready after {START_PATIENCE_S:.0f} s:\n{self.said()}")
            time.sleep(0.01)

    def _is_ready(self) -> bool:
        found = _LISTENS.search(self._log_of_this_start())
        if not found:
            return False
        self.port = int(found[1])
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """Kill all of its processes at once, with no chance to finish anything."""
        self.signal_group(signal.SIGKILL)
        self.process.wait(STOP_PATIENCE_S)

    def terminate(self) -> None:
        """Ask for a graceful stop, and wait for nothing."""
        self.process.terminate()

    def wait(self) -> int:
        """Wait for the end; the exit code."""
        try:
            return self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server does not stop:\n{self.said()}") from None

    def stop(self) -> int:
        """Stop gracefully; the exit code."""
        self.terminate()
        return self.wait()

    def limit_files(self, size: int) -> None:
        """Let no file that it writes grow beyond so many bytes, as a full disk would; -1 lifts it again."""
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (size, hard))

    def signal_group(self, number: int) -> None:
        """Send a signal to all of its processes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def workers(self) -> list[int]:
        """The ids of its worker processes, where it has any beside itself; told by Linux alone."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(one) for one in children if b"spawn_main" in _command_of(one)]

    def said(self) -> str:
        """The end of the log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - LOG_SHOWN_BYTES))
            return log.read().decode(errors="replace")

    def _log_of_this_start(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._start_of_log)
            return log.read(LOG_SHOWN_BYTES)

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.kill()
        sys.stdout.write(self.said())  # pytest shows it where a test failed


def _command_of(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it ended meanwhile
        return b""


class Command:
    """An operator's command that ran to its end: what it printed, and how it ended. For `cold` see `Server`."""

    def __init__(self, *arguments: str, given: str = "", patience_s: float = 60.0, cold: bool = False) -> None:
        run = _run_cold if cold or "PYTHONPATH" in os.environ else _run
        self.code, self.out, self.err = run(arguments, given, patience_s)

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out[-3000:]}\n{self.err[-3000:]}"


def _run_cold(arguments: Sequence[str], given: str, patience_s: float) -> tuple[int, str, str]:
    done = subprocess.run(
        [HEADWAY, *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=patience_s,
        env=environment(),
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def _run(arguments: Sequence[str], given: str, patience_s: float) -> tuple[int, str, str]:
    reading, writing = os.pipe()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = start(arguments, environment(), [reading, out.fileno(), err.fileno()])
        os.close(reading)
        Thread(target=_give, args=(writing, given.encode()), daemon=True).start()
        try:
            code = process.wait(patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return code, _text_of(out), _text_of(err)


def _give(writing: int, given: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(writing, "wb") as pipe:
        pipe.write(given)


def _text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@contextlib.contextmanager
def several(*servers: Server) -> Iterator[None]:
    """Start servers all at once, and wait for each."""
    with contextlib.ExitStack() as stack:
        for one in servers:
            one.spawn()
            stack.enter_context(one)
        for one in servers:
            one.wait_until_ready()
        yield
