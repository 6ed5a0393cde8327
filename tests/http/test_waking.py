"""Waking streams: what a server that has ended leaves behind."""

import gc
import weakref

import anyio

from headway.http.waking import NoWire, Waking
from headway.ledger.announcing import Told, announce
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
        announce(database, Told({"ada"}, is_due=False))
        await anyio.sleep(0.05)
        heard = woken.is_set()
        await after.close()
        return heard

    assert anyio.run(serve)
    database.close()
