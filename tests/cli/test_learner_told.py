"""What the learner's commands tell whoever has not read how they work."""

import uuid
from typing import Any

import pytest

from headway.cli.learner.handing_in import judged
from tests.cli.conftest import COURSE
from tests.cli.terminal import Terminal
from tests.client.trouble import Trouble, problem
from tests.http.server import Site

QUEUED, FAILED = 75, 1
DOWN = problem(503, "unavailable", retry_after="0")


def sign_in(terminal: Terminal, site: Site) -> None:
    client = site.person(f"{uuid.uuid4().hex}@example.org")
    token = client.post("/auth/tokens", json={"name": "x", "scopes": ["read", "write"]}).json()["token"]
    assert terminal.run("login", "--token-stdin", given=f"{token}\n") == 0, terminal.err


def test_what_is_in_a_course_is_known_to_whoever_signs_in_or_out_later(
    terminal: Terminal, site: Site, trouble: Trouble
) -> None:
    terminal.run("courses")
    terminal.run("start", "py")
    terminal.go(terminal.folder / "py")
    sign_in(terminal, site)
    trouble.always = DOWN
    assert terminal.run("submit", "hello") == QUEUED, terminal.err
    assert "Saved on this device: Hello." in terminal.err
    assert terminal.run("courses") == 0
    assert (terminal.out, "As of" in terminal.err) == ("py  Python\n", True)
    assert terminal.run("logout") == 0
    assert terminal.run("submit", "hello") == QUEUED, terminal.err
    assert terminal.run("status") == FAILED, "how somebody stands is nobody else's business"


def test_a_course_without_files_says_how_to_go_on(terminal: Terminal, site: Site) -> None:
    bare = {"id": "read", "title": "To read", "modules": [{**COURSE["modules"][1], "id": "only"}]}
    site.publish(bare)
    assert terminal.run("start", "read") == 0
    assert terminal.out == "To read: no exercise has files for read, 0 % done.\n"
    assert "`headway open read/STEP`" in terminal.err


def test_a_course_is_laid_out_anew_where_it_lies(terminal: Terminal) -> None:
    terminal.run("start", "py")
    mine = terminal.folder / "py" / "fizz" / "fizz.py"
    mine.unlink()
    terminal.go(mine.parent)
    told = terminal.json("start", "py")
    assert (told["folder"], told["written"]) == (str(terminal.folder / "py"), ["fizz/fizz.py"])
    assert mine.exists()
    assert not (mine.parent / "py").exists()


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ({"score": 1.0, "passed": True, "feedback": "Yes."}, "Right. Yes."),
        ({"score": 1.0, "passed": True, "feedback": "Right: one adds."}, "Right: one adds."),
        ({"score": 1.0, "passed": True, "feedback": "Rightly so."}, "Right. Rightly so."),
        ({"score": 0.8, "passed": True, "feedback": ""}, "Passed: 80 %."),
        ({"score": 0.99999, "passed": True, "feedback": ""}, "Passed: 99.99 %."),
        ({"score": 0.99996, "passed": False, "feedback": ""}, "Partly right: 99.99 %."),
        ({"score": 2 / 3, "passed": False, "feedback": ""}, "Partly right: 66.66 %."),
        ({"score": 0.5, "passed": False, "feedback": "One is missing."}, "Partly right: 50 %. One is missing."),
        ({"score": 0.0, "passed": False, "feedback": "No\x1b[31m"}, "Not right yet. No [31m"),
        ({"score": None, "passed": None, "feedback": ""}, "Somebody grades it; `headway status` shows it then."),
    ],
)
def test_an_answer_is_told_whether_it_is_right(verdict: dict[str, Any], said: str) -> None:
    assert judged(verdict) == said


def test_a_wrong_answer_is_not_told_as_if_it_were_right(terminal: Terminal) -> None:
    terminal.run("submit", "py/quiz", "-a", "b")
    assert terminal.run("submit", "py/quiz", "-a", "a") == 0
    assert terminal.out == "Not right yet.\nRecorded: Sums (completed, best 100 %).\n"


def test_who_has_done_nothing_is_a_guest_who_has_done_nothing(terminal: Terminal, trouble: Trouble) -> None:
    terminal.run("start", "py")
    assert terminal.run("whoami") == 0
    assert "who has done nothing yet" in terminal.out
    assert terminal.run("leaderboard") == 0
    assert "Guests are on no leaderboard: `headway login`" in terminal.err
    assert terminal.run("leaderboard", "--around-me") == 0
    assert "Guests are on no leaderboard: `headway login`" in terminal.err
    assert "Nobody" not in terminal.err, "others may have gained points"
    trouble.always = DOWN
    terminal.run("submit", "py/hello")
    assert terminal.run("whoami") == 0
    assert "(not sent yet)" in terminal.out


def test_who_signs_in_or_out_is_told_what_is_kept_back(terminal: Terminal, site: Site, trouble: Trouble) -> None:
    trouble.always = DOWN
    terminal.run("submit", "py/nowhere", "--score", "1")
    terminal.run("submit", "py/last", "--score", "1")
    trouble.always = None
    sign_in(terminal, site)
    assert "1 event waits until its module is unlocked." in terminal.err
    assert "1 event was refused: `headway outbox` says why." in terminal.err
    assert terminal.run("logout") == 0
    assert terminal.err == "1 event waits on this device until you sign in again.\n"


@pytest.mark.parametrize("command", [("courses",), ("login",)])
def test_where_nobody_named_a_server_it_is_said_how_one_is_named(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr("headway.cli.learner.device.DEFAULT_URL", "http://127.0.0.1:9")
    assert terminal.run(*command, "--server", "http://127.0.0.1:9") == FAILED
    assert "names your server" not in terminal.err
    terminal.set("HEADWAY_URL", None)
    assert terminal.run(*command) == FAILED
    assert "cannot be reached" in terminal.err
    assert terminal.err.endswith("; --server or HEADWAY_URL names your server\n")


def test_zsh_completes_with_the_first_tab(terminal: Terminal) -> None:
    assert terminal.run("completion", "zsh") == 0
    assert (
        'loadautofunc ]]; then\n  _headway_completion "$@"\nelse\n  compdef _headway_completion headway' in terminal.out
    )
