"""`headway api`: whatever the server can do can be done from a terminal, as whoever one is there."""

import json
import os
import pty
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from headway.cli.learner.outlining import lines_of
from tests.cli.terminal import Terminal
from tests.cli.test_learner import token_of
from tests.client.trouble import FATES, OURS, Fate, Trouble, problem
from tests.house.tree import ROOT
from tests.http.server import PASSWORD, Site

FAILED, MISUSED = 1, 2


def address_of(site: Site) -> str:
    """The address of a new account."""
    address = f"{uuid.uuid4().hex}@example.org"
    site.person(address)
    return address


def test_it_lists_all_that_the_server_can_do(terminal: Terminal) -> None:
    contract = json.loads((ROOT / "contract" / "openapi.json").read_text(encoding="utf-8"))
    known = {(method.upper(), path) for path, operations in contract["paths"].items() for method in operations}
    listed = {(one["method"], one["path"]) for one in terminal.json("api")["items"]}
    assert {(method, path.removeprefix("/api/v1")) for method, path in known} == listed
    assert terminal.run("api") == 0
    assert "GET     /progress/streak " in terminal.out


def test_what_the_server_answers_is_shown_to_people_and_given_whole_to_programs(terminal: Terminal, site: Site) -> None:
    terminal.run("submit", "py/hello")
    assert terminal.run("api", "/progress/courses/py") == 0
    assert "  id     title     status" not in terminal.out.splitlines()[0]
    assert "status         in_progress" in terminal.out
    assert terminal.json("api", "/progress/courses/py")["course"] == "py"
    assert terminal.json("api", "/api/v1/courses/py") == site.client().get("/courses/py").json()
    assert terminal.run("api", "/health/ready") == 0
    assert terminal.out.startswith("status           ready\n")
    assert terminal.run("api", "/metrics") == 0
    assert terminal.out.startswith("# HELP ")


def test_a_nobody_who_writes_becomes_the_guest_of_this_device(terminal: Terminal) -> None:
    sent = {"events": [{"id": str(uuid.uuid4()), "type": "completed", "course": "py", "step": "hello"}]}
    assert terminal.json("api", "/auth/me")["kind"] == "nobody"
    assert terminal.json("status", "py")["percent"] == 0
    (terminal.folder / "events.json").write_text(json.dumps(sent))
    told = terminal.json("api", "POST", "/events", "-d", f"@{terminal.folder / 'events.json'}")
    assert told["results"][0]["status"] == "refused"  # it says no time
    sent["events"][0]["occurred_at"] = "2026-01-01T10:00:00Z"
    told = terminal.json("api", "post", "/events", "--data", json.dumps(sent))
    assert told["results"][0]["status"] == "recorded"
    assert terminal.json("api", "/auth/me")["learner"]["id"] == terminal.json("whoami")["learner"]
    assert terminal.json("status", "py")["percent"] == 25, "what was read before is known to be old"


def test_a_token_and_a_password_say_as_whom(terminal: Terminal, site: Site) -> None:
    address = address_of(site)
    given = f"{PASSWORD}\n"
    asked = ("api", "PATCH", "/auth/me", "-d", '{"display_name": "Ada"}', "--as", address)
    assert terminal.run(*asked, "--json", given=given) == 0
    assert json.loads(terminal.out)["learner"]["display_name"] == "Ada"
    made = ("api", "POST", "/auth/tokens", "-d", '{"name": "x", "scopes": ["read"]}', "--as", address, "--json")
    assert terminal.run(*made, given=given) == 0
    terminal.set("HEADWAY_TOKEN", json.loads(terminal.out)["token"])
    assert terminal.json("api", "/auth/me")["learner"]["email"] == address
    assert terminal.run("api", "/auth/sessions") == FAILED
    assert "--as EMAIL asks as the account itself" in terminal.err
    assert terminal.run("api", "/auth/sessions", "--as", address, "--json", given=given) == 0
    sessions = json.loads(terminal.out)["items"]
    assert [one["current"] for one in sessions if one["name"] == "headway"] == [True], "each was signed out again"
    assert terminal.run(*asked, given="wrong\n") == FAILED
    assert (terminal.out, terminal.err) == ("", "headway: the address or the password is wrong\n")
    assert terminal.json("api", "/auth/me")["learner"]["display_name"] == "Ada"


def test_what_is_refused_says_why_and_fails(terminal: Terminal, trouble: Trouble) -> None:
    assert terminal.run("api", "/progress/courses/none") == FAILED
    assert (terminal.out, terminal.err) == ("", "headway: there is no course of that name\n")
    assert terminal.json("api", "/progress/courses/none", code=FAILED)["status"] == 404
    faults = [{"field": "a", "message": "a: is missing"}, {"field": "b", "message": "b: is missing"}]
    refused = json.loads(problem(422, "invalid").body) | {"errors": faults}
    trouble.always = Fate(422, json.dumps(refused), headers=OURS)
    assert terminal.run("api", "/courses") == FAILED
    assert terminal.err == "headway: it is invalid\n  a: is missing\n  b: is missing\n"


