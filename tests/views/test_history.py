"""History: every day of a range, and all that was before it."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from headway.domain.errors import Invalid
from headway.views.asked_range import AskedRange
from headway.views.history import DAYS_MAX, History, read_history
from headway.views.overview import read_overview
from headway.views.streak import read_streak
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, event

TODAY = date(2026, 3, 10)
COURSE = course(module("m", step("read", kind="lesson"), step("quiz"), step("fizz", kind="exercise")))
NOTHING = {
    "exercises_completed": 0,
    "steps_completed": 0,
    "attempts": 0,
    "duration_s": 0.0,
    "hints": 0,
    "average_percent": None,
    "points": 0,
    "achievements_unlocked": 0,
}


def history(learning: Learning, who: Subject, **asked: Any) -> History:
    return learning.read(read_history, who, NOW, AskedRange(**asked))


def plain(value: object) -> Any:
    return msgspec.to_builtins(value)


def learn(learning: Learning) -> Subject:
    learning.publish(COURSE)
    learning.publish({**COURSE, "id": "java"})
    ada = learning.learner()
    learning.record(
        ada,
        event("attempted", "quiz", "2026-02-01T12:00:00Z", score=0.5, hints=1),
        event("attempted", "quiz", "2026-03-01T12:00:00Z", score=0.8, duration_s=30.25),
        event("attempted", "quiz", "2026-03-01T12:00:00Z", score=0.4, course="java"),
        event("completed", "read", "2026-03-02T12:00:00Z", score=0.1),
        event("opened", "fizz", "2026-03-04T12:00:00Z", hints=3),
    )
    return ada


def test_every_day_of_the_range_is_there_with_all_since_the_beginning(learning: Learning) -> None:
    found = plain(history(learning, learn(learning), first="2026-02-28", last="2026-03-04"))
    before = NOTHING | {"attempts": 1, "hints": 1, "average_percent": 50.0}
    first = {"exercises_completed": 1, "steps_completed": 1, "duration_s": 30.25, "points": 10}
    after_first = before | first | {"attempts": 3, "average_percent": 56.67}
    after_second = after_first | {"steps_completed": 2, "points": 15}
    assert found == {
        "days": [
            NOTHING | {"day": "2026-02-28", "streak": 0, "cumulative": before},
            NOTHING
            | first
            | {"attempts": 2, "average_percent": 60.0, "day": "2026-03-01", "streak": 1, "cumulative": after_first},
            NOTHING | {"steps_completed": 1, "points": 5, "day": "2026-03-02", "streak": 2, "cumulative": after_second},
            NOTHING | {"day": "2026-03-03", "streak": 2, "cumulative": after_second},
            NOTHING | {"hints": 3, "day": "2026-03-04", "streak": 0, "cumulative": after_second | {"hints": 4}},
        ]
    }


def test_a_range_may_begin_on_any_day(learning: Learning) -> None:
    ada = learn(learning)
    whole = plain(history(learning, ada, first="2026-01-30", last="2026-03-04"))["days"]
    for n, one in enumerate(whole):
        assert plain(history(learning, ada, first=one["day"], last="2026-03-04"))["days"] == whole[n:]


def test_history_ends_where_the_overview_stands(learning: Learning) -> None:
    ada = learn(learning)
    last = history(learning, ada).days[-1]
    whole = learning.read(read_overview, learning.catalog, ada, NOW)
    for name in ("exercises_completed", "steps_completed", "attempts", "duration_s", "hints", "points"):
        assert getattr(last.cumulative, name) == getattr(whole, name)
    assert last.streak == learning.read(read_streak, ada, NOW).current


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({}, "2026-02-09", "2026-03-10"),
        ({"days": 1}, "2026-03-10", "2026-03-10"),
        ({"days": 30}, "2026-02-09", "2026-03-10"),
        ({"days": DAYS_MAX}, str(TODAY - timedelta(DAYS_MAX - 1)), "2026-03-10"),
        ({"first": "2026-03-08"}, "2026-03-08", "2026-03-10"),
        ({"first": str(TODAY - timedelta(DAYS_MAX - 1))}, str(TODAY - timedelta(DAYS_MAX - 1)), "2026-03-10"),
        ({"last": "2026-01-30"}, "2026-01-01", "2026-01-30"),
        ({"last": "0001-01-05"}, "0001-01-01", "0001-01-05"),
        ({"first": "2026-03-09", "last": "2026-04-01"}, "2026-03-09", "2026-04-01"),
        ({"first": "9999-12-31", "last": "9999-12-31"}, "9999-12-31", "9999-12-31"),
        ({"first": "2020-02-29", "last": "2020-02-29"}, "2020-02-29", "2020-02-29"),
    ],
)
def test_a_range_may_be_said_in_many_ways(asked: dict[str, Any], first: str, last: str) -> None:
    found = read_history(None, NOBODY, NOW, AskedRange(**asked)).days  # type: ignore[arg-type]  # nobody is not looked up
    assert (found[0].day, found[-1].day) == (first, last)
    assert len(found) == (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
    assert all(plain(one) == NOTHING | {"day": one.day, "streak": 0, "cumulative": NOTHING} for one in found)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"days": 0}, "days"),
        ({"days": -5}, "days"),
        ({"days": DAYS_MAX + 1}, "days"),
        ({"days": 10**30}, "days"),
        ({"days": 5, "first": "2026-03-01"}, "days"),
        ({"days": 5, "last": "2026-03-01"}, "days"),
        ({"first": "2026-03-11"}, "from"),
        ({"first": "2026-03-02", "last": "2026-03-01"}, "from"),
        ({"first": str(TODAY - timedelta(DAYS_MAX))}, "from"),
        ({"first": "0001-01-01", "last": "9999-12-31"}, "from"),
        ({"first": "yesterday"}, "from"),
        ({"first": "2026-02-30"}, "from"),
        ({"first": ""}, "from"),
        ({"last": "2026-3-1"}, "to"),
        ({"last": "20260301"}, "to"),
        ({"last": "2026-03-01T00:00:00Z"}, "to"),
        ({"last": "\uff12026-03-01"}, "to"),
        ({"last": "2026-W10-1"}, "to"),
    ],
)
def test_a_bad_range_is_refused_by_its_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_history(None, NOBODY, NOW, AskedRange(**asked))  # type: ignore[arg-type]  # it never comes to be asked
    assert refusal.value.field == field


def test_a_days_own_day_is_the_learners(learning: Learning) -> None:
    learning.publish(COURSE)
    east = learning.learner(zone="Pacific/Kiritimati")
    learning.record(east, event("completed", "read", "2026-03-10T11:00:00Z"))  # 01:00 of the 11th there
    assert [(one.day, one.steps_completed) for one in history(learning, east, days=2).days] == [
        ("2026-03-10", 0),
        ("2026-03-11", 1),
    ]
