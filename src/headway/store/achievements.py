"""Statements on achievements: the definitions, how far their backfill has come, and the totals of learners' sums."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.domain.achievements import AT_LEVEL, GRANTED, HARD_FAILURES, IN_PART, Definition, Totals
from headway.domain.levels import RANKS
from headway.domain.progress import FIRST_RUN
from headway.domain.scores import FULL
from headway.domain.sums import GrantKey
from headway.store import rows
from headway.store.achievement_tables import achievement, achievement_definition, achievement_set
from headway.store.schema import granted, learner

SHIPPED, SITE = "shipped", "site"
_FIELDS: Final = Definition._fields


class Defined(NamedTuple):
    """A definition, its origin, the version of the set at its last change, and whether it is retired."""

    definition: Definition
    origin: str
    version: int
    retired: bool


class GivingState(NamedTuple):
    """The version of the definitions, the one up to which the backfill is done, and the last learner it has reached."""

    version: int
    given_version: int
    given_up_to: str | None

    @property
    def is_given(self) -> bool:
        """Whether the backfill of the newest definitions is done."""
        return self.version == self.given_version


def set_asked() -> rows.Question:
    """The question for the version of the definitions."""
    return rows.Question(achievement_set, [(1,)], "t.version", ("id",))


def read_set(connection: Connection, *, lock: bool = False) -> GivingState:
    """How far the definitions and their backfill have come; `lock` holds other changes off meanwhile."""
    columns: list[sa.Column[Any]] = [achievement_set.c[name] for name in GivingState._fields]
    wanted = sa.select(*columns)
    return GivingState(*connection.execute(wanted.with_for_update() if lock else wanted).one())


def defined(connection: Connection) -> list[Defined]:
    """All definitions, the retired ones too, in order of id."""
    columns: list[sa.Column[Any]] = [
        achievement_definition.c[name] for name in (*_FIELDS, "origin", "version", "retired")
    ]
    found = connection.execute(sa.select(*columns))
    # Sorted by Python, for databases order characters differently.
    return sorted(Defined(Definition._make(row[:9]), row[9], row[10], row[11]) for row in found)


def in_force(connection: Connection) -> tuple[int, list[Definition]]:
    """The version of the definitions, and those that can be earned, as of one moment."""
    columns: list[sa.Column[Any]] = [achievement_definition.c[name] for name in _FIELDS]
    joined = achievement_set.outerjoin(achievement_definition, ~achievement_definition.c.retired)
    found = connection.execute(sa.select(achievement_set.c.version, *columns).select_from(joined)).all()
    return found[0][0], [Definition._make(row[1:]) for row in found if row[1] is not None]


def put(connection: Connection, changed: Iterable[Defined]) -> None:
    """Insert or replace definitions; the backfill for learners who meet them becomes due.

    It does not where it was done before and all of these are retired.
    """
    found = list(changed)
    names = achievement_definition.c.keys()
    said = [one.definition._asdict() | one._asdict() for one in found]
    rows.upsert(connection, achievement_definition, [tuple(one[name] for name in names) for one in said])
    version = max((one.version for one in found), default=0)
    joined = [one for one in found if not one.retired]
    is_given = achievement_set.c.given_version == achievement_set.c.version
    given = (
        achievement_set.c.given_version
        if joined
        else sa.case((is_given, version), else_=achievement_set.c.given_version)
    )
    connection.execute(sa.update(achievement_set).values(version=version, given_version=given, given_up_to=None))


def note_given(connection: Connection, version: int, up_to: str | None) -> None:
    """Note up to which learner the backfill of this version has come; None where it is done.

    Does nothing where the definitions were changed since: the backfill begins anew.
    """
    done = {"given_version": version} if up_to is None else {}
    mine = achievement_set.c.version == version
    connection.execute(sa.update(achievement_set).where(mine).values(given_up_to=up_to, **done))


def readers(connection: Connection) -> set[str]:
    """The open transactions, except this one, that have read the definitions' version; none in SQLite."""
    return rows.readers(connection, achievement_set)


