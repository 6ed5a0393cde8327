"""The tables of leaderboards: how learners stand, what has not been counted in yet, and how many stand where."""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, String, Table

from headway.store.columns import Id, derived, metadata

# What learners gained that the boards do not hold yet: put here by the transaction that moves the sums, taken out by
# the one that counts it in. A place of 0 only says that whether the learner is shown may have changed.
# No foreign keys here: whoever counts in takes no lock on learners.
board_move = Table(
    "board_move",
    metadata,
    Column("learner_id", Id, primary_key=True),
    Column("move_id", Id, primary_key=True),
    Column("course_id", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Where learners stand, and whether anybody sees it. `place` is minus (points times 2^20 plus exercises solved); who
# has neither has no row.
board_row = Table(
    "board_row",
    metadata,
    Column("learner_id", Id, primary_key=True),
    Column("course_id", String(200), primary_key=True),
    Column("period", String(10), primary_key=True),
    derived("place", BigInteger),
    derived("shown", Boolean),
    Index("ix_board_row_rank", "course_id", "period", "shown", "place", "learner_id"),
    sqlite_with_rowid=False,
)

# How many are shown at each place and, with `level` 1, in each band of places: a rank is the sum of a few hundred rows.
board_tally = Table(
    "board_tally",
    metadata,
    Column("course_id", String(200), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    derived("learners", BigInteger),
    sqlite_with_rowid=False,
)

# Every board that has rows. `mark` is a new random number whenever one of them changes: what is kept elsewhere is this
# board if it bears the same mark, and else is not.
board = Table(
    "board",
    metadata,
    Column("course_id", String(200), primary_key=True),
    Column("period", String(10), primary_key=True),
    Column("mark", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# One row, whose lock whoever changes boards holds: by which zone they are, which periods are kept, and whether they
# hold all that was recorded before there were any.
board_state = Table(
    "board_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("time_zone", String(64), nullable=False),
    Column("kept_from", String(10), nullable=False),
    Column("is_built", Boolean, nullable=False),
    CheckConstraint("id = 1", name="one"),
)
