"""The pages in Debian's Chromium: built, served with somebody signed in, and what they load at first."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from benchmarks.contenders import HEADWAY_ENV, headway_path
from benchmarks.figures import Figure
from benchmarks.servers import ROOT, Broken, Server, free_port

FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
FIRST_LOAD_KB: Final = 120.0
_ASSETS: Final = ROOT / "src/headway/http/built/assets"


def build() -> None:
    """Build the pages, if their sources have changed."""
    done = subprocess.run([sys.executable, ROOT / "hatch_build.py"], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"the web pages cannot be built: {done.stderr.strip()[-500:]}")


def chromium_path() -> str:
    """Where Chromium is."""
    path = shutil.which("chromium")
    if path is None:
        raise Broken("there is no Chromium: apt-get install chromium")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, started."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(database: str, folder: Path) -> Iterator[str]:
    """The address of a server on a database."""
    port = free_port()
    command = [headway_path(), "serve", "--port", str(port), "--database", database]
    with Server(command, port, folder / "server.log", HEADWAY_ENV):
        yield f"http://127.0.0.1:{port}"


def first_load() -> Figure:
    """The compressed script that the largest page comes with: what all share, and that page's own."""
    sizes = {path.name: path.stat().st_size / 1000 for path in _ASSETS.glob("*.js.br")}
    own = [size for name, size in sizes.items() if name[0].isupper()]
    total = sum(sizes.values()) - sum(own) + max(own)
    return Figure("script of the first load, compressed", total, "under", FIRST_LOAD_KB, ".1f", " kB")
