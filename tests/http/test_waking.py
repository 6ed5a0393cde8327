"""Waking streams: what a server that has ended leaves behind."""

import asyncio
import gc
import weakref

import anyio
import pytest

from headway.http import delivering
from headway.http.services import Services
from headway.http.waking import NoWire, Waking
from headway.ledger.announcing import Announcement, announce
from headway.settings import Settings
from headway.store.database import Database


async def served(database: Database) -> None:
    waking = Waking(database, NoWire())
    waking.open()
    await waking.close()


def test_a_server_that_has_ended_holds_its_database_no_more() -> None:
    database = Database("sqlite:///nowhere.db")
    gone = weakref.ref(database)
    anyio.run(served, database)
    database.close()
    del database
    gc.collect()
    assert gone() is None


def test_one_that_ends_leaves_the_next_one_of_the_same_database_listening() -> None:
    database = Database("sqlite:///nowhere.db")

    async def serve() -> bool:
        before, after = Waking(database, NoWire()), Waking(database, NoWire())
        before.open()
        after.open()
        await before.close()
        woken = after.enter("ada")
        announce(database, Announcement({"ada"}, is_due=False))
        await anyio.sleep(0.05)
        heard = woken.is_set()
        await after.close()
        return heard

    assert anyio.run(serve)
    database.close()


@pytest.mark.parametrize("ticks", range(6))
def test_sending_webhooks_ends_when_it_is_woken_and_told_to_end_at_once(
    monkeypatch: pytest.MonkeyPatch, ticks: int
) -> None:
    async def nothing_due(_: object) -> bool:
        return False

    monkeypatch.setattr(delivering._Deliverer, "_begin", nothing_due)

    async def stop() -> bool:
        services = Services(Settings(database_url="sqlite:///nowhere.db"))
        task = asyncio.create_task(delivering.deliver_due(services))
        await asyncio.sleep(0.01)
        services.waking._watching[0].set()
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=2)
        if not done:
            task.cancel()
        services.database.close()
        services.passwords.close()
        return bool(done)

    assert anyio.run(stop)
