"""Pauses: days that a learner announces beforehand and that end no streak; entries make and end them."""

from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.course import NO_COURSE
from headway.domain.days import Pause
from headway.domain.errors import HeadwayError, IdReused, Invalid
from headway.domain.events import Event, fact_event, read_event
from headway.domain.facts import PAUSED, RESUMED, Paused
from headway.domain.filed import is_filed
from headway.domain.recording import SERVER, Circumstances, contribute
from headway.domain.times import day_of, format_time, local_day, ordinal, parse_day
from headway.ledger.batch import Batch, BatchLearner
from headway.ledger.commit import committed
from headway.ledger.record import admit
from headway.ledger.submission import Submission
from headway.ledger.writing import entry_of_server, no_grader
from headway.store import entries, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry, Known

DAYS_MAX: Final = 90
AHEAD_DAYS_MAX: Final = 366
_LATELY_DAYS: Final = 7


class PauseOverlaps(HeadwayError):
    """Another pause of the learner's holds one of the days already."""

    code = "pause-overlaps"


class UnknownPause(HeadwayError):
    """The learner has no such pause."""

    code = "not-found"


class PauseWanted(NamedTuple):
    """The learner who pauses, the first day (None: today), how many days, and an id that the client made.

    `token_hash` is the request's session.
    """

    learner_id: str
    id: str
    first_on: str | None
    days: int
    token_hash: str | None = None


class Made(NamedTuple):
    """A pause; `repeated` where it had been made under this id before."""

    id: str
    first_on: str
    last_on: str
    repeated: bool = False


def pause(database: Database, catalog: Catalog, asked: PauseWanted, *, now: int) -> Made:
    """Make a pause that begins today or later; sent again under the same id, nothing changes.

    Raise Invalid for days that cannot be paused, PauseOverlaps, IdReused, or IdentityGone if the session has ended.
    """
    if asked.first_on is not None:
        parse_day(asked.first_on, field="from")
    return committed(database, lambda connection: _pause(connection, catalog, asked, now))


def resume(
    database: Database, catalog: Catalog, learner_id: str, pause_id: str, token_hash: str | None = None, *, now: int
) -> None:
    """End a pause as of yesterday, or cancel one that has not begun; one that is over stays as it is.

    Raise UnknownPause if the learner has none of that id, and IdentityGone if the session has ended.
    """
    committed(database, lambda connection: _resume(connection, catalog, (learner_id, pause_id, token_hash), now))


def _pause(connection: Connection, catalog: Catalog, asked: PauseWanted, now: int) -> Made:
    batch, learner = _entered(connection, catalog, (asked.learner_id, asked.id, asked.token_hash), now)
    known = learner.known.get(asked.id)
    if known is not None:
        return _made_before(asked, known, now)
    first_on, last_on = _range(asked, _latest_day(connection, learner, now))
    _check_free(_pauses(connection, learner.id), first_on, last_on)
    said = {"from": first_on, "to": last_on}
    _append(batch, learner, fact_event(asked.id, PAUSED, format_time(now), said), now)
    batch.write()
    return Made(asked.id, first_on, last_on)


def _resume(connection: Connection, catalog: Catalog, asked: tuple[str, str, str | None], now: int) -> None:
    batch, learner = _entered(connection, catalog, asked, now)
    found = _pauses(connection, learner.id).get(asked[1])
    if found is None:
        raise UnknownPause("you have no such pause")
    today = local_day(now, learner.time_zone)
    if found.last_on < today:
        return
    said = {"pause": asked[1], "to": day_of(ordinal(today) - 1)}
    _append(batch, learner, fact_event(str(uuid4()), RESUMED, format_time(now), said), now)
    batch.write()


def _entered(
    connection: Connection, catalog: Catalog, asked: tuple[str, str, str | None], now: int
) -> tuple[Batch, BatchLearner]:
    """Lock the learner, and read whether the id is known already."""
    learner_id, pause_id, token_hash = asked
    event = fact_event(pause_id, PAUSED, format_time(now), {"from": "1970-01-01", "to": "1970-01-01"})
    batch = Batch(connection, catalog)
    submission = Submission(learner_id, (event,), now, token_hash=token_hash)
    batch.lock([submission], wait=True)
    batch.read_facts([submission])
    admit(batch, submission)
    return batch, batch.learners[learner_id]


def _pauses(connection: Connection, learner_id: str) -> Mapping[str, Pause]:
    return {key: one for _, key, one in sums.read_learners(connection, sums.PAUSES, [learner_id])}


def _made_before(asked: PauseWanted, known: Known | Entry, now: int) -> Made:
    """Return the pause that was made under this id; `repeated` is false if a lost COMMIT made it just now.

    Raise IdReused if the id stands for something else.
    """
    fact = None if is_filed(known.body) else read_event(asked.id, known.body).fact
    if not isinstance(fact, Paused) or (asked.first_on or fact.first_on, asked.days) != (fact.first_on, _length(fact)):
        raise IdReused("this id was used for something else; make a new UUID for each pause", field="id")
    return Made(asked.id, *fact, repeated=known.received_at != now)


def _latest_day(connection: Connection, learner: BatchLearner, now: int) -> str:
    """Return the latest date that it is now in any zone the learner had lately.

    By the current zone alone, a learner who moves it west could pause a day that has passed at home.
    """
    lately = day_of(ordinal(local_day(now, learner.time_zone)) - _LATELY_DAYS)
    zones = entries.zones_since(connection, learner.id, lately)
    return max(local_day(now, one) for one in {learner.time_zone, *zones})


def _range(asked: PauseWanted, today: str) -> Paused:
    """Return the days of a pause; Invalid if they are too early, too late or too many."""
    first_on = today if asked.first_on is None else asked.first_on
    if first_on < today:
        raise Invalid(f"from must not lie before {today}: what has passed is not paused", field="from")
    if ordinal(first_on) - ordinal(today) > AHEAD_DAYS_MAX:
        raise Invalid(f"from must lie within {AHEAD_DAYS_MAX} days from now", field="from")
    if not 1 <= asked.days <= DAYS_MAX:
        raise Invalid(f"days must be from 1 to {DAYS_MAX}", field="days")
    return _days_from(first_on, asked.days)


def _length(pause: Paused) -> int:
    return ordinal(pause.last_on) - ordinal(pause.first_on) + 1


def _days_from(first_on: str, days: int) -> Paused:
    return Paused(first_on, day_of(ordinal(first_on) + days - 1))


def _check_free(pauses: Mapping[str, Pause], first_on: str, last_on: str) -> None:
    for one in pauses.values():
        if max(one.first_on, first_on) <= min(one.last_on, last_on):
            raise PauseOverlaps(f"you have a pause from {one.first_on} to {one.last_on} already; end it first")


def _append(batch: Batch, learner: BatchLearner, event: Event, now: int) -> None:
    known = Circumstances(now, 0, learner.time_zone, SERVER, 0)
    made = contribute(event, known, NO_COURSE, no_grader)
    batch.read_sums([(learner.id, made)])
    batch.appended.append(entry_of_server(learner, event, known, made)[0])
