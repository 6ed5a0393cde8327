"""The examples of the SDK's reference run, one after the other, and print what the page says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from headway.client.store import FOLDER_VARIABLE
from tests.client.devices import COURSE
from tests.client.trouble import Trouble
from tests.house.tree import ROOT
from tests.http.server import Site, serving

PAGE = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SAID = re.compile(r"print\(.*\)\s+# (.*)$", re.MULTILINE)


@pytest.fixture
def site(sqlite_url: str) -> Iterator[Site]:
    """A server as its readers have one: achievements give points there."""
    with serving(sqlite_url, shipped_achievements=True) as started:
        started.publish(COURSE)
        yield started


def test_every_example_does_what_it_says(
    site: Site, trouble: Trouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with site.client() as client:
        names = {"token": client.post("/auth/guest").json()["token"]}
    assert len(EXAMPLES) == 3
    for example in EXAMPLES:
        exec("from headway.client import Headway\n" + example.replace("http://127.0.0.1:8000", trouble.url), names)
        printed = capsys.readouterr().out.splitlines()
        lines = [line for line in printed if "status_changed" not in line]
        said = SAID.findall(example)
        assert lines[: len(said)] == said or not said, lines
        assert lines
