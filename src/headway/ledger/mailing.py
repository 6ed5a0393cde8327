"""Mailing notices: mails are queued, leased, sent outside of any transaction, and settled.

Recording knows nothing of it: notices to be mailed are looked up afterwards. A lease runs out: if a process is killed,
it is unknown whether it sent a mail, and the mail is sent again.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import structlog
from sqlalchemy.engine import Connection

from headway.domain.changes import Change
from headway.domain.course import Course
from headway.domain.preferences import EVERY_KIND, GIVEN_UP_AFTER, is_stale, pause_after, unsubscribe_token
from headway.domain.times import HOUR, MINUTE, local_day
from headway.ledger.commit import committed
from headway.store import erasures, learners, mailing, reminders
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.mailing import Content, Mailing

log = structlog.get_logger()

SENT, REFUSED, GIVEN_UP, STALE, UNWANTED = "sent", "refused", "given-up", "stale", "unwanted"
# Not final: the mail is tried again later.
LATER: Final = "later"
# Longer than a server can take over one mail before it is given up.
TAKEN_FOR: Final = 10 * MINUTE
# No transaction takes longer: so long after its own time a notice may be committed.
OVERLAP: Final = HOUR
PUT_DOWN_AT_ONCE: Final = 200
_NOTED_EVERY: Final = 10 * MINUTE
# The name under which this time is kept, among those of the kinds of reminders.
_NOTED_AS: Final = "mails"


class Mail(NamedTuple):
    """A leased mail: what it tells, to which address, in which zone, and the titles of course and step.

    `was` is the row before the lease. `tokens` are for the links that unsubscribe from this kind, and from every kind.
    """

    row: Mailing
    was: Mailing
    change: Change
    address: str
    time_zone: str
    course_title: str | None
    step_title: str | None
    tokens: tuple[str, str]


def put_down(database: Database, *, now: int) -> int:
    """Queue all notices that are to be mailed and are not queued yet; return how many there were."""
    with database.read() as connection:
        noted = reminders.up_to(connection, _NOTED_AS)
    since = max(now - GIVEN_UP_AFTER, (now if noted is None else min(noted, now)) - OVERLAP)
    total = 0
    while True:
        with database.read() as connection:
            found = mailing.missing(connection, since, PUT_DOWN_AT_ONCE, due_at=now)
        done = _put_down(database, found) if found else 0
        total += done
        if not done or len(found) < PUT_DOWN_AT_ONCE:
            break
    if noted is None or now - noted >= _NOTED_EVERY:
        committed(database, lambda connection: reminders.note(connection, _NOTED_AS, now))
    return total


def _put_down(database: Database, found: Sequence[Mailing]) -> int:
    def work(connection: Connection) -> int:
        # Under the learners' locks, so that a learner who is being erased leaves no trace.
        locked = learners.lock(connection, {one.learner_id for one in found})
        alive = {one.id for one in locked.values() if one.is_alive}
        there = [one for one in found if one.learner_id in alive]
        mailing.put_down(connection, there)
        return len(there)

    return committed(database, work)


def take(database: Database, catalog: Catalog, limit: int, *, now: int) -> list[Mail]:
    """Lease mails that are due, for TAKEN_FOR; those that are stale or unwanted end here."""
    return committed(database, lambda connection: _take(connection, catalog, limit, now))


def _take(connection: Connection, catalog: Catalog, limit: int, now: int) -> list[Mail]:
    due = mailing.due(connection, now, limit)
    if not due:
        return []
    contents = mailing.contents(connection, due)
    ended = {one: why for one in due if (why := _why_not(one, contents.get(one[:2]), now))}
    mailing.end(connection, (_ended(one, why, now) for one, why in ended.items()))
    wanted = [one for one in due if one not in ended]
    taken = mailing.take(connection, wanted, now + TAKEN_FOR)
    named = {str(one.change["course"]) for one in contents.values() if one.change.get("course")}
    courses = catalog.whole_in_force(connection, named) if named else {}
    key = erasures.key(connection) if taken else ""
    return [_mail(one, was, contents[one[:2]], courses, key) for one, was in zip(taken, wanted, strict=True)]


def why_not(database: Database, mail: Mail, *, now: int) -> str | None:
    """Return why a leased mail is not to be sent at this moment; None if it is.

    If the address has changed since the lease, that is LATER.
    """
    with database.read() as connection:
        told = mailing.contents(connection, [mail.row]).get(mail.row[:2])
    ended = _why_not(mail.row, told, now)
    return LATER if ended is None and told is not None and told.address != mail.address else ended


def _why_not(one: Mailing, told: Content | None, now: int) -> str | None:
    """Why a mail is not to be sent any more; None where it is."""
    if told is None or told.address is None:
        return UNWANTED
    if is_stale(told.change, local_day(now, told.time_zone)):
        return STALE
    return GIVEN_UP if now - one.at >= GIVEN_UP_AFTER else None


def _ended(one: Mailing, outcome: str, now: int) -> Mailing:
    if outcome == GIVEN_UP:
        log.error("mail_given_up", notice=one.notice_id, tries=one.tries)
    return one._replace(due_at=None, outcome=outcome, ended_at=now)


def _mail(one: Mailing, was: Mailing, told: Content, courses: Mapping[str, tuple[int, Course]], key: str) -> Mail:
    tokens = (
        unsubscribe_token(key, one.learner_id, one.kind),
        unsubscribe_token(key, one.learner_id, EVERY_KIND),
    )
    _, course = courses.get(str(told.change.get("course")), (0, None))
    step = None if course is None else course.step(str(told.change.get("step")))
    titles = None if course is None else course.title, None if step is None else step.title
    return Mail(one, was, told.change, told.address or "", told.time_zone, *titles, tokens)


def settle(database: Database, mail: Mail, outcome: str | None, *, now: int) -> None:
    """Record how a mail ended; None means that it was not accepted yet, and is due again later."""
    row = mail.row
    again = row._replace(due_at=now + pause_after(row.tries))
    settled = again if outcome is None else _ended(row, outcome, now)
    committed(database, lambda connection: mailing.settle(connection, settled))


def put_back(database: Database, untried: Sequence[Mail]) -> None:
    """Return leased mails that were not tried to the state before the lease."""
    if untried:
        rows = [(one.row, one.was) for one in untried]
        committed(database, lambda connection: mailing.put_back(connection, rows))
