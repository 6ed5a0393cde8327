"""The panel of a step in the editor: what the extension tells it is drawn, and what the learner writes stays."""

import re
import subprocess
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.house.tree import ROOT
from tests.npm import tool

pytestmark = pytest.mark.long

SOURCES = ROOT / "web/vscode/src/webview"
STRIP = (
    "process.stdout.write(require('module').stripTypeScriptTypes(require('fs').readFileSync(process.argv[1], 'utf8')))"
)
SHOWN: dict[str, Any] = {
    "kind": "step",
    "isBusy": False,
    "place": {"course": "git", "step": "quiz"},
    "title": "A quiz",
    "course": "Git",
    "stepKind": "quiz",
    "body": "<p>Read this.</p>",
    "prompt": "<p>How many?</p>",
    "url": "https://example.org/old",
    "grader": {"type": "number"},
    "hasTests": False,
    "locked": None,
    "standing": ["Not begun"],
    "isCompleted": False,
    "feedback": None,
    "outcome": None,
    "tested": None,
}


def script() -> str:
    """Both sources as one script."""
    made = [
        subprocess.run([tool("node"), "-e", STRIP, SOURCES / name], capture_output=True, text=True, check=True).stdout
        for name in ("form.ts", "step.ts")
    ]
    whole = re.sub(r"^import .*$", "", "\n".join(made), flags=re.MULTILINE)
    return re.sub(r"^export ", "", whole, flags=re.MULTILINE)


def panel(chromium: Browser) -> Page:
    """The panel's document, which no editor hears."""
    page = chromium.new_page()
    page.set_content("<main></main>")
    page.add_script_tag(content="function acquireVsCodeApi() { return { postMessage() {}, setState() {} }; }")
    page.add_script_tag(content=script())
    return page


def test_what_is_read_again_while_tests_run_lets_nobody_begin_them_twice(chromium: Browser) -> None:
    page = panel(chromium)
    page.evaluate("(shown) => postMessage(shown)", SHOWN)
    button = page.get_by_role("button", name="Check answer")
    button.wait_for()
    page.evaluate("(shown) => postMessage(shown)", SHOWN | {"isBusy": True, "standing": ["1 attempt"]})
    expect(page.get_by_text("1 attempt")).to_be_visible()
    expect(button).to_have_attribute("data-busy", "")
    page.evaluate("(shown) => postMessage(shown)", SHOWN)
    expect(button).not_to_have_attribute("data-busy", "")
    page.close()


def test_what_a_new_version_says_is_drawn_and_what_is_written_stays_else(chromium: Browser) -> None:
    page = panel(chromium)

    def show(**changed: object) -> None:
        page.evaluate("(shown) => postMessage(shown)", SHOWN | changed)

    show()
    answer = page.get_by_role("textbox")
    answer.fill("42")
    show(standing=["1 attempt"])
    expect(page.get_by_text("1 attempt")).to_be_visible()
    expect(answer).to_have_value("42")
    show(title="Another quiz")
    expect(page.get_by_role("heading", name="Another quiz")).to_be_visible()
    show(body="<p>Read that.</p>")
    expect(page.get_by_text("Read that.")).to_be_visible()
    show(url="https://example.org/new")
    expect(page.get_by_role("link")).to_have_attribute("href", "https://example.org/new")
    page.close()
