"""What a learner is told of the streak as days join it, in whatever order, by whichever rules."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headway.domain.facts import Paused, Resumed
from headway.domain.progress import Contribution, Worth
from headway.domain.standing import Standing
from headway.domain.streaks import BEFORE, MILESTONES, STANDARD, StreakDays, StreakRules
from headway.domain.times import day_of
from tests.domain.slow_streaks import live

DAY = 739_000
RULES = (STANDARD, BEFORE, StreakRules(3, 1), StreakRules(1, 5))
days = st.integers(0, 24)
events = st.tuples(st.sampled_from(["attempted", "completed", "opened", "worked"]), days, st.booleans())


def of_day(number: int, kind: str = "attempted", *, imported: bool = False) -> Contribution:
    place = ("python", 1, "step", 1, number, day_of(DAY + number))
    return Contribution("", kind, *place, None, False, 0, 0, (), False, None, imported)


def of_fact(event_id: str, fact: Any) -> Contribution:
    return Contribution(event_id, "", "", 1, "", 0, 0, day_of(DAY), None, False, 0, 0, (), False, fact)


def new() -> Standing:
    return Standing(lambda *_: Worth(0, exercise=False, topics=()))


def expected(before: int, after: int, day: int, by: StreakRules) -> list[dict[str, Any]]:
    if after <= before:
        return []
    passed = [one for one in by.milestones if before < one <= after]
    return [
        {"type": "streak_extended", "current": after, "day": day_of(DAY + day)},
        *({"type": "streak_milestone", "days": one, "day": day_of(DAY + day)} for one in passed),
    ]


@given(st.lists(st.tuples(events, st.integers(0, 3), st.sampled_from(RULES)), max_size=40))
def test_whatever_the_order_what_is_told_is_how_the_streak_grew(
    history: list[tuple[tuple[str, int, bool], int, StreakRules]],
) -> None:
    standing, active, own = new(), set[int](), set[int]()
    for (kind, day, imported), later, by in history:
        is_activity = kind in ("attempted", "completed")
        grown = {*active, day} if is_activity else active
        own_after = own | ({day} if is_activity and not imported else set())
        before, after = (
            live(some, 20 + later, imported=some - mine, freeze_days=by.freeze_days, freezes_max=by.freezes_max).current
            for some, mine in ((active, own), (grown, own_after))
        )
        told = standing.apply(of_day(day, kind, imported=imported), name="", today=day_of(DAY + 20 + later), rules=by)
        streaks = [one for one in told if one["type"].startswith("streak")]
        # A day that was active already was told of: that it is the learner's own now may keep more, and is no news.
        assert streaks == (expected(before, after, day, by) if day not in active else [])
        active, own = grown, own_after


@given(st.lists(days, max_size=30), st.lists(st.tuples(days, st.integers(1, 5)), max_size=4), st.sampled_from(RULES))
def test_days_that_are_loaded_count_as_those_that_were_applied(
    known: list[int], rests: list[tuple[int, int]], by: StreakRules
) -> None:
    paused = {first + n for first, length in rests for n in range(length)}
    applied, loaded = new(), new()
    for n, (first, length) in enumerate(rests):
        fact = Paused(day_of(DAY + first), day_of(DAY + first + length - 1))
        applied.apply(of_fact(str(n), fact), name="", today=day_of(DAY))
    for day in known:
        applied.apply(of_day(day), name="", today=day_of(DAY + 25), rules=by)
    loaded.attendance.add(StreakDays({DAY + day for day in known}, set(), {DAY + day for day in paused}))
    for today in (25, 26, 28, 24):
        told = [one.apply(of_day(25), name="", today=day_of(DAY + today), rules=by) for one in (applied, loaded)]
        assert told[0] == told[1]
    after = live({*known, 25}, 25, paused=paused, freeze_days=by.freeze_days, freezes_max=by.freezes_max).current
    assert expected(after - 1, after, 25, by)[0]["current"] == after


def test_a_pause_keeps_a_streak_from_when_it_is_known_and_no_longer_than_it_lasts() -> None:
    standing = new()
    for day in (0, 1):
        standing.apply(of_day(day), name="", today=day_of(DAY + day))
    standing.apply(of_fact("p", Paused(day_of(DAY + 2), day_of(DAY + 9))), name="", today=day_of(DAY + 2))
    told = standing.apply(of_day(10), name="", today=day_of(DAY + 10))
    assert told[-1] == {"type": "streak_extended", "current": 3, "day": day_of(DAY + 10)}
    standing.apply(of_fact("r", Resumed("p", day_of(DAY + 5))), name="", today=day_of(DAY + 10))
    told = standing.apply(of_day(11), name="", today=day_of(DAY + 11))
    assert told[-1]["current"] == 2


def test_each_event_is_told_by_its_own_rules() -> None:
    generous, none = StreakRules(1, 5), StreakRules(1, 0)
    for last, grown in ((generous, True), (none, False)):
        standing = new()
        other = none if last is generous else generous
        for day in (0, 1):
            standing.apply(of_day(day), name="", today=day_of(DAY + day), rules=other)
        told = standing.apply(of_day(3), name="", today=day_of(DAY + 3), rules=last)
        assert told[-1]["current"] == (3 if grown else 1)


def test_what_is_done_oneself_on_a_day_that_was_imported_earns() -> None:
    standing, by = new(), StreakRules(2, 1)
    for day in (0, 1):
        standing.apply(of_day(day, imported=True), name="", today=day_of(DAY + 1), rules=by)
    for day in (0, 1):
        assert standing.apply(of_day(day), name="", today=day_of(DAY + 1), rules=by) == []
    assert standing.apply(of_day(3), name="", today=day_of(DAY + 3), rules=by)[-1]["current"] == 3


def test_every_milestone_is_told_on_the_day_that_comes_to_it() -> None:
    standing, told = new(), dict[int, int]()
    for day in range(366):
        for one in standing.apply(of_day(day), name="", today=day_of(DAY + day)):
            if one["type"] == "streak_milestone":
                told[one["days"]] = day + 1
    assert told == {one: one for one in MILESTONES}
