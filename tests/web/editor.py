"""Visual Studio Code as a server, with the extension in it, and what is done and seen there by way of a browser."""

import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import FrameLocator, Locator, Page

from tests.editor.driver import node
from tests.house.tree import ROOT
from tests.npm import installed

EDITOR = ROOT / "tests/web/vscode"
CODE = EDITOR / "node_modules/code-server/lib/vscode"
# Of what it brings: the rest is languages and assistants, which take their time to start.
BUILT_IN = ("theme-defaults", "theme-seti")
START_PATIENCE_S = 60
PATIENCE_MS = 40_000
SETTINGS = {
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "chat.disableAIFeatures": True,
    # What appears by itself under a pointer that rests lies upon the lines below, and takes their clicks.
    "workbench.hover.delay": 3_600_000,
}


class Editor:
    """The server of an editor; its state stays in its folder while it is killed and started."""

    def __init__(self, folder: Path, server: str, vsix: Path, *flags: str) -> None:
        self.folder, self.workspace = folder, folder / "workspace"
        self.workspace.mkdir(parents=True)
        self._built_in = folder / "built-in"
        self._built_in.mkdir()
        for name in BUILT_IN:
            (self._built_in / name).symlink_to(CODE / "extensions" / name)
        machine = folder / "data/data/Machine/settings.json"
        machine.parent.mkdir(parents=True)
        machine.write_text(json.dumps({"headway.server": server, **SETTINGS}))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None
        self._vsix, self._flags = vsix, flags
        # What the extension's process is told to die at: see vscode/kill.cjs.
        self._kills = folder / "kills"
        self._kills.mkdir()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/?folder={self.workspace}"

    def unsent(self) -> list[str]:
        """The ids of the events that the extension keeps, and has not sent yet."""
        storage = self.folder / "data/data/User/globalStorage/headway.headway"
        return [path.name.split(".")[2] for path in storage.glob("*/queue/*.json")]

    def arm(self, step: int) -> None:
        """Have the process of the extension die before the step of this number from now on."""
        (self._kills / "told").unlink(missing_ok=True)
        arming = self._kills / "arming"
        arming.write_text(f"{step} {uuid4()}")
        arming.rename(self._kills / "arm")

    def is_disarmed(self) -> bool:
        """Whether it has died since."""
        return not (self._kills / "arm").exists()

    def told(self) -> tuple[set[str], list[str]]:
        """Since it was armed: the ids of the events that it had kept, and the steps that it took."""
        path = self._kills / "told"
        told = path.read_text() if path.exists() else ""
        kept = re.findall(r"^renamed \S+/queue/[^/.]+\.\d+\.([0-9a-f-]+)\.json$", told, re.MULTILINE)
        return set(kept), re.findall("^step (.*)$", told, re.MULTILINE)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        folders = [f"--server-data-dir={self.folder / 'data'}", f"--extensions-dir={self.folder / 'extensions'}"]
        flags = ["--accept-server-license-terms", "--without-connection-token", "--telemetry-level=off", *self._flags]
        if not (self.folder / "extensions").exists():
            flags += [f"--install-extension={self._vsix}", "--start-server"]
        program = [node(), f"--require={EDITOR / 'kill.cjs'}", str(CODE / "out/server-main.js")]
        address = ["--host=127.0.0.1", f"--port={self._port}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*program, *address, f"--builtin-extensions-dir={self._built_in}", *folders, *flags],
                env={**os.environ, "HEADWAY_KILLS": str(self._kills)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < until, self.said()
            time.sleep(0.05)

    @property
    def _log(self) -> Path:
        return self.folder / "log"

    def said(self) -> str:
        """The end of its log."""
        return self._log.read_text()[-3000:]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/version", timeout=5) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it and its extension host at once."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait(20)
            self._process = None


@contextmanager
def installed_editor(folder: Path, server: str, *flags: str) -> Iterator[Editor]:
    """A running editor; the test is skipped where npm cannot install one."""
    installed(EDITOR, "Visual Studio Code")
    made = Editor(folder, server, packed(), *flags)
    try:
        made.start()
        yield made
    finally:
        made.kill()


def packed() -> Path:
    """The extension's package, as `make vsix` makes it."""
    command = [sys.executable, str(ROOT / "hatch_build.py"), "--vsix"]
    with (ROOT / "web/package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ROOT / done.stdout.strip()


def opened_in(editor: Editor, page: Page, course: str = "^Shell and Git") -> None:
    """Open the workbench, and the view of courses in it."""
    page.set_default_timeout(PATIENCE_MS)
    page.goto(editor.url)
    page.get_by_role("tab", name="Headway").first.click()
    row(page, course).wait_for()


def row(page: Page, name: str) -> Locator:
    """A line of the tree of courses."""
    return page.get_by_role("treeitem", name=re.compile(name)).first


def panel(page: Page) -> FrameLocator:
    """What the panel of a step shows: a page within a page within the editor."""
    return page.frame_locator("iframe.webview.ready").frame_locator("iframe#active-frame")


def open_step(page: Page, *path: str) -> FrameLocator:
    """Open the courses and modules of a path in the tree, and the step at its end."""
    for name in path[:-1]:
        one = row(page, name)
        one.wait_for()
        if one.get_attribute("aria-expanded") != "true":
            one.click()
    row(page, path[-1]).click()
    return panel(page)


def status(page: Page) -> Locator:
    """What the status bar says: streak, then what is unsent."""
    return page.locator(".statusbar-item[id*='headway']").first


def command(page: Page, title: str) -> None:
    """Run a command by the palette; a workbench that is still busy with itself takes no keys."""
    asked = page.locator(".quick-input-widget input[type=text]").first
    for patience_ms in (2_000, 5_000, PATIENCE_MS):
        page.keyboard.press("F1")
        with suppress(BrowserError):
            asked.wait_for(timeout=patience_ms)
            break
    asked.fill(f">{title}")
    page.get_by_role("option", name=re.compile(title)).first.click()
