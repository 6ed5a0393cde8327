"""`headway test` and `headway submit`: an exercise's own tests, and handing in what came of it."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from headway.cli.learner.catalog import StepArgument, find_step, place_of
from headway.cli.learner.device import ServerOption, learner_at, percent, tell
from headway.cli.learner.drawing import clean
from headway.cli.learner.folders import check_path, course_around
from headway.cli.learner.reports import Passed, by_exit, by_junit, by_tap, read_report
from headway.cli.screen import JsonOption, Misused, say, show, show_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_SEVERAL: Final = ("multiple", "order")


def run_tests(step: StepArgument = None, as_json: JsonOption = False) -> None:
    """Run an exercise's own tests in its folder. Exits with 1 where one fails; records nothing."""
    course, name = place_of(step)
    tested = _run_tests(course, name)
    if as_json:
        show_json({"course": course, "step": name, **tested._asdict(), "score": tested.score})
    else:
        show(f"{tested.passed} of {tested.total} passed ({percent(tested.score * 100)}).")
    if not tested.is_passed:
        raise typer.Exit(1)


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
        found = find_step(headway, course, name)
        kind, fields = _handed_in(course, found, _answer(answer, answer_file), score)
        event = make_event(kind, course, str(found["id"]), **fields)
        outcome = headway.record(event)[0]
        verdict = headway.feedback(event) if outcome.is_recorded and "response" in fields else None
    if verdict and verdict.get("feedback") and not as_json:
        show(clean(verdict["feedback"]))
    tell(outcome, clean(found["title"]), {"attempt": verdict} if verdict else None, as_json=as_json)


def _handed_in(
    course: str, step: "Mapping[str, Any]", answer: list[str], score: str | None
) -> tuple[Any, dict[str, Any]]:
    """The kind of the event, and what it says."""
    if step["grader"] is not None:
        return "attempted", {"response": _response(step, answer)}
    if answer:
        return "attempted", {"response": answer[0] if len(answer) == 1 else answer, "score": score}
    if score is not None:
        return "attempted", {"score": score}
    around = course_around()
    if around is not None and around.course == course and step["id"] in around.tests:
        return "attempted", {"score": _run_tests(course, step["id"]).score}
    if step["kind"] == "lesson":
        return "completed", {}
    if step["test"] is not None:
        raise Misused(f"its tests run in its folder: `headway start {course}` makes that; or give --score")
    raise Misused("say how it went: --score, or --answer")


def _response(step: "Mapping[str, Any]", answer: list[str]) -> Any:
    if not answer and sys.stdin.isatty():
        answer = [typer.prompt(clean(step["prompt"] or "Answer"), err=True)]
    if not answer:
        raise Misused("this step is graded by the server: give your answer with --answer")
    if step["grader"]["type"] in _SEVERAL:
        return answer
    if len(answer) > 1:
        raise Misused("this step takes one answer")
    return answer[0]


def _answer(given: list[str] | None, file: Path | None) -> list[str]:
    if file is None:
        return given or []
    if given:
        raise Misused("give --answer or --answer-file, not both")
    return [sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")]


def _run_tests(course: str, step: str) -> Passed:
    """Run the command that the course's folder holds; what it says goes to standard error, for data are ours."""
    around = course_around()
    if around is None or around.course != course:
        raise Misused(f"go into the folder that `headway start {course}` made: the tests are there")
    test = around.tests.get(step)
    folder = around.folder_of(step)
    if test is None or not folder.is_dir():
        raise Misused(f"{step} has no tests here; `headway start {course}` lays out those that there are")
    command, report = [str(word) for word in test["command"]], test.get("report")
    target = None
    if report is not None:
        check_path(report)
        target = folder / report
        target.unlink(missing_ok=True)  # what an earlier run wrote says nothing of this one
    say(f"$ {' '.join(clean(word) for word in command)}")
    code, output = _run(command, folder, float(test["timeout_s"]), keep=test["format"] == "tap" and target is None)
    if test["format"] == "exit":
        return by_exit(code)
    said = output if target is None else read_report(target)
    tested = by_junit(said) if test["format"] == "junit" else by_tap(said)
    # Every test passed, and yet it says that something is wrong: a crash at the end, say.
    return Passed(tested.passed, tested.total + 1) if code != 0 and tested.is_passed else tested


def _run(command: list[str], folder: Path, timeout_s: float, *, keep: bool) -> tuple[int, str]:
    import shutil
    import subprocess

    if command[0] in ("python", "python3") and shutil.which(command[0]) is None:
        command = [sys.executable, *command[1:]]
    # What the tests run is the learner's code: it is not given the key to their account.
    variables = {name: value for name, value in os.environ.items() if name != "HEADWAY_TOKEN"}
    out = subprocess.PIPE if keep else sys.stderr
    try:
        done = subprocess.run(  # noqa: S603  # no shell; the command is in the learner's own folder, and is shown
            command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=out, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise Misused(f"the tests took longer than {timeout_s:.0f} s; they were stopped") from None
    except OSError as error:
        raise Misused(f"the test command {clean(command[0])} cannot be run: {error.strerror}") from None
    output = (done.stdout or b"")[:10_000_000].decode(errors="replace")
    if output:
        say(output.rstrip())
    return done.returncode, output
