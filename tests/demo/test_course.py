"""The demo's course can be taken: nothing is wrong with it, and every question knows right from wrong."""

from random import Random

import pytest

from headway.cli.manifest_file import read_manifest
from headway.demo.answering import right_answer, wrong_answer
from headway.demo.content import Answers, answers, course_manifest
from headway.domain.course import KINDS, Course, Step
from headway.domain.manifest import parse_manifest
from headway.domain.scores import FULL
from headway.graders.registry import BUILT_IN, check_grader, grade
from tests.house.tree import ROOT

COURSE = parse_manifest(course_manifest(), check_grader=check_grader)
QUESTIONS = [step for step in COURSE.steps if step.grader is not None]
SAMPLES = answers().samples


def named(step: Step) -> str:
    return step.id


def config(step: Step) -> dict[str, object]:
    assert step.grader is not None
    return dict(step.grader)


def test_every_kind_of_step_and_of_grader_is_there() -> None:
    assert {step.kind for step in COURSE.steps} == set(KINDS)
    # Nobody is there to grade by hand.
    assert {config(step)["type"] for step in QUESTIONS} == BUILT_IN.keys() - {"manual"}
    assert 4 <= len(COURSE.modules) <= 6
    assert 25 <= len(COURSE.steps) <= 31


def test_the_command_line_reads_the_course_as_the_demo_does() -> None:
    path = ROOT / "src/headway/demo/course.yaml"
    assert read_manifest(str(path)).content == course_manifest()


@pytest.mark.parametrize("step", COURSE.steps, ids=named)
def test_every_step_says_something(step: Step) -> None:
    said = step.body if step.kind == "lesson" else step.prompt
    assert said
    assert len(said) > 30
    assert step.topics


@pytest.mark.parametrize("step", QUESTIONS, ids=named)
def test_right_answers_get_full_marks(step: Step) -> None:
    given = [right_answer(step, SAMPLES, Random(seed)) for seed in range(30)]
    assert {grade(config(step), one).score for one in given} == {FULL}


@pytest.mark.parametrize("step", QUESTIONS, ids=named)
def test_wrong_answers_do_not_and_are_told_why(step: Step) -> None:
    given = [wrong_answer(step, SAMPLES, Random(seed)) for seed in range(60)]
    verdicts = [grade(config(step), one) for one in given]
    assert all((verdict.score or 0) < FULL and verdict.feedback for verdict in verdicts)


@pytest.mark.parametrize("step", [step for step in QUESTIONS if step.id in SAMPLES], ids=named)
def test_samples_are_what_they_are_called(step: Step) -> None:
    right, wrong = SAMPLES[step.id]
    assert all(grade(config(step), one).score == FULL for one in right)
    assert all(grade(config(step), one).score == 0 for one in wrong)


def test_every_sample_belongs_to_a_step() -> None:
    assert SAMPLES.keys() <= {step.id for step in QUESTIONS}
    assert answers().parts.keys() == {step.id for step in COURSE.steps if step.kind == "assignment"}


@pytest.mark.parametrize("step", [one for one in QUESTIONS if config(one)["type"] == "order"], ids=named)
def test_the_keys_of_an_order_do_not_give_it_away(step: Step) -> None:
    answer = config(step)["answer"]
    assert isinstance(answer, list)
    assert answer != sorted(answer)


def test_the_right_choice_is_not_always_at_the_same_place() -> None:
    places = [config(step)["answer"] for step in QUESTIONS if config(step)["type"] == "choice"]
    assert len(set(places)) > 1


@pytest.mark.parametrize("step", [one for one in QUESTIONS if config(one)["type"] == "choice"], ids=named)
def test_every_choice_is_commented_on(step: Step) -> None:
    options, feedback = config(step)["options"], config(step)["feedback"]
    assert isinstance(options, dict)
    assert isinstance(feedback, dict)
    assert options.keys() == feedback.keys()


def test_simulated_assignments_can_be_passed_and_failed(course: Course, demo_answers: Answers) -> None:
    for step_id, parts in demo_answers.parts.items():
        step = course.step(step_id)
        assert step is not None
        scores = [done * FULL // parts for done in range(parts + 1)]
        assert min(scores) < step.pass_mark <= max(scores)
        assert str(("no", "one", "two", "three", "four", "five")[parts]) in (step.prompt or "")
