"""The learner's commands against a real server: a course from first step to last, as guest, offline, signed in."""

import json
import os
import re
import stat
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from headway.ledger import devices
from tests.cli.conftest import COURSE
from tests.cli.terminal import Terminal
from tests.client.trouble import PORTAL, Fate, Trouble, problem
from tests.http.server import Site

QUEUED, FAILED, MISUSED = 75, 1, 2


def token_of(site: Site) -> tuple[str, str]:
    """The token and the address of a new account."""
    address = f"{uuid.uuid4().hex}@example.org"
    client = site.person(address)
    return client.post("/auth/tokens", json={"name": "x", "scopes": ["read", "write"]}).json()["token"], address


def test_a_course_from_its_first_step_to_its_last(terminal: Terminal) -> None:
    assert terminal.run("courses") == 0
    assert terminal.out == "py  Python\n"
    assert terminal.run("start", "py") == 0
    assert terminal.out == "Python: 1 exercise in py, 0 % done.\n"
    terminal.go(terminal.folder / "py" / "fizz")
    assert terminal.run("open", "hello") == 0
    assert "Programs are text. [31m" in terminal.out, "nothing of a course moves the cursor"
    assert terminal.run("test") == FAILED
    assert (terminal.out, terminal.err.splitlines()[0]) == ("1 of 2 passed (50 %).\n", "$ sh test_fizz.sh")
    assert terminal.json("submit")["progress"]["best_score"] == 0.5
    Path("fizz.py").write_text("def fizz(): return 'Fizz'\n")
    assert terminal.json("test") == {"course": "py", "step": "fizz", "passed": 2, "total": 2, "score": 1.0}
    assert terminal.run("submit") == 0
    assert terminal.out.startswith("Recorded: FizzBuzz (completed, best 100 %).\n")
    assert terminal.run("submit", "hello") == 0
    assert terminal.run("submit", "py/quiz", "-a", "b") == 0
    assert terminal.out.startswith("Right. Yes.\nRecorded: Sums (completed, best 100 %).\n")
    assert terminal.run("status") == 0
    assert re.search(r"^Python +█{15}░{5} +75 % +3/4$", terminal.out, re.MULTILINE)
    assert "Next: Last py/last" in terminal.out
    assert terminal.run("submit", "last", "--score", "90") == 0
    assert terminal.json("status")["courses"][0]["percent"] == 100
    assert terminal.json("status")["next"] is None
    assert terminal.run("status", "py") == 0
    assert terminal.out.startswith("Python  ██")
    assert re.search(r"^  last +Last +completed +90 %$", terminal.out, re.MULTILINE)
    assert terminal.json("history", "--days", "3")["days"][-1]["exercises_completed"] == 3
    assert terminal.json("courses")["items"][0]["progress"]["status"] == "completed"


def test_what_the_learner_changed_is_kept(terminal: Terminal) -> None:
    terminal.run("start", "py")
    mine = terminal.folder / "py" / "fizz" / "fizz.py"
    mine.write_text("mine")
    told = terminal.json("start", "py")
    assert told.pop("at")
    assert told | {"percent": 0} == {
        "course": "py",
        "folder": "py",
        "percent": 0,
        "written": [],
        "same": ["fizz/test_fizz.sh"],
        "kept": ["fizz/fizz.py"],
        "is_fresh": True,
    }
    assert mine.read_text() == "mine"
    assert terminal.run("start", "py", "--force") == 0
    assert mine.read_text() == "def fizz(): ...\n"


def test_offline_all_is_saved_and_said_and_sent_later(terminal: Terminal, trouble: Trouble) -> None:
    terminal.run("start", "py")
    terminal.go(terminal.folder / "py" / "fizz")
    terminal.run("status")
    trouble.always = problem(503, "unavailable", retry_after="0")
    assert terminal.run("submit") == QUEUED
    assert terminal.out == ""
    assert "Saved on this device: FizzBuzz." in terminal.err
    assert terminal.json("submit", "hello", code=QUEUED)["status"] == "saved"
    assert terminal.run("open", "quiz") == QUEUED
    assert "2 + 2?" in terminal.out
    assert terminal.run("status") == 0
    assert "3 events on this device are not sent yet" in terminal.err
    assert [one["state"] for one in terminal.json("outbox")["items"]] == ["waiting"] * 3
    assert "unavailable" in terminal.json("outbox")["items"][0]["reason"]
    assert terminal.run("sync", "--wait", "0") == QUEUED
    trouble.always = None
    assert terminal.json("sync")["items"] == [
        {"server": trouble.url, "recorded": 3, "waiting": 0, "locked": 0, "aside": 0, "why": None}
    ]
    assert terminal.run("outbox") == 0
    assert terminal.err == "Nothing waits on this device.\n"
    assert terminal.json("status", "py")["modules"][0]["steps"][0]["completed"]


