"""The extension in a real Visual Studio Code in a browser, against a real server: what is done is recorded once."""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.torture.proof import assert_audit_is_clean, ledger_ids
from tests.torture.server import HEADWAY, Server, environment
from tests.web.conftest import Open
from tests.web.door import Door
from tests.web.editor import PATIENCE_MS, Editor, command, open_step, opened_in, row, status
from tests.web.looks import SCREENSHOTS, picture

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

KILLS = int(os.environ.get("EDITOR_WINDOW_KILLS", "5"))
COURSE = "shell-and-git"
MODULE = ("^Shell and Git", "^Meet the shell")
QUEUED = 75
# More than any answer takes.
STEPS_MAX = 10_000


class Account:
    """Somebody who approves what signs in, in a browser of their own."""

    def __init__(self, browser: BrowserContext) -> None:
        self.browser = browser
        self.email, self.password = f"{uuid4().hex}@example.org", "one-step-at-a-time"
        told = {"email": self.email, "password": self.password}
        assert browser.request.post("/api/v1/auth/register", data=told).ok

    def approve(self, text: str) -> None:
        """Let in whoever shows the code in a text."""
        found = re.search(r"[A-Z]{4}-[A-Z]{4}", text)
        assert found, text
        assert self.browser.request.post("/api/v1/auth/device/approve", data={"user_code": found[0]}).ok

    def get(self, path: str) -> Any:
        return self.browser.request.get(f"/api/v1{path}").json()


class Terminal:
    """`headway` in processes of its own, with a state of its own."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._variables = {**environment(), "HEADWAY_URL": url, "HEADWAY_STATE_FOLDER": str(folder / "terminal")}

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [HEADWAY, *arguments],
            cwd=self._folder,
            env=self._variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> int:
        process = self.begin(*arguments)
        process.communicate(timeout=60)
        return process.returncode

    def sign_in(self, account: Account) -> None:
        process = self.begin("login", "--json")
        assert process.stderr is not None
        account.approve(process.stderr.readline())
        out, err = process.communicate(timeout=60)
        assert json.loads(out)["kind"] == "account", err


def test_one_progress_of_three_clients_in_any_order_of_syncing(
    opened: Open, editor: Editor, door: Door, server: Server, tmp_path: Path, rng: Random
) -> None:
    # As a guest in the terminal, and as others in the editor and on a page.
    terminal = Terminal(tmp_path, door.url)
    assert terminal.run("submit", f"{COURSE}/what-a-shell-is") == 0
    context = opened(viewport={"width": 1280, "height": 900})
    page, web = context.new_page(), opened().new_page()
    begin_in_editor(editor, page)
    web.goto(f"/courses/{COURSE}/steps/absolute-paths")
    web.get_by_label("/etc/hosts").check()
    server.kill()
    try:
        answer_offline(page, web)
        assert terminal.run("submit", f"{COURSE}/list-everything", "-a", "ls -la") == QUEUED
        # It survives the death of the editor, and is sent by the next one.
        editor.kill()
    finally:
        server.start()
    editor.start()
    account = Account(opened())
    syncs = {
        "terminal": lambda: finish_in_terminal(terminal, account),
        "editor": lambda: finish_in_editor(editor, context.new_page(), account),
        "web": lambda: finish_on_the_web(web, account),
    }
    for one in rng.sample(sorted(syncs), len(syncs)):
        sys.stdout.write(f"{one}\n")
        syncs[one]()
    assert_one_progress(account)
    assert set(ledger_ids(server.database).values()) == {1}
    assert_audit_is_clean(server.database)


def assert_one_progress(account: Account) -> None:
    """All that was done counts once."""
    items = account.get("/progress/events?limit=100")["items"]
    done = Counter((one["step"], one["type"]) for one in items if one["type"] in ("attempted", "completed"))
    answered = ("absolute-paths", "list-everything", "one-folder-up")
    read = ("what-a-shell-is", "where-am-i")
    assert done == {(one, "attempted"): 1 for one in answered} | {(one, "completed"): 1 for one in read}
    standing = account.get(f"/progress/courses/{COURSE}")["modules"][0]
    assert [one["attempts"] for one in standing["steps"]] == [0, 0, 1, 1, 1]


def begin_in_editor(editor: Editor, page: Page) -> None:
    """Read a lesson, and choose an answer to the question after it."""
    opened_in(editor, page)
    lesson = open_step(page, *MODULE, "^Where am I")
    lesson.get_by_role("button", name="I have read it").click()
    expect(lesson.get_by_text("Completed.").first).to_be_visible(timeout=PATIENCE_MS)
    expect(row(page, "^Where am I.*, completed")).to_be_visible(timeout=PATIENCE_MS)
    picture(page, SCREENSHOTS / "editor", "lesson")
    quiz = open_step(page, "^One folder up")
    quiz.get_by_label("/Users/ada", exact=True).check()


def answer_offline(page: Page, web: Page) -> None:
    """Offline an answer waits, and is said to."""
    quiz = open_step(page, "^One folder up")
    quiz.get_by_role("button", name="Check answer").click()
    expect(quiz.get_by_text("Saved on this device", exact=True)).to_be_visible(timeout=PATIENCE_MS)
    label = re.compile("1 event saved on this device")
    expect(status(page)).to_have_attribute("aria-label", label, timeout=PATIENCE_MS)
    picture(page, SCREENSHOTS / "editor", "offline")
    web.get_by_role("button", name="Check answer").click()
    expect(web.locator("a.save")).to_have_text("Saved on this device")


def finish_in_terminal(terminal: Terminal, account: Account) -> None:
    terminal.sign_in(account)
    assert terminal.run("sync", "--wait", "20") == 0


def finish_in_editor(editor: Editor, page: Page, account: Account) -> None:
    """What waits is sent; then sign in by the code that the editor shows: what the guest did is the account's."""
    opened_in(editor, page)
    wait_until_sent(editor, page)
    command(page, "Headway: Sign In")
    asked = page.get_by_text(re.compile("Enter the code")).first
    asked.wait_for()
    picture(page, SCREENSHOTS / "editor", "sign-in")
    account.approve(asked.inner_text())
    page.get_by_role("button", name="Open Page").last.click()
    expect(page.get_by_text("You are signed in as").first).to_be_visible(timeout=PATIENCE_MS)
    row(page, "^Shell and Git").click()
    row(page, "^Meet the shell").click()
    expect(row(page, "^Where am I.*, completed")).to_be_visible(timeout=PATIENCE_MS)
    picture(page, SCREENSHOTS / "editor", "signed-in")


