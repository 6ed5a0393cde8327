"""The exercises that a learner did, out of the sums of steps: what levels and mastery are judged by."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from headway.domain.course import Course, Step
from headway.domain.levels import Exercise
from headway.domain.progress import Completion, Scored, StepSum
from headway.domain.sums import StepKey


class Done(NamedTuple):
    """An exercise (course and step), and the first and the latest answer to it in each run."""

    place: tuple[str, str]
    exercise: Exercise
    answers: list[Scored]


def versions_of(steps: Mapping[StepKey, StepSum]) -> set[tuple[str, int]]:
    """The versions by which steps were completed: courses by them are asked for by `exercises_done`."""
    return {(key.course, one.completion.version) for key, one in steps.items() if one.completion is not None}


def exercises_done(
    steps: Mapping[StepKey, StepSum],
    completed_by: Mapping[tuple[str, int], Course],
    courses: Mapping[str, tuple[int, Course]],
) -> Iterator[Done]:
    """Each exercise once, of whatever topics it had when it was first completed; before that, of those it has now."""
    of_runs: dict[tuple[str, str], list[StepSum]] = {}
    for key, one in steps.items():
        of_runs.setdefault((key.course, key.step), []).append(one)
    for place, sums in of_runs.items():
        done = sums[0].completion if len(sums) == 1 else first_completion(sums)
        course = completed_by[place[0], done.version] if done else courses[place[0]][1]
        step = step_of(course, place[1])
        if step is not None and step.is_exercise:
            answers = [part for each in sums for part in _answers(each)]
            yield Done(place, _exercise(step.topics, sums, done), answers)


def exercise_of(topics: tuple[str, ...], sums: Iterable[StepSum]) -> Exercise:
    """An exercise of these topics, by what is known of it in each run."""
    runs = list(sums)
    return _exercise(topics, runs, first_completion(runs))


def _exercise(topics: tuple[str, ...], runs: Sequence[StepSum], done: Completion | None) -> Exercise:
    if len(runs) == 1 and runs[0].override is None:
        # Of a learner with thousands of events, nearly all are so.
        one = runs[0]
        return Exercise(topics, one.best, one.first and one.first.at, done and done.at)
    best = max((one.best_said for one in runs if one.best_said is not None), default=None)
    return Exercise(topics, best, min(_scored(runs), default=None), done and done.at)


def first_completion(sums: Iterable[StepSum]) -> Completion | None:
    """When a step was first completed, in whichever run."""
    return min((one.completion for one in sums if one.completion is not None), default=None)


def step_of(course: Course, key: str) -> Step | None:
    """The step of a key; None where the course has dropped it."""
    try:
        return course.step_by_key(key)
    except KeyError:
        return None


def _scored(sums: Iterable[StepSum]) -> Iterator[int]:
    """Since when a step has a score: by an attempt, or by a person's word."""
    for one in sums:
        if one.first is not None:
            yield one.first.at
        if one.override is not None:
            yield one.override.at


def _answers(one: StepSum) -> Iterator[Scored]:
    """How it went when it was new, and how it goes now."""
    if one.first is not None:
        yield one.first
    if one.latest is not None and (one.first is None or one.latest.event_id != one.first.event_id):
        yield one.latest
