"""`headway course import exercism`: to standard output or a file, with the line of all that is to be said."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.importers.tracks import practicing, teaching, track
from tests.torture.server import Command

TRACK = track(teaching("hello", "basics"), practicing("bob", needs=("basics", "zzz")), practicing("old", status="wip"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A track's folder."""
    (tmp_path / "config.json").write_text(json.dumps(TRACK, indent=1))
    return tmp_path


def done(*arguments: str | Path, code: int = 0, given: str = "") -> Command:
    """What `headway course` ended with."""
    ended = Command("course", *map(str, arguments), given=given)
    assert ended.code == code, str(ended)
    return ended


def test_what_is_printed_is_right_and_what_is_to_be_said_has_its_line(folder: Path) -> None:
    made = done("import", "exercism", folder, "--id", "my-lisp")
    line = (folder / "config.json").read_text().splitlines().index('     "zzz"') + 1
    said = "'zzz', which 'bob' requires, is taught by no exercise, and is none of the track's concepts"
    assert made.err.splitlines() == [
        f"{folder}/config.json:{line}: exercises.practice[0].prerequisites[1] {said}",
        "headway: course my-lisp: 1 module, 2 steps",
        "headway: left out as wip: 1 exercise",
    ]
    assert "is right: course my-lisp, 1 module, 2 steps" in done("check", "-", given=made.out).out
    told = json.loads(done("import", "exercism", folder / "config.json", "--json").out)
    assert (told["course"], told["file"], told["left_out"], told["faults"]) == ("lisp", None, {"wip": 1}, [])
    assert [(one["reason"], one["line"]) for one in told["remarks"]] == [("untaught", line)]
    assert told["manifest"]["modules"][0]["id"] == "basics"


def test_a_file_is_written_alike_each_time_and_what_an_author_changed_is_kept(folder: Path) -> None:
    to = folder / "course.yaml"
    done("import", "exercism", folder, "-o", to)
    first = to.read_bytes()
    done("import", "exercism", folder, "-o", to)
    assert to.read_bytes() == first
    to.write_bytes(first + b"# mine\n")
    refused = done("import", "exercism", folder, "-o", to, code=1)
    assert (refused.out, "--force overwrites it" in refused.err) == ("", True)
    assert to.read_bytes() == first + b"# mine\n"
    told = json.loads(done("import", "exercism", folder, "-o", to, "--force", "--json").out)
    assert (told["file"], "manifest" in told) == (str(to), False)
    assert to.read_bytes() == first
    done("import", "exercism", folder, "-o", folder / "course.json")
    assert json.loads((folder / "course.json").read_text())["id"] == "lisp"


def test_every_fault_of_a_track_is_told_with_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    raw: dict[str, Any] = track(practicing("a", name=""), practicing("b", status="x"))
    (tmp_path / "config.json").write_text(json.dumps(raw, indent=1))
    to = tmp_path / "course.yaml"
    refused = done("import", "exercism", tmp_path, "-o", to, code=1)
    told = json.loads(done("import", "exercism", tmp_path, "--json", code=1).out)
    assert [one["path"] for one in told["faults"]] == ["exercises.practice[0].name", "exercises.practice[1].status"]
    lines = [f"{tmp_path}/config.json:{one['line']}: {one['path']} {one['message']}" for one in told["faults"]]
    assert refused.err.splitlines() == [*lines, f"headway: {tmp_path}/config.json has 2 faults; no manifest was made"]
    assert (refused.out, to.exists()) == ("", False)


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("exercisms", "x"), "there is no format 'exercisms'; there is exercism", 2),
        (("exercism", "x", "--id", "A b"), "--id 'A b' is no slug", 2),
        (("exercism", "nowhere"), "nowhere cannot be read", 1),
    ],
)
def test_what_cannot_be_done_is_said(arguments: tuple[str, ...], said: str, code: int) -> None:
    assert said in done("import", *arguments, code=code).err


def test_the_python_track_becomes_a_course(shared_data: Path, tmp_path: Path) -> None:
    source, to = shared_data / "exercism-python", tmp_path / "python.yaml"
    told = json.loads(done("import", "exercism", source, "-o", to, "--json").out)
    raw = json.loads((source / "config.json").read_text())["exercises"]
    gone = {"wip", "deprecated"}
    kept = [one for one in raw["concept"] + raw["practice"] if one.get("status") not in gone]
    assert told["left_out"] == {"deprecated": 12, "wip": 3}
    assert sum(told["left_out"].values()) + len(kept) == len(raw["concept"] + raw["practice"])
    assert f"is right: course python, 18 modules, {len(kept)} steps." in done("check", to).out
    lines = (source / "config.json").read_text().splitlines()
    untaught = [one for one in told["remarks"] if one["reason"] == "untaught"]
    assert [one["message"].split(",")[0] for one in untaught] == ["'comprehensions'", "'sequences'", "'functions'"]
    for one in untaught:
        assert one["message"].split(",")[0].strip("'") in lines[one["line"] - 1]
    assert {one["reason"] for one in told["remarks"]} == {"untaught", "opens-early"}
