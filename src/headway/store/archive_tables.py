"""The table of the archive's files."""

from sqlalchemy import BigInteger, Column, Integer, String, Table

from headway.store.columns import Id, metadata

# A portion of the archive: bodies of entries that were moved out of the ledger into one file, which `file` names (null:
# none yet, or none any more). `other` names a file to be deleted unless it becomes the portion's; it is noted before it
# is written, so that a killed process leaves no unknown file behind. `gone` counts removals of learners of whom the
# file still holds lines. Size and digest are the file's. Backups leave this table out: they hold the bodies themselves.
archive_portion = Table(
    "archive_portion",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("file", String(64)),
    Column("other", String(64)),
    Column("entries", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    # The first and the last entry, in order of learner and number.
    Column("first_learner", Id),
    Column("first_seq", BigInteger),
    Column("last_learner", Id),
    Column("last_seq", BigInteger),
    Column("archived_at", BigInteger, nullable=False),
    Column("gone", Integer, nullable=False, server_default="0"),
)