def test_what_is_locked_waits_and_what_is_refused_can_be_tried_again_or_dropped(terminal: Terminal, site: Site) -> None:
    assert terminal.run("submit", "py/last", "--score", "1") == QUEUED
    assert "locked: " in terminal.err
    assert terminal.run("sync", "--wait", "0") == QUEUED
    outline = json.loads(json.dumps(COURSE))
    outline["modules"][0]["steps"].append({"id": "gone", "kind": "exercise", "title": "Gone"})
    site.publish(outline)
    terminal.run("open", "py/gone")
    site.publish(COURSE)
    # The outline of before is still believed: the server cannot be asked in time.
    assert terminal.run("submit", "py/hello") == 0
    refused = terminal.run("submit", "py/gone", "--score", "1")
    assert refused in (FAILED, MISUSED)
    from headway.client import Headway

    with Headway(os.environ["HEADWAY_URL"], background=False) as headway:
        event = headway.attempted("py", "gone", score=1)
    assert event.status == "refused"
    assert {one["state"] for one in terminal.json("outbox")["items"]} == {"locked", "aside"}
    assert terminal.json("outbox", "retry") == {"put_back": 1}
    assert terminal.run("sync", "--wait", "0") == QUEUED
    assert terminal.run("outbox", "drop", event.id) == MISUSED
    assert terminal.json("outbox", "drop", event.id, "--yes") == {"dropped": 1}
    assert terminal.json("outbox")["items"][0]["state"] == "locked"


