"""The editor's outbox without an editor, in processes of its own that can be killed: see web/vscode/test/driver.ts."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.house.tree import ROOT
from tests.npm import tool

PATIENCE_S = 60
# Writes beyond the limit are refused, and not answered by a signal.
FULL_DISK = ("sh", "-c", 'trap "" XFSZ; ulimit -f 0; exec "$0" "$@"')


class Ended(NamedTuple):
    """What a process told before it ended, and how it ended."""

    code: int
    lines: list[str]

    def told(self, kind: str) -> list[str]:
        """All that it said of one kind."""
        return [line[len(kind) + 1 :] for line in self.lines if line.startswith(f"{kind} ")]

    @property
    def left(self) -> dict[str, Any]:
        """What was left in the outbox at its end."""
        (found,) = self.lefts
        return found

    @property
    def lefts(self) -> list[dict[str, Any]]:
        """The same, of each folder in turn."""
        return [json.loads(said) for said in self.told("left")]


@cache
def node() -> str:
    """Node itself: what a wheel puts on the path is a program that starts it, and would be killed in its place."""
    asked = [tool("node"), "-p", "process.execPath"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


class PagesNotBuilt(Exception):
    """The web pages could not be built: npm cannot install what they need, as a rule."""


def built(folder: Path) -> Path:
    """The driver, built into a folder. One process for all builds the pages before: that installs what both need."""
    build = [tool("npm"), "exec", "--workspace", "headway", "--", "vite", "build", "--mode", "driver"]
    path = os.pathsep.join([str(Path(tool("node")).parent), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, "HEADWAY_DRIVER": str(folder)}
    with (ROOT / "web/package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for command in ([sys.executable, str(ROOT / "hatch_build.py")], build):
            done = subprocess.run(command, cwd=ROOT / "web", env=variables, capture_output=True, text=True, check=False)
            said = (done.stdout + done.stderr).strip()[-300:]
            if done.returncode and command is not build:
                raise PagesNotBuilt(said)
            assert done.returncode == 0, said
    return folder / "driver.cjs"


class Driver:
    """Starts processes of the built driver on folders of their own."""

    def __init__(self, script: Path, url: str) -> None:
        self.script, self.url = script, url

    def begin(self, folder: Path, *, is_full: bool = False, **job: Any) -> "subprocess.Popen[str]":
        """Start a process; where the disk `is_full` it can write no byte to any file."""
        folder.mkdir(parents=True, exist_ok=True)
        asked = {"url": self.url, "folder": str(folder), **job}
        return subprocess.Popen(
            [*(FULL_DISK if is_full else ()), node(), str(self.script), json.dumps(asked)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"},
        )

    def run(self, folder: Path, **job: Any) -> Ended:
        """Run one to its end."""
        return end(self.begin(folder, **job))


def end(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a process's end."""
    said, _ = process.communicate(timeout=PATIENCE_S)
    ended = Ended(process.returncode, said.splitlines())
    assert ended.code in (0, -signal.SIGKILL), said
    return ended
