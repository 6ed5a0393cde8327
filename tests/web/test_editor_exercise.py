"""An exercise in a real Visual Studio Code: its files, its tests, and what came of them, handed in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from headway.ledger.publish import publish
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.torture.proof import ledger_ids
from tests.torture.server import Server
from tests.web.editor import PATIENCE_MS, Editor, installed_editor, open_step, opened_in, row
from tests.web.looks import SCREENSHOTS, picture

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

TAP = "echo ok 1; grep -q Fizz fizz.txt && echo ok 2 || echo not ok 2\n"
COURSE: dict[str, Any] = {
    "id": "py",
    "title": "Python",
    "modules": [
        {
            "id": "first",
            "title": "First",
            "steps": [
                {
                    "id": "fizz",
                    "kind": "exercise",
                    "title": "FizzBuzz",
                    "files": {"fizz.txt": "nothing yet\n", "test.sh": TAP},
                    "test": {"command": ["sh", "test.sh"], "format": "tap"},
                }
            ],
        }
    ],
}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Server]:
    """A server of this test alone, with its course."""
    url = f"sqlite:///{tmp_path / 'headway.db'}"
    database = Database(url)
    migrate(database)
    publish(database, COURSE, now=0)
    database.close()
    with Server(url, tmp_path) as server:
        yield server


@pytest.fixture
def trusting(own: Server, tmp_path: Path) -> Iterator[Editor]:
    """An editor that trusts every workspace."""
    with installed_editor(tmp_path / "editor", f"http://127.0.0.1:{own.port}", "--disable-workspace-trust") as started:
        yield started


def test_an_exercise_is_tested_and_handed_in(own: Server, chromium: Browser, trusting: Editor) -> None:
    page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
    opened_in(trusting, page, "^Python")
    exercise = open_step(page, "^Python", "^First", "^FizzBuzz")
    exercise.get_by_role("button", name="Run tests", exact=True).click()
    page.get_by_role("button", name="Run", exact=True).click()
    # The terminal of this editor never opens: what shows it is none of the packages that it is installed with.
    expect(exercise.get_by_text("1 of 2 passed")).to_be_visible(timeout=PATIENCE_MS)
    assert not ledger_ids(own.database), "to run tests records nothing"
    (trusting.workspace / "py/fizz/fizz.txt").write_text("Fizz\n")
    exercise.get_by_role("button", name="Run tests and submit").click()
    expect(exercise.get_by_text("2 of 2 passed")).to_be_visible(timeout=PATIENCE_MS)
    expect(exercise.get_by_text("Completed.").first).to_be_visible(timeout=PATIENCE_MS)
    assert_terminals(page, 1)
    expect(row(page, "^FizzBuzz.*, completed.*best 100")).to_be_visible(timeout=PATIENCE_MS)
    picture(page, SCREENSHOTS / "editor", "exercise")
    assert list(ledger_ids(own.database).values()) == [1]


def assert_terminals(page: Page, count: int) -> None:
    """Whoever runs tests again and again has no more terminals for it: more than one are listed beside them."""
    expect(page.locator(".terminal-tabs-entry")).to_have_count(0 if count == 1 else count)
