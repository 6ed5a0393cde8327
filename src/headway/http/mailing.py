"""The mails that a server sends to learners in the background: what they asked to be told by mail, each once."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread

from headway.domain.times import SECOND
from headway.http import who
from headway.http.ending import to_its_end
from headway.http.letters import letter_of
from headway.http.mail import Carried, Letter
from headway.http.services import Services
from headway.ledger.mailing import LATER, REFUSED, SENT, TAKEN_FOR, Mail, put_back, put_down, settle, take, why_not
from headway.settings import Settings

log = structlog.get_logger()

LOOK_S: Final = 60.0
AT_ONCE: Final = 25
# With less than this left of the time for which mails were taken up, the rest is left to the next who takes them.
_LEFT_S: Final = TAKEN_FOR / SECOND / 2
_random: Final = Random()  # noqa: S311  # for a pause, which is no secret


def missing_for_mails(settings: Settings) -> list[str]:
    """The names of settings that mails to learners need, and that are not set."""
    return [name for name in ("smtp_url", "public_url") if not getattr(settings, name)]


def why_no_mails(settings: Settings) -> str | None:
    """Why no mails can be sent to learners; None if they can. Each must hold an https address to unsubscribe at."""
    missing = missing_for_mails(settings)
    if missing:
        return f"this server sends no e-mail to learners: its operator has not set {' and '.join(missing)}"
    if not (settings.public_url or "").startswith("https://"):
        return "this server sends no e-mail to learners: its public_url is not https, which unsubscribing needs"
    return None


async def mail_due(services: Services) -> None:
    """While a server runs, send learners the mails that are due, if it is set up for that."""
    why_not = why_no_mails(services.settings)
    if why_not is not None:
        if services.settings.smtp_url:
            log.warning("no_mails_to_learners", why=why_not)
        return
    thread = CapacityLimiter(1)
    while True:
        await asyncio.sleep(LOOK_S * _random.uniform(0.5, 1.5))
        # A mail that is not sent soon after the server stops is sent by another.
        await to_its_end(to_thread.run_sync(partial(_try, services), limiter=thread))


def _try(services: Services) -> None:
    try:
        sent = send_due(services, services.stopping)
    except Exception as error:  # noqa: BLE001  # whatever it is, next time may be better
        log.warning("mailing_failed", error=type(error).__name__)
    else:
        if sent:
            log.info("mailed", mails=sent)


def send_due(services: Services, stop: threading.Event) -> int:
    """Note which mails are due, and send them until none is left, the mail server is gone, or `stop` is set.

    Returns how many the mail server took.
    """
    put_down(services.database, now=who.now())
    total = 0
    while not stop.is_set():
        found = take(services.database, services.catalog, AT_ONCE, now=who.now())
        if not found:
            break
        sent, is_there = _send(services, found, stop)
        total += sent
        if not is_there:
            break
    return total


def _send(services: Services, found: list[Mail], stop: threading.Event) -> tuple[int, bool]:
    """Send mails that were taken up; returns how many the mail server took, and whether it can be reached.

    Mails that were not tried are put back as they were.
    """
    left, sent, until = deque(found), 0, time.monotonic() + _LEFT_S
    with services.mail.carrying() as carrying:
        while left and time.monotonic() < until and not stop.is_set():
            carry = carrying.ready()
            if carry is None:
                break
            sent += _hand_over(services, left.popleft(), carry)
    put_back(services.database, left)
    return sent, carrying.is_there


def _hand_over(services: Services, mail: Mail, carry: Callable[[Letter], Carried]) -> bool:
    """Send a mail if it is still wanted, and note the outcome before the next one; returns whether it was taken."""
    # Checked again: others were sent since it was taken up, which may have taken minutes.
    outcome = why_not(services.database, mail, now=who.now())
    if outcome is None:
        letter = _written(services, mail)
        outcome = REFUSED if letter is None else _OUTCOMES[carry(letter)]
    settle(services.database, mail, None if outcome == LATER else outcome, now=who.now())
    return outcome == SENT


def _written(services: Services, mail: Mail) -> Letter | None:
    """A mail as a letter; None if writing it fails, which ends this mail and holds up no other."""
    try:
        return letter_of(mail, (services.settings.public_url or "").rstrip("/"))
    except Exception as error:  # noqa: BLE001  # a change of a shape that was not thought of
        log.error("mail_not_written", notice=mail.row.notice_id, type=mail.row.kind, error=type(error).__name__)  # noqa: TRY400  # a traceback would hold what it tells
        return None


_OUTCOMES: Final = {Carried.TAKEN: SENT, Carried.REFUSED: REFUSED, Carried.LATER: None}
