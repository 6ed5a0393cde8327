"""Tests live in a throw-away home, and what takes a default database or file of settings in there fails."""

import os
import pwd
from pathlib import Path

from headway.settings import data_folder
from tests.home import DEFAULT_FOLDERS, move_in
from tests.torture.server import Command

FAILED = 1


def test_no_test_runs_in_the_home_of_who_runs_it() -> None:
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert Path.home() != own
    assert data_folder().is_relative_to(Path.home())
    assert not [name for name in os.environ if name.startswith("HEADWAY_")]


def test_a_test_that_names_no_database_fails() -> None:
    assert data_folder().is_file()
    done = Command("migrate")
    assert (done.code, str(data_folder()) in done.err) == (FAILED, True), str(done)


def test_nothing_of_the_home_before_is_read_or_written_but_what_npm_and_pip_keep(tmp_path: Path) -> None:
    before, home = tmp_path / "before", tmp_path / "home"
    for name in (*DEFAULT_FOLDERS, ".npm", "documents"):
        (before / name).mkdir(parents=True)
    home.mkdir()
    own = {"XDG_DATA_HOME": str(before), "XDG_CONFIG_HOME": str(before), "HEADWAY_CONFIG": str(before / "x.toml")}
    variables = {"HOME": str(before), "PATH": "/bin", **own}
    move_in(home, variables)
    assert variables == {"HOME": str(home), "PATH": "/bin"}
    assert (home / ".npm").resolve() == before / ".npm"
    assert [(home / name).is_file() for name in DEFAULT_FOLDERS] == [True] * len(DEFAULT_FOLDERS)
    assert not (home / "documents").exists()
