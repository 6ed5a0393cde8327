"""A full disk is told at once: nothing is called saved that is not, and what was saved before stays."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from headway.client import Headway, NotSaved
from tests.client.devices import Device, events_of
from tests.client.trouble import Trouble, problem
from tests.http.server import Site

# In a process of its own, whose files the kernel lets grow no further, as a full disk would.
PROGRAM = """
import resource, signal, sys
from pathlib import Path
from headway.client import Headway, NotSaved
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
headway = Headway(sys.argv[1], state_folder=Path(sys.argv[2]), background=False)
print(headway.attempted("walk", "a", response="x" * 1000).id)
size = (Path(sys.argv[2]) / "outbox.db").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    for _ in range(100):
        print(headway.attempted("walk", "a", response="x" * 50_000).id)
except NotSaved as error:
    sys.exit(str(error))
"""


def test_what_the_disk_has_no_room_for_is_said_and_what_was_saved_is_sent(
    device: Device, trouble: Trouble, site: Site
) -> None:
    trouble.always = problem(503, "unavailable", retry_after="0")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, device.url, str(device.folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("nothing was saved: ")
    saved = done.stdout.split()
    assert 1 <= len(saved) < 100
    trouble.always = None
    assert device.program().sync().waiting == 0
    assert set(events_of(site)) == set(saved)


def test_a_full_disk_is_called_that(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    headway = device.program()
    headway.opened("walk", "a")
    limit_pages(monkeypatch)
    with pytest.raises(NotSaved, match=r"^nothing was saved: the disk is full .*; make room and try again$"):
        headway.attempted("walk", "a", response="x" * 50_000)
    assert headway.counts()["waiting"] == 0


def limit_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite's own answer to a disk without room (SQLITE_FULL), by a bound on the file's pages."""
    connect = sqlite3.connect

    def bounded(path: Path, timeout: float, isolation_level: None) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(path, timeout=timeout, isolation_level=isolation_level)
        connection.execute("PRAGMA max_page_count = 16")
        return connection

    monkeypatch.setattr(sqlite3, "connect", bounded)


def test_what_was_sent_but_could_not_be_noted_is_sent_again_and_counts_once(
    headway: Headway, site: Site, device: Device
) -> None:
    headway.opened("walk", "a")
    with device.store.writing() as connection:
        connection.execute("CREATE TRIGGER full BEFORE DELETE ON item BEGIN SELECT RAISE(ABORT, 'no room'); END")
    outcome = headway.attempted("walk", "a", score=1)
    assert outcome.status == "saved"
    assert (outcome.reason or "").startswith("what was sent could not be noted, and will be sent again: ")
    with device.store.writing() as connection:
        connection.execute("DROP TRIGGER full")
    assert headway.sync().outcomes[outcome.id].status == "duplicate"
    assert outcome.id in events_of(site)
