"""Streaks, computed from the active days, which of them were only imported, the paused days, and the rules."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

from headway.domain.times import day_of, ordinal

MILESTONES: Final = (7, 30, 100, 365)


class StreakRules(NamedTuple):
    """A freeze is earned by `freeze_days` days kept, up to `freezes_max` held; reaching a milestone is told."""

    freeze_days: int = 7
    freezes_max: int = 2
    milestones: tuple[int, ...] = MILESTONES

    @property
    def credit_max(self) -> int:
        """The credit of a learner who holds all the freezes that can be held, and earns no more."""
        return self.freeze_days * self.freezes_max


STANDARD: Final = StreakRules()
# The rules before freezes and milestones existed: what was told by them stays as it was told.
BEFORE: Final = StreakRules(freezes_max=0, milestones=())
_BEFORE: Final = "before"


def write_rules(rules: StreakRules) -> str | None:
    """Rules as text, stored beside what was told by them; None for the standard rules. `milestones` are not stored."""
    if rules == BEFORE:
        return _BEFORE
    return None if rules == STANDARD else f"{rules.freeze_days}/{rules.freezes_max}"


def read_rules(text: str | None) -> StreakRules:
    """Rules from the stored text; ValueError where it is not valid."""
    if text is None or text == _BEFORE:
        return STANDARD if text is None else BEFORE
    freeze_days, freezes_max = map(int, text.split("/"))
    if freeze_days < 1 or freezes_max < 0:
        raise ValueError(f"{text!r} are no rules of streaks")
    return StreakRules(freeze_days, freezes_max)


class StreakDays(NamedTuple):
    """The days that a streak is computed from, as ordinals: active, active by imports alone, and paused."""

    active: AbstractSet[int]
    imported: AbstractSet[int] = frozenset()
    paused: AbstractSet[int] = frozenset()


def streak_days_of(
    activities: Iterable[Sequence[Any]], imported: Iterable[Sequence[Any]], pauses: Iterable[Sequence[str]]
) -> StreakDays:
    """Days from (day, number of activities), of all and of imported ones, in any order, and (first, last) of pauses."""
    own = Counter[int]()
    for day, count in activities:
        own[ordinal(day)] += count
    active = {day for day, count in own.items() if count}
    for day, count in imported:
        own[ordinal(day)] -= count
    return StreakDays(active, {day for day in active if own[day] <= 0}, days_of(pauses))


class StreakDay(NamedTuple):
    """A streak at the end of an active day.

    `credit` is the number of days kept that no freeze was spent of; every `freeze_days` of them are a freeze held.
    """

    day: int
    length: int
    credit: int


class Milestone(NamedTuple):
    """A length of streak, and the day on which a streak first reached it; None where none has."""

    days: int
    reached_on: str | None


class Streak(NamedTuple):
    """A learner's streak as of a day; frozen and paused days keep a streak but do not count in it.

    `freezes` are those held; `next_freeze_in` is how many days kept earn the next, None where no more can be held.
    """

    current: int
    longest: int
    last_active_on: str | None
    active_today: bool
    freezes: int
    next_freeze_in: int | None
    earned_on: list[str]
    spent_on: list[str]
    milestones: list[Milestone]


class Freezes(NamedTuple):
    """Collects the days on which freezes were earned and spent."""

    earned: list[int]
    spent: list[int]


def streak(days: StreakDays, today: str, rules: StreakRules = STANDARD) -> Streak:
    """The streak as of the learner's today. A day ahead of it (activity from further east) counts as today."""
    now, kept, longest = ordinal(today), None, 0
    found, reached = Freezes([], []), dict[int, int]()
    for kept in _lived(days, rules, found):
        if kept.length > longest:
            longest = kept.length
            reached[longest] = kept.day
    if kept is None:
        return Streak(0, 0, None, False, 0, _next_in(0, rules), [], [], _milestones(reached))
    credit = _left(kept, now, days.paused, rules, found)
    return Streak(
        kept.length if credit is not None else 0,
        longest,
        day_of(kept.day),
        kept.day >= now,
        (credit or 0) // rules.freeze_days,
        _next_in(credit or 0, rules),
        [day_of(one) for one in found.earned],
        [day_of(one) for one in found.spent],
        _milestones(reached),
    )


