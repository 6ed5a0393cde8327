"""The learner's commands where the server cannot be asked: nothing is said to be newer, or surer, than it is."""

import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from headway.cli.learner.answers import response_to
from headway.cli.learner.device import say_kept_back, why
from headway.cli.screen import Misused
from headway.client import Outcome
from tests.cli.terminal import Terminal
from tests.client.trouble import FATES, Trouble, problem

QUEUED, FAILED, MISUSED = 75, 1, 2
DOWN = problem(503, "unavailable", retry_after="0")
OPTIONS = {"a": "3", "b": "4"}


def test_of_a_course_never_read_here_what_says_itself_what_it_is_is_kept(terminal: Terminal, trouble: Trouble) -> None:
    terminal.run("start", "py")
    terminal.set("HEADWAY_STATE_FOLDER", str(terminal.folder / "other"))
    trouble.always = DOWN
    assert terminal.run("submit", "py/hello") == FAILED
    assert "nothing was saved: it is unavailable, and the course py is not known on this device" in terminal.err
    assert "headway open py/hello" in terminal.err
    assert terminal.json("outbox")["items"] == []
    assert terminal.run("submit", "py/quiz", "-a", "b") == QUEUED
    assert "The course py is not known on this device: whether this fits is seen when it is sent." in terminal.err
    assert "Saved on this device: py/quiz." in terminal.err
    terminal.go(terminal.folder / "py" / "fizz")
    assert terminal.json("submit", code=QUEUED)["status"] == "saved"
    assert terminal.json("submit", "py/last", "--score", "90", code=QUEUED)["status"] == "saved"
    assert [one["event"]["step"] for one in terminal.json("outbox")["items"]] == ["quiz", "fizz", "last"]
    trouble.always = None
    synced = terminal.json("sync", code=QUEUED)["items"][0]
    assert (synced["recorded"], synced["locked"], synced["aside"]) == (2, 1, 0)
    best = {one["id"]: one["best_score"] for one in terminal.json("status", "py")["modules"][0]["steps"]}
    assert best == {"hello": None, "fizz": 0.5, "quiz": 1.0}


def test_what_is_not_of_now_says_of_when_it_is(terminal: Terminal, trouble: Trouble) -> None:
    commands = [("courses",), ("leaderboard",), ("history",), ("status", "--refresh"), ("status", "py", "--refresh")]
    terminal.run("submit", "py/hello")
    for one in commands:
        told = terminal.json(*one)
        assert (told["is_fresh"], "at" in told, terminal.err) == (True, True, ""), one
    trouble.always = DOWN
    for one in commands:
        assert terminal.run(*one) == 0
        assert "As of a moment ago: it is unavailable." in terminal.err, one
        assert terminal.json(*one)["is_fresh"] is False
    assert terminal.run("open", "py/hello") == QUEUED
    assert "As of a moment ago" in terminal.err
    assert terminal.run("status") == 0
    assert "1 event on this device is not sent yet: `headway sync`." in terminal.err


@pytest.mark.parametrize(
    "command", [("status",), ("status", "py"), ("history",), ("courses",), ("leaderboard",), ("start", "py")]
)
def test_what_waits_is_sent_before_anybody_reads_how_they_stand(
    terminal: Terminal, trouble: Trouble, command: tuple[str, ...]
) -> None:
    terminal.run("start", "py")
    terminal.run("status", "py")
    terminal.run("status")
    trouble.always = DOWN
    assert terminal.run("submit", "py/hello") == QUEUED
    assert terminal.run("status", "py") == 0
    assert re.search(r"^  hello +Hello +open, more saved on this device$", terminal.out, re.MULTILINE)
    assert terminal.json("status", "py")["unsent"] == ["hello"]
    trouble.always = None
    _let_backoff_end(terminal)
    assert terminal.run(*command) == 0
    assert terminal.json("outbox")["items"] == []
    assert "not sent" not in terminal.err
    assert terminal.json("status", "py")["unsent"] == []
    assert terminal.json("status", "py")["percent"] == 25
    assert terminal.json("status")["steps_completed"] == 1


def test_who_reads_waits_for_no_server_that_was_just_away(terminal: Terminal, trouble: Trouble) -> None:
    terminal.run("status")
    trouble.always = DOWN
    terminal.run("submit", "py/quiz", "-a", "b")
    asked = len(trouble.asked)
    assert terminal.run("status") == 0
    assert len(trouble.asked) == asked


def test_who_reads_of_a_server_that_is_back_reads_what_waited_too(terminal: Terminal, trouble: Trouble) -> None:
    trouble.always = FATES["502 of a proxy"]
    terminal.run("submit", "py/quiz", "-a", "b")
    with sqlite3.connect(terminal.folder / "state" / "outbox.db") as connection:
        # As after many a try: the next is minutes away.
        connection.execute("UPDATE place SET tries = 9, backoff_until = ?", (time.time() + 250,))
    connection.close()
    trouble.always = None
    (course,) = terminal.json("status")["courses"]
    assert course["steps_completed"] == 1
    assert terminal.json("outbox") == {"items": []}


