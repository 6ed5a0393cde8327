"""Statements on what learners practiced: each is one, whatever there is to read."""

from itertools import groupby
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.store import rows

_MINE: Final = "WHERE learner_id = :learner"
_PARTS: Final = (
    rows.Part(
        "course_id, step_id, day, attempts, passed, unscored, hints",
        f"FROM (SELECT course_id, step_id, day, CAST(sum(attempts) AS bigint) AS attempts,"  # noqa: S608  # our own words
        f" CAST(sum(passed_attempts) AS bigint) AS passed, CAST(sum(unscored) AS bigint) AS unscored,"
        f" CAST(sum(hints) AS bigint) AS hints FROM step_day {_MINE} GROUP BY course_id, step_id, day) d",
    ),
    rows.Part("course_id, run", f"FROM course_run {_MINE}"),
    rows.Part("course_id, run, kind, module_id", f"FROM granted {_MINE}"),
    rows.Part("course_id, run, step_id", f"FROM step_sum {_MINE} AND events > 0"),
)


class Practiced(NamedTuple):
    """What a learner practiced: by course and step [day, attempts, passed, unscored, hints], over all runs.

    `runs` are the numbers of each course's runs; by course and run `granted` are (kind, module), `begun` the steps.
    """

    days: list[tuple[tuple[str, str], list[tuple[str, int, int, int, int]]]]
    runs: dict[str, list[int]]
    granted: dict[tuple[str, int], list[tuple[str, str]]]
    begun: dict[tuple[str, int], list[str]]


def practiced(connection: Connection, learner_id: str) -> Practiced:
    """All that a learner ever practiced, and what says which of it is open to them."""
    counted, numbered, given, known = rows.gather(connection, *_PARTS, learner=learner_id)
    days = [
        (key, [(row[2], row[3], row[4], row[5], row[6]) for row in found])
        for key, found in groupby(sorted(map(tuple, counted)), lambda row: (row[0], row[1]))
    ]
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
