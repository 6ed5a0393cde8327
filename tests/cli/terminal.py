"""A learner's terminal: commands run in this process, in a folder and with a state of their own."""

import gc
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import structlog

from headway.cli.app import main

_LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")


class Terminal:
    """Runs `headway`; what it printed is kept until the next command."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capfd = folder, monkeypatch, capfd
        self.out = self.err = ""
        monkeypatch.setenv("HEADWAY_STATE_FOLDER", str(folder / "state"))
        self.go(folder)

    def go(self, folder: Path) -> None:
        """Go into a folder."""
        self._monkeypatch.chdir(folder)

    def set(self, name: str, value: str | None) -> None:
        """Set a variable, or take it away."""
        if value is None:
            self._monkeypatch.delenv(name, raising=False)
        else:
            self._monkeypatch.setenv(name, value)

    def run(self, *arguments: str, given: str = "") -> int:
        """Run a command; its exit code."""
        self._capfd.readouterr()
        self._monkeypatch.setattr(sys, "argv", ["headway", *arguments])
        self._monkeypatch.setattr(
            sys, "stdin", io.TextIOWrapper(io.BytesIO(given.encode(errors="surrogateescape")), "utf-8")
        )
        threshold = gc.get_threshold()
        with pytest.raises(SystemExit) as ended:
            main()
        # Commands set the process up as if it were theirs.
        structlog.reset_defaults()
        gc.set_threshold(*threshold)
        printed = self._capfd.readouterr()
        # The server of the test is in this process as well, and logs there, at times behind the command before.
        self.out = "".join(line for line in printed.out.splitlines(keepends=True) if not _LOGGED.match(line))
        self.err = printed.err
        code = ended.value.code
        return code if isinstance(code, int) else 0

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints as JSON; it must end so."""
        assert self.run(*arguments, "--json") == code, self.err
        return json.loads(self.out)
