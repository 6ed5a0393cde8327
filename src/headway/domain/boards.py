"""Leaderboards: what counts on them, in which periods of the site's calendar, and in which order learners stand."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache, partial
from heapq import merge
from typing import Final, NamedTuple, TypeAlias

from headway.domain.periods import EVER, Period, range_of
from headway.domain.progress import Completion, StepSum, Worth
from headway.domain.sums import Sums
from headway.domain.times import local_day

# The board of the whole site; every other is a course's.
SITE: Final = ""
ALL: Final = "all"
# For how long the boards of periods that have ended are kept up: servers' clocks differ, and zones by a day.
KEPT_DAYS: Final = 2
_SOLVED: Final = 2**20


class Board(NamedTuple):
    """The leaderboard of a course or, where that is empty, of the site: in a period, as 2026-03, 2026-W10 or a day."""

    course: str
    period: str


class Gain(NamedTuple):
    """What a learner gained at a time in a course, as a place; the points of achievements are of no course."""

    course: str
    at: int
    place: int


# (place, learner): as both databases, Redis and Python order them.
Standing: TypeAlias = tuple[int, str]


def place_of(points: int, solved: int) -> int:
    """Points and exercises solved as one number: the lower, the better. Places add up as what they are made of does.

    A learner solves less than a million exercises.
    """
    return -(points * _SOLVED + solved)


def figures_of(place: int) -> tuple[int, int]:
    """The points and the exercises solved of a place."""
    return divmod(-place, _SOLVED)


@lru_cache(maxsize=4096)
def periods_at(day: str) -> tuple[str, str, str, str]:
    """The periods that a day lies in: all, its month, its ISO week, itself."""
    year, week, _ = date.fromisoformat(day).isocalendar()
    return ALL, day[:7], f"{year:04}-W{week:02}", day


def period_of(kind: Period, day: str) -> str:
    """The one of these periods that is of that kind."""
    return periods_at(day)[("all", "month", "week", "day").index(kind)]


@lru_cache(maxsize=4096)
def ends_on(period: str) -> str:
    """The last day of a period."""
    if period == ALL:
        return EVER.last
    if len(period) == len("2026-03"):
        return range_of("month", f"{period}-01").last
    return date.fromisocalendar(int(period[:4]), int(period[6:]), 7).isoformat() if "W" in period else period


def kept_from(today: str) -> str:
    """Boards of periods that ended before this day are not kept any more."""
    return (date.fromisoformat(today) - timedelta(days=KEPT_DAYS)).isoformat()


def counts(sum_: StepSum, worth: Worth) -> bool:
    """Whether a completed step counts; where its course asks for graded evidence, scores are to be vouched for.

    As for certificates: a lesson has none to vouch for, and a person's word is one.
    """
    if worth.graded_from is None:
        return True
    said = sum_.override
    reached = [one for one in (sum_.graded_best, said and said.score) if one is not None]
    return bool(reached) and max(reached) >= worth.graded_from


def first_counted(
    runs: Iterable[StepSum | None], worth_of: Callable[[Completion], Worth]
) -> tuple[Completion, Worth] | None:
    """Where a step counts, of its sums in all runs: once, at its first completion that does."""
    found = [(one.completion, worth_of(one.completion), one) for one in runs if one is not None and one.completion]
    counted = [(done, worth) for done, worth, one in found if counts(one, worth)]
    return min(counted, default=None)


def gain_of(course: str, first: tuple[Completion, Worth] | None) -> Gain | None:
    """What a step gives; None where it gives nothing."""
    if first is None:
        return None
    done, worth = first
    place = place_of(worth.points, int(worth.exercise))
    return Gain(course, done.at, place) if place else None


def gains_of(sums: Sums) -> list[Gain]:
    """All that a learner ever gained, by what the own sums say."""
    steps: dict[tuple[str, str], list[StepSum]] = {}
    for key, one in sums.steps.items():
        steps.setdefault((key.course, key.step), []).append(one)
    found = []
    for (course, step), runs in steps.items():
        found.append(gain_of(course, first_counted(runs, partial(_worth, sums, course, step))))
    earned = (Gain(SITE, one.at, place_of(one.points, 0)) for one in sums.achievements.values() if one.points)
    return [one for one in found if one is not None] + list(earned)


def placed(gains: Iterable[Gain], time_zone: str, kept: str) -> dict[Board, int]:
    """Where gains place a learner on each board that is kept, by the site's zone."""
    found: dict[Board, int] = {}
    for one in gains:
        for period in periods_at(local_day(one.at, time_zone)):
            if ends_on(period) >= kept:
                for course in {SITE, one.course}:
                    board = Board(course, period)
                    found[board] = found.get(board, 0) + one.place
    return {board: place for board, place in found.items() if place}


def _worth(sums: Sums, course: str, step: str, done: Completion) -> Worth:
    return sums.worth_of(course, done.version, step)


class Pending(NamedTuple):
    """Who stands elsewhere than the board says that is stored, for it is behind: how they stand there, and in truth.

    Both in order.
    """

    stale: list[Standing]
    live: list[Standing]

    @classmethod
    def of(cls, stored: Mapping[str, int], true: Mapping[str, int]) -> "Pending":
        """Of places by learner; who stands nowhere is left out."""
        return cls(_in_order(stored), _in_order(true))

    def above(self, place: int, stored: int) -> int:
        """How many stand above a place, of whom so many do on the board that is stored."""
        return stored - _before(self.stale, place) + _before(self.live, place)

    def corrected(self, found: Iterable[Standing], first: Standing) -> list[Standing]:
        """What is stored of a board, as it is in truth: with all who stand behind `first` and are pending."""
        gone = set(self.stale)
        return list(merge((one for one in found if one not in gone), self.live[bisect_left(self.live, first) :]))


def _in_order(places: Mapping[str, int]) -> list[Standing]:
    return sorted((place, learner_id) for learner_id, place in places.items())


def _before(standings: Sequence[Standing], place: int) -> int:
    return bisect_left(standings, (place, ""))


class Stretch(NamedTuple):
    """Which of the stored rows to read, from a place on, to know those in truth behind `skip` of that place."""

    place: int
    offset: int
    limit: int


def stretch(pending: Pending, place: int, skip: int, limit: int) -> Stretch:
    """What to read for a page: enough of it, wherever those stand that are pending."""
    live = len(pending.live) - _before(pending.live, place)
    stale = len(pending.stale) - _before(pending.stale, place)
    offset = max(0, skip - live)
    return Stretch(place, offset, limit + skip - offset + stale)


def page(pending: Pending, asked: Stretch, skip: int, found: Sequence[Standing]) -> list[Standing]:
    """What is behind `skip` from a place on, out of what was read."""
    if not asked.offset or not found:
        return pending.corrected(found, (asked.place, ""))[skip:]
    first = found[0]
    start = (asked.place, "")
    behind = bisect_left(pending.live, first) - bisect_left(pending.live, start)
    gone = bisect_left(pending.stale, first) - bisect_left(pending.stale, start)
    return pending.corrected(found, first)[skip - (asked.offset + behind - gone) :]