def _lived(days: StreakDays, rules: StreakRules, found: Freezes | None = None) -> Iterator[StreakDay]:
    """The streak at the end of each active day, in order."""
    kept, full = None, rules.credit_max
    for day in sorted(days.active):
        if kept is not None and kept.credit == full and kept.day + 1 == day:
            # Fast path for long streaks: one day more, and no freeze left to earn.
            kept = StreakDay(day, kept.length + 1, full)
        else:
            kept = follow(kept, day, days, rules, found)
        yield kept


def follow(
    before: StreakDay | None, day: int, days: StreakDays, rules: StreakRules, found: Freezes | None = None
) -> StreakDay:
    """The streak at the end of an active day, given the streak at the end of the active day before.

    More active or paused days never shorten a streak or cost freezes, so that no late event takes anything away.
    """
    if before is not None and day == before.day + 1:
        credit: int | None = before.credit
    else:
        credit = None if before is None else _left(before, day, days.paused, rules, found)
    length = 0 if before is None or credit is None else before.length
    earned = min((credit or 0) + (day not in days.imported), rules.credit_max)
    if found is not None and earned // rules.freeze_days > (credit or 0) // rules.freeze_days:
        found.earned.append(day)
    return StreakDay(day, length + 1, earned)


def last_kept(days: StreakDays, rules: StreakRules) -> StreakDay | None:
    """The streak at the end of the last active day, in time that grows with that streak alone."""
    if not days.active:
        return None
    first = last = max(days.active)
    day, missed = last - 1, 0
    # A run of missed days longer than the freezes that can be held ends any streak before it.
    while missed <= rules.freezes_max:
        if day in days.active:
            first, missed = day, 0
        elif day not in days.paused:
            missed += 1
        day -= 1
    kept = None
    for day in range(first, last + 1):
        if day in days.active:
            kept = follow(kept, day, days, rules)
    return kept


def current(kept: StreakDay | None, today: int, paused: AbstractSet[int], rules: StreakRules) -> int:
    """The length of the current streak as of today, given the streak at the end of the last active day."""
    return kept.length if kept is not None and _left(kept, today, paused, rules) is not None else 0


def streaks_over(days: StreakDays, first: int, last: int, rules: StreakRules = STANDARD) -> list[int]:
    """The current streak as of each day from first to last, all as ordinals; later days do not affect it."""
    found, kept = list[int](), None
    for one in _lived(days, rules):
        if one.day > last:
            break
        # Until the next active day, only missed days can change it.
        found += [current(kept, day, days.paused, rules) for day in range(first + len(found), one.day)]
        if one.day >= first:
            found.append(one.length)
        kept = one
    return found + [current(kept, day, days.paused, rules) for day in range(first + len(found), last + 1)]


def days_of(ranges: Iterable[Sequence[str]]) -> set[int]:
    """The ordinals of all days in ranges, each of a first and a last day."""
    return {day for first, last in ranges for day in range(ordinal(first), ordinal(last) + 1)}


def _left(
    kept: StreakDay, until: int, paused: AbstractSet[int], rules: StreakRules, found: Freezes | None = None
) -> int | None:
    """The credit left after a freeze for each day missed before `until`; None where the streak ended."""
    credit = kept.credit
    for day in range(kept.day + 1, until):
        if day in paused:
            continue
        if credit < rules.freeze_days:
            return None
        credit -= rules.freeze_days
        if found is not None:
            found.spent.append(day)
    return credit


def _milestones(reached: Mapping[int, int]) -> list[Milestone]:
    return [Milestone(one, day_of(reached[one]) if one in reached else None) for one in MILESTONES]


def _next_in(credit: int, rules: StreakRules) -> int | None:
    if credit >= rules.credit_max:
        return None
    return rules.freeze_days - credit % rules.freeze_days
