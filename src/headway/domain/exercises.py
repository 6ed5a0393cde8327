"""The exercises that a learner did, from the sums of steps; levels and mastery are judged by them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from headway.domain.course import Course, Step
from headway.domain.levels import Exercise
from headway.domain.mastery import Answer
from headway.domain.overrides import Override
from headway.domain.progress import Completion, Scored, StepSum
from headway.domain.sums import StepKey


class Worked(NamedTuple):
    """The parts of a step's sum that are shown, as plain values for speed: a learner has thousands of these.

    `first_*` and `latest_*` are scored attempts, `done_*` the completion; a latest that is the first is left out.
    """

    course: str
    run: int
    step: str
    events: int
    best: int | None
    first_at: int | None
    first_by: str | None
    first_score: int | None
    latest_at: int | None
    latest_by: str | None
    latest_score: int | None
    done_at: int | None
    done_by: str | None
    done_on: str | None
    done_version: int | None
    updated_at: int
    override: Override | None
    is_done: bool

    @property
    def sum(self) -> StepSum:
        """The step's sum, with only the parts that are here."""
        parts: tuple[Any, ...] = self
        first = None if self.first_at is None else Scored(*parts[5:8])
        latest = first if self.latest_at is None else Scored(*parts[8:11])
        return StepSum(
            events=self.events,
            best=self.best,
            first=first,
            latest=latest,
            completion=None if self.done_at is None else Completion(*parts[11:15]),
            updated_at=self.updated_at,
            override=self.override,
            is_done=self.is_done,
        )


class Done(NamedTuple):
    """An exercise, its place (course, step key), and the first and latest answer to it in each run, for mastery.

    `day` is the local day of its first completion.
    """

    place: tuple[str, str]
    exercise: Exercise
    answers: list[Answer]
    day: str | None


def versions_worked(steps: Iterable[Worked]) -> set[tuple[str, int]]:
    """The (course, version) pairs by which steps were completed; `exercises_worked` needs these courses."""
    return {(one.course, one.done_version) for one in steps if one.done_version is not None}


def exercises_worked(
    steps: Iterable[Worked],
    completed_by: Mapping[tuple[str, int], Course],
    courses: Mapping[str, tuple[int, Course]],
) -> Iterator[Done]:
    """The same as `exercises_done`, from `Worked` rows."""
    of_runs: dict[tuple[str, str], list[Worked]] = {}
    for one in steps:
        of_runs.setdefault((one.course, one.step), []).append(one)
    for place, found in of_runs.items():
        one = found[0]
        if len(found) > 1 or one.override is not None:
            done = _done(place, [each.sum for each in found], completed_by, courses)
            if done is not None:
                yield done
            continue
        # The usual case of a learner with thousands of events, so it is kept fast.
        version = one.done_version
        step = step_of(courses[place[0]][1] if version is None else completed_by[place[0], version], place[1])
        if step is not None and step.is_exercise:
            exercise = Exercise(step.topics, one.best, one.first_at, one.done_at)
            yield Done(place, exercise, _answered(one), one.done_on)


def _answered(one: Worked) -> list[Answer]:
    found: list[Any] = []
    if one.first_at is not None:
        found.append(one[5:8])
    if one.latest_at is not None:
        found.append(one[8:11])
    return found


def versions_of(steps: Mapping[StepKey, StepSum]) -> set[tuple[str, int]]:
    """The (course, version) pairs by which steps were completed; `exercises_done` needs these courses."""
    return {(key.course, one.completion.version) for key, one in steps.items() if one.completion is not None}


def exercises_done(
    steps: Mapping[StepKey, StepSum],
    completed_by: Mapping[tuple[str, int], Course],
    courses: Mapping[str, tuple[int, Course]],
) -> Iterator[Done]:
    """Each exercise once, with its topics in the version that first completed it, or else in the version in force."""
    of_runs: dict[tuple[str, str], list[StepSum]] = {}
    for key, one in steps.items():
        of_runs.setdefault((key.course, key.step), []).append(one)
    for place, sums in of_runs.items():
        found = _done(place, sums, completed_by, courses)
        if found is not None:
            yield found


def _done(
    place: tuple[str, str],
    sums: Sequence[StepSum],
    completed_by: Mapping[tuple[str, int], Course],
    courses: Mapping[str, tuple[int, Course]],
) -> Done | None:
    """An exercise from its sums in all runs; None where the step is no exercise."""
    done = sums[0].completion if len(sums) == 1 else first_completion(sums)
    step = step_of(completed_by[place[0], done.version] if done else courses[place[0]][1], place[1])
    if step is None or not step.is_exercise:
        return None
    answers = [part[:3] for each in sums for part in _answers(each)]
    return Done(place, _exercise(step.topics, sums, done), answers, done and done.day)


def exercise_of(topics: tuple[str, ...], sums: Iterable[StepSum]) -> Exercise:
    """An exercise of these topics, from its sums in all runs."""
    runs = list(sums)
    return _exercise(topics, runs, first_completion(runs))


def _exercise(topics: tuple[str, ...], runs: Sequence[StepSum], done: Completion | None) -> Exercise:
    if len(runs) == 1 and runs[0].override is None:
        # The usual case of a learner with thousands of events, so it is kept fast.
        one = runs[0]
        return Exercise(topics, one.best, one.first and one.first.at, done and done.at)
    best = max((one.best_said for one in runs if one.best_said is not None), default=None)
    return Exercise(topics, best, min(_scored(runs), default=None), done and done.at)


def first_completion(sums: Iterable[StepSum]) -> Completion | None:
    """The first completion of a step, in any run."""
    return min((one.completion for one in sums if one.completion is not None), default=None)


def step_of(course: Course, key: str) -> Step | None:
    """The step of that key; None where this version of the course has none."""
    try:
        return course.step_by_key(key)
    except KeyError:
        return None


def _scored(sums: Iterable[StepSum]) -> Iterator[int]:
    """The times from which a step has a score: of the first scored attempt, and of an override that gives a score."""
    for one in sums:
        if one.first is not None:
            yield one.first.at
        if one.override is not None and one.override.is_score:
            yield one.override.at


def _answers(one: StepSum) -> Iterator[Scored]:
    """The first scored attempt and, if it is another one, the latest."""
    if one.first is not None:
        yield one.first
    if one.latest is not None and (one.first is None or one.latest.event_id != one.first.event_id):
        yield one.latest
