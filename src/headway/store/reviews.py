"""Statements on what learners practiced, each a single statement."""

from collections.abc import Iterator
from operator import add
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.store import rows

_MINE: Final = "WHERE learner_id = :learner"
_COUNTS: Final = "'/' || attempts || '/' || passed_attempts || '/' || unscored || '/' || hints"
# On nearly all days there was one attempt, and one digit says whether it passed.
_SAID: Final = (
    "day || CASE WHEN attempts = 1 AND unscored = 0 AND hints = 0 THEN CAST(passed_attempts AS text)"
    f" ELSE {_COUNTS} END, ' '"
)
_GATHERED: Final = {"sqlite": f"group_concat({_SAID})", "postgresql": f"string_agg({_SAID})"}
_DAY_LENGTH: Final = len("2026-03-01")
_PARTS: Final = (
    rows.Part("course_id, run", f"FROM course_run {_MINE}"),
    rows.Part("course_id, run, kind, module_id", f"FROM granted {_MINE}"),
    rows.Part("course_id, run, step_id", f"FROM step_sum {_MINE} AND events > 0"),
)


class Practiced(NamedTuple):
    """What a learner practiced: the days by (course, step), over all runs.

    A step's days are one text, which `days_of` reads: there may be ten thousand days, mostly known to the caller
    already. `runs` are each course's runs; by (course, run), `granted` are (kind, module) pairs and `begun` steps.
    """

    days: dict[tuple[str, str], str]
    runs: dict[str, list[int]]
    granted: dict[tuple[str, int], list[tuple[str, str]]]
    begun: dict[tuple[str, int], list[str]]


def practiced(connection: Connection, learner_id: str) -> Practiced:
    """All that a learner ever practiced, and what says which of it is open to them."""
    # Grouped in the order of the table's key, so that nothing needs sorting.
    said = f"SELECT course_id, run, step_id, {_GATHERED[connection.dialect.name]} AS days FROM step_day {_MINE}"  # noqa: S608  # our own words
    part = rows.Part("course_id, step_id, days", f"FROM ({said} GROUP BY course_id, run, step_id) s")
    counted, numbered, given, known = rows.gather(connection, part, *_PARTS, learner=learner_id)
    days: dict[tuple[str, str], str] = {}
    for course_id, step_id, found in sorted(map(tuple, counted)):
        key = (course_id, step_id)
        days[key] = f"{days[key]} {found}" if key in days else found
    runs: dict[str, list[int]] = {}
    for course_id, run in numbered:
        runs.setdefault(course_id, []).append(run)
    granted: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for course_id, run, kind, module in given:
        granted.setdefault((course_id, run), []).append((kind, module))
    begun: dict[tuple[str, int], list[str]] = {}
    for course_id, run, step_id in known:
        begun.setdefault((course_id, run), []).append(step_id)
    return Practiced(days, runs, granted, begun)


def days_of(said: str) -> Iterator[tuple[str, list[int]]]:
    """Each day with [attempts, passed ones, ones without a score, hints], over all runs, from a step's text."""
    found: dict[str, list[int]] = {}
    for one in said.split(" "):
        day, said_of_it = one[:_DAY_LENGTH], one[_DAY_LENGTH:]
        numbers = list(map(int, said_of_it[1:].split("/"))) if said_of_it[0] == "/" else [1, int(said_of_it), 0, 0]
        known = found.get(day)
        found[day] = numbers if known is None else list(map(add, known, numbers))
    return iter(found.items())
