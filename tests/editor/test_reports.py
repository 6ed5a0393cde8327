"""What the editor reads in the reports of tests, and what it writes to disk, is what the command line does."""

import json
import os
from pathlib import Path
from random import Random
from uuid import uuid4

from headway.cli.learner.folders import check_path
from headway.cli.learner.reports import NoResult, Passed, by_exit, by_junit, by_tap
from tests.editor.driver import Driver, end

PATHS = ["../x", "/x", "a/../../x", "a//x", ".envrc", "a/.git/x", "a\\x", "C:x", "nul", "con.txt", "", "x.", "a\0"]
FINE = ["a.py", "a/b/c_1.txt", "Makefile", "x-1+2.c", "a" * 200]
LINES = [
    "ok 1",
    "ok",
    "not ok 2 - b",
    "ok 3 # SKIP none",
    "not ok 4 # todo",
    "1..3",
    "1..9",
    "Bail out!",
    "okay",
    "# ok",
    "",
]
CASES = [
    "<testcase/>",
    '<testcase name="a &gt; b"><failure message="x > y"/></testcase>',
    "<testcase><error>no</error></testcase>",
    "<testcase><skipped/></testcase>",
    "<testcase><system-out><![CDATA[<testcase><failure/>]]></system-out></testcase>",
    "<!-- <testcase/> -->",
    '<testcase name="/"></testcase>',
]


def test_reports_are_read_as_the_command_line_reads_them(script: Path, tmp_path: Path, rng: Random) -> None:
    asked: list[tuple[str, str, int]] = [("exit", "", 0), ("exit", "", 3), ("junit", "<a/", 0), ("junit", "", 1)]
    for _ in range(150):
        code = rng.choice((0, 0, 1))
        asked.append(("tap", "\n".join(rng.choices(LINES, k=rng.randrange(7))), code))
        suites = (
            f'<testsuite errors="{rng.randrange(3)}">{"".join(rng.choices(CASES, k=rng.randrange(4)))}</testsuite>'
            for _ in range(rng.randrange(1, 3))
        )
        asked.append(("junit", f'<?xml version="1.0"?><testsuites>{"".join(suites)}</testsuites>', code))
    told = [json.loads(one) for one in Driver(script, "").run(tmp_path, judge=asked).told("judged")]
    assert len(told) == len(asked)
    for (kind, said, code), found in zip(asked, told, strict=True):
        assert found == read(kind, said, code), (kind, said, code)


def read(kind: str, said: str, code: int) -> object:
    """As `headway test` does it."""
    try:
        found = by_exit(code) if kind == "exit" else by_junit(said) if kind == "junit" else by_tap(said)
    except NoResult:
        return "refused"
    if kind != "exit" and code != 0 and found.is_passed:
        found = Passed(found.passed, found.total + 1)
    return found._asdict()


def test_no_path_of_a_course_leads_out_of_its_folder(script: Path, tmp_path: Path) -> None:
    told = [json.loads(one) for one in Driver(script, "").run(tmp_path, paths=PATHS + FINE).told("path")]
    assert told == ["refused"] * len(PATHS) + [one.split("/") for one in FINE]
    for path in FINE:
        check_path(path)


def test_a_file_of_an_exercise_is_there_whole_or_not_at_all(script: Path, tmp_path: Path) -> None:
    driver, files = Driver(script, ""), {"a.py": "x = 1\n", "b/c.py": "y = 2\n"}
    assert driver.run(tmp_path, files=files, is_full=True).told("laid") == ['[[],["refused"]]']
    assert driver.run(tmp_path, files=files).told("laid") == ['[["a.py","b/c.py"],[]]']
    (tmp_path / "course/step/a.py").write_text("mine")
    assert driver.run(tmp_path, files=files).told("laid") == ['[[],["a.py"]]']
    found = sorted(one.name for one in (tmp_path / "course").rglob("*") if one.is_file())
    assert found == [".headway.json", "a.py", "c.py"]


def test_exercises_that_are_opened_at_once_are_all_laid_out_and_told(script: Path, tmp_path: Path) -> None:
    laid = Driver(script, "").run(tmp_path, files={"a.py": "x = 1\n", "b.py": "y = 2\n"}, steps=20).told("laid")
    assert laid == ['[["a.py","b.py"],[]]'] * 20
    assert len(json.loads((tmp_path / "course/.headway.json").read_text())["steps"]) == 20


def test_two_windows_at_once_tell_all_exercises_of_a_course(script: Path, tmp_path: Path) -> None:
    driver, files = Driver(script, ""), {"a.py": "x = 1\n"}
    (tmp_path / "course").mkdir()
    left, others = tmp_path / f"course/.{uuid4()}.half", tmp_path / "course/my.half"
    for one in (left, others):
        one.touch()
        os.utime(one, (0, 0))
    windows = [driver.begin(tmp_path, files=files, steps=30, window=number) for number in range(2)]
    for window in windows:
        assert end(window).told("laid") == ['[["a.py"],[]]'] * 30
    assert len(json.loads((tmp_path / "course/.headway.json").read_text())["steps"]) == 60
    found = {one.name for one in (tmp_path / "course").iterdir() if one.is_file()}
    assert found == {".headway.json", others.name}


def test_of_a_text_without_end_its_end_is_kept(script: Path, tmp_path: Path) -> None:
    parts = [str(n % 10) * 3 for n in range(1000)]
    for most, kept in ((3000, parts), (2997, parts), (2996, ["…", *parts[1:]]), (7, ["…", *parts[-3:]]), (0, ["…999"])):
        (told,) = Driver(script, "").run(tmp_path, tail=[most, parts]).told("tail")
        assert json.loads(told) == "".join(kept), most
    (told,) = Driver(script, "").run(tmp_path, tail=[7, []]).told("tail")
    assert json.loads(told) == ""
