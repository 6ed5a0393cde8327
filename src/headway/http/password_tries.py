"""Tries of an account's password: how many there may be, and what a right and a wrong one lead to."""

from typing import NamedTuple

from sqlalchemy.engine import RowMapping

from headway.domain.errors import Busy
from headway.http import who
from headway.http.exchange import Exchange
from headway.http.limits import by_address, not_counted, throttle
from headway.ledger.security import Origin, note_refusal
from headway.ledger.throttles import SIGN_IN, SIGN_IN_ADDRESS, SIGN_INS, Throttle


class Tries(NamedTuple):
    """The limits that a try counts for, all from one network address.

    Wrong passwords of the account, wrong passwords of any account, and all tries of the account.
    """

    account: Throttle
    address: Throttle
    all: Throttle


async def begin(exchange: Exchange, account: str) -> Tries:
    """Count a try of an account's password; RateLimited where there were too many."""
    tries = Tries(
        by_address(exchange, SIGN_IN, account),
        by_address(exchange, SIGN_IN_ADDRESS),
        by_address(exchange, SIGN_INS, account),
    )
    await throttle(exchange, *tries)
    return tries


async def is_right(exchange: Exchange, tries: Tries, password: str, account: RowMapping | None) -> bool:
    """Whether the password is right; without an account, the answer takes the same time. A wrong one is noted."""
    services, kept = exchange.services, account["password_hash"] if account else None
    try:
        right = await services.passwords.match(password, kept)
    except Busy:
        await not_counted(exchange, give_back=tries)
        raise
    if right:
        await not_counted(exchange, clear=[tries.account], give_back=[tries.address])
    else:
        learner_id, origin = account["id"] if account else None, Origin(exchange.address)
        await services.run(lambda: note_refusal(services.database, learner_id, at=who.now(), origin=origin))
    return right
