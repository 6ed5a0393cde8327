"""The editor's outbox, built from its sources, against a real `headway serve`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Templates, tables
from tests.editor.driver import Driver, PagesNotBuilt, built
from tests.torture.client import Client, new_account, prepare
from tests.torture.proof import ledger_ids
from tests.torture.server import Server


class World(NamedTuple):
    """A server, its database, and what starts processes of the outbox."""

    server: Server
    database: str
    driver: Driver
    before: Counter[tuple[str, str]]

    def account(self) -> tuple[Client, str, str]:
        """A signed-in browser of a new account, the account's token for an editor, and its id."""
        client = new_account(self.server.port)
        made = client.send("POST", "/auth/tokens", {"name": "editor", "scopes": ["read", "write"]}).body
        return client, made["token"], client.get("/auth/me")["learner"]["id"]

    def recorded(self) -> Counter[tuple[str, str]]:
        """How often each learner and event stands in the ledger, of those that came since the test began."""
        return ledger_ids(self.database) - self.before

    def start_again(self) -> None:
        """Start the server again after it was killed, where it was."""
        self.server.flags = ("--port", str(self.server.port))
        self.server.start()


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The driver, built from its sources."""
    try:
        return built(tmp_path_factory.mktemp("driver"))
    except PagesNotBuilt as error:
        pytest.skip(f"the web pages cannot be built: {error}")


@pytest.fixture(scope="module")
def started(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory, script: Path
) -> Iterator[tuple[Server, str, Driver]]:
    folder = tmp_path_factory.mktemp("world")
    with templates.copy("sqlite", tables, folder) as (url, _):
        prepare(url)
        with Server(url, folder) as server:
            yield server, url, Driver(script, f"http://127.0.0.1:{server.port}")


@pytest.fixture
def world(started: tuple[Server, str, Driver]) -> Iterator[World]:
    """One server for all tests of a module, of which each sees what comes about in it alone."""
    made = World(*started, before=ledger_ids(started[1]))
    yield made
    if made.server.process.poll() is not None:
        made.start_again()
