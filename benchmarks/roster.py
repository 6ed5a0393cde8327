"""How a roster of 10,000 learners scrolls in Chromium: the frames of a scripted scroll, beside those of plain paper.

The script scrolls on in every frame, from the first learner to the last, and waits below for those that are still to be
read. Plain paper is an empty box of the same height: what its frames take is the machine's. On a machine with other
work frames wait for their turn, so the page's longest task is told by the time of the processor that it took as well.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from typing import Final, NamedTuple

from playwright.sync_api import Locator

from benchmarks.browser import build, chromium, served
from benchmarks.command import Found, options, tell
from benchmarks.figures import Figure
from benchmarks.report import fill
from benchmarks.servers import Broken
from benchmarks.site import EMAIL, PASSWORD
from headway.ledger.accounts import empower
from headway.store.database import Database

LEARNERS: Final = 10_000
FRAME_MS: Final = 100.0
MAIN: Final = "CrRendererMain"
PIXELS: Final = 600
PATIENCE_MS: Final = 120_000
NAME: Final = "All learners"
TRACED: Final = ("toplevel", "disabled-by-default-toplevel")
# Frames in ms.
_SCROLL: Final = """async (box, pixels) => {
  const frames = [];
  const isWhole = () => box.querySelector("[aria-rowcount='-1']") === null;
  const rows = () => box.querySelectorAll("tbody tr").length;
  let last = performance.now(), most = 0;
  await new Promise((done) => {
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      most = Math.max(most, rows());
      box.scrollTop += pixels;
      const isBelow = box.scrollTop + box.clientHeight >= box.scrollHeight - 1;
      if (isBelow && isWhole()) done(); else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  return { frames: frames.slice(1), height: box.scrollHeight, rows: most };
}"""
_PAPER: Final = """(height) => {
  document.body.innerHTML = "<div id='paper'><div></div></div>";
  const box = document.getElementById("paper");
  Object.assign(box.style, { height: "544px", overflowY: "auto" });
  Object.assign(box.firstChild.style, { height: `${height}px`, background: "linear-gradient(white, gray)" });
}"""


class Scrolled(NamedTuple):
    """What a scroll came to: each frame, in ms; the box's height; the most rows at a time."""

    frames: Sequence[float]
    height: int
    rows: int


def scrolled(box: Locator) -> Scrolled:
    """Scroll a box from its beginning to its end."""
    return Scrolled(**box.evaluate(_SCROLL, PIXELS))


def measured(learners: int, folder: Path) -> list[Figure]:
    """The figures of a roster of so many learners."""
    build()
    address = f"sqlite:///{folder / 'roster.db'}"
    database = Database(address)
    now = time.time_ns() // 1000
    fill(database, learners, now)
    empower(database, EMAIL, PASSWORD, "admin", now=now)
    database.close()
    with served(address, folder) as url, chromium() as browser:
        context = browser.new_context(base_url=url, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE_MS)
        got = context.request.post("/api/v1/auth/login", data={"email": EMAIL, "password": PASSWORD})
        if not got.ok:
            raise Broken(f"signing in was answered {got.status}")
        page = context.new_page()
        page.goto("/teach/big")
        box = page.get_by_role("region", name=NAME)
        box.locator("tbody tr").first.wait_for()
        browser.start_tracing(page=page, categories=TRACED)
        roster = scrolled(box)
        task_ms = _longest_task(browser.stop_tracing())
        page.goto("/health/live")
        page.evaluate(_PAPER, roster.height)
        return list(_figures(learners, task_ms, roster, scrolled(page.locator("#paper"))))


def _longest_task(trace: bytes) -> float:
    """The ms of processor time that the longest task of a page's main thread took."""
    events = json.loads(trace)["traceEvents"]
    threads = {
        (one["pid"], one["tid"]) for one in events if one["name"] == "thread_name" and one["args"]["name"] == MAIN
    }
    tasks = [one for one in events if (one["pid"], one["tid"]) in threads and one["name"].endswith("RunTask")]
    return float(max(one.get("tdur", 0) for one in tasks)) / 1000


def _figures(learners: int, task_ms: float, roster: Scrolled, paper: Scrolled) -> Iterator[Figure]:
    late = _late(roster.frames)
    yield Figure("longest task of the page, its own time", task_ms, "under", FRAME_MS, ".0f", " ms")
    yield Figure(f"{learners:,} learners: longest frame", max(roster.frames), "under", FRAME_MS, ".0f", " ms")
    yield Figure("99 of 100 frames", late, "under", None, ".0f", " ms")
    yield Figure("99 of 100 frames, roster / paper", late / _late(paper.frames), "under", None, ".2f")
    yield Figure("longest frame on paper", max(paper.frames), "under", None, ".0f", " ms")
    yield Figure("frames", len(roster.frames), "at least", None)
    yield Figure("rows in the document, at most", roster.rows, "under", None)


def _late(frames: Sequence[float]) -> float:
    return quantiles(frames, n=100)[98]


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options("roster", __doc__)
    parser.add_argument("--learners", type=int, default=LEARNERS, help=f"in the roster [{LEARNERS}]")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headway-bench-", dir=given.dir) as name:
        return tell(given, _measured(given.learners, Path(name)))


def _measured(learners: int, folder: Path) -> Iterator[Found]:
    yield f"{learners:,} learners", measured(learners, folder)


if __name__ == "__main__":
    sys.exit(main())
