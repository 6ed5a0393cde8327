"""A real browser over a real `headway serve` with a demo in it; without Chromium these tests are skipped."""

import fcntl
import gc
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from headway.cli.demo import PASSWORD
from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL
from headway.demo.stage import stage
from headway.ledger.passwords import hash_password
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.house.tree import ROOT
from tests.torture.server import Server
from tests.web.door import Door
from tests.web.editor import Editor, installed_editor

LEARNERS = 30
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Open = Callable[..., BrowserContext]


@pytest.fixture(scope="session")
def pages() -> None:
    """The pages, built from their sources as they are now; one worker builds them for all."""
    with (ROOT / "web/package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run([sys.executable, ROOT / "hatch_build.py"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the web pages cannot be built: {done.stderr.strip().splitlines()[-1:]}")


# Not for longer: while Playwright is there its loop runs in this thread, and a test elsewhere can run none of its own.
@pytest.fixture(scope="module")
def chromium(pages: None) -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    # What is left of it belongs to this thread: no other one is to come upon it in a search for garbage.
    gc.collect()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small demo, as `headway demo` makes one."""
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder / 'headway.db'}"
    database = Database(url)
    migrate(database)
    hashed = hash_password(PASSWORD)
    stage(
        database,
        now=time.time_ns() // 1000,
        password_hashes={LEARNER_EMAIL: hashed, CREATOR_EMAIL: hashed},
        count=LEARNERS,
    )
    database.close()
    with Server(url, folder, HEADWAY_DEMO="on", HEADWAY_SHIPPED_ACHIEVEMENTS="on") as started:
        yield started


@pytest.fixture(scope="session")
def door(server: Server) -> Iterator[Door]:
    """Where browsers find the server, whenever it is there."""
    with Door(server) as opened:
        yield opened


@pytest.fixture
def opened(chromium: Browser, door: Door) -> Iterator[Open]:
    """Opens browsers of their own: each keeps its cookies and what it stores to itself."""
    contexts: list[BrowserContext] = []

    def another(**options: object) -> BrowserContext:
        context = chromium.new_context(base_url=door.url, **options)  # type: ignore[arg-type]  # Playwright's own
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context

    yield another
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory, door: Door, pages: None) -> Iterator[Editor]:
    """Visual Studio Code with the extension in it; one for all tests of a module, for it takes its time to start."""
    with installed_editor(tmp_path_factory.mktemp("editor"), door.url) as started:
        yield started


def signed_in(context: BrowserContext, email: str = LEARNER_EMAIL) -> BrowserContext:
    """The context, with a session."""
    got = context.request.post("/api/v1/auth/login", data={"email": email, "password": PASSWORD})
    assert got.ok, got.text()
    return context


def sources(*parts: str) -> Path:
    """A path among the sources of the web app."""
    return ROOT.joinpath("web", *parts)
