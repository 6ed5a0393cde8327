"""A command that is forked does what one that is started does, to the letter."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.torture.server import Command, Server, environment
from tests.torture.warm import start

MANIFEST = "id: tiny\ntitle: Ümläut\nmodules: [{id: m, title: M, steps: [{id: s, kind: lessen, title: S}]}]\n"


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (("--version",), ""),
        (("--help",), ""),
        (("nonsense",), ""),
        (("course", "check", "-"), MANIFEST),
        (("course", "check", "-"), "x" * 1_000_000),
        (("erase", "nobody", "--database", "sqlite:///{folder}/none.db"), "y\n"),
        (("doctor", "--database", "postgresql://127.0.0.1:1/x"), ""),
    ],
)
def test_it_says_what_one_says_that_is_started(tmp_path: Path, arguments: tuple[str, ...], given: str) -> None:
    filled = [one.format(folder=tmp_path) for one in arguments]
    forked, started = (Command(*filled, given=given, cold=cold) for cold in (False, True))
    assert without_times(forked) == without_times(started)


def without_times(done: Command) -> tuple[int, list[str], str]:
    return (
        done.code,
        [line for line in done.out.splitlines() if " clock " not in line and " disk " not in line],
        done.err,
    )


def test_each_has_its_own_variables_folder_and_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("course.yaml").write_text(MANIFEST)
    assert "there are opened" not in Command("course", "check", "course.yaml").err
    monkeypatch.setenv("HEADWAY_PORT", "none")
    with Path(os.devnull).open("r+b") as null:
        for variables, code in ((environment(), 0), ({**environment(), "HEADWAY_PORT": "none"}, 2)):
            files = [null.fileno()] * 3
            process = start(["migrate", "--database", f"sqlite:///{tmp_path}/x.db"], variables, files)
            assert os.getpgid(process.pid) == process.pid != os.getpgrp()
            assert process.wait(20) == code


def test_one_that_is_killed_says_so(sqlite_url: str, tmp_path: Path) -> None:
    with Server(sqlite_url, tmp_path) as server:
        assert server.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0)
        server.kill()
        assert server.process.poll() == -signal.SIGKILL
        server.start()
        assert server.stop() == 0
