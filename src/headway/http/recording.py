"""Records a request's events, and returns the receipt; for nobody, a guest is made with the first events."""

from collections.abc import Sequence

from headway.domain.events import Event
from headway.domain.times import MINUTE, parse_time
from headway.http import who
from headway.http.exchange import Exchange
from headway.http.limits import by_address, not_counted, throttle
from headway.http.remembered import Session
from headway.http.tokens import GUEST_COOKIE, new_guest_token, set_cookie
from headway.ledger.submission import NO_VERDICTS, RECORDED, Receipt, Submission, Verdicts
from headway.ledger.throttles import NEW_LEARNERS

SKEW_MIN = 5 * MINUTE


async def record(
    exchange: Exchange,
    session: Session | None,
    events: Sequence[Event],
    received_at: int,
    clock_skew: int = 0,
    verdicts: Verdicts = NO_VERDICTS,
) -> Receipt:
    """Record events and wait for the commit; without a session, as a guest who is made with them."""
    if session is None:
        return await _record_of_newcomer(exchange, events, received_at, clock_skew, verdicts)
    submission = Submission(
        session.learner_id,
        tuple(events),
        received_at,
        clock_skew,
        token_hash=session.token_hash,
        verdicts=verdicts,
        streak_rules=exchange.services.streak_rules,
    )
    with who.ending_with(exchange):
        return await exchange.services.desk.record(submission)


async def _record_of_newcomer(
    exchange: Exchange, events: Sequence[Event], received_at: int, clock_skew: int, verdicts: Verdicts
) -> Receipt:
    limit = by_address(exchange, NEW_LEARNERS)
    await throttle(exchange, limit)
    token = new_guest_token()
    guest = who.newcomer(received_at, token)
    submission = Submission(
        guest.learner["id"],
        tuple(events),
        received_at,
        clock_skew,
        newcomer=guest,
        verdicts=verdicts,
        streak_rules=exchange.services.streak_rules,
    )
    receipt = await exchange.services.desk.record(submission)
    if any(result.status == RECORDED for result in receipt.results):
        exchange.learner_id = guest.learner["id"]
        set_cookie(exchange, GUEST_COOKIE, token)
    else:
        await not_counted(exchange, give_back=[limit])
    return receipt


def clock_skew(sent_at: str | None, received_at: int) -> int:
    """How far the client's clock is behind, in microseconds; 0 within five minutes, or without `sent_at`."""
    if sent_at is None:
        return 0
    skew = received_at - parse_time(sent_at, field="sent_at")[0]
    return skew if abs(skew) > SKEW_MIN else 0