def test_a_guest_who_signs_in_brings_all_along(terminal: Terminal, site: Site, trouble: Trouble) -> None:
    assert terminal.json("whoami")["kind"] == "nobody"
    assert terminal.run("logout") == 0
    terminal.run("submit", "py/hello")
    assert terminal.json("whoami")["kind"] == "guest"
    trouble.always = problem(503, "unavailable", retry_after="0")
    terminal.run("submit", "py/fizz", "--score", "1")
    trouble.always = None
    token, address = token_of(site)
    assert terminal.run("login", "--token-stdin", given=f"{token}\n") == 0, terminal.err
    assert terminal.out == f"You are signed in at {trouble.url} as {address}.\n"
    assert "1 event that waited on this device was sent." in terminal.err
    assert terminal.json("whoami")["name"] == address
    assert terminal.json("status")["steps_completed"] == 2
    assert terminal.run("leaderboard", "all", "--around-me") == 0
    assert re.search(r"^1  somebody  \d+ points  1 solved$", terminal.out, re.MULTILINE), terminal.out
    assert "You: 1, " in terminal.out
    assert terminal.run("leaderboard", "--course", "py") == 0
    terminal.set("HEADWAY_URL", None)
    assert terminal.json("status")["steps_completed"] == 2, "the server is remembered"
    assert terminal.json("logout") == {"signed_out": True, "waiting": 0}
    assert terminal.json("status")["steps_completed"] == 0
    assert token not in (terminal.folder / "state" / "outbox.db").read_bytes().decode("latin-1")
    for name in ("outbox.db", "outbox.db-journal"):
        assert stat.S_IMODE((terminal.folder / "state" / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("given", ["", "two words\n", "hwp_none\n"])
def test_a_token_that_is_none_signs_nobody_in(terminal: Terminal, given: str) -> None:
    assert terminal.run("login", "--token-stdin", given=given) == FAILED
    assert terminal.json("whoami")["kind"] == "nobody"


@pytest.mark.parametrize("decision", [True, False])
def test_signing_in_by_the_browser(
    terminal: Terminal, site: Site, trouble: Trouble, monkeypatch: pytest.MonkeyPatch, decision: bool
) -> None:
    monkeypatch.setattr(devices, "INTERVAL_S", 1)  # which is doubled behind the portal
    person = site.person(f"{uuid.uuid4().hex}@example.org")
    with subprocess.Popen(
        [sys.executable, "-m", "headway.cli", "login", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        found = re.fullmatch(r"Open (\S+/device) and enter the code (\S+)\n", process.stderr.readline())
        assert found is not None
        approved = person.post("/auth/device/approve", json={"user_code": found[2], "approve": decision})
        assert approved.status_code == 200
        trouble.fates.append(Fate(200, PORTAL, "text/html"))
        out, err = process.communicate(timeout=60)
    if decision:
        assert json.loads(out)["kind"] == "account"
        assert terminal.json("whoami")["kind"] == "account"
    else:
        assert (process.returncode, "refused" in err) == (FAILED, True)


def test_the_token_of_the_environment_goes_to_no_server_that_only_a_folder_names(
    terminal: Terminal, trouble: Trouble, site: Site
) -> None:
    token, address = token_of(site)
    terminal.set("HEADWAY_TOKEN", token)
    assert terminal.json("whoami")["name"] == address
    with Trouble(site.port) as stranger:
        (terminal.folder / ".headway.json").write_text(
            json.dumps({"server": stranger.url, "course": "py", "steps": [], "tests": {}})
        )
        terminal.set("HEADWAY_URL", None)
        terminal.run("status")
        terminal.run("sync")
        assert stranger.asked
        assert not [one for one in stranger.asked if one[3] is not None and token in one[3]]


def test_tests_that_come_to_no_result_have_failed(terminal: Terminal) -> None:
    terminal.run("start", "py")
    folder, mark = terminal.folder / "py" / "fizz", terminal.folder / "py" / ".headway.json"
    said = json.loads(mark.read_text())
    for changed, told in (({"timeout_s": 0.2}, "took longer"), ({"command": ["no-such-program"]}, "cannot be run")):
        (folder / "test_fizz.sh").write_text("exec sleep 9\n")
        mark.write_text(json.dumps(said | {"tests": {"fizz": said["tests"]["fizz"] | changed}}))
        terminal.go(folder)
        assert terminal.run("test") == FAILED
        assert told in terminal.err


def test_tests_are_not_given_the_token(terminal: Terminal, site: Site) -> None:
    terminal.run("start", "py")
    folder = terminal.folder / "py" / "fizz"
    (folder / "test_fizz.sh").write_text('echo 1..1; test -z "$HEADWAY_TOKEN" && echo ok 1\n')
    terminal.go(folder)
    terminal.set("HEADWAY_TOKEN", token_of(site)[0])
    assert terminal.run("test") == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("submit",), "name the step as COURSE/STEP"),
        (("test", "py/fizz"), "headway start py"),
        (("submit", "py/fizz"), "headway start py"),
        (("submit", "py/last"), "--score"),
        (("submit", "py/none"), "has no step 'none'"),
        (("submit", "py/quiz"), "this step takes an answer: give it with --answer"),
        (("submit", "py/quiz", "-a", "a", "-a", "b"), "takes one answer"),
        (("submit", "py/last", "--score", "much"), "is no number"),
        (("status", "--server", "nowhere"), "is no address"),
        (("leaderboard", "year"), "one of day, week, month, all"),
        (("start", "../x"), "is no id"),
        (("outbox", "drop", "zzz"), "there is no event 'zzz' in the outbox"),
        (("outbox", "drop", "zzz", "--yes"), "there is no event 'zzz' in the outbox"),
        (("outbox", "retry", "zzz"), "there is no event 'zzz' in the outbox"),
    ],
)
def test_misuse_is_told_and_asks_nothing(terminal: Terminal, arguments: tuple[str, ...], said: str) -> None:
    assert terminal.run(*arguments) == MISUSED
    assert said in terminal.err
    assert terminal.out == ""


def test_a_portal_is_told_as_no_server(terminal: Terminal, trouble: Trouble) -> None:
    trouble.always = Fate(200, PORTAL, "text/html")
    assert terminal.run("courses") == FAILED
    assert "not as a Headway server does" in terminal.err


def test_a_shell_completes_courses_and_steps(terminal: Terminal) -> None:
    terminal.run("start", "py")
    for shell in ("bash", "zsh", "fish"):
        assert terminal.run("completion", shell) == 0
        assert "_HEADWAY_COMPLETE" in terminal.out
    from headway.cli.learner.completing import course_names, step_names

    assert course_names("p") == ["py"]
    assert step_names("py/l") == ["py/last"]
    terminal.go(terminal.folder / "py")
    assert step_names("fi") == ["fizz"]


def test_status_answers_without_the_server_and_what_it_is_made_of(terminal: Terminal, trouble: Trouble) -> None:
    terminal.run("submit", "py/hello")
    terminal.run("status")
    trouble.asked.clear()
    heavy = (
        "sqlalchemy",
        "litestar",
        "msgspec",
        "rich",
        "http.client",
        "ssl",
        "requests",
        "headway.http",
        "headway.store",
    )
    said = (
        "import sys; sys.argv = ['headway', 'status']\nfrom headway.cli.app import main\n"
        f"try: main()\nfinally: print(*(name for name in {heavy} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert "Next: FizzBuzz" in done.stdout
    assert done.stderr.split() == []
    assert trouble.asked == []
