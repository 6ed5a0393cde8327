"""What a version of a course changes against the one before."""

from collections.abc import Sequence
from typing import NamedTuple

from headway.domain.course import Course, Module, Step


class Changed(NamedTuple):
    """Ids of steps, or of modules, in the order of their course; the renamed as (before, after)."""

    added: list[str]
    removed: list[str]
    renamed: list[tuple[str, str]]


def steps_changed(before: Course | None, after: Course) -> Changed:
    """The difference in steps between two versions, by the keys that progress is kept under."""
    return _changed(before.steps if before else (), after.steps)


def modules_changed(before: Course | None, after: Course) -> Changed:
    """The difference in modules between two versions, by the keys that grants are kept under."""
    return _changed(before.modules if before else (), after.modules)


def _changed(before: Sequence[Module | Step], after: Sequence[Module | Step]) -> Changed:
    was = {one.key: one.id for one in before}
    now = {one.key: one.id for one in after}
    return Changed(
        [name for key, name in now.items() if key not in was],
        [name for key, name in was.items() if key not in now],
        [(name, now[key]) for key, name in was.items() if key in now and now[key] != name],
    )
