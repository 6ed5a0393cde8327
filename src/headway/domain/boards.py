"""Leaderboards: what counts on them, in which periods of the site's calendar, and in which order learners stand."""

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

# The board of the whole site; every other is a course's.
SITE: Final = ""
ALL: Final = "all"
# For how long the boards of periods that have ended are kept up: servers' clocks differ, and zones by a day.
KEPT_DAYS: Final = 2
_SOLVED: Final = 2**20
# So many more than a page are read where some stand elsewhere by now: hardly ever are more of them gone.
SPARE: Final = 8


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


class Question(NamedTuple):
    """What is asked of a board: how many stand `above` a place, or for so many standings.

    Of a `stretch` from a place on, behind the first few (`offset`); those `before` a learner, or `after` them.
    """

    what: str
    standing: Standing
    limit: int = 0
    offset: int = 0


class Asking(ABC):
    """A board that can be asked, wherever it lies: what is asked at once takes one way there and back."""

    @abstractmethod
    def ask(self, *asked: Question) -> list[Any]:
        """The answer to each question: a number, or standings in order."""

    def above(self, place: int) -> int:
        """How many stand above a place."""
        return int(self.ask(Question("above", (place, "")))[0])

    def stretch(self, place: int, offset: int, limit: int) -> list[Standing]:
        """So many from a place on, behind the first few."""
        return self._listed(Question("stretch", (place, ""), limit, offset))

    def before(self, standing: Standing, limit: int) -> list[Standing]:
        """So many before a learner, in order."""
        return self._listed(Question("before", standing, limit))

    def after(self, standing: Standing, limit: int) -> list[Standing]:
        """So many behind a learner."""
        return self._listed(Question("after", standing, limit))

    def _listed(self, asked: Question) -> list[Standing]:
        found: list[Standing] = self.ask(asked)[0]
        return found


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
    return ALL, day[:7], iso_week(day), day


def period_of(kind: Period, day: str) -> str:
    """The one of these periods that is of that kind."""
    return periods_at(day)[("all", "month", "week", "day").index(kind)]


class Span(NamedTuple):
    """The times of a period (microseconds), from the first up to where it has ended."""

    begins: int
    ends: int


# Of all times, as both databases keep them.
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
    """Boards of periods that ended before this day are not kept any more."""
    return (date.fromisoformat(today) - timedelta(days=KEPT_DAYS)).isoformat()


def counts(sum_: StepSum, worth: Worth) -> bool:
    """Whether a completed step counts; where its course asks for graded evidence, scores are to be vouched for.

    As for certificates: a lesson has none to vouch for, and a person's word is one.
    """
    if worth.graded_from is None:
        return True
    reached = sum_.vouched_best
    return reached is not None and reached >= worth.graded_from


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


# Behind all who stand anywhere.
_LAST: Final[Standing] = (2**62, "")


class Pending(NamedTuple):
    """Who stands elsewhere than the board says that is stored, for it is behind: how they stand there, and in truth.

    Both in order.
    """

    stale: list[Standing]
    live: list[Standing]

    def above(self, place: int, stored: int) -> int:
        """How many stand above a place, of whom so many do on the board that is stored."""
        return stored - _before(self.stale, place) + _before(self.live, place)

    def corrected(self, found: Iterable[Standing], first: Standing, last: Standing = _LAST) -> list[Standing]:
        """What is stored of a board from `first` to `last`, as it is in truth: with all who are pending there."""
        gone = set(self.stale)
        here = self.live[bisect_left(self.live, first) : bisect_right(self.live, last)]
        return sorted([*(one for one in found if one not in gone), *here])


def _before(standings: Sequence[Standing], place: int) -> int:
    return bisect_left(standings, (place, ""))


class Stretch(NamedTuple):
    """Which of the stored rows to read, from a place on, to know those in truth behind `skip` of that place.

    `enough` of them are enough unless some of the first are gone from there; `limit` are, whoever is gone.
    """

    place: int
    offset: int
    enough: int
    limit: int


def stretch(pending: Pending, place: int, skip: int, limit: int) -> Stretch:
    """What to read for a page: enough of it, wherever those stand that are pending."""
    live = len(pending.live) - _before(pending.live, place)
    stale = len(pending.stale) - _before(pending.stale, place)
    offset = max(0, skip - live)
    wanted = limit + skip - offset
    return Stretch(place, offset, wanted + min(stale, SPARE), wanted + stale)


def page(
    pending: Pending, asked: Stretch, skip: int, found: Sequence[Standing], last: Standing = _LAST
) -> list[Standing]:
    """What is behind `skip` from a place on, up to `last`, out of what was read."""
    if not asked.offset or not found:
        return pending.corrected(found, (asked.place, ""), last)[skip:]
    first = found[0]
    start = (asked.place, "")
    behind = bisect_left(pending.live, first) - bisect_left(pending.live, start)
    gone = bisect_left(pending.stale, first) - bisect_left(pending.stale, start)
    return pending.corrected(found, first, last)[skip - (asked.offset + behind - gone) :]