def _let_backoff_end(terminal: Terminal) -> None:
    with sqlite3.connect(terminal.folder / "state" / "outbox.db") as connection:
        assert connection.execute("UPDATE place SET backoff_until = 0, asked_until = 0").rowcount == 1
    connection.close()


def test_a_token_that_never_was_is_told_so_once(terminal: Terminal) -> None:
    said = "headway: this token is not known, or its session has ended: leave it out, or sign in again\n"
    assert terminal.run("login", "--token-stdin", given="hwp_none\n") == FAILED
    assert terminal.err == said
    terminal.set("HEADWAY_TOKEN", "hwp_none")
    assert terminal.run("status") == FAILED
    assert terminal.err == said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("py/quiz", "-a", "z"), "there is no option 'z'; there are a (3), b (4)"),
        (("py/quiz", "-a", "b", "--score", "1"), "it takes an answer, and no --score"),
    ],
)
@pytest.mark.parametrize("down", [False, True])
def test_what_cannot_be_right_is_not_kept(
    terminal: Terminal, trouble: Trouble, arguments: tuple[str, ...], said: str, down: bool
) -> None:
    terminal.run("open", "py/quiz")
    trouble.always = DOWN if down else None
    assert terminal.run("submit", *arguments) == MISUSED
    assert said in terminal.err
    assert terminal.json("outbox")["items"] == []


def test_an_answer_that_is_no_utf_8_is_refused_by_the_name_of_its_file(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("open", "py/quiz")
    file = tmp_path / "answer.txt"
    file.write_bytes(b"one\r\nna\xefve")
    assert terminal.run("submit", "py/quiz", "--answer-file", str(file)) == MISUSED
    assert f"{file}:2: this is not UTF-8" in " ".join(terminal.err.split())
    assert terminal.run("submit", "py/quiz", "--answer-file", "-", given="na\udcefve") == MISUSED
    assert "standard input:1: this is not UTF-8" in " ".join(terminal.err.split())
    assert terminal.json("outbox")["items"] == []


@pytest.mark.parametrize(
    ("grader", "answer", "said"),
    [
        ({"type": "choice", "options": OPTIONS}, ["a", "b"], "takes one answer"),
        ({"type": "multiple", "options": OPTIONS}, ["a", "c"], "there is no option 'c'"),
        ({"type": "multiple", "options": OPTIONS}, ["a", "a"], "name each once"),
        ({"type": "order", "items": OPTIONS}, ["b"], "put every item in its place"),
        ({"type": "order", "items": OPTIONS}, ["b", "x"], "there is no item 'x'"),
        ({"type": "number"}, ["1,5"], "takes a number"),
        ({"type": "manual"}, [" "], "is blank"),
    ],
)
def test_an_answer_that_no_grader_could_take_is_refused(grader: dict[str, Any], answer: list[str], said: str) -> None:
    with pytest.raises(Misused, match=said):
        response_to(grader, None, answer)


@pytest.mark.parametrize(
    ("grader", "answer", "response"),
    [
        ({"type": "choice", "options": OPTIONS}, ["b\n"], "b"),
        ({"type": "multiple", "options": OPTIONS}, ["a"], ["a"]),
        ({"type": "order", "items": OPTIONS}, ["b", "a"], ["b", "a"]),
        ({"type": "number"}, [" -1.5e3\n"], " -1.5e3\n"),
        ({"type": "text", "case_sensitive": False}, ["a, b"], "a, b"),
        # What a plugin's own keys mean is the plugin's affair.
        ({"type": "plugin", "options": OPTIONS}, ["c"], "c"),
    ],
)
def test_an_answer_that_fits_is_handed_on(grader: dict[str, Any], answer: list[str], response: object) -> None:
    assert response_to(grader, None, answer) == response


def test_to_read_what_is_locked_is_no_failure(terminal: Terminal) -> None:
    assert terminal.run("open", "py/last") == 0
    assert terminal.out.startswith("Last")
    assert "'Second' is locked until you complete" in terminal.err
    assert "sync" not in terminal.err
    assert terminal.json("open", "py/last")["status"] == "locked"
    assert terminal.run("submit", "py/last", "--score", "1") == QUEUED
    assert "It is sent once its module is open (locked: " in terminal.err


def test_one_event_is_told_as_one_and_a_refusal_without_the_word_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_kept_back({"locked": 1, "aside": 1})
    say_kept_back({"locked": 2, "aside": 2})
    assert capsys.readouterr().err.splitlines() == [
        "1 event waits until its module is unlocked.",
        "1 event was refused: `headway outbox` says why.",
        "2 events wait until their modules are unlocked.",
        "2 events were refused: `headway outbox` says why.",
    ]
    assert why(Outcome("x", "refused", "invalid: response must be text: not null")) == "response must be text: not null"
    assert why(Outcome("x", "saved", "http://here cannot be reached: no route")) == (
        "http://here cannot be reached: no route"
    )
