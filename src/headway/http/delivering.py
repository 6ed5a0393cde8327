"""Sends messages to webhooks in the background until the server stops, whichever process made them due."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread

from headway.certificates.keys import unseal
from headway.domain.errors import HeadwayError
from headway.domain.times import SECOND
from headway.domain.webhooks import signature
from headway.http import who
from headway.http.ending import to_its_end
from headway.http.outward import Outward
from headway.http.services import Services
from headway.ledger.delivering import Message, Outcome, settle, take

log = structlog.get_logger()

AT_ONCE: Final = 16
LOOK_S: Final = 5.0
# Seconds that a stopping server waits for deliveries under way; another sends again what is not done by then.
LAST_S: Final = 12.0


async def deliver_due(services: Services) -> None:
    """While a server runs, send webhooks what is due."""
    await _Deliverer(services).run()


class _Deliverer:
    """Sends messages that are due, up to AT_ONCE at a time: when this process makes some due, and now and then."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._outward = Outward(services.settings.webhook_networks)
        self._threads = CapacityLimiter(AT_ONCE)
        self._sending: dict[asyncio.Task[None], str] = {}
        self._woken = services.waking.watch_due()

    async def run(self) -> None:
        try:
            while True:
                with suppress(TimeoutError):
                    # Not `wait_for`: before Python 3.12 it loses a cancellation that comes while it is woken.
                    async with asyncio.timeout(LOOK_S):
                        await self._woken.wait()
                self._woken.clear()
                try:
                    while await self._begin():
                        pass
                except Exception as error:  # noqa: BLE001  # whatever it is, next time may be better
                    log.warning("delivering_failed", error=type(error).__name__)
        finally:
            if self._sending:
                await asyncio.wait(self._sending, timeout=LAST_S)

    async def _begin(self) -> bool:
        """Begin to send as many messages as there is room for; returns whether more may be due."""
        room = AT_ONCE - len(self._sending)
        if not room:
            return False
        under_way = list(self._sending.values())
        taken = self._services.run(lambda: take(self._services.database, room, now=who.now(), under_way=under_way))
        found = await to_its_end(taken)
        for message in found:
            task = asyncio.create_task(self._send(message))
            self._sending[task] = message.due.webhook_id
            task.add_done_callback(self._done)
        return len(found) == room

    def _done(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        # The next message of the same learner waits for this one.
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("delivering_failed", error=type(error).__name__)

    async def _send(self, message: Message) -> None:
        await to_thread.run_sync(partial(deliver, self._services, self._outward, message), limiter=self._threads)


def deliver(services: Services, outward: Outward, message: Message) -> None:
    """Send a message, and note what came of it."""
    at = who.now()
    try:
        secret = unseal(message.due.webhook_id, message.secret, services.settings.signing_secret)
    except HeadwayError:
        outcome = Outcome(None, "its secret cannot be opened: signing_secret is not what it was", 0)
    else:
        headers = {
            "content-type": "application/json",
            "user-agent": "Headway",
            "webhook-id": message.id,
            "webhook-timestamp": str(at // SECOND),
            "webhook-signature": signature(secret, message.id, at // SECOND, message.body),
        }
        outcome = outward.send(message.url, message.body, headers)
    settle(services.database, message, outcome, now=who.now())