def finish_on_the_web(web: Page, account: Account) -> None:
    web.goto("/sign-in")
    expect(web.locator("a.save")).to_have_text("Saved")
    web.get_by_label("Email address").fill(account.email)
    web.get_by_label("Password").fill(account.password)
    web.get_by_role("button", name="Sign in", exact=True).click()
    expect(web.get_by_role("status").filter(has_text="Welcome")).to_be_visible()


def wait_until_sent(editor: Editor, page: Page) -> None:
    wait_until(page, editor, lambda: not editor.unsent())


def wait_until(page: Page, editor: Editor, is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_MS / 1000
    while not is_so():
        assert time.monotonic() < until, editor.said()
        page.wait_for_timeout(50)


def test_killed_between_any_two_steps_it_records_once_what_it_kept(
    opened: Open, editor: Editor, server: Server, rng: Random
) -> None:
    page = opened(viewport={"width": 1280, "height": 900}).new_page()
    opened_in(editor, page)
    before = ledger_ids(server.database)
    kept: set[str] = set()
    # The first one makes a guest as well; what comes after it takes as many steps as the second.
    for _ in range(2):
        answer(page, editor, STEPS_MAX)
        # What the panel says may be of the answer before.
        wait_until(page, editor, lambda: bool(editor.told()[0]))
        wait_until_sent(editor, page)
        kept |= editor.told()[0]
    steps = editor.told()[1]
    assert (len(kept), len(steps) > KILLS) == (2, True), steps
    for step in rng.sample(range(len(steps)), KILLS):
        answer(page, editor, step)
        wait_until(page, editor, editor.is_disarmed)
        kept |= editor.told()[0]
        page.reload()
        row(page, "^Shell and Git").wait_for()
        wait_until_sent(editor, page)
    recorded = ledger_ids(server.database) - before
    assert set(recorded.values()) == {1}
    found = {event for _, event in recorded}
    assert kept == found & kept, "an event that was kept is gone"
    assert len(found) == len(recorded) <= KILLS + 2
    assert len({learner for learner, _ in recorded}) == 1
    assert_audit_is_clean(server.database)


def answer(page: Page, editor: Editor, dies_at: int) -> None:
    """Answer a question; the process of the extension dies before one of the steps that this takes."""
    quiz = open_step(page, *MODULE, "^One folder up")
    quiz.get_by_label("/Users/ada", exact=True).check()
    editor.arm(dies_at)
    quiz.get_by_role("button", name="Check answer").click()
    if dies_at == STEPS_MAX:
        expect(quiz.get_by_text("Right", exact=True)).to_be_visible(timeout=PATIENCE_MS)
