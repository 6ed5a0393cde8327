"""Grading beside the event loop and beside the one who writes: what a request's answers are worth."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from headway.domain.events import Event
from headway.domain.scores import fraction
from headway.graders.registry import GraderFault
from headway.graders.verdict import Verdict
from headway.http.exchange import Exchange
from headway.ledger.grading import grade_answers, grade_by, is_answer
from headway.ledger.submission import DUPLICATE, NO_VERDICTS, Receipt, Verdicts
from headway.views.submissions import Given, grade_now

GRADING_S_MAX: Final = 1.0


async def graded(exchange: Exchange, events: Sequence[Event]) -> Verdicts:
    """Verdicts on the answers among events; GraderFault or TooMuchToGrade fail the request as a whole."""
    answers = [event for event in events if event.response is not None and is_answer(event)]
    if not answers:
        return NO_VERDICTS
    on = exchange.services
    verdicts = await on.grade(partial(grade_answers, on.database, on.catalog, answers, GRADING_S_MAX))
    for (_, body), judged in verdicts.items():
        if isinstance(judged, GraderFault):
            # The fault is the server's: a refusal would make a client forget what its learner answered.
            event_id = next(event.id for event in answers if event.body == body)
            raise type(judged)(
                f"{judged.detail}; event {event_id} needs it. Nothing of this request was saved: send it again later,"
                " or the other events without this one"
            )
    return verdicts


async def verdict_on(exchange: Exchange, event: Event, receipt: Receipt, verdicts: Verdicts) -> Given:
    """What an attempt is worth, and what is said to it: of one that is sent again, the grade that it has by now."""
    result = receipt.results[0]
    if result.status == DUPLICATE and exchange.learner_id is not None:
        given = await exchange.services.read(partial(grade_now, learner_id=exchange.learner_id, attempt_id=event.id))
        if given is not None:
            return given
    return Given(fraction(result.score), result.passed, await _feedback_on(exchange, event, receipt, verdicts))


async def _feedback_on(exchange: Exchange, event: Event, receipt: Receipt, verdicts: Verdicts) -> str:
    """What the grader had to say when it gave an answer the score that is recorded."""
    version, key = receipt.results[0].version, receipt.steps[0].key
    judged = verdicts.get((version, event.body))
    if judged is None:
        # Recorded earlier, by another version, or a version was published a moment ago: graded by the one that counts.
        on = exchange.services
        place = (key.course, version, key.step)
        judged = await on.grade(partial(grade_by, on.database, on.catalog, event, place))
    return judged.feedback if isinstance(judged, Verdict) else ""
