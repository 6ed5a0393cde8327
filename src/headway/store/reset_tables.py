"""The table of resets: what of a learner's ledgers counts no more."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from headway.store.columns import derived, learner_key, metadata

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
