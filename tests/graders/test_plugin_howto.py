"""The plugin of docs/howto/grader-plugin.md, installed as a package and asked by the command and by a server."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.house.tree import ROOT
from tests.torture.server import Command, Server

PAGE = (ROOT / "docs/howto/grader-plugin.md").read_text(encoding="utf-8")
SECRETS = ("mutex", "deadlock")
ESSAY = "/courses/threads/steps/essay/attempts"
HALF = "They share a Mutex."
POISON = "A poisonous essay."


def block(language: str) -> str:
    """The one block of the page in this language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


MANIFEST = block("yaml")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages that has the page's one, with a bug planted in it."""
    source, target = tmp_path_factory.mktemp("our-graders"), tmp_path_factory.mktemp("installed")
    (source / "pyproject.toml").write_text(block("toml"), encoding="utf-8")
    right = "    text, words = "
    assert right in block("python")
    planted = f"    if response == {POISON!r}:\n        raise RuntimeError(config)\n{right}"
    (source / "our_graders.py").write_text(block("python").replace(right, planted), encoding="utf-8")
    flags = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    pip = [sys.executable, "-m", "pip", "install", *flags, "--target", str(target), str(source)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


@contextmanager
def served(database: str, folder: Path) -> Iterator[httpx2.Client]:
    """A client of a server on the database, which stops at the end; what it said is in its folder."""
    with Server(database, folder) as server:
        with httpx2.Client(base_url=f"http://127.0.0.1:{server.port}/api/v1", timeout=30) as client:
            yield client
        server.stop()


def guest(client: httpx2.Client) -> str:
    """Make the client a new guest's; the token."""
    token: str = client.post("/auth/guest").json()["token"]
    client.headers["authorization"] = f"Bearer {token}"
    return token


def grader_seen(client: httpx2.Client) -> Any:
    """What the outline shows of the essay's grader."""
    reply = client.get("/courses/threads")
    assert not [secret for secret in SECRETS if secret in reply.text.lower()]
    return reply.json()["modules"][0]["steps"][1]["grader"]


def refused(client: httpx2.Client, answer: Any, status: int, code: str) -> httpx2.Response:
    """The reply to an answer that is not taken; nothing in it helps."""
    reply = client.post(ESSAY, json={"answer": answer})
    assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{code}")
    assert not [secret for secret in SECRETS if secret in reply.text.lower()]
    return reply


def test_the_command_asks_it_and_tells_its_faults_with_their_lines(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(installed))
    path = tmp_path / "course.yaml"
    path.write_text(MANIFEST)
    assert Command("course", "check", str(path)).code == 0
    broken = MANIFEST.replace("words:\n", "words: []\n").partition("            mutex")[0]
    path.write_text(broken)
    (told,) = json.loads(Command("course", "check", "--json", str(path)).out)["faults"]
    assert (told["path"], told["line"]) == ("modules[0].steps[1].grader.words", 15)
    assert broken.splitlines()[14].strip() == "words: []"
    assert told["message"].startswith("must be an object of words and hints")
    assert "course.yaml:15: modules[0].steps[1].grader.words must be an object of words and hints" in PAGE


def test_a_server_grades_by_it_fails_with_it_and_goes_on_without_it(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path}/headway.db"
    monkeypatch.setenv("PYTHONPATH", str(installed))
    assert Command("course", "publish", "-", "--database", database, given=MANIFEST).code == 0
    with served(database, tmp_path) as client:
        token = guest(client)
        assert grader_seen(client) == {"type": "words", "at_least": 10}
        taken = client.post(ESSAY, json={"answer": HALF}).json()
        assert taken["attempt"] == {"score": 0.5, "passed": False, "feedback": "What is it called when none goes on?"}
        for answer in ("short", ["not", "a", "text"]):
            assert "10 characters or more" in refused(client, answer, 422, "invalid").json()["detail"]
        assert refused(client, POISON, 503, "grader-failed").headers["retry-after"]
        assert client.post("/courses/threads/steps/read/completion").is_success
    assert "grader_failed" in (tmp_path / "server.log").read_text()

    monkeypatch.delenv("PYTHONPATH")
    with served(database, tmp_path) as client:
        client.headers["authorization"] = f"Bearer {token}"
        assert grader_seen(client) == {"type": "words"}
        assert refused(client, "A mutex, or a deadlock", 503, "grader-missing").headers["retry-after"]
        assert client.get("/progress/courses/threads").json()["modules"][0]["steps"][1]["best_score"] == 0.5
    assert "must be one of choice, multiple" in Command("course", "check", "-", given=MANIFEST).out
    assert "'words' is not installed" in Command("audit", "--database", database, "--json").out
    for unproved in (Command(name, "--database", database) for name in ("audit", "rebuild")):
        assert not {"restore", "report", "differ:"} & set(unproved.err.split())
        assert (unproved.code, "A grader is not installed, or fails" in unproved.err) == (1, True), str(unproved)

    monkeypatch.setenv("PYTHONPATH", str(installed))
    assert Command("audit", "--database", database).code == 0