def living(connection: Connection, after: str, limit: int) -> list[str]:
    """Ids of learners, guests included, in order, after the given one; without those erased or moved into another."""
    statement = sa.select(learner.c.id).where(learner.c.erased_at.is_(None), learner.c.merged_into.is_(None))
    if after:
        statement = statement.where(learner.c.id > after)
    return list(connection.execute(statement.order_by(learner.c.id).limit(limit)).scalars())


def held(connection: Connection, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (learner, achievement) pairs were earned."""
    by = ("learner_id", "achievement_id")
    return {(row[0], row[1]) for row in rows.lookup(connection, achievement, wanted, *by, by=by)}


def held_by(connection: Connection, learner_ids: Iterable[str]) -> dict[str, set[str]]:
    """The achievements that each of these learners earned; a learner who earned none is left out."""
    found: dict[str, set[str]] = {}
    names, keys = ("learner_id", "achievement_id"), [(one,) for one in learner_ids]
    for learner_id, achievement_id in rows.lookup(connection, achievement, keys, *names, by=("learner_id",)):
        found.setdefault(learner_id, set()).add(achievement_id)
    return found


def granted_in_other_runs(connection: Connection, keys: Iterable[tuple[str, GrantKey]]) -> set[tuple[str, ...]]:
    """(learner, course, kind, module) of the (learner, grant) pairs that are stored for any run."""
    by = ("learner_id", "course_id", "kind", "module_id")
    wanted = {(learner_id, key.course, key.kind, key.module) for learner_id, key in keys}
    return {tuple(row) for row in rows.lookup(connection, granted, wanted, *by, by=by)}


_DAY_FIGURES: Final = ("steps_completed", "exercises_completed", "points", "attempts", "passed_attempts", "duration_ms")
_PERFECT: Final = f"best_score = {FULL}"
_FIRST_TRY: Final = f"run = {FIRST_RUN} AND passed_attempts > 0 AND completed_by = first_event"
_HARD_WON: Final = (
    f"run = {FIRST_RUN} AND completed_at IS NOT NULL AND attempts - passed_attempts - unscored >= {HARD_FAILURES}"
)


def _count(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"


# The SQL counterparts of `Totals.of`; a test compares the two.
_DAYS: Final = {one: f"sum({one})" for one in _DAY_FIGURES}
_STEPS: Final = {"perfect": "sum(perfect)", "first_try": "sum(first_try)", "hard_won": "sum(hard_won)"}
_RUNS: Final = {"courses_begun": _count(f"run = {FIRST_RUN}")}
_GRANTS: Final = {name: _count(f"kind = '{kind}'") for kind, name in GRANTED.items()}
_PARTS: Final = {name: _count(f"part = '{part}'") for part, name in IN_PART.items()}
_LEVELS: Final = {name: _count(f"reached >= {n}") for n, name in enumerate(AT_LEVEL, 1)}
_RANK: Final = " ".join(f"WHEN '{level}' THEN {n}" for level, n in RANKS.items())
_BY_STEP: Final = (
    "(SELECT learner_id, max(CASE WHEN {perfect} THEN 1 ELSE 0 END) AS perfect,"
    " max(CASE WHEN {first_try} THEN 1 ELSE 0 END) AS first_try,"
    " max(CASE WHEN {hard_won} THEN 1 ELSE 0 END) AS hard_won"
    " FROM step_sum {mine} GROUP BY learner_id, course_id, step_id) s"
)
_BY_TOPIC: Final = (
    "(SELECT learner_id, topic, max(CASE level {rank} ELSE 0 END) AS reached"
    " FROM topic_level {mine} GROUP BY learner_id, topic) l"
)


def _figures(mine: str) -> dict[str, tuple[dict[str, str], str]]:
    """Groups of figures as (SQL by name, source in SQL), in the order of `Totals`; `mine` is the WHERE clause."""
    kinds = ", ".join(repr(kind) for kind in GRANTED)
    of_steps = _BY_STEP.format(perfect=_PERFECT, first_try=_FIRST_TRY, hard_won=_HARD_WON, mine=mine)
    of_grants = f"SELECT DISTINCT learner_id, course_id, kind, module_id FROM granted {mine} AND kind IN ({kinds})"  # noqa: S608  # our own words
    return {
        "days": (_DAYS, f"day_sum {mine}"),
        "steps": (_STEPS, of_steps),
        "runs": (_RUNS, f"course_run {mine}"),
        "grants": (_GRANTS, f"({of_grants}) g"),
        "parts": (_PARTS, f"(SELECT DISTINCT learner_id, part, day FROM day_part {mine}) p"),  # noqa: S608  # our own words
        "levels": (_LEVELS, _BY_TOPIC.format(rank=_RANK, mine=mine)),
    }


def _listed(figures: dict[str, str]) -> str:
    return ", ".join(f"CAST({figure} AS bigint) AS {alias}" for alias, figure in figures.items())


_OF_WANTED: Final = _figures("WHERE learner_id IN (SELECT learner_id FROM wanted)")
_TOTALS: Final = ", ".join(f"coalesce({one}, 0)" for figures, _ in _OF_WANTED.values() for one in figures)
_GROUPED: Final = {
    name: f"SELECT learner_id, {_listed(figures)} FROM {source} GROUP BY learner_id"  # noqa: S608  # our own words
    for name, (figures, source) in _OF_WANTED.items()
}
_JOINED: Final = " ".join(f"LEFT JOIN ({one}) {name} USING (learner_id)" for name, one in _GROUPED.items())
_FROM: Final = f"FROM wanted {_JOINED}"


def totals(connection: Connection, learner_ids: Iterable[str]) -> dict[str, Totals]:
    """The totals of these learners' stored sums, read by one statement, however many they are."""
    keys = [(one,) for one in sorted(set(learner_ids))]
    found = rows.of_wanted(connection, achievement, keys, ("learner_id",), f"learner_id, {_TOTALS}", _FROM)
    return {row[0]: Totals(*row[1:]) for row in found}


# The same for one learner `:learner`, as separate parts, which a database plans in a fraction of the time;
# `totals_read` puts them together.
TOTALS: Final = tuple(
    rows.Part(
        ", ".join(f"coalesce({one}, 0)" for one in figures),
        f"FROM (SELECT {_listed(figures)} FROM {source}) x",  # noqa: S608  # our own words
    )
    for figures, source in _figures("WHERE learner_id = :learner").values()
)


def totals_read(found: Iterable[list[rows.Row]]) -> Totals:
    """A learner's totals from the rows read by `TOTALS`."""
    return Totals(*(one for (row,) in found for one in row))


class Earned(NamedTuple):
    """An achievement that a learner earned: when, on which local day, and with how many points."""

    achievement_id: str
    at: int
    day: str
    points: int


EARNED: Final = rows.Part(", ".join(Earned._fields), "FROM achievement WHERE learner_id = :learner")


def in_order(found: Iterable[rows.Row]) -> list[Earned]:
    """The rows read by `EARNED`, in order of time."""
    return sorted((Earned(*row) for row in found), key=lambda one: (one.at, one.achievement_id))


def earned(connection: Connection, learner_id: str) -> list[Earned]:
    """All achievements that a learner earned, in order of time."""
    (found,) = rows.gather(connection, EARNED, learner=learner_id)
    return in_order(found)


class Count(NamedTuple):
    """How many achievements a learner has, their points in all, and how many the learner has or could earn."""

    unlocked: int
    points: int
    total: int


_HAS: Final = "EXISTS (SELECT 1 FROM achievement a WHERE a.learner_id = :learner AND a.achievement_id = d.id)"
_ALL: Final = f"SELECT count(*) AS n FROM achievement_definition d WHERE NOT d.retired OR {_HAS}"  # noqa: S608  # our own words
# Read by `counted`.
COUNT: Final = (
    rows.Part("points", "FROM achievement WHERE learner_id = :learner", flat=True),
    rows.Part("n", f"FROM ({_ALL}) c", flat=True),
)


def counted(points: list[int], total: list[int]) -> Count:
    """A learner's count from what `COUNT` read."""
    return Count(len(points), sum(points), total[0])


def count_of_nobody(connection: Connection) -> Count:
    """The count for nobody: only how many there are to earn."""
    wanted = sa.select(sa.func.count()).select_from(achievement_definition).where(~achievement_definition.c.retired)
    return Count(0, 0, connection.execute(wanted).scalar_one())
