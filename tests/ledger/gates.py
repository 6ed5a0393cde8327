"""A course with gates and a certificate, and ways through it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from headway.domain.events import Event
from headway.store.schema import certificate, granted
from tests.domain.manifests import course, module, step
from tests.ledger.world import GRADER, World, event

BASICS: Final = module("basics", step("read", kind="lesson", topics=["start"]), step("ask"))
LOOPS: Final = module("loops", step("fizz", kind="assignment", topics=["loops"]), step("pick", grader=GRADER))
END: Final = module("end", step("exam", kind="assessment"))
GATES: Final = course(BASICS, LOOPS, END, id="gates", title="Gates", certificate=True)
# What completes each module, the last of it included.
WAY: Final[Mapping[str, list[dict[str, Any]]]] = {
    "basics": [{"of": "read", "kind": "completed"}, {"of": "ask", "score": 0.9}],
    "loops": [{"of": "fizz", "score": 1}, {"of": "pick", "response": "b"}],
    "end": [{"of": "exam", "score": 0.8}],
}


class Held(NamedTuple):
    """A grant as it is stored, by what it is."""

    kind: str
    module: str
    score: int | None
    at: int


def gated(number: int | None = None, **fields: Any) -> Event:
    """An event on a step of the course `gates`."""
    return event(number, **{"course": "gates", **fields})


def through(*modules: str, start: int = 0, **fields: Any) -> list[Event]:
    """The events that complete modules, numbered from a start."""
    steps = [one for name in modules for one in WAY[name]]
    return [gated(start + n, **{**one, **fields}) for n, one in enumerate(steps)]


def grants(world: World, learner_id: str, run: int = 1, course_id: str = "gates") -> list[Held]:
    """What a run was granted, in order of kind and module."""
    rows = world.rows(granted, learner_id)
    mine = [row for row in rows if (row["course_id"], row["run"]) == (course_id, run)]
    return [Held(row["kind"], row["module_id"], row["score"], row["at"]) for row in mine]


def names(held: Iterable[Held]) -> list[tuple[str, str]]:
    return [(one.kind, one.module) for one in held]


def certificates(world: World, learner_id: str) -> list[dict[str, Any]]:
    return world.rows(certificate, learner_id)


ALL_GRANTS: Final = [
    ("certified", ""),
    ("course_completed", ""),
    ("module_completed", "basics"),
    ("module_completed", "end"),
    ("module_completed", "loops"),
    ("module_unlocked", "end"),
    ("module_unlocked", "loops"),
]
