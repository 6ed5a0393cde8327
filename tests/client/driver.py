"""A program that uses the SDK and can be killed at any of its steps; one that is asked forks for each that is wanted.

A step is a statement of SQLite's that begins, a request that is about to go out or has gone out, and an answer that has
come in. Run as a program, it reads what is asked of it, a line of JSON each, and answers each with how that ended.
"""

import http.client
import json
import os
import signal
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

KILLED = -signal.SIGKILL


class Ended(NamedTuple):
    """How a program ended, which steps it took, which events it meant to record, and which were safe in its outbox."""

    code: int
    steps: tuple[str, ...]
    meant: tuple[str, ...]
    safe: tuple[str, ...]


class Driver:
    """The process that forks programs."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.client.driver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def begin(self, url: str, folder: Path, *, kill_at: int = -1, token: str | None = None, **does: Any) -> None:
        """Start a program.

        `does` may say `events` (how many), `sign_in` (token and learner, after the first two), and `wait_s` to sync.
        """
        asked = {"url": url, "folder": str(folder), "kill_at": kill_at, "token": token, "log": str(self._log), **does}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def end(self) -> Ended:
        """Wait for the end of a program that was begun."""
        assert self._process.stdout is not None
        said = json.loads(self._process.stdout.readline())
        lines = [line.split() for line in Path(said["log"]).read_text().splitlines()]
        words = {name: tuple(line[1] for line in lines if line[0] == name) for name in ("meant", "safe", "step")}
        return Ended(said["code"], words["step"], words["meant"], words["safe"])

    def run(self, url: str, folder: Path, **asked: Any) -> Ended:
        """Start a program, and wait for its end."""
        self.begin(url, folder, **asked)
        return self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class _Steps:
    """Counts the steps of this process, writes them down, and kills it at one of them."""

    def __init__(self, kill_at: int, log: int) -> None:
        self.kill_at, self.log, self.count = kill_at, log, 0

    def note(self, word: str, what: str) -> None:
        os.write(self.log, f"{word} {what}\n".encode())

    def take(self, what: str) -> None:
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1
        self.note("step", what.partition(" ")[0] or "-")

    def watch(self) -> None:
        connect = sqlite3.connect

        def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)
            connection.set_trace_callback(self.take)
            return connection

        sqlite3.connect = watched  # type: ignore[assignment]  # the same, looked on
        http.client.HTTPConnection.request = self._around(  # type: ignore[method-assign]  # the same, looked on
            http.client.HTTPConnection.request
        )
        http.client.HTTPResponse.read = self._around(  # type: ignore[method-assign]  # the same, looked on
            http.client.HTTPResponse.read
        )

    def _around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            self.take("before")
            done = act(*arguments, **options)
            self.take("after")
            return done

        return watched


def _act(asked: dict[str, Any], steps: _Steps) -> None:
    from headway.client import Headway, make_event
    from headway.client.identities import signed_in
    from headway.client.store import Store

    folder = Path(asked["folder"])
    steps.watch()
    send = Headway._sent_now

    def noted(headway: Headway, ids: Sequence[str]) -> Any:
        for one in ids:  # they are in the outbox by now, and nothing of them was sent
            steps.note("safe", one)
        return send(headway, ids)

    Headway._sent_now = noted  # type: ignore[assignment, method-assign]  # the same, looked on
    with Headway(asked["url"], asked["token"], state_folder=folder, background=False) as headway:
        events = [make_event("attempted", "endurance", "step-1", score=0.5) for _ in range(asked.get("events", 0))]
        for event in events:
            steps.note("meant", event["id"])
        for start in range(0, len(events), 2):
            headway.record(*events[start : start + 2])
            if asked.get("sign_in"):
                token, learner = asked.pop("sign_in")
                with Store(folder).writing() as connection:
                    signed_in(connection, asked["url"], token, learner, None)
        if "wait_s" in asked:
            headway.sync(asked["wait_s"])


def _serve() -> None:
    """Fork for each line that is read; the answers come in the order in which the programs end."""
    import headway.client.sending  # noqa: F401 - imported once for all

    running: dict[int, str] = {}
    number = 0
    for line in sys.stdin:
        asked, number = json.loads(line), number + 1
        log = f"{asked['log']}.{number}"
        pid = os.fork()
        if pid == 0:
            _become(asked, log)
        running[pid] = log
        if not asked.get("beside"):
            while running:
                ended, status = os.wait()
                said = {"code": os.waitstatus_to_exitcode(status), "log": running.pop(ended)}
                sys.stdout.write(json.dumps(said) + "\n")
                sys.stdout.flush()


def _become(asked: dict[str, Any], log: str) -> None:
    code = 1
    try:
        _act(asked, _Steps(asked["kill_at"], os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)))
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


if __name__ == "__main__":
    _serve()
