"""A server that stops waits for whatever it does by itself: a thread left alone would keep its connection."""

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from headway.http import board_keeping, delivering, housekeeping, mailing
from headway.http.ending import end, to_its_end
from headway.http.services import Services
from tests.http.postbox import settings_of

Beside = Callable[[Services], AbstractAsyncContextManager[None]]

LONG_S = 0.3
WORKS: list[tuple[object, str, Beside]] = [
    (housekeeping, "go_on_judging", housekeeping.house_kept),
    (board_keeping, "keep", board_keeping.boards_kept),
    (delivering, "take", delivering.delivering),
    (mailing, "send_due", mailing.mailing),
]


@pytest.mark.parametrize(("module", "work", "beside"), WORKS, ids=[name for _, name, _ in WORKS])
def test_it_waits_for_what_threads_do(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, module: object, work: str, beside: Beside
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def takes_long(*_: object, **__: object) -> list[object]:
        begun.set()
        time.sleep(LONG_S)
        ended.set()
        return []

    monkeypatch.setattr(module, work, takes_long)
    for looks in (delivering, mailing):
        monkeypatch.setattr(looks, "LOOK_S", 0.01)

    async def run() -> None:
        services = Services(settings_of(sqlite_url, 1))
        async with beside(services):
            await asyncio.to_thread(begun.wait)
            services.stopping.set()
        assert ended.is_set()
        services.database.close()

    asyncio.run(run())


def test_it_does_not_wait_forever() -> None:
    goes_on = threading.Event()

    async def run() -> None:
        task = asyncio.create_task(to_its_end(asyncio.to_thread(goes_on.wait), 0.01))
        await asyncio.sleep(0.01)
        await end(task)
        assert task.cancelled()
        goes_on.set()

    asyncio.run(run())


def test_what_fails_then_ends_it_all_the_same() -> None:
    def fails() -> None:
        time.sleep(LONG_S)
        raise OSError

    async def run() -> bool:
        task = asyncio.create_task(to_its_end(asyncio.to_thread(fails)))
        await asyncio.sleep(0.01)
        await end(task)
        return task.cancelled()

    assert asyncio.run(run())
