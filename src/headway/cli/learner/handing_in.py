"""`headway submit`: hand in the result of an exercise's tests, an answer, a score, or that a lesson was read."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from headway.cli.given import text_of
from headway.cli.learner.answers import response_to
from headway.cli.learner.catalog import StepArgument, place_of, step_of
from headway.cli.learner.device import ServerOption, learner_at, percent, tell
from headway.cli.learner.drawing import clean
from headway.cli.learner.exercise import tests_run
from headway.cli.learner.folders import course_around
from headway.cli.screen import JsonOption, Misused, say, show

if TYPE_CHECKING:
    from headway.client import Headway
    from headway.client.events import Type
    from headway.client.shapes import OutlineStep


class _Given(NamedTuple):
    """What was given on the command line."""

    answer: list[str]
    score: str | None


class _HandedIn(NamedTuple):
    """The event to record, and how to call its step; `is_known` is False if the course could not be read."""

    kind: "Type"
    step: str
    fields: dict[str, Any]
    shown: str
    is_known: bool = True


def submit(
    step: StepArgument = None,
    answer: Annotated[
        list[str] | None, typer.Option("--answer", "-a", help="Your answer; several times for several.")
    ] = None,
    answer_file: Annotated[
        Path | None,
        typer.Option("--answer-file", help="A file that holds the answer; - is standard input.", allow_dash=True),
    ] = None,
    score: Annotated[str | None, typer.Option("--score", help="0 to 1, or a percentage up to 100.")] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hand in a step: what its tests say, an answer, or a score. A lesson is completed by it.

    Where the server cannot be reached it is saved on this device, and the command exits with 75.
    """
    from headway.client import make_event

    course, name = place_of(step)
    with learner_at(server) as headway:
        handed_in = _handed_in(headway, course, name, _Given(_answer(answer, answer_file), score))
        event = make_event(handed_in.kind, course, handed_in.step, **handed_in.fields)
        outcome = headway.record(event)[0]
        verdict = headway.feedback(event) if outcome.is_recorded and "response" in handed_in.fields else None
    if verdict and not as_json:
        show(judged(verdict))
    if not handed_in.is_known and not outcome.is_recorded:
        say(f"The course {clean(course)} is not known on this device: whether this fits is seen when it is sent.")
    tell(outcome, handed_in.shown, {"attempt": verdict} if verdict else None, as_json=as_json)


def judged(verdict: Mapping[str, Any]) -> str:
    """The server's verdict on an answer, in words: whether it is right, and the author's feedback."""
    score, feedback = verdict.get("score"), clean(verdict.get("feedback") or "")
    if not isinstance(score, int | float):
        return feedback or "Somebody grades it; `headway status` shows it then."
    if verdict.get("passed"):
        word = "Right." if score == 1 else f"Passed: {percent(score * 100)}."
    else:
        word = f"Partly right: {percent(score * 100)}." if score else "Not right yet."
    # The feedback of many authors begins with the word itself.
    has_word = re.match(rf"{re.escape(word.removesuffix('.'))}(?!\w)", feedback)
    return feedback if has_word else f"{word} {feedback}".strip()


def _handed_in(headway: "Headway", course: str, name: str, given: _Given) -> _HandedIn:
    from headway.client import Unreachable

    try:
        outline = headway.outline(course).data
    except Unreachable as error:
        return _unseen(course, name, given, error.detail)
    step = step_of(outline, name)
    kind, fields = _fitting(course, step, given)
    return _HandedIn(kind, step["id"], fields, clean(step["title"]))


def _unseen(course: str, name: str, given: _Given, trouble: str) -> _HandedIn:
    """The event for a course that was never read here: an answer, a score, or the result of tests. Else NotSaved."""
    from headway.client import NotSaved

    fields: dict[str, Any] = {"score": given.score} if given.score is not None else {}
    if given.answer:
        fields["response"] = given.answer[0] if len(given.answer) == 1 else given.answer
    if not fields and _has_tests_here(course, name):
        fields["score"] = tests_run(course, name).score
    if not fields:
        raise NotSaved(
            f"nothing was saved: {trouble}, and the course {clean(course)} is not known on this device, so nobody can"
            f" tell here what {clean(name)} asks for; give --answer or --score, or run `headway open"
            f" {clean(course)}/{clean(name)}` once while the server can be reached"
        )
    return _HandedIn("attempted", name, fields, clean(f"{course}/{name}"), is_known=False)


def _fitting(course: str, step: "OutlineStep", given: _Given) -> tuple["Type", dict[str, Any]]:
    """The event's type and fields; Misused if what was given does not fit the step."""
    if step["grader"] is not None:
        if given.score is not None:
            raise Misused("this step is graded by what is answered: it takes an answer, and no --score")
        return "attempted", {"response": response_to(step["grader"], step["prompt"], given.answer)}
    if given.answer:
        response = given.answer[0] if len(given.answer) == 1 else given.answer
        return "attempted", {"response": response, "score": given.score}
    if given.score is not None:
        return "attempted", {"score": given.score}
    if _has_tests_here(course, step["id"]):
        return "attempted", {"score": tests_run(course, step["id"]).score}
    if step["kind"] == "lesson":
        return "completed", {}
    if step["test"] is not None:
        raise Misused(f"its tests run in its folder: `headway start {course}` makes that; or give --score")
    raise Misused("say how it went: --score, or --answer")


def _has_tests_here(course: str, step: str) -> bool:
    around = course_around()
    return around is not None and around.course == course and step in around.tests


def _answer(given: list[str] | None, file: Path | None) -> list[str]:
    if file is None:
        return given or []
    if given:
        raise Misused("give --answer or --answer-file, not both")
    return [text_of(file)]