def test_files_are_written_as_they_come_or_not_at_all(terminal: Terminal) -> None:
    terminal.run("submit", "py/fizz", "--score", "90")
    drawing = terminal.folder / "badge.svg"
    assert terminal.run("api", "/badges/first-steps", "-o", str(drawing)) == FAILED
    assert not drawing.exists()
    export = terminal.folder / "mine.csv"
    assert terminal.run("api", "/progress/export?format=csv", "--output", str(export)) == 0
    assert ",fizz,exercise," in export.read_text()
    assert terminal.run("api", "/progress/export?format=csv") == 0
    assert ",fizz,exercise," in terminal.out
    assert terminal.run("api", "GET", "/nowhere", "--output", str(export)) == FAILED
    assert ",fizz,exercise," in export.read_text()


def test_a_stream_is_passed_on_as_it_comes(site: Site, tmp_path: Path) -> None:
    environment = {"HEADWAY_STATE_FOLDER": str(tmp_path), "HEADWAY_URL": site.url, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "headway.cli", "api", "POST", "/notifications/read"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    listening = [sys.executable, "-m", "headway.cli", "api", "/stream"]
    with subprocess.Popen(listening, env=environment, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"retry: 2000\n"
        assert running.poll() is None
        running.kill()


@pytest.mark.parametrize("fate", ["the answer is cut", "a portal", "502 of a proxy", "garbage"])
def test_what_is_no_whole_answer_is_told_and_fails(terminal: Terminal, trouble: Trouble, fate: str) -> None:
    trouble.always = FATES[fate]
    assert terminal.run("api", "/courses") == FAILED
    assert terminal.out == ""
    assert trouble.url in terminal.err or "none of a Headway server" in terminal.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("FETCH", "/courses"), "name a method (GET, POST, PUT, PATCH, DELETE)"),
        (("GET",), "name a path"),
        (("https://example.org/courses",), "--server names the server"),
        (("/events", "-d", "{}"), "GET sends nothing"),
        (("POST", "/events", "-d", "{"), "--data is no JSON"),
        (("POST", "/events", "-d", '{"a": NaN}'), "--data is no JSON"),
        (("POST", "/events", "-d", '"\\ud800"'), "--data is no JSON"),
        (("POST", "/events", "-d", "-", "--as", "ada@example.org"), "standard input holds the password"),
    ],
)
def test_misuse_is_told_before_anybody_is_asked(
    terminal: Terminal, trouble: Trouble, given: tuple[str, ...], said: str
) -> None:
    assert terminal.run("api", *given) == MISUSED
    assert said in terminal.err
    assert trouble.asked == []


def test_what_is_done_without_an_answer_is_done_at_a_terminal_too(site: Site, tmp_path: Path) -> None:
    environment = {"HEADWAY_STATE_FOLDER": str(tmp_path), "HEADWAY_URL": site.url, "HOME": str(tmp_path)}
    environment["HEADWAY_TOKEN"], _ = token_of(site)
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "headway.cli", "api", "DELETE", "/progress/sharing"]
    done = subprocess.run(command, env=environment, stdout=follower, stderr=subprocess.PIPE, check=False)
    os.close(follower)
    os.close(leader)
    assert (done.returncode, done.stderr) == (0, b"")


def test_any_path_is_sent_as_an_address_can_be(terminal: Terminal, trouble: Trouble) -> None:
    assert terminal.json("api", "/courses?q=ü b")["items"]
    assert trouble.asked[-1][1] == "/api/v1/courses?q=%C3%BC%20b"


def test_a_password_goes_to_no_server_that_a_folder_names(terminal: Terminal, trouble: Trouble, site: Site) -> None:
    terminal.run("start", "py")
    terminal.set("HEADWAY_URL", None)
    terminal.set("HEADWAY_STATE_FOLDER", str(terminal.folder / "other"))
    terminal.go(terminal.folder / "py")
    asked = ("api", "/auth/sessions", "--as", address_of(site))
    assert terminal.run(*asked, given=f"{PASSWORD}\n") == MISUSED
    assert f"a folder names {trouble.url}" in terminal.err
    assert "/api/v1/auth/login" not in [path for _, path, _, _ in trouble.asked]
    assert terminal.run(*asked, "--server", trouble.url, given=f"{PASSWORD}\n") == 0


def test_an_outline_of_any_answer() -> None:
    assert [
        *lines_of({"a": 1, "long": None, "list": [], "deep": {"yes": True}, "rows": [{"x": 1}, {"y": "a\x1b\nb"}]})
    ] == [
        "a     1",
        "long  -",
        "list  -",
        "deep",
        "  yes  true",
        "rows",
        "  x  y",
        "  1",
        "     a  b",
    ]
    assert [*lines_of([{"x": {"y": 2}, "z": [1, 2]}])] == ["- z  1, 2", "  x", "    y  2"]
    assert [*lines_of([])] == [] == [*lines_of({})]
    assert [*lines_of(None)] == ["-"]
    assert [*lines_of({"\x1b[31mred": 1})] == [" [31mred  1"]
    deep: Any = 1
    for _ in range(900):
        deep = {"a": deep}
    assert len([*lines_of(deep)]) < 50
