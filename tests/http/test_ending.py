"""A server that stops waits for whatever it does by itself: a thread left alone would keep its connection."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial

import pytest
from structlog.testing import capture_logs

from headway.http import app, board_keeping, delivering, housekeeping, mail, mailing
from headway.http import services as services_module
from headway.http.ending import beside, end, to_its_end
from headway.http.services import Services
from tests.http.postbox import hanging, settings_of
from tests.http.server import serving

Work = Callable[[Services], Coroutine[None, None, None]]

LONG_S = 0.3
PATIENCE_S = 20
WORKS: list[tuple[object, str, Work]] = [
    (housekeeping, "go_on_judging", housekeeping.keep_house),
    (board_keeping, "keep", board_keeping.keep_boards),
    (delivering, "take", delivering.deliver_due),
    (mailing, "send_due", mailing.mail_due),
]


@pytest.mark.parametrize(("module", "named", "work"), WORKS, ids=[name for _, name, _ in WORKS])
def test_it_waits_for_what_threads_do(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, module: object, named: str, work: Work
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def takes_long(*_: object, **__: object) -> list[object]:
        begun.set()
        time.sleep(LONG_S)
        ended.set()
        return []

    monkeypatch.setattr(module, named, takes_long)
    for looks in (delivering, mailing):
        monkeypatch.setattr(looks, "LOOK_S", 0.01)

    async def run() -> None:
        services = Services(settings_of(sqlite_url, 1))
        async with beside(work(services)):
            await asyncio.to_thread(begun.wait)
            services.stopping.set()
        assert ended.is_set()
        services.database.close()

    asyncio.run(run())


def test_all_works_of_a_server_end_at_the_same_time(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    together = asyncio.Barrier(len(app.WORKS))

    async def waits_for_the_others(_: Services) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(await asyncio.wait_for(together.wait(), PATIENCE_S))

    monkeypatch.setattr(app, "WORKS", [waits_for_the_others] * len(app.WORKS))
    with serving(sqlite_url) as site:
        assert site.guest().get("/progress").is_success
    assert sorted(ended) == list(range(len(app.WORKS)))


def test_it_waits_for_what_is_done_afterwards(sqlite_url: str) -> None:
    done = threading.Event()

    def takes_long() -> None:
        time.sleep(LONG_S)
        done.set()

    async def run() -> None:
        services = Services(settings_of(sqlite_url, 1))
        async with beside(services.see_through()):
            await asyncio.sleep(0)
            assert services.afterwards(takes_long)
        assert done.is_set()
        services.database.close()

    asyncio.run(run())


def test_it_says_how_many_mails_it_leaves_where_the_mail_server_hangs(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services_module, "LATER_PATIENCE_S", 0.1)
    monkeypatch.setattr(mail, "PATIENCE_S", 2)
    mails = services_module.LATER_AT_ONCE + 2
    with hanging() as (port, came), capture_logs() as log:

        async def run() -> None:
            services = Services(settings_of(sqlite_url, port))
            async with beside(services.see_through()):
                await asyncio.sleep(0)
                for n in range(mails):
                    letter = mail.Letter(f"a{n}@example.org", "A new password", "")
                    assert services.afterwards(partial(_mailed, services, letter))
            services.database.close()

        asyncio.run(run())
        assert len(came) <= services_module.LATER_AT_ONCE
    assert [one for one in log if one["event"] == "left_undone"] == [
        {"event": "left_undone", "waiting": mails, "log_level": "error"}
    ]
    assert "@example.org" not in str(log)


def _mailed(services: Services, letter: mail.Letter) -> None:
    services.mail.send(letter)


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
