"""The tables of cleared runs of learners, and of longest streaks that other systems recorded."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from headway.store.columns import Id, derived, learner_key, metadata

# The effective time up to which a run of a course is cleared, in the learner's own ledger (`ledger_id` is empty) or in
# that of a guest moved in. An empty course stands for all courses that nothing was known of.
progress_reset = Table(
    "progress_reset",
    metadata,
    learner_key(),
    Column("ledger_id", String(36), primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("run", Integer, primary_key=True),
    derived("up_to", BigInteger),
    sqlite_with_rowid=False,
)

# The longest streak that another system recorded, by the id of the entry: shown, but counted nowhere.
imported_streak = Table(
    "imported_streak",
    metadata,
    learner_key(),
    Column("id", Id, primary_key=True),
    derived("longest", Integer),
    sqlite_with_rowid=False,
)
