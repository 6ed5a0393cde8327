"""How long the extension takes to activate in a real Visual Studio Code, and the outboxes in TypeScript to drain.

Activation is what the editor itself tells of each extension that runs (`Developer: Show Running Extensions`): loading
its code and calling it. The outbox in files is the extension's, in Node; the web app's is in IndexedDB, in Chromium.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from benchmarks.browser import build, chromium, served
from benchmarks.command import Found, options, tell
from benchmarks.databases import count
from benchmarks.figures import Figure
from benchmarks.population import course, step_ids
from benchmarks.servers import Broken
from headway.ledger.publish import publish
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.editor.driver import Driver, built
from tests.web.editor import Editor, command, installed_editor, status

COURSE: Final = "outbox"
EVENTS: Final = 10_000
STARTS: Final = 3
ACTIVATED_MS: Final = 200.0
DRAIN_S: Final = 10.0
PATIENCE_S: Final = 120
ROWS: Final = "SELECT count(*) FROM ledger WHERE type = 'attempted'"
# Puts events into the web app's own outbox, as one that was offline for long has left them there.
_FILL: Final = """async ([count, course, step]) => {
  const opened = await new Promise((done, failed) => {
    const asked = indexedDB.open("headway");
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => failed(asked.error);
  });
  const transaction = opened.transaction("queue", "readwrite");
  const made_at = new Date().toISOString();
  for (let number = 0; number < count; number++) {
    const event = { id: crypto.randomUUID(), type: "attempted", course, step, occurred_at: made_at, score: 1 };
    transaction.objectStore("queue").add({ event, identity: null, made_at });
  }
  await new Promise((done, failed) => {
    transaction.oncomplete = done;
    transaction.onabort = () => failed(transaction.error);
  });
  opened.close();
}"""
_LEFT: Final = """async () => {
  const opened = await new Promise((done) => {
    const asked = indexedDB.open("headway");
    asked.onsuccess = () => done(asked.result);
  });
  const asked = opened.transaction("queue").objectStore("queue").count();
  await new Promise((done) => (asked.onsuccess = done));
  opened.close();
  return asked.result;
}"""


def activations(browser: Browser, editor: Editor) -> tuple[float, list[float]]:
    """Milliseconds of the first activation after the editor was started, and of those after reloading its window."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    first, *others = [activation(editor, page) for _ in range(STARTS)]
    page.context.close()
    return first, others


def activation(editor: Editor, page: Page) -> float:
    """Open a window, and have the editor say how long the extension took to activate in it, in ms."""
    page.goto(editor.url)
    status(page).wait_for()
    command(page, "Developer: Show Running Extensions")
    told = page.locator(".runtime-extensions-editor .monaco-list-row").filter(has_text="Headway")
    found = re.search(r"Activation: (\d+)ms", told.inner_text())
    if not found:
        raise Broken(f"the editor does not say how long the extension took: {told.inner_text()}")
    return float(found[1])


def in_the_editor(folder: Path, url: str) -> Iterator[Figure]:
    """Activation in editors that were just started, and in windows that were loaded again."""
    cold: list[float] = []
    warm: list[float] = []
    try:
        with chromium() as browser, installed_editor(folder / "editor", url) as editor:
            for _ in range(STARTS):
                first, others = activations(browser, editor)
                cold.append(first)
                warm += others
                editor.kill()
                editor.start()
    except pytest.skip.Exception as error:
        raise Broken(str(error)) from error
    for name, found in (("the editor just started", cold), ("its window loaded again", warm)):
        yield Figure(f"{name}: the slowest of {len(found)}", max(found), "under", ACTIVATED_MS, ".0f", " ms")
        yield Figure(f"{name}: the middle one", median(found), "under", None, ".0f", " ms")


def drained_files(folder: Path, url: str, events: int, step: str) -> float:
    """The seconds that a process of the extension's outbox takes from its start until all that waited is recorded."""
    driver, state = Driver(built(folder), url), folder / "state"
    driver.run(state, keep=events, course=COURSE, step=step)
    ended = driver.run(state, patience=PATIENCE_S * 1000)
    if ended.left["waiting"] or ended.left["refused"]:
        raise Broken(f"not all was recorded: {json.dumps(ended.left)}")
    (took,) = ended.told("took")
    return int(took) / 1000


def drained_indexed(url: str, events: int, step: str) -> float:
    """The seconds that the web app takes from loading its page until all that waited is recorded."""
    with chromium() as browser:
        page = browser.new_context(base_url=url).new_page()
        page.goto("/courses")
        page.locator("a.save").wait_for()
        page.evaluate(_FILL, [events, COURSE, step])
        started = time.perf_counter()
        page.goto("/courses")
        while page.evaluate(_LEFT):
            if time.perf_counter() > started + PATIENCE_S:
                raise Broken(f"after {PATIENCE_S} s something still waits")
            page.wait_for_timeout(50)
        return time.perf_counter() - started


def measured(folder: Path, events: int) -> Iterator[Found]:
    """Each in its turn, against one server on SQLite."""
    build()
    manifest = course(COURSE, 1, 10)
    address = f"sqlite:///{folder / 'editor.db'}"
    database = Database(address)
    migrate(database)
    publish(database, manifest, now=0)
    database.close()
    step = step_ids(manifest)[0]
    with served(address, folder) as url:
        yield "activation", list(in_the_editor(folder, url))
        ways: dict[str, Callable[[], float]] = {
            "files, in Node": partial(drained_files, folder, url, events, step),
            "IndexedDB, in Chromium": partial(drained_indexed, url, events, step),
        }
        for number, (where, drained) in enumerate(ways.items(), 1):
            seconds = drained()
            if (found := count(address, ROWS)) != number * events:
                raise Broken(f"{found} events were recorded, not {number * events}")
            yield f"outbox in {where}", [Figure(f"drain {events:,} events", seconds, "under", DRAIN_S, ".1f", " s")]


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options("editor", __doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help=f"that wait [{EVENTS}]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headway-bench-", dir=given.dir) as name:
        return tell(given, measured(Path(name), given.events))


if __name__ == "__main__":
    sys.exit(main())
