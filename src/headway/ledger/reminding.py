"""Remind learners of streaks that end tonight, and of how the week was: in each learner's zone, and once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple
from zoneinfo import available_timezones

import msgspec
from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.domain.notices import STREAK_AT_RISK, WEEKLY_SUMMARY, id_apart, subject_apart
from headway.domain.reminders import (
    EVENING_HOUR,
    MORNING_HOUR,
    at_risk,
    came_within,
    is_monday,
    streak_at_risk,
    summary,
    week_before,
)
from headway.domain.streaks import StreakDays, StreakRules, current, last_kept
from headway.domain.times import HOUR, MINUTE, day_of, ordinal
from headway.ledger import announcing
from headway.ledger.commit import committed
from headway.ledger.portions import paged
from headway.store import learners, notices, reminders, rows, sums, webhooks
from headway.store.database import Database
from headway.store.notices import Notice, NoticePlace
from headway.store.webhooks import DueDelivery

LEARNERS_AT_ONCE: Final = 200
# No pauses and freezes keep a streak alive for longer.
_KEPT_DAYS_MAX: Final = 150
_encode: Final = msgspec.json.Encoder().encode
_NO_DAYS: Final = StreakDays(frozenset())


class Reminder(NamedTuple):
    """When a kind of reminder is due, and what it says.

    It is due at an `hour` of the learner's clock, and at most `patience` microseconds later. `is_on` says on which
    days; `since` returns, for a day, the first day since which a learner must have been active; `told` returns
    learners' reminders for a day.
    """

    kind: str
    hour: int
    patience: int
    is_on: Callable[[str], bool]
    since: Callable[[str], str]
    told: Callable[[Connection, Sequence[str], str, StreakRules], dict[str, dict[str, Any]]]


def remind(database: Database, rules: StreakRules, *, now: int) -> int:
    """Give all reminders that became due since the last run, and return how many there were.

    Even if two processes do this at once, or one was killed at it, each learner is told once.
    """
    return sum(_remind(database, rules, one, now) for one in REMINDERS)


def _remind(database: Database, rules: StreakRules, reminder: Reminder, now: int) -> int:
    with database.read() as connection:
        noted = reminders.up_to(connection, reminder.kind)
    # What fell due while no server ran is given if it is still of use, and not when it is long over.
    since = max(now - reminder.patience, now - MINUTE if noted is None else noted)
    given = 0
    for day, zones in _zones_by_day(reminder, since, now).items():
        for page in _pages(database, zones, reminder.since(day)):
            given += _give(database, rules, reminder, page, day, now)
    committed(database, lambda connection: reminders.note(connection, reminder.kind, now))
    return given


def _zones_by_day(reminder: Reminder, since: int, now: int) -> Mapping[str, set[str]]:
    """Return the zones in which the hour struck since then, by the local day."""
    found: dict[str, set[str]] = {}
    for zone_name in _zones():
        day = came_within(zone_name, reminder.hour, since, now)
        if day is not None and reminder.is_on(day):
            found.setdefault(day, set()).add(zone_name)
    return found


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    """All zones that this machine knows."""
    known = set[str]()
    for name in available_timezones():
        try:
            came_within(name, 0, 0, 1)
        except HeadwayError:
            continue
        known.add(name)
    return frozenset(known)


def _pages(database: Database, zones: set[str], day: str) -> Iterator[list[str]]:
    def read(connection: Connection, after: str) -> list[str]:
        return reminders.active_since(connection, zones, day, after, LEARNERS_AT_ONCE)

    return paged(database, read, str)


def _give(database: Database, rules: StreakRules, reminder: Reminder, page: Sequence[str], day: str, now: int) -> int:
    """Remind the learners of a page who are due: selected in a snapshot, and once more under their locks."""
    with database.read() as connection:
        due = reminder.told(connection, page, day, rules)
        known = notices.known(connection, _ids(due, now).items())
    left = sorted(due.keys() - {learner_id for learner_id, _ in known})
    if not left:
        return 0

    def work(connection: Connection) -> int:
        locked = learners.lock(connection, left).values()
        alive = [one.id for one in locked if one.is_alive]
        return _tell(connection, reminder.told(connection, alive, day, rules), reminder.kind, now)

    return committed(database, work)


def _ids(told: Mapping[str, dict[str, Any]], now: int) -> dict[str, str]:
    return {learner_id: id_apart(learner_id, subject_apart(change, now)) for learner_id, change in told.items()}


def _tell(connection: Connection, told: Mapping[str, dict[str, Any]], kind: str, now: int) -> int:
    ids = _ids(told, now)
    known = notices.known(connection, ids.items())
    new = {one: change for one, change in told.items() if (one, ids[one]) not in known}
    heads = learners.heads(connection, new)
    places = {one: NoticePlace(heads[one], n) for one, n in notices.next_parts(connection, heads.items()).items()}
    notices.add_missing(
        connection,
        (
            Notice(one, *places[one], ids[one], kind, subject_apart(change, now), now, _encode(change).decode())
            for one, change in new.items()
        ),
    )
    due = _due(connection, new, places, now)
    rows.add_together(connection, webhooks.due_added(due))
    announcing.note(connection, new)
    if due:
        announcing.note_due(connection)
    return len(new)


def _due(
    connection: Connection, new: Mapping[str, dict[str, Any]], places: Mapping[str, NoticePlace], now: int
) -> list[DueDelivery]:
    """Return the messages due to webhooks for reminders."""
    endpoints = webhooks.endpoints(connection) if new else []
    told = [(hook, one) for hook in endpoints for one, change in new.items() if hook.takes(change)]
    return [DueDelivery(hook.id, one, *places[one], now) for hook, one in told]


def _at_risk(
    connection: Connection, learner_ids: Sequence[str], today: str, rules: StreakRules
) -> dict[str, dict[str, Any]]:
    days = sums.streak_days(connection, learner_ids)
    found = {one: streak_at_risk(days[one], today, rules) for one in learner_ids if one in days}
    return {one: at_risk(length, today) for one, length in found.items() if length}


def _summaries(
    connection: Connection, learner_ids: Sequence[str], today: str, rules: StreakRules
) -> dict[str, dict[str, Any]]:
    week = week_before(today)
    done = reminders.done_between(connection, learner_ids, week.before, week.last)
    days = sums.streak_days(connection, done)
    found = dict[str, dict[str, Any]]()
    for one, what in done.items():
        known = days.get(one, _NO_DAYS)
        if ordinal(today) in known.paused:
            continue
        told = summary(week, what, current(last_kept(known, rules), ordinal(today), known.paused, rules))
        if told is not None:
            found[one] = told
    return found


REMINDERS: Final = (
    Reminder(
        kind=STREAK_AT_RISK,
        hour=EVENING_HOUR,
        patience=4 * HOUR,
        is_on=lambda _: True,
        since=lambda day: day_of(ordinal(day) - _KEPT_DAYS_MAX),
        told=_at_risk,
    ),
    Reminder(
        kind=WEEKLY_SUMMARY,
        hour=MORNING_HOUR,
        patience=12 * HOUR,
        is_on=is_monday,
        since=lambda day: week_before(day).first,
        told=_summaries,
    ),
)
