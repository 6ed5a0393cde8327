"""Who reads has what waits sent as soon as the server is back, and hardly waits for that themselves."""

import time
from sqlite3 import Row

import pytest

from headway.client import Headway
from tests.client.devices import Device
from tests.client.trouble import FATES, PORTAL, Fate, Trouble, problem
from tests.http.server import Site


class Hanging(Trouble):
    """Answers whoever reads, and nobody who sends events."""

    def fate_of_next(self) -> Fate:
        hangs = self.asked[-1][1].endswith("/events") and not self.fates
        return Fate(200, PORTAL, "application/json", slowly=30) if hangs else super().fate_of_next()


def place_of(device: Device) -> Row:
    """What is kept of the latest outage."""
    with device.store.reading() as connection:
        found: Row = connection.execute("SELECT * FROM place").fetchone()
    return found


def wait_long(device: Device) -> None:
    """As after many a try: the next is minutes away."""
    with device.store.writing() as connection:
        connection.execute("UPDATE place SET tries = 9, backoff_until = ?", (time.time() + 250,))


def read(headway: Headway) -> None:
    headway.catch_up()
    assert headway.progress().is_fresh


@pytest.mark.parametrize(
    ("failed", "tried"),
    [
        # The server was there: it is left alone for as long as is wise.
        (Fate(200, PORTAL, "application/json", slowly=30), 0),
        (problem(500, "internal"), 0),
        # It was not: now it is, and is tried once.
        (FATES["502 of a proxy"], 1),
    ],
)
def test_who_reads_waits_for_no_server_that_takes_no_events(
    site: Site, device: Device, failed: Fate, tried: int
) -> None:
    with Hanging(site.port) as hanging:
        device.url = hanging.url
        headway = device.program(timeout_s=3.0)
        hanging.fates.extend([Fate(), failed])
        assert headway.attempted("walk", "a", score=1).status == "saved"
        assert hanging.batches(), "a guest was made, and something sent"
        wait_long(device)
        until = place_of(device)["backoff_until"]
        asked = len(hanging.batches())
        for _ in range(4):
            read(headway)
        assert len(hanging.batches()) == asked + tried
        assert (place_of(device)["tries"], place_of(device)["backoff_until"]) == (9, until)


@pytest.mark.parametrize("name", ["502 of a proxy", "the request is lost", "nothing"])
def test_who_reads_of_a_server_that_is_back_has_what_waits_sent(
    headway: Headway, device: Device, trouble: Trouble, name: str
) -> None:
    headway.opened("walk", "a")
    trouble.fates.extend([FATES[name]] * 2)
    assert headway.attempted("walk", "a", score=1).status == "saved"
    trouble.fates.clear()
    wait_long(device)
    headway.catch_up()
    assert headway.progress().data["steps_completed"] == 1
    assert headway.counts()["waiting"] == 0
