"""Statements on achievements: what is defined, how far that was given to all, and what learners' sums come to."""

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
    """A definition, whence it comes, by which version of the set, and whether nobody earns it any more."""

    definition: Definition
    origin: str
    version: int
    retired: bool


class Given(NamedTuple):
    """The version of the definitions, up to which all were given to learners, and behind whom the giving goes on."""

    version: int
    given_version: int
    given_up_to: str | None


def set_asked() -> rows.Question:
    """The question for the version of the definitions."""
    return rows.Question(achievement_set, [(1,)], "t.version", ("id",))


def read_set(connection: Connection, *, lock: bool = False) -> Given:
    """How far the definitions have come; locked against other changes where asked."""
    columns: list[sa.Column[Any]] = [achievement_set.c[name] for name in Given._fields]
    wanted = sa.select(*columns)
    return Given(*connection.execute(wanted.with_for_update() if lock else wanted).one())


def defined(connection: Connection) -> list[Defined]:
    """All definitions, the retired ones too, in order of id."""
    columns: list[sa.Column[Any]] = [
        achievement_definition.c[name] for name in (*_FIELDS, "origin", "version", "retired")
    ]
    found = connection.execute(sa.select(*columns))
    # By Python's order of characters, whatever the database's is.
    return sorted(Defined(Definition._make(row[:9]), row[9], row[10], row[11]) for row in found)


def in_force(connection: Connection) -> tuple[int, list[Definition]]:
    """The version of the definitions, and those that can be earned, as of one moment."""
    columns: list[sa.Column[Any]] = [achievement_definition.c[name] for name in _FIELDS]
    joined = achievement_set.outerjoin(achievement_definition, ~achievement_definition.c.retired)
    found = connection.execute(sa.select(achievement_set.c.version, *columns).select_from(joined)).all()
    return found[0][0], [Definition._make(row[1:]) for row in found if row[1] is not None]


def put(connection: Connection, changed: Iterable[Defined]) -> None:
    """Put definitions in the place of those of the same id; whoever meets them is to be given them.

    Where all were given what there was before, and nothing joins it, all are still.
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
    """Note up to whom all were given what they meet of the definitions of a version; None where there are no more.

    Where they were changed meanwhile nothing is noted: the giving begins anew.
    """
    done = {"given_version": version} if up_to is None else {}
    mine = achievement_set.c.version == version
    connection.execute(sa.update(achievement_set).where(mine).values(given_up_to=up_to, **done))


def readers(connection: Connection) -> set[str]:
    """The transactions at work, but this one, that have read the definitions' version; none in SQLite."""
    return rows.readers(connection, achievement_set)


def living(connection: Connection, after: str, limit: int) -> list[str]:
    """Ids of learners who are somebody, guests too, in order, behind the one given."""
    statement = sa.select(learner.c.id).where(learner.c.erased_at.is_(None), learner.c.merged_into.is_(None))
    if after:
        statement = statement.where(learner.c.id > after)
    return list(connection.execute(statement.order_by(learner.c.id).limit(limit)).scalars())


