"""`headway demo` as people start it: a process that answers on its port, and leaves nothing behind."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from headway.cli import demo as demo_command
from headway.cli.demo import PASSWORD
from headway.cli.serve import CannotServe, listen
from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL
from tests.house.tree import ROOT

pytestmark = pytest.mark.long

HEADWAY = Path(sys.executable).with_name("headway")
READY_S = 180
TUTORIAL = ROOT / "docs/tutorial/first-steps.md"
URL = re.compile(r"^Look at\s+(http://\S+)/$", re.MULTILINE)


class Running:
    """A demo in a process of its own, with a folder of its own for what is temporary."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir(exist_ok=True)
        self.output = folder / "output"
        environment = os.environ | {"TMPDIR": str(self.temporary)} | settings
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [HEADWAY, "demo", *arguments], stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=folder
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def url(self) -> str:
        """Where it serves, once it does."""
        until = time.monotonic() + READY_S
        while time.monotonic() < until and self.process.poll() is None:
            if "Headway listens on" in self.said and (found := URL.search(self.said)):
                return found[1]
            time.sleep(0.02)
        raise AssertionError(self.said)

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(READY_S)

    def left(self) -> list[Path]:
        return list(self.temporary.iterdir())


@contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[Running]:
    started = Running(folder, *arguments, **settings)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.wait()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("demo"), "--port", "0") as started:
        started.url()
        yield started


def shell(command: str, folder: Path) -> str:
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True, cwd=folder)
    return done.stdout


def test_it_says_what_it_made_and_that_it_was_audited(demo: Running) -> None:
    found = re.search(r"^audit: 241 learners .* with ([\d,]+) entries, no differences$", demo.said, re.MULTILINE)
    sent = re.search(r" ([\d,]+) events recorded$", demo.said, re.MULTILINE)
    assert found
    assert sent
    # Beside what learners did stand what they were granted for it: of each somebody completes a module.
    entries, events = (int(one[1].replace(",", "")) for one in (found, sent))
    assert events < entries < 1.5 * events


def test_the_front_page_is_the_app_or_says_why_it_is_not(demo: Running) -> None:
    got = httpx2.get(demo.url() + "/")
    assert got.status_code == 200
    assert got.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in got.headers["content-security-policy"]
    # The app offers strangers the demo's own learner.
    assert '<html lang="en" data-demo>' in got.text or "make pages" in got.text


def test_the_files_of_the_page_are_there(demo: Running) -> None:
    links = re.findall(r'(?:href|src)="(/[^"]+)"', httpx2.get(demo.url() + "/").text)
    assert links
    assert {link: httpx2.get(demo.url() + link).status_code for link in links} == dict.fromkeys(links, 200)


@pytest.mark.skipif(not shutil.which("curl"), reason="the commands that are printed need curl")
def test_the_commands_that_are_printed_work_when_pasted(demo: Running, tmp_path: Path) -> None:
    lines = demo.said.replace("\\\n", " ").splitlines()
    answer, progress = [line for line in lines if line.strip().startswith("curl")]
    assert '"score":1.0' in shell(answer, tmp_path).replace(" ", "")
    assert '"steps_completed":1' in shell(progress, tmp_path)


@pytest.mark.skipif(not shutil.which("curl"), reason="the tutorial needs curl")
def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    """All its commands, one after the other in one shell, from the start of the demo on."""
    commands = re.findall(r"^```sh\n(.*?)^```", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)
    arguments = commands.pop(0).splitlines()[-1].removeprefix(".venv/bin/headway demo ").split()
    with running(tmp_path, *arguments, "--port", "0") as started:
        pasted = "\necho\n".join(commands).replace("http://127.0.0.1:8000", started.url())
        said = shell("set -e\n" + pasted.replace(".venv/bin/", f"{HEADWAY.parent}/"), tmp_path)
        assert started.stop() == 0
    replies = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    wrong, right, first, again, progress, course = replies
    assert (wrong["attempt"]["score"], right["attempt"]["score"]) == (0, 1)
    assert (right["progress"]["attempts"], right["progress"]["completed"]) == (2, True)
    assert [one["type"] for one in right["changes"]] == ["step_completed", *["achievement_unlocked"] * 3]
    assert [one["results"][0]["status"] for one in (first, again)] == ["recorded", "duplicate"]
    assert again["changes"] == []
    told = [one for reply in (wrong, right, first) for one in reply["changes"] if one["type"] == "achievement_unlocked"]
    # Whoever reads the tutorial at night earns one more.
    earned = {one["achievement"]: one["points"] for one in told if one["achievement"] not in ("early-1", "late-1")}
    assert (len(earned), sum(earned.values())) == (5, 30)
    assert (progress["steps_completed"], progress["exercises_completed"]) == (2, 1)
    assert progress["points"] == 15 + sum(one["points"] for one in told)
    assert (progress["duration_s"], progress["average_percent"]) == (240, 100)
    assert progress["courses"][0]["percent"] == course["percent"] == 6.45
    assert re.search(r"Clean: all figures of 242 learners with [\d,]+ entries follow from the ledger", said)
    assert (tmp_path / "my-demo" / "headway.db").exists()


