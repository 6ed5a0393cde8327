"""Leaderboards: what counts on them, the periods of the site's calendar that they cover, and their order."""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple, TypeAlias

from headway.domain.periods import EVER, Period, iso_week, range_of
from headway.domain.progress import Completion, StepSum, Worth
from headway.domain.sums import Sums
from headway.domain.times import day_of, day_start, local_day, ordinal

# Stands for the whole site in place of a course's id.
SITE: Final = ""
ALL: Final = "all"
# How many days the board of an ended period is still kept up: servers' clocks differ, and time zones by a day.
KEPT_DAYS: Final = 2
_SOLVED: Final = 2**20
# Extra rows read with a page to make up for stale ones: hardly ever are more than these stale.
SPARE: Final = 8


class Board(NamedTuple):
    """The leaderboard of a course, or of the site if `course` is empty, for a period: 2026-03, 2026-W10, a day, all."""

    course: str
    period: str


class Gain(NamedTuple):
    """What a learner gained in a course at a time, as a place; for points of achievements, `course` is the site."""

    course: str
    at: int
    place: int


# (place, learner), in the order in which both databases, Redis and Python sort them.
Standing: TypeAlias = tuple[int, str]


class Question(NamedTuple):
    """A question to a board; `what` is one of these.

    `above`: how many learners stand above a place. `stretch`: up to `limit` standings from a place on, after skipping
    `offset`. `before`, `after`: up to `limit` standings just before or after a learner's.
    """

    what: str
    standing: Standing
    limit: int = 0
    offset: int = 0


class Asking(ABC):
    """A board that can be read, wherever it is stored; questions asked together take one round trip."""

    @abstractmethod
    def ask(self, *asked: Question) -> list[Any]:
        """The answer to each question: a number, or standings in order."""

    def above(self, place: int) -> int:
        """How many stand above a place."""
        return int(self.ask(Question("above", (place, "")))[0])

    def stretch(self, place: int, offset: int, limit: int) -> list[Standing]:
        """Up to `limit` standings from a place on, after skipping `offset`."""
        return self._listed(Question("stretch", (place, ""), limit, offset))

    def before(self, standing: Standing, limit: int) -> list[Standing]:
        """Up to `limit` standings just before a learner, in order."""
        return self._listed(Question("before", standing, limit))

    def after(self, standing: Standing, limit: int) -> list[Standing]:
        """Up to `limit` standings just after a learner, in order."""
        return self._listed(Question("after", standing, limit))

    def _listed(self, asked: Question) -> list[Standing]:
        found: list[Standing] = self.ask(asked)[0]
        return found


def place_of(points: int, solved: int) -> int:
    """Points and exercises solved as one number, lower being better; the place of a sum is the sum of the places.

    Assumes that a learner solves less than a million exercises.
    """
    return -(points * _SOLVED + solved)


def figures_of(place: int) -> tuple[int, int]:
    """The points and the number of exercises solved that a place stands for."""
    return divmod(-place, _SOLVED)


@lru_cache(maxsize=4096)
def periods_at(day: str) -> tuple[str, str, str, str]:
    """The periods that a day lies in: all, its month, its ISO week, itself."""
    return ALL, day[:7], iso_week(day), day


def period_of(kind: Period, day: str) -> str:
    """The period of the given kind that a day lies in."""
    return periods_at(day)[("all", "month", "week", "day").index(kind)]


class Span(NamedTuple):
    """The times of a period in microseconds: `begins` included, `ends` excluded."""

    begins: int
    ends: int


# All times, within the integers that both databases can hold.
_ALWAYS: Final = Span(-(2**62), 2**62)


def span_of(kind: Period, day: str, time_zone: str) -> Span:
    """The times of the period of that kind in which a day lies."""
    if kind == ALL:
        return _ALWAYS
    days = range_of(kind, day)
    return Span(day_start(days.first, time_zone), day_start(day_of(ordinal(days.last) + 1), time_zone))


@lru_cache(maxsize=4096)
def ends_on(period: str) -> str:
    """The last day of a period."""
    if period == ALL:
        return EVER.last
    if len(period) == len("2026-03"):
        return range_of("month", f"{period}-01").last
    return date.fromisocalendar(int(period[:4]), int(period[6:]), 7).isoformat() if "W" in period else period


