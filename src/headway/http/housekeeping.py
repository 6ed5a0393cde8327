"""A server's work of now and then: delete what has run out, clear guests who have long done nothing, and the like."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from random import Random
from typing import Final

import structlog

from headway.domain.times import DAY
from headway.http import who
from headway.http.ending import to_its_end
from headway.http.services import Services
from headway.importers.leftovers import clear_leftovers
from headway.ledger.archive import settle
from headway.ledger.backfill import backfill_pending
from headway.ledger.boards import clear_ended
from headway.ledger.guests import clear_guests
from headway.ledger.recount import recount_pending
from headway.ledger.reminding import remind
from headway.ledger.resting import Progress, Stopping, resting
from headway.ledger.sweep import sweep_pending
from headway.ledger.tidying import is_due, tidy

log = structlog.get_logger()

_HOUR_S: Final = 3_600
_DAY_S: Final = 24 * _HOUR_S
_REMIND_S: Final = 240
_random: Final = Random()  # noqa: S311  # for a pause, which is no secret


async def keep_house(services: Services) -> None:
    """While a server runs, look about every ten minutes for work that is due; only one process does each."""
    # At once: until all learners were judged by it, a course's version in force may hold back what they are due.
    await _tried(partial(services.publish, partial(go_on_judging, services)))
    while True:
        await _tried(partial(services.run, clear_leftovers))
        # Later: a server that starts has better to do, and workers should not all look at the same moment.
        await asyncio.sleep(600 * _random.uniform(0.5, 1.5))
        await _tried(partial(services.run, lambda: do_what_is_due(services, now=who.now())))
        await _tried(partial(services.publish, partial(go_on_judging, services)))


async def _tried(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await to_its_end(work())
    except Exception as error:  # noqa: BLE001  # whatever it is, next time may be better
        log.warning("housekeeping_failed", error=type(error).__name__)


def go_on_judging(services: Services) -> None:
    """Finish sweeps that broke off, as when a server was killed, count learners anew, and give new achievements.

    If this server stops meanwhile, the next one goes on.
    """
    with suppress(Stopping):
        _judge(services, resting(services.stopping))


def _judge(services: Services, rest: Progress) -> None:
    database, catalog = services.database, services.catalog
    swept = sweep_pending(database, catalog, now=who.now, progress=rest)
    if swept:
        log.info("judging_brought_to_its_end", courses=swept)
    counted = recount_pending(database, catalog, progress=rest)
    if counted:
        log.info("rosters_brought_up_to_date", learners=counted)
    given = backfill_pending(database, catalog, now=who.now, progress=rest)
    if given is not None:
        log.info("achievements_given", learners=given.updated, achievements=given.earned)


def do_what_is_due(services: Services, *, now: int) -> None:
    """Do each kind of work that no process has done within its period."""
    database, settings = services.database, services.settings
    if is_due(database, "housekeeping", _HOUR_S, now=now):
        before = {"events_before": settings.security_days, "notices_before": settings.notice_days}
        before["sent_before"] = settings.delivery_days
        gone = tidy(database, now=now, **{name: now - days * DAY for name, days in before.items()})
        log.debug("tidied", rows=gone)
    if is_due(database, "reminders", _REMIND_S, now=now):
        reminded = remind(database, services.streak_rules, now=now)
        if reminded:
            log.info("reminded", learners=reminded)
    if is_due(database, "scrubbing", _HOUR_S, now=now):
        settle(database)
        database.scrub()
    if is_due(database, "boards", _HOUR_S, now=now):
        clear_ended(database, now=now)
    if is_due(database, "guests", _DAY_S, now=now):
        cleared = clear_guests(database, now - settings.guest_days * DAY)
        if cleared.guests:
            log.info("guests_cleared", guests=cleared.guests, entries=cleared.entries)
