"""Statements for a course's report, from counters and index ranges of the roster, each a single statement."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.enrolled import MODULE_SCORE_EXACT, Enrolled, StepFigures
from headway.domain.histogram import Counted
from headway.domain.step_status import COMPLETED, IN_PROGRESS, OPEN
from headway.store import rows, sums
from headway.store.schema import course_counter, step_counter

_STATUSES: Final = (OPEN, IN_PROGRESS, COMPLETED)
_SUMS: Final = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in StepFigures._fields)
_ROW: Final = ", ".join(("r.learner_id", "r.course_id", *(f"r.{name}" for name in Enrolled._fields)))
_LISTED: Final = 20
# Of learners active lately, only the most recently active are looked at, so that a report does not have to read the
# whole roster.
_LOOKED_AT: Final = 2_000


class Person(NamedTuple):
    """A learner of a roster: id, display name, if any, and row."""

    id: str
    display_name: str | None
    row: Enrolled


class Figures(NamedTuple):
    """What a report is made from.

    `steps` are by key, `spreads` the counted values by figure and item. `active` counts learners by last activity:
    since each of the times asked for, and before the one before it; `never` those without any. `quiet` are those who
    have long done nothing, the latest first; `slow` those who did, enrolled as long, with the fewest steps completed.
    """

    steps: dict[str, StepFigures]
    spreads: dict[tuple[str, str], dict[int, int]]
    active: list[int]
    never: int
    quiet: list[Person]
    slow: list[Person]

    def spread(self, figure: str, item: str = "") -> Counted:
        """The counted values of a figure, of one item or of the course (empty)."""
        return self.spreads.get((figure, item), {})


def figures(connection: Connection, course_id: str, since: Iterable[int], quiet_since: int) -> Figures:
    """All figures of a course except exact module scores, as of one moment; `since` are times, the latest first."""
    times = list(since)
    asked: dict[str, object] = {"course": course_id, "exact": MODULE_SCORE_EXACT, "quiet": quiet_since}
    asked |= {f"since{n}": at for n, at in enumerate(times)}
    steps, counts, activity, quiet, slow = rows.gather(
        connection, _STEPS, _COUNTS, _activity(len(times)), _QUIET, _SLOW, **asked
    )
    *active, never = (row[1] for row in sorted(activity, key=itemgetter(0)))
    spreads: dict[tuple[str, str], dict[int, int]] = {}
    for figure, item, value, learners in counts:
        spreads.setdefault((figure, item), {})[value] = learners
    return Figures(
        {row[0]: StepFigures(*row[1:]) for row in steps},
        spreads,
        active,
        never,
        [_person(row) for row in quiet],
        [_person(row) for row in slow],
    )


def _person(row: rows.Row) -> Person:
    return Person(row[1], row[0], sums.ROSTER.read_value(row[1:]))


_STEPS: Final = rows.Part(
    f"step_id, {', '.join(StepFigures._fields)}",
    f"FROM (SELECT step_id, {_SUMS} FROM {step_counter.name} WHERE course_id = :course GROUP BY step_id) f",  # noqa: S608  # our own names
)
# Exact scores have a row each: skip them by reading the index ranges on both sides.
_COUNTS: Final = rows.Part(
    "figure, item, value, learners",
    "FROM (SELECT figure, item, value, CAST(sum(learners) AS bigint) AS learners FROM course_counter"
    " WHERE course_id = :course AND (figure < :exact OR figure > :exact)"
    " GROUP BY figure, item, value HAVING sum(learners) <> 0) f",
)


def _activity(times: int) -> rows.Part:
    """How many learners were last active since each of some times, and before the one before it; and how many never.

    Counting an index range costs a tenth of reading its rows.
    """
    ranges = [f"active_at >= :since{n}" + (f" AND active_at < :since{n - 1}" if n else "") for n in range(times)]
    each = " UNION ALL ".join(
        f"SELECT {n} AS n, count(*) AS learners FROM roster WHERE course_id = :course AND status = '{status}' AND {one}"  # noqa: S608  # our own words
        for n, one in enumerate([*ranges, "active_at = 0"])
        for status in _STATUSES
    )
    total = f"SELECT n, CAST(sum(learners) AS bigint) AS learners FROM ({each}) s GROUP BY n ORDER BY n"  # noqa: S608  # our own words
    return rows.Part("n, learners", f"FROM ({total}) f")


def _listed(where: str, order: str) -> rows.Part:
    names = ", ".join(Enrolled._fields)
    source = (
        f"FROM (SELECT l.display_name, {_ROW} FROM ({where}) r JOIN learner l ON l.id = r.learner_id"  # noqa: S608  # our own words
        f" ORDER BY {order} LIMIT {_LISTED}) f"
    )
    return rows.Part(f"display_name, learner_id, course_id, {names}", source)


_MINE: Final = f"SELECT * FROM roster WHERE course_id = :course AND status = '{IN_PROGRESS}'"  # noqa: S608  # our own word
_QUIET: Final = _listed(
    f"{_MINE} AND active_at > 0 AND active_at < :quiet ORDER BY active_at DESC, learner_id LIMIT {_LISTED}",
    "r.active_at DESC, r.learner_id",
)
_SLOW: Final = _listed(
    f"SELECT * FROM ({_MINE} AND active_at >= :quiet ORDER BY active_at DESC, learner_id LIMIT {_LOOKED_AT}) s"  # noqa: S608  # our own words
    # Whoever enrolled later is not behind yet, and must not take another's place in the list.
    " WHERE enrolled_at < :quiet",
    "r.steps_completed, r.learner_id",
)


def spread(connection: Connection, course_id: str, figure: str) -> dict[int, int]:
    """The counted values of a figure of the course itself: one statement."""
    found = rows.lookup(
        connection, course_counter, [(course_id, figure, "")], "value", "learners", by=("course_id", "figure", "item")
    )
    counted: dict[int, int] = {}
    for value, learners in found:
        counted[value] = counted.get(value, 0) + learners
    return counted


def exact_scores(
    connection: Connection, course_id: str, wanted: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], dict[int, int]]:
    """The counted scores, in hundredths of a percent, of modules at these whole percents; one statement."""
    asked = sorted(set(wanted))
    keys = [
        (course_id, MODULE_SCORE_EXACT, module, percent * 100 + n)
        for module, percent in asked
        for n in range(100 if percent < 100 else 1)
    ]
    found: dict[tuple[str, int], dict[int, int]] = {place: {} for place in asked}
    by = ("course_id", "figure", "item", "value")
    for module, value, learners in rows.lookup(connection, course_counter, keys, "item", "value", "learners", by=by):
        counted = found[module, value // 100]
        counted[value] = counted.get(value, 0) + learners
    return found
