"""A course with a step that a person grades, and one that the server does; behind its gate there is a second module."""

from typing import Any, Final

from headway.domain.events import Event
from tests.domain.manifests import course, module, step
from tests.ledger.world import GRADER, event

MANUAL: Final = {"type": "manual", "guide": "Names both locks."}
FIRST: Final = module(
    "first",
    step("essay", kind="assignment", topics=["locks"], grader=MANUAL),
    step("pick", kind="quiz", topics=["locks"], grader=GRADER),
    weights={"assignment": 50, "quiz": 50},
)
SECOND: Final = module("second", step("sketch", kind="assignment", grader=MANUAL))
ESSAYS: Final = course(FIRST, SECOND, id="essays", title="Essays", certificate=True, evidence="graded")


def essay(number: int | str | None = None, of: str = "essay", response: Any = "Because.", **fields: Any) -> Event:
    """An attempt that waits for a grade, at noon unless it says otherwise."""
    return event(number, of=of, course="essays", response=response, **fields)


def pick(number: int | str | None = None, response: Any = "b", **fields: Any) -> Event:
    """An attempt at the step that the server grades; b is right."""
    return essay(number, of="pick", response=response, **fields)