@pytest.mark.parametrize(("email", "roles"), [(LEARNER_EMAIL, []), (CREATOR_EMAIL, ["creator"])])
def test_both_accounts_can_sign_in(demo: Running, email: str, roles: list[str]) -> None:
    assert email in demo.said
    assert demo.said.count(PASSWORD) == 1
    with httpx2.Client(base_url=demo.url() + "/api/v1") as client:
        got = client.post("/auth/login", json={"email": email, "password": PASSWORD})
        assert got.status_code == 200
        assert got.json()["learner"]["roles"] == roles
        overview: dict[str, Any] = client.get("/progress").json()
    assert (overview["steps_completed"] > 10) == (email == LEARNER_EMAIL)


# By SIGINT, which is the keyboard's: below, in the test of what is set for another server.
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_told_to_stop_it_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    with running(tmp_path, "--port", "0") as started:
        url = started.url()
        assert httpx2.get(url + "/health/ready").status_code == 200
        assert started.left()
        assert started.stop(number) == 0
        assert not started.left()
        assert "Nothing is left of the demo." in started.said
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url + "/")


def test_stopped_while_it_is_set_up_it_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "--port", "0") as started:
        while not list(started.temporary.glob("*/headway.db")):
            assert started.process.poll() is None
            time.sleep(0.02)
        assert started.stop() == 0
        assert not started.left()


def test_a_port_in_use_is_told_in_a_line(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        running(tmp_path, "--port", str(taken.getsockname()[1])) as one,
    ):
        assert one.process.wait(READY_S) == 1
        assert len(one.said.splitlines()) == 1
        assert f"127.0.0.1:{taken.getsockname()[1]} cannot be used" in one.said
        assert "--port" in one.said
        assert not one.left()


def test_a_kept_demo_can_be_served_and_is_never_written_over(tmp_path: Path) -> None:
    with running(tmp_path, "--no-serve", "--keep", "kept") as one:
        assert one.process.wait(READY_S) == 0
        assert (tmp_path / "kept" / "headway.db").stat().st_size > 1_000_000
        assert "`headway serve --database sqlite:///kept/headway.db` starts it again" in one.said
    with running(tmp_path, "--no-serve", "--keep", "kept") as again:
        assert again.process.wait(READY_S) == 2
        assert "already: `headway serve --database sqlite:///kept/headway.db` starts it again" in again.said


def test_what_is_set_for_another_server_is_not_touched_and_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    with running(tmp_path, "--port", "0", HEADWAY_DATABASE_URL=f"sqlite:///{other}", HEADWAY_HTTPS="on") as started:
        got = httpx2.post(f"{started.url()}/api/v1/auth/login", json={"email": LEARNER_EMAIL, "password": PASSWORD})
        assert "Secure" not in got.headers["set-cookie"]
        assert started.stop(signal.SIGINT) == 0
        assert not started.left()
        assert "Nothing is left of the demo." in started.said
    assert not other.exists()


def test_whoever_names_no_port_has_the_usual_one_or_a_free_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((demo_command.HOST, 0)) as taken:
        monkeypatch.setattr(demo_command, "PORT", taken.getsockname()[1])
        with demo_command._listening(None) as listening:
            assert listening.getsockname()[1] not in (0, demo_command.PORT)
        with pytest.raises(CannotServe, match="choose another with --port"):
            demo_command._listening(demo_command.PORT)
    with demo_command._listening(None) as listening:
        assert listening.getsockname()[1] == demo_command.PORT


def test_an_address_of_another_machine_is_told_as_that() -> None:
    with pytest.raises(CannotServe, match="choose another with --host"):
        listen("192.0.2.1", 0)
