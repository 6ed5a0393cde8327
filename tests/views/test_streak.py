"""Streaks, as the learner's own days have them."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from headway.domain.errors import Invalid
from headway.domain.streaks import STANDARD, StreakRules
from headway.domain.times import DAY
from headway.ledger.pausing import PauseWanted, pause
from headway.views.asked_range import AskedRange
from headway.views.history import read_history
from headway.views.overview import read_overview
from headway.views.streak import DAYS_SHOWN_MAX, MilestoneShown, StreakProgress, StreakSummary, read_streak
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course
from tests.views.learning import NOW, Learning, event, uid

TODAY = date(2026, 3, 10)


def active_on(learning: Learning, who: Subject, *days_ago: int) -> None:
    learning.record(who, *(event("attempted", "first-1", f"{TODAY - timedelta(n)}T12:00:00Z") for n in days_ago))


def streak(learning: Learning, who: Subject, **options: Any) -> StreakProgress:
    return learning.read(lambda connection: read_streak(connection, who, NOW, **options))


def plain(found: StreakProgress) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(found)
    return shown


NOTHING = {
    "current": 0,
    "longest": 0,
    "last_active_on": None,
    "active_today": False,
    "time_zone": "UTC",
    "freezes": 0,
    "freezes_max": 2,
    "next_freeze_in": 7,
    "days": [],
    "freezes_earned_on": [],
    "freezes_spent_on": [],
    "pauses": [],
    "milestones": [{"days": days, "reached_on": None} for days in (7, 30, 100, 365)],
    "imported_longest": None,
}


def test_nobody_has_no_streak(learning: Learning) -> None:
    for who in (NOBODY, learning.learner()):
        assert plain(streak(learning, who)) == NOTHING


def test_a_streak_tells_its_days(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    active_on(learning, ada, 1, 2, 7, 8, 9)
    learning.record(ada, event("opened", "first-1"), event("worked", "first-1", duration_s=9))
    assert plain(streak(learning, ada)) == NOTHING | {
        "current": 2,
        "longest": 3,
        "last_active_on": "2026-03-09",
        "next_freeze_in": 5,
        "days": ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-08", "2026-03-09"],
    }


def test_a_streak_tells_its_freezes_and_milestones(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    active_on(learning, ada, 0, 2, 3, 5, *range(6, 25))
    found = streak(learning, ada)
    assert (found.current, found.freezes, found.next_freeze_in) == (23, 0, 4)
    assert found.freezes_earned_on == ["2026-02-20", "2026-02-27"]
    assert found.freezes_spent_on == ["2026-03-06", "2026-03-09"]
    assert found.milestones[:2] == [MilestoneShown(7, "2026-02-20"), MilestoneShown(30, None)]
    short = streak(learning, ada, days=12)
    assert (short.freezes_earned_on, short.freezes_spent_on) == (["2026-02-27"], ["2026-03-06", "2026-03-09"])
    ruled = streak(learning, ada, rules=StreakRules(freezes_max=0))
    assert (ruled.current, ruled.freezes_max, ruled.next_freeze_in) == (1, 0, None)


def test_overview_and_history_have_the_same_streak(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    active_on(learning, ada, 1, 2, 3, 5, *range(6, 25))
    pause(learning.database, learning.catalog, PauseWanted(ada.learner_id or "", uid("p"), None, 3), now=NOW)
    for later in (0, 1, 2, 3, 4, 5):
        for rules in (STANDARD, StreakRules(3, 1), StreakRules(freezes_max=0)):
            now = NOW + later * DAY
            found = learning.read(read_streak, ada, now, 366, rules)
            assert learning.read(read_overview, learning.catalog, ada, now, rules).streak == StreakSummary(
                found.current, found.longest, found.last_active_on, found.active_today, found.freezes
            )
            days = learning.read(read_history, ada, now, AskedRange(days=1), rules).days
            assert days[-1].streak == found.current


def test_a_streak_ends_with_a_day_missed(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    active_on(learning, ada, 2, 3)
    found = streak(learning, ada)
    assert (found.current, found.longest, found.last_active_on) == (0, 2, "2026-03-08")


def test_the_days_of_a_year_are_shown_and_the_streak_is_of_all(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    active_on(learning, ada, *range(400))
    found = streak(learning, ada)
    assert (found.current, found.longest, len(found.days)) == (400, 400, 366)
    assert (found.days[0], found.days[-1]) == (str(TODAY - timedelta(365)), "2026-03-10")
    assert streak(learning, ada, days=1).days == ["2026-03-10"]


def test_today_and_yesterday_are_the_learners_own(learning: Learning) -> None:
    learning.publish(course())
    east = learning.learner("east", zone="Pacific/Kiritimati")  # at noon UTC it is 02:00 of the next day there
    learning.record(east, event("attempted", "first-1", "2026-03-10T09:00:00Z"))
    found = streak(learning, east)
    assert (found.last_active_on, found.active_today, found.current) == ("2026-03-10", False, 1)
    assert found.time_zone == "Pacific/Kiritimati"


def test_a_day_ahead_of_the_learners_own_is_shown(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    learning.record(ada, event("attempted", "first-1", "2026-03-11T01:30:00+14:00"))
    found = streak(learning, ada)
    assert (found.days, found.current, found.active_today) == (["2026-03-11"], 1, True)


@pytest.mark.parametrize("days", [0, -1, DAYS_SHOWN_MAX + 1, 10**30])
def test_a_number_of_days_that_is_none_is_refused(sqlite_url: str, days: int) -> None:
    with pytest.raises(Invalid) as refusal:
        read_streak(None, NOBODY, NOW, days)  # type: ignore[arg-type]  # it never comes to be asked
    assert refusal.value.field == "days"