def kept_from(today: str) -> str:
    """The earliest last day of a period whose boards are still kept."""
    return (date.fromisoformat(today) - timedelta(days=KEPT_DAYS)).isoformat()


def counts(sum_: StepSum, worth: Worth) -> bool:
    """Whether a completed step counts; where the course asks for graded evidence, its graded score must reach the mark.

    The rule is that of certificates: a lesson has no score to vouch for, and a score that a person gave is graded.
    """
    if worth.graded_from is None:
        return True
    reached = sum_.vouched_best
    return reached is not None and reached >= worth.graded_from


def first_counted(
    runs: Iterable[StepSum | None], worth_of: Callable[[Completion], Worth]
) -> tuple[Completion, Worth] | None:
    """The first completion of a step that counts, out of its sums in all runs; None where none counts."""
    found = [(one.completion, worth_of(one.completion), one) for one in runs if one is not None and one.completion]
    counted = [(done, worth) for done, worth, one in found if counts(one, worth)]
    return min(counted, default=None)


def gain_of(course: str, first: tuple[Completion, Worth] | None) -> Gain | None:
    """What a step gains on the boards; None where it gains nothing."""
    if first is None:
        return None
    done, worth = first
    place = place_of(worth.points, int(worth.exercise))
    return Gain(course, done.at, place) if place else None


def gains_of(sums: Sums) -> list[Gain]:
    """All that a learner ever gained, by the learner's own sums."""
    steps: dict[tuple[str, str], list[StepSum]] = {}
    for key, one in sums.steps.items():
        steps.setdefault((key.course, key.step), []).append(one)
    found = []
    for (course, step), runs in steps.items():
        found.append(gain_of(course, first_counted(runs, partial(_worth, sums, course, step))))
    earned = (Gain(SITE, one.at, place_of(one.points, 0)) for one in sums.achievements.values() if one.points)
    return [one for one in found if one is not None] + list(earned)


def placed(gains: Iterable[Gain], time_zone: str, kept: str) -> dict[Board, int]:
    """The learner's place on each board that is still kept, from gains dated in the site's time zone."""
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


# Sorts behind every standing.
_LAST: Final[Standing] = (2**62, "")


class Pending(NamedTuple):
    """Learners whose stored standing on a board is out of date: their stored standings, and their true ones.

    Both lists are sorted.
    """

    stale: list[Standing]
    live: list[Standing]

    def above(self, place: int, stored: int) -> int:
        """How many truly stand above a place, given how many do on the stored board."""
        return stored - _before(self.stale, place) + _before(self.live, place)

    def corrected(self, found: Iterable[Standing], first: Standing, last: Standing = _LAST) -> list[Standing]:
        """The true standings from `first` to `last`, given the stored ones: stale ones removed, live ones added."""
        gone = set(self.stale)
        here = self.live[bisect_left(self.live, first) : bisect_right(self.live, last)]
        return sorted([*(one for one in found if one not in gone), *here])


def _before(standings: Sequence[Standing], place: int) -> int:
    return bisect_left(standings, (place, ""))


class Stretch(NamedTuple):
    """Which stored rows to read, from a place on, for the page behind the first `skip` true standings.

    `enough` rows suffice unless many of them are stale; `limit` rows always suffice.
    """

    place: int
    offset: int
    enough: int
    limit: int


def stretch(pending: Pending, place: int, skip: int, limit: int) -> Stretch:
    """The stored rows to read for a page, given what is pending."""
    live = len(pending.live) - _before(pending.live, place)
    stale = len(pending.stale) - _before(pending.stale, place)
    offset = max(0, skip - live)
    wanted = limit + skip - offset
    return Stretch(place, offset, wanted + min(stale, SPARE), wanted + stale)


def page(
    pending: Pending, asked: Stretch, skip: int, found: Sequence[Standing], last: Standing = _LAST
) -> list[Standing]:
    """The standings behind the first `skip` from a place on, up to `last`, given the stored rows that were read."""
    if not asked.offset or not found:
        return pending.corrected(found, (asked.place, ""), last)[skip:]
    first = found[0]
    start = (asked.place, "")
    behind = bisect_left(pending.live, first) - bisect_left(pending.live, start)
    gone = bisect_left(pending.stale, first) - bisect_left(pending.stale, start)
    return pending.corrected(found, first, last)[skip - (asked.offset + behind - gone) :]
