"""What the server says of a learner's steps: grades of attempts, what a person says that a step counts for, retakes."""

from typing import Any
from uuid import uuid4

from headway.domain.events import Event, fact_event
from headway.domain.facts import GRADED, OVERRIDDEN
from headway.domain.recording import SERVER
from headway.domain.times import format_time
from headway.ledger.reset import ResetDone, ResetWanted
from headway.ledger.reset import reset as reset_learner
from headway.ledger.retake import RunWanted, Started, start_run
from headway.ledger.submission import Receipt, Submission
from tests.ledger.world import HOUR, NOON, World

LATER = NOON + 2 * HOUR


def tell(world: World, learner_id: str, *facts: Event, at: int = LATER) -> Receipt:
    """Record entries of the server's own."""
    (answer,) = world.submit(Submission(learner_id, facts, at, source=SERVER))
    assert isinstance(answer, Receipt), answer
    assert all(one.status == "recorded" for one in answer.results), answer.results
    return answer


def grade(world: World, learner_id: str, attempt_id: str, score: int, at: int = LATER, **said: Any) -> Receipt:
    """Give an attempt of a learner's own ledger a score (millionths), or a higher one."""
    entries = world.entries(learner_id)
    attempt = next(one for one in entries if one.event_id == attempt_id)
    grades = [one for one in entries if one.type == GRADED and attempt_id in one.body]
    known = max((one.score or 0 for one in grades), default=attempt.score)
    passed = any(one.passed for one in (attempt, *grades))
    event_id = said.pop("event_id", str(uuid4()))
    about = {"course": attempt.course_id, "run": attempt.run, "step": attempt.step_id, "day": attempt.day}
    about |= {"attempt": attempt_id, "attempted_at": format_time(attempt.at), "before": known}
    about |= {"score": score, "passed_before": passed}
    return tell(world, learner_id, fact_event(event_id, GRADED, format_time(at), about | said), at=at)


def override(world: World, learner_id: str, of: str, score: int = 1_000_000, at: int = LATER, **said: Any) -> Receipt:
    """Say what a step of the course `gates` counts for (millionths)."""
    event_id = said.pop("event_id", str(uuid4()))
    about = {"course": "gates", "run": 1, "step": of, "score": score}  # unless it is said otherwise
    return tell(world, learner_id, fact_event(event_id, OVERRIDDEN, format_time(at), about | said), at=at)


def begin_anew(world: World, learner_id: str, *, at: int = LATER, **asked: Any) -> Started:
    """Begin the course `gates` anew."""
    wanted = RunWanted(learner_id, **{"course": "gates", "id": str(uuid4()), **asked})
    return start_run(world.database, world.catalog, wanted, now=at)


def reset(
    world: World, learner_id: str, course: str | None = None, *, at: int = LATER, id: str | None = None
) -> ResetDone:
    """Have a learner begin from nothing."""
    wanted = ResetWanted(learner_id, id or str(uuid4()), course)
    return reset_learner(world.database, world.catalog, wanted, now=at)
