"""What the tests of the learner's commands share: a server with a course, a way to it, and a terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Terminal
from tests.client.trouble import Trouble, trouble
from tests.conftest import Templates, tables
from tests.http.server import Site, serving

__all__ = ["trouble"]

TAP = "echo 1..2; echo 'ok 1'; grep -q Fizz fizz.py && echo 'ok 2' || echo 'not ok 2'\n"
COURSE: dict[str, Any] = {
    "id": "py",
    "title": "Python",
    "modules": [
        {
            "id": "first",
            "title": "First",
            "complete_by": "steps",
            "steps": [
                {"id": "hello", "kind": "lesson", "title": "Hello", "body": "Programs are text.\x1b[31m"},
                {
                    "id": "fizz",
                    "kind": "exercise",
                    "title": "FizzBuzz",
                    "files": {"fizz.py": "def fizz(): ...\n", "test_fizz.sh": TAP},
                    "test": {"command": ["sh", "test_fizz.sh"], "format": "tap"},
                },
                {
                    "id": "quiz",
                    "kind": "quiz",
                    "title": "Sums",
                    "prompt": "2 + 2?",
                    "grader": {"type": "choice", "options": {"a": "3", "b": "4"}, "answer": "b", "when_right": "Yes."},
                },
            ],
        },
        {"id": "second", "title": "Second", "steps": [{"id": "last", "kind": "exercise", "title": "Last"}]},
    ],
}


@pytest.fixture(scope="module")
def site(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with templates.copy("sqlite", tables, tmp_path_factory.mktemp("site")) as (url, _), serving(url) as started:
        started.publish(COURSE)
        yield started


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], trouble: Trouble
) -> Terminal:
    made = Terminal(tmp_path, monkeypatch, capfd)
    made.set("HEADWAY_URL", trouble.url)
    return made
