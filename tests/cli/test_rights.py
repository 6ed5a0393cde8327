"""Folders and files that whoever runs a command may not write: told with what to do, and nothing is changed."""

import subprocess
from pathlib import Path

import pytest

from tests.confined import run_confined
from tests.torture.server import HEADWAY, Command


def confined(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command of somebody who may write only where the files say so."""
    return run_confined(HEADWAY, *arguments, **more)


@pytest.fixture
def shut(tmp_path: Path) -> Path:
    folder = tmp_path / "shut"
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def test_a_folder_that_may_not_be_written_is_told(shut: Path) -> None:
    for command in (["migrate"], ["serve", "--port", "0"]):
        done = confined(*command, "--database", f"sqlite:///{shut}/x.db")
        assert (done.returncode, done.stdout) == (1, ""), done.stderr
        assert "Permission denied; give the user who runs this the right to it" in done.stderr
    assert list(shut.iterdir()) == []


def test_doctor_finds_what_may_not_be_written(shut: Path, tmp_path: Path) -> None:
    for where in (shut / "x.db", shut / "to" / "be" / "made.db"):
        done = confined("doctor", "--database", f"sqlite:///{where}")
        assert done.returncode == 1
        assert f"WRONG  access                 none to {shut}\n" in done.stdout
    for mode in (0o000, 0o400):
        shut.chmod(mode)
        done = confined("doctor", "--database", f"sqlite:///{shut}/x.db")
        assert f"WRONG  access                 none to {shut}\n" in done.stdout, mode
    shut.chmod(0o500)
    url = f"sqlite:///{tmp_path}/x.db"
    assert Command("migrate", "--database", url).code == 0
    assert "ok     access                 to read and to write\n" in confined("doctor", "--database", url).stdout
    (shut.parent / "leads").mkdir()
    (shut.parent / "leads" / "x.db").symlink_to(tmp_path / "x.db")
    (shut.parent / "leads").chmod(0o500)
    led = confined("doctor", "--database", f"sqlite:///{shut.parent}/leads/x.db")
    assert "ok     access                 to read and to write\n" in led.stdout
    (tmp_path / "x.db").chmod(0o400)
    assert f"WRONG  access                 none to {tmp_path}/x.db\n" in confined("doctor", "--database", url).stdout


def test_nobody_is_asked_to_let_a_device_in_that_cannot_keep_the_token(shut: Path) -> None:
    # Nothing listens there: whoever asked it before looking at the folder would say so.
    done = confined("login", "--server", "http://127.0.0.1:1", HEADWAY_STATE_FOLDER=str(shut / "state"))
    assert done.returncode == 1
    assert done.stderr.startswith(f"headway: you cannot be signed in: {shut}/state: Permission denied; let this user")
