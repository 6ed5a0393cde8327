"""Processes of `headway` without the second that importing it takes: they are forked from one that has done so.

Each is a process of its own all the same: it has its arguments, variables, files and end, and can be killed. Run as a
program, this module is the process that forks; it lives as long as whoever started it keeps its standard input open.
"""

import atexit
import gc
import json
import os
import pkgutil
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

# What is imported only once it is needed, by Headway or by what it stands on.
LATE: Final = (
    "alembic.command",
    "rich.console",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.supervisors",
    "zxcvbn.frequency_lists",
)
READY: Final = b"ready\n"


class Forked:
    """A process that was forked, in as far as it is used like one of `subprocess`."""

    def __init__(self, socket_path: str, asked: Mapping[str, Any], files: Sequence[int]) -> None:
        self.returncode: int | None = None
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(socket_path)
        socket.send_fds(self._connection, [b"\0"], files)
        self._connection.sendall(json.dumps(asked).encode() + b"\n")
        self._told = self._connection.makefile("rb", buffering=0)
        self.pid = int(self._told.readline())

    def poll(self) -> int | None:
        """How it ended, if it did."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; subprocess's TimeoutExpired where that does not come in so many seconds."""
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("headway", timeout or 0)
            self.returncode = int(self._told.readline())
            self._told.close()
            self._connection.close()
        return self.returncode

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)


def start(arguments: Sequence[str], variables: Mapping[str, str], files: Sequence[int]) -> Forked:
    """Start `headway` with arguments and variables, in a group of its own; `files`: its standard input and outputs."""
    asked = {"arguments": arguments, "variables": dict(variables), "folder": str(Path.cwd())}
    return Forked(_source(), asked, files)


@cache
def _source() -> str:
    """Where the process listens that forks this process's; it is started at the first call."""
    path = str(Path(tempfile.mkdtemp(prefix="headway-warm-")) / "socket")
    command = [sys.executable, __file__, path]
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    atexit.register(started.communicate)  # which closes its standard input
    assert started.stdout is not None
    assert started.stdout.readline() == READY
    return path


def fork_when_asked(path: str) -> None:
    """Fork whenever somebody connects; this comes back in the forked processes alone, which are to be `headway`."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait for the forked
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        os.write(1, READY)
        while True:
            if 0 in select.select([0, listening.fileno()], [], [])[0]:
                shutil.rmtree(Path(path).parent)
                os._exit(0)
            connection, _ = listening.accept()
            if os.fork() == 0:
                break
            connection.close()
    _keep(connection)


def _keep(connection: socket.socket) -> None:
    """Fork once more, and tell of the end of that process whoever asked for it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb", buffering=0) as sent:
        asked = json.loads(sent.readline())
    pid = os.fork()
    if pid == 0:
        _become(asked, files)
        connection.sendall(b"%d\n" % os.getpid())  # not earlier: it may be killed by its group from now on
        connection.close()
        return
    for one in files:
        os.close(one)
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):  # whoever asked may have gone
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(asked: Mapping[str, Any], files: Sequence[int]) -> None:
    os.setsid()
    for number, one in enumerate(files):
        os.dup2(one, number)
        os.close(one)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["variables"])
    time.tzset()
    sys.argv = ["headway", *asked["arguments"]]
    sys.stdin = _opened(0, "r", sys.stdin)
    sys.stdout = _opened(1, "w", sys.stdout)
    sys.stderr = _opened(2, "w", sys.stderr)


def _opened(number: int, mode: str, like: Any) -> Any:
    buffering = 1 if number == 2 else -1
    return open(number, mode, buffering, like.encoding, like.errors, closefd=False)


def _import_all() -> None:
    import headway
    from headway.http import app

    for module in pkgutil.walk_packages(headway.__path__, "headway."):
        # What runs when it is imported is left out.
        if ".migrations" not in module.name and not module.name.endswith(".__main__"):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    app.all_routes()  # made once a process, and here for all that are forked
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _import_all()
    fork_when_asked(sys.argv[1])
    from headway.cli.app import main

    main()