def held(connection: Connection, wanted: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the (learner, achievement) pairs that were earned."""
    by = ("learner_id", "achievement_id")
    return {(row[0], row[1]) for row in rows.lookup(connection, achievement, wanted, *by, by=by)}


def held_by(connection: Connection, learner_ids: Iterable[str]) -> dict[str, set[str]]:
    """What each of these learners earned; who earned nothing is left out."""
    found: dict[str, set[str]] = {}
    names, keys = ("learner_id", "achievement_id"), [(one,) for one in learner_ids]
    for learner_id, achievement_id in rows.lookup(connection, achievement, keys, *names, by=("learner_id",)):
        found.setdefault(learner_id, set()).add(achievement_id)
    return found


def granted_in_other_runs(connection: Connection, keys: Iterable[tuple[str, GrantKey]]) -> set[tuple[str, ...]]:
    """(learner, course, kind, module) of those of the (learner, grant) pairs that are stored, of whichever run."""
    by = ("learner_id", "course_id", "kind", "module_id")
    wanted = {(learner_id, key.course, key.kind, key.module) for learner_id, key in keys}
    return {tuple(row) for row in rows.lookup(connection, granted, wanted, *by, by=by)}


_DAY_FIGURES: Final = ("steps_completed", "exercises_completed", "points", "attempts", "passed_attempts", "duration_ms")
_MINE: Final = "WHERE learner_id IN (SELECT learner_id FROM wanted)"
_PERFECT: Final = f"best_score = {FULL}"
_FIRST_TRY: Final = f"run = {FIRST_RUN} AND passed_attempts > 0 AND completed_by = first_event"
_HARD_WON: Final = (
    f"run = {FIRST_RUN} AND completed_at IS NOT NULL AND attempts - passed_attempts - unscored >= {HARD_FAILURES}"
)


def _count(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _figures(name: str, figures: dict[str, str], source: str) -> str:
    listed = ", ".join(f"CAST({figure} AS bigint) AS {alias}" for alias, figure in figures.items())
    return f"LEFT JOIN (SELECT learner_id, {listed} FROM {source} GROUP BY learner_id) {name} USING (learner_id)"  # noqa: S608  # our own words


# As `Totals.of` says; a test compares the two.
_DAYS: Final = {one: f"sum({one})" for one in _DAY_FIGURES}
_STEPS: Final = {"perfect": "sum(perfect)", "first_try": "sum(first_try)", "hard_won": "sum(hard_won)"}
_RUNS: Final = {"courses_begun": _count(f"run = {FIRST_RUN}")}
_GRANTS: Final = {name: _count(f"kind = '{kind}'") for kind, name in GRANTED.items()}
_BY_STEP: Final = (
    f"(SELECT learner_id, max(CASE WHEN {_PERFECT} THEN 1 ELSE 0 END) AS perfect,"  # noqa: S608  # our own words
    f" max(CASE WHEN {_FIRST_TRY} THEN 1 ELSE 0 END) AS first_try,"
    f" max(CASE WHEN {_HARD_WON} THEN 1 ELSE 0 END) AS hard_won"
    f" FROM step_sum {_MINE} GROUP BY learner_id, course_id, step_id) s"
)
_BY_GRANT: Final = (
    f"(SELECT DISTINCT learner_id, course_id, kind, module_id FROM granted {_MINE}"  # noqa: S608  # our own words
    f" AND kind IN ({', '.join(repr(kind) for kind in GRANTED)})) g"
)
_PARTS: Final = {name: f"count(DISTINCT CASE WHEN part = '{part}' THEN day END)" for part, name in IN_PART.items()}
_LEVELS: Final = {name: _count(f"reached >= {n}") for n, name in enumerate(AT_LEVEL, 1)}
_RANK: Final = " ".join(f"WHEN '{level}' THEN {n}" for level, n in RANKS.items())
_BY_TOPIC: Final = (
    f"(SELECT learner_id, topic, max(CASE level {_RANK} ELSE 0 END) AS reached"  # noqa: S608  # our own words
    f" FROM topic_level {_MINE} GROUP BY learner_id, topic) l"
)
_TOTALS: Final = ", ".join(f"coalesce({one}, 0)" for one in (*_DAYS, *_STEPS, *_RUNS, *_GRANTS, *_PARTS, *_LEVELS))
_FROM: Final = " ".join(
    (
        "FROM wanted",
        _figures("days", _DAYS, f"day_sum {_MINE}"),
        _figures("steps", _STEPS, _BY_STEP),
        _figures("runs", _RUNS, f"course_run {_MINE}"),
        _figures("grants", _GRANTS, _BY_GRANT),
        _figures("parts", _PARTS, f"day_part {_MINE}"),
        _figures("levels", _LEVELS, _BY_TOPIC),
    )
)


def totals(connection: Connection, learner_ids: Iterable[str]) -> dict[str, Totals]:
    """What the stored sums of these learners come to: one statement, whoever and however many they are."""
    keys = [(one,) for one in sorted(set(learner_ids))]
    found = rows.of_wanted(connection, achievement, keys, ("learner_id",), f"learner_id, {_TOTALS}", _FROM)
    return {row[0]: Totals(*row[1:]) for row in found}


class Earned(NamedTuple):
    """What a learner earned of one achievement: when, on which day, and with how many points."""

    achievement_id: str
    at: int
    day: str
    points: int


def earned(connection: Connection, learner_id: str) -> list[Earned]:
    """All that a learner earned, in order of time."""
    found = rows.lookup(connection, achievement, [(learner_id,)], *Earned._fields, by=("learner_id",))
    return sorted((Earned(*row) for row in found), key=lambda one: (one.at, one.achievement_id))


class Count(NamedTuple):
    """How many achievements a learner has and with how many points in all; how many there are to be had in all."""

    unlocked: int
    points: int
    total: int


def count(connection: Connection, learner_id: str | None) -> Count:
    """A learner's achievements, counted; of nobody there is the total alone."""
    mine = achievement.c.learner_id == learner_id
    has = sa.exists().where(mine, achievement.c.achievement_id == achievement_definition.c.id)
    parts = (
        sa.select(sa.func.count()).select_from(achievement).where(mine),
        sa.select(sa.func.coalesce(sa.func.sum(achievement.c.points), 0)).where(mine),
        sa.select(sa.func.count()).select_from(achievement_definition).where(~achievement_definition.c.retired | has),
    )
    return Count(*map(int, connection.execute(sa.select(*(part.scalar_subquery() for part in parts))).one()))
