"""Pages are opened where somebody sits at a terminal with windows, and nowhere else."""

import os
import pty
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

PAGE = "http://127.0.0.1:1/somewhere"
OPEN = "import sys, time; from headway.cli.browsing import open_page; print(open_page(sys.argv[1])); time.sleep(1)"


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    """A program that notes which page it is to open; where it notes that is beside it."""
    program = tmp_path / "browser"
    program.write_text('#!/bin/sh\necho "$1" > "$0.opened"\n')
    program.chmod(0o700)
    return program


def opened(browser: Path, variables: Mapping[str, str], *, at_terminal: bool) -> tuple[str, bool]:
    """What the command said, and whether the browser was asked for the page."""
    leader, follower = pty.openpty()
    try:
        environment = {"PATH": os.environ["PATH"], "BROWSER": str(browser), **variables}
        done = subprocess.run(
            [sys.executable, "-c", OPEN, PAGE],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=follower if at_terminal else subprocess.DEVNULL,
            check=True,
            text=True,
        )
    finally:
        os.close(leader)
        os.close(follower)
    note = browser.with_name("browser.opened")
    until = time.monotonic() + (20 if done.stdout == "True\n" else 0)
    while not note.exists() and time.monotonic() < until:
        time.sleep(0.05)
    return done.stdout.strip(), note.exists() and note.read_text() == f"{PAGE}\n"


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="there are windows wherever there is a terminal")
def test_a_page_is_opened_where_there_are_windows_and_somebody_to_look_at_them(browser: Path) -> None:
    assert opened(browser, {}, at_terminal=True) == ("False", False)
    assert opened(browser, {"DISPLAY": ":0"}, at_terminal=False) == ("False", False)
    assert opened(browser, {"DISPLAY": ":0"}, at_terminal=True) == ("True", True)
