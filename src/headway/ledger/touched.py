"""The sums that a contribution touches, by their keys."""

from collections.abc import Iterable, Sequence
from typing import Any

from headway.domain.facts import Achieved, Graded, Leveled, Paused, Resumed, Revoked, StreakImported
from headway.domain.progress import Contribution
from headway.domain.sums import PRACTICED
from headway.store import sums


def touched(new: Iterable[tuple[str, Contribution]]) -> dict[sums.SumKind, set[tuple[Any, ...]]]:
    """Return the full keys of all sums that contributions touch, except steps and grants, which rules ask for."""
    days, topics, practiced = set[tuple[Any, ...]](), set[tuple[Any, ...]](), set[tuple[Any, ...]]()
    keys: dict[sums.SumKind, set[tuple[Any, ...]]] = {kind: set() for kind in _SELDOM}
    for learner_id, one in new:
        if one.step:
            days.add((learner_id, one.worked_on, one.course, one.run))
            topics.update((learner_id, topic, one.course, one.run) for topic in _topics_of(one))
            if one.type in PRACTICED:
                practiced.add((learner_id, one.course, one.run, one.step, one.worked_on))
        if one.fact is not None or one.imported or not one.step or one.waits:
            for kind, found in _SELDOM.items():
                keys[kind].update((learner_id, *key) for key in found(one))
    return {sums.DAYS: days, sums.TOPICS: topics, sums.STEP_DAYS: practiced, **keys}


def _topics_of(one: Contribution) -> Sequence[str]:
    """The topics whose sums a contribution can move."""
    return one.topics if one.worked_topics is one.topics else (*one.topics, *one.worked_topics)


def _imported_days(one: Contribution) -> Iterable[Sequence[Any]]:
    return ((one.day, one.course, one.run),) if one.step and one.imported else ()


def _enrollments(one: Contribution) -> Iterable[Sequence[Any]]:
    return ((one.course,),) if one.course and not one.step else ()


def _pauses(one: Contribution) -> Iterable[Sequence[Any]]:
    """Yield the key of the pause that a contribution makes or ends."""
    if isinstance(one.fact, Paused):
        yield (one.event_id,)
    elif isinstance(one.fact, Resumed):
        yield (one.fact.pause,)


def _certificates(one: Contribution) -> Iterable[Sequence[Any]]:
    return ((one.fact.certificate,),) if isinstance(one.fact, Revoked) else ()


def _grades(one: Contribution) -> Iterable[Sequence[Any]]:
    """Yield the attempt that a contribution makes wait, or grades."""
    if isinstance(one.fact, Graded):
        yield (one.fact.attempt,)
    elif one.step and one.waits:
        yield (one.event_id,)


def _achievements(one: Contribution) -> Iterable[Sequence[Any]]:
    return ((one.fact.achievement,),) if isinstance(one.fact, Achieved) else ()


def _levels(one: Contribution) -> Iterable[Sequence[Any]]:
    return ((one.fact.topic, one.fact.level),) if isinstance(one.fact, Leveled) else ()


def _imported_streaks(one: Contribution) -> Iterable[Sequence[Any]]:
    return ((one.event_id,),) if isinstance(one.fact, StreakImported) else ()


# Sums that most events leave alone.
_SELDOM = {
    sums.ENROLLMENTS: _enrollments,
    sums.IMPORTED_DAYS: _imported_days,
    sums.PAUSES: _pauses,
    sums.CERTIFICATES: _certificates,
    sums.GRADES: _grades,
    sums.ACHIEVEMENTS: _achievements,
    sums.LEVELS: _levels,
    sums.IMPORTED_STREAKS: _imported_streaks,
}
