"""What a course writes on a learner's machine stays in its folder; what tests report is read as it was meant."""

import os
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headway.cli.learner.drawing import bar, clean, table, width
from headway.cli.learner.folders import lay_out
from headway.cli.learner.reports import NoResult, Passed, by_exit, by_junit, by_tap, read_report
from headway.cli.screen import Misused


@pytest.mark.parametrize(
    "path", ["../x", "/x", "a/../../x", "a//x", ".envrc", "a/.git/x", "a\\x", "C:x", "nul", "con.txt", "", "x.", "a\0"]
)
def test_no_path_leads_out_of_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(Misused):
        list(lay_out(tmp_path / "step", {path: "x"}, force=True))
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("link", ["a", "a/b"])
def test_no_link_is_followed(tmp_path: Path, link: str) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "step"
    outside.mkdir()
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(outside)
    with pytest.raises(Misused, match="is a link"):
        list(lay_out(folder, {"a/b/c": "x"}, force=True))
    assert list(outside.iterdir()) == []


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    course = {"a": "x" * 100_000, "b": "y" * 100_000}
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    # As a disk that is full would, the kernel takes half of a file.
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            list(lay_out(tmp_path / "step", course, force=False))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert list((tmp_path / "step").iterdir()) == []
    assert [what for _, what in lay_out(tmp_path / "step", course, force=False)] == ["written"] * 2
    (tmp_path / "step/a").chmod(0o750)
    assert [what for _, what in lay_out(tmp_path / "step", course, force=True)] == ["written"] * 2
    assert (tmp_path / "step/a").stat().st_mode & 0o777 == 0o750
    assert sorted(one.name for one in (tmp_path / "step").iterdir()) == ["a", "b"]


def test_of_two_that_lay_out_at_once_neither_takes_the_others_files(tmp_path: Path) -> None:
    folder, text = tmp_path / "step", "x" * 10_000

    def lay_out_often(_: int) -> None:
        for _ in range(50):
            assert list(lay_out(folder, {"a": text}, force=True)) == [("a", "written")]
            assert (folder / "a").read_text() == text

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lay_out_often, range(2)))
    assert [one.name for one in folder.iterdir()] == ["a"]


def test_what_breaks_off_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(UnicodeEncodeError):
        list(lay_out(tmp_path / "step", {"a": "\ud800"}, force=False))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken_off)
        with pytest.raises(KeyboardInterrupt):
            list(lay_out(tmp_path / "step", {"a": "x"}, force=False))
    assert list((tmp_path / "step").iterdir()) == []
    (tmp_path / "step/a.new~").mkdir()
    before = os.umask(0o027)
    try:
        assert list(lay_out(tmp_path / "step", {"a": "x"}, force=False)) == [("a", "written")]
    finally:
        os.umask(before)
    assert (tmp_path / "step/a").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("said", "tested"),
    [
        ("1..2\nok 1 - a\nok 2\n", (2, 2)),
        ("ok 1\nnot ok 2\n1..2\n", (1, 2)),
        ("1..3\nok 1\n", (1, 3)),
        ("ok 1\nok 2 # SKIP no network\nnot ok 3 # todo later\n", (2, 2)),
        ("ok 1\nBail out! no compiler\n", (1, 2)),
        ("okay\nnot okay\n", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_tap_is_read(said: str, tested: tuple[int, int]) -> None:
    assert by_tap(said) == tested


@pytest.mark.parametrize(
    ("said", "tested"),
    [
        ("<testsuites><testsuite><testcase/><testcase><failure/></testcase></testsuite></testsuites>", (1, 2)),
        ("<testsuite><testcase/><testcase><skipped/></testcase><testcase><error/></testcase></testsuite>", (1, 2)),
        ('<testsuite errors="1"/>', (0, 1)),
        ("<testsuite/>", (0, 0)),
    ],
)
def test_junit_is_read(said: str, tested: tuple[int, int]) -> None:
    assert by_junit(said) == tested


@pytest.mark.parametrize(
    "said", ["", "<a>", '<testsuite errors="some"/>', '<!DOCTYPE x [<!ENTITY a "b">]><testsuite>&a;</testsuite>']
)
def test_a_report_that_is_none_is_told(said: str) -> None:
    with pytest.raises(NoResult):
        by_junit(said)


def test_what_was_tested_has_a_score(tmp_path: Path) -> None:
    assert (by_exit(0), by_exit(3)) == ((1, 1), (0, 1))
    assert (Passed(3, 4).score, Passed(0, 0).score, Passed(0, 0).is_passed, Passed(1, 1).is_passed) == (
        0.75,
        0,
        False,
        True,
    )
    with pytest.raises(NoResult, match="wrote no report"):
        read_report(tmp_path / "report.xml")


def test_a_bar_is_full_at_a_hundred_alone_and_columns_stand_in_line() -> None:
    assert [bar(one).count("█") + bar(one).count("#") for one in (0, 4.9, 50, 99.99, 100)] == [0, 0, 10, 19, 20]
    assert table([("日本", "x"), ("ab", "y")]) == ["日本  x", "ab    y"]
    assert (width("é"), width("e\u0301"), clean("a\x1b[31m\nb")) == (1, 1, "a [31m\nb")
