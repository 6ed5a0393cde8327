"""The tables of what counts no more of a learner's ledgers, and of what other systems recorded that counts nothing."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from headway.store.columns import Id, derived, learner_key, metadata

# Up to which effective time a run of a course is cleared: in the own ledger (`ledger_id` is empty), or in that
# of a guest who was moved in. Where no course is named: of all that were unknown then.
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

# The longest streak that another system recorded, by the entry that says so: shown, and counted nowhere.
imported_streak = Table(
    "imported_streak",
    metadata,
    learner_key(),
    Column("id", Id, primary_key=True),
    derived("longest", Integer),
    sqlite_with_rowid=False,
)
