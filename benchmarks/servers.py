"""Servers under measurement: each a process of its own, started, waited for and stopped."""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter, sleep
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[1]
START_PATIENCE_S = 30.0
STOP_PATIENCE_S = 30.0
LOG_SHOWN = 2_000


class Broken(Exception):
    """A command or a server did not do what it should; the measurement is void."""


class Server:
    """A server process on a port of this machine; as a context it is stopped at the end."""

    def __init__(self, command: Sequence[str], port: int, log: Path, env: Mapping[str, str] | None = None) -> None:
        self.port = port
        self.log = log
        with log.open("wb") as out:
            started = perf_counter()
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **(env or {})}, stdout=out, stderr=subprocess.STDOUT
            )
        self.ready_s = self._wait_until_ready(started)

    def _wait_until_ready(self, started: float) -> float:
        while not _is_ready(self.port):
            if self.process.poll() is not None:
                raise Broken(f"{self._command()} stopped with {self.process.returncode}:\n{self._said()}")
            if perf_counter() - started > START_PATIENCE_S:
                self.stop()
                raise Broken(f"{self._command()} was not ready within {START_PATIENCE_S:.0f} s:\n{self._said()}")
            sleep(0.01)
        return perf_counter() - started

    def _command(self) -> str:
        return " ".join(map(str, self.process.args)) if isinstance(self.process.args, list) else "the server"

    def _said(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_SHOWN:]

    def resident_mb(self) -> float:
        """The resident memory of its largest process: of a worker, where workers are processes of their own."""
        return max(map(_resident_mb, _family(self.process.pid)))

    def cpu_s(self) -> float:
        """The seconds of processor that its processes have had."""
        return family_cpu_s(self.process.pid)

    def stop(self) -> None:
        """Ask it to stop, and make it stop where it does not."""
        self.process.terminate()
        try:
            self.process.wait(STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def uvicorn_command(app: str, port: int, *options: str) -> list[str]:
    """One worker of uvicorn as it is fastest: uvloop, httptools, no access log."""
    return [
        sys.executable,
        "-m",
        "uvicorn",
        app,
        "--port",
        str(port),
        "--loop",
        "uvloop",
        "--http",
        "httptools",
        "--no-access-log",
        "--log-level",
        "warning",
        *options,
    ]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def family_cpu_s(pid: int) -> float:
    """The seconds of processor that a process and all below it have had."""
    return sum(map(_cpu_s, _family(pid)))


def _family(pid: int) -> list[int]:
    """A process and all below it, where the system tells (Linux)."""
    parents = {int(path.parent.name): int((_stat(path) or ["", "0"])[1]) for path in Path("/proc").glob("[0-9]*/stat")}
    family = [pid]
    for member in family:  # grows while it is walked
        family.extend(child for child, parent in parents.items() if parent == member)
    return family


def _stat(path: Path) -> list[str]:
    """What `/proc/PID/stat` says from the state on; nothing of a process that is gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu_s(pid: int) -> float:
    said = _stat(Path(f"/proc/{pid}/stat"))
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK") if said else float("nan")


def _resident_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return float("nan")
    kilobytes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(kilobytes[0]) / 1024 if kilobytes else float("nan")
