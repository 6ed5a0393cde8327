"""The tables of a course's report: the roster of its enrolled learners, and counters that are sums over them."""

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, String, Table

from headway.store.columns import derived, learner_key, metadata

# Sorted byte by byte by both databases alike.
_Name = String(200).with_variant(String(200, collation="C"), "postgresql")
_SORTED_BY = ("name", "steps_completed", "score", "active_at")

# The enrolled learners of a course, except guests and those erased. `version` is the course's by which a row was
# computed, the newest once all were. Sorted within a status, so that one status is read as fast as all.
roster = Table(
    "roster",
    metadata,
    learner_key(),
    Column("course_id", String(200), primary_key=True),
    derived("version", Integer),
    derived("name", _Name),
    derived("enrolled_at", BigInteger),
    derived("steps_completed", Integer),
    derived("last_step", String(200)),
    derived("score_total", BigInteger),
    derived("granted_score", Integer),
    derived("score", Integer),
    derived("active_at", BigInteger),
    derived("completed_at", BigInteger),
    derived("status", String(32)),
    Index("ix_roster_version", "course_id", "version", "learner_id"),
    *(Index(f"ix_roster_{name}", "course_id", "status", name, "learner_id") for name in _SORTED_BY),
    sqlite_with_rowid=False,
)

# The figures of a step over enrolled learners. Each worker adds to a slot of its own, and the sum of the slots counts.
step_counter = Table(
    "step_counter",
    metadata,
    Column("course_id", String(200), primary_key=True),
    Column("step_id", String(200), primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    derived("learners", BigInteger),
    derived("attempts", BigInteger),
    derived("passed_attempts", BigInteger),
    derived("completed", BigInteger),
    derived("scored", BigInteger),
    derived("best_total", BigInteger),
    sqlite_with_rowid=False,
)

# How many enrolled learners have each value of a figure, of the course or of one of its modules, steps or weeks.
course_counter = Table(
    "course_counter",
    metadata,
    Column("course_id", String(200), primary_key=True),
    Column("figure", String(32), primary_key=True),
    Column("item", String(200), primary_key=True),
    Column("value", BigInteger, primary_key=True),
    Column("slot", SmallInteger, primary_key=True),
    derived("learners", BigInteger),
    sqlite_with_rowid=False,
)
