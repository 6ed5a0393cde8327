"""Statements that find whom to remind, and what of."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.progress import PeriodSum
from headway.domain.reminders import WeekDone
from headway.domain.times import days_between
from headway.store import rows
from headway.store.rows import Question
from headway.store.schema import achievement, day_sum, learner, reminded

_FIGURES: Final = ", ".join(f"t.{name}" for name in PeriodSum._fields)


def up_to(connection: Connection, kind: str) -> int | None:
    """The time up to which reminders of a kind were given; None where none ever were."""
    return connection.execute(sa.select(reminded.c.up_to).where(reminded.c.kind == kind)).scalar()


def note(connection: Connection, kind: str, at: int) -> None:
    """Note the time up to which reminders of a kind were given, unless a later one is noted."""
    later = f"(kind) DO UPDATE SET up_to = excluded.up_to WHERE {reminded.name}.up_to < excluded.up_to"
    rows.insert(connection, reminded, [(kind, at)], on_conflict=later)


def active_since(connection: Connection, zones: Iterable[str], day: str, after: str, limit: int) -> list[str]:
    """Ids of learners, not imported, in these zones, who did anything since a day; in order, after the given one."""
    did = sa.exists().where(day_sum.c.learner_id == learner.c.id, day_sum.c.day >= day)
    wanted = sa.select(learner.c.id).where(
        rows.among(connection, learner.c.time_zone, zones),
        learner.c.kind != "imported",
        learner.c.merged_into.is_(None),
        learner.c.erased_at.is_(None),
        did,
    )
    if after:
        wanted = wanted.where(learner.c.id > after)
    return list(connection.execute(wanted.order_by(learner.c.id).limit(limit)).scalars())


def done_between(connection: Connection, learner_ids: Iterable[str], first: str, last: str) -> dict[str, WeekDone]:
    """What learners did and earned on the days from first to last; learners who did nothing are left out."""
    keys = [(one, day) for one in learner_ids for day in days_between(first, last)]
    by = ("learner_id", "day")
    earned = Question(achievement, {(one,) for one, _ in keys}, "t.learner_id, t.day, t.points", ("learner_id",))
    sums, points = rows.ask(connection, Question(day_sum, keys, f"t.learner_id, t.day, {_FIGURES}", by), earned)
    found: dict[str, WeekDone] = {}
    for learner_id, day, *figures in sums:
        found.setdefault(learner_id, WeekDone([], [])).days.append((day, PeriodSum(*figures)))
    for learner_id, day, gained in points:
        if learner_id in found:
            found[learner_id].earned.append((day, gained))
    return found
