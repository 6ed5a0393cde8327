"""Keep another system's record of a learner's longest streak: an entry that counts nowhere, and is shown as such."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.course import NO_COURSE
from headway.domain.events import fact_event
from headway.domain.facts import STREAK_IMPORTED
from headway.domain.recording import SERVER, Circumstances, contribute
from headway.domain.times import format_time
from headway.ledger.batch import Batch
from headway.ledger.commit import committed
from headway.ledger.record import admit
from headway.ledger.submission import Submission
from headway.ledger.writing import entry_of_server, no_grader
from headway.store import identities
from headway.store.catalog import Catalog
from headway.store.database import Database


class StreakRecord(NamedTuple):
    """A learner's longest streak in days, under an id derived from its source."""

    learner_id: str
    event_id: str
    longest: int


def keep_streak(database: Database, catalog: Catalog, one: StreakRecord, *, now: int) -> bool:
    """Keep a record; False where it is kept already. IdentityGone where the learner was erased or moved."""
    return committed(database, lambda connection: _keep(connection, catalog, one, now))


def known_streaks(database: Database, records: Sequence[StreakRecord]) -> set[str]:
    """Return the event ids of the records that are kept already."""
    with database.read() as connection:
        return identities.held(connection, [(one.learner_id, one.event_id) for one in records])


def _keep(connection: Connection, catalog: Catalog, one: StreakRecord, now: int) -> bool:
    batch = Batch(connection, catalog)
    event = fact_event(one.event_id, STREAK_IMPORTED, format_time(now), {"longest": one.longest})
    submission = Submission(one.learner_id, (event,), now)
    batch.lock([submission], wait=True)
    batch.read_facts([submission])
    admit(batch, submission)
    learner = batch.learners[one.learner_id]
    if one.event_id in learner.known:
        return False
    known = Circumstances(now, 0, learner.time_zone, SERVER, 0)
    made = contribute(event, known, NO_COURSE, no_grader)
    batch.appended.append(entry_of_server(learner, event, known, made)[0])
    batch.write()
    return True
