"""Whether learners pass a step less often at the first try since a version: a drop too large to be chance."""

from collections.abc import Mapping
from math import sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from headway.domain.scores import ratio_percent

# Both before a version and since it.
LEARNERS_MIN: Final = 20
# In percentage points: a smaller drop is not worth acting on, however certain.
DROP_MIN: Final = 10.0
# The probability that chance alone flags a step, however many versions it has.
CHANCE: Final = 0.01


class Tries(NamedTuple):
    """How many learners tried a step for the first time, and how many of them passed at that try."""

    learners: int
    passed: int

    @property
    def percent(self) -> float:
        """The percentage of those who passed."""
        return ratio_percent(self.passed, self.learners) if self.learners else 0.0


class Drop(NamedTuple):
    """The version since which fewer learners pass at the first try, and the tries before it and since."""

    version: int
    before: Tries
    since: Tries


def drop(by_version: Mapping[int, Tries]) -> Drop | None:
    """The clearest drop among all versions; None where there is none, or the newest version has undone it.

    A one-sided two-proportion z-test for each version, of first tries since against all before, its level divided by
    the number of tests (Bonferroni). Each learner has one first try, so that tries are independent.
    """
    found = [one for version in by_version if _is_enough(one := _cut(by_version, version))]
    if not found:
        return None
    clearest = max(found, key=lambda one: (_z(one), one.version))
    is_sure = _z(clearest) >= NormalDist().inv_cdf(1 - CHANCE / len(found))
    is_large = clearest.before.percent - clearest.since.percent >= DROP_MIN
    return clearest if is_sure and is_large and not _is_mended(by_version, clearest) else None


def _cut(by_version: Mapping[int, Tries], version: int) -> Drop:
    before = [one for number, one in by_version.items() if number < version]
    since = [one for number, one in by_version.items() if number >= version]
    return Drop(version, _sum(before), _sum(since))


def _sum(found: list[Tries]) -> Tries:
    return Tries(sum(one.learners for one in found), sum(one.passed for one in found))


def _is_enough(one: Drop) -> bool:
    return min(one.before.learners, one.since.learners) >= LEARNERS_MIN


def _z(one: Drop) -> float:
    """By how many standard errors the share was higher before."""
    n, m = one.before.learners, one.since.learners
    pooled = (one.before.passed + one.since.passed) / (n + m)
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return (one.before.passed / n - one.since.passed / m) / error if error else 0.0


def _is_mended(by_version: Mapping[int, Tries], one: Drop) -> bool:
    """Whether enough learners tried the newest version, and pass about as often as before the drop."""
    newest = by_version[max(by_version)]
    return newest.learners >= LEARNERS_MIN and one.before.percent - newest.percent < DROP_MIN
