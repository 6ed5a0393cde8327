"""`headway test`: an exercise's own tests."""

import os
import sys
from pathlib import Path

import typer

from headway.cli.learner.catalog import StepArgument, place_of
from headway.cli.learner.device import percent
from headway.cli.learner.drawing import clean
from headway.cli.learner.folders import check_path, course_around
from headway.cli.learner.reports import NoResult, Passed, by_exit, by_junit, by_tap, read_report
from headway.cli.screen import JsonOption, Misused, say, show, show_json


def run_tests(step: StepArgument = None, as_json: JsonOption = False) -> None:
    """Run an exercise's own tests in its folder; records nothing. Exits with 1 unless all pass."""
    course, name = place_of(step)
    tested = tests_run(course, name)
    if as_json:
        show_json({"course": course, "step": name, **tested._asdict(), "score": tested.score})
    else:
        show(f"{tested.passed} of {tested.total} passed ({percent(tested.score * 100)}).")
    if not tested.is_passed:
        raise typer.Exit(1)


def tests_run(course: str, step: str) -> Passed:
    """Run a step's tests by the command in the course's folder; its output goes to standard error, not being data."""
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
    # All tests passed, but the exit status says that something is wrong, such as a crash at the end.
    return Passed(tested.passed, tested.total + 1) if code != 0 and tested.is_passed else tested


def _run(command: list[str], folder: Path, timeout_s: float, *, keep: bool) -> tuple[int, str]:
    import shutil
    import subprocess

    if command[0] in ("python", "python3") and shutil.which(command[0]) is None:
        command = [sys.executable, *command[1:]]
    # The tests run the learner's code, which must not get the key to their account.
    variables = {name: value for name, value in os.environ.items() if name != "HEADWAY_TOKEN"}
    out = subprocess.PIPE if keep else sys.stderr
    try:
        done = subprocess.run(  # noqa: S603  # no shell; the command is in the learner's own folder, and is shown
            command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=out, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        raise NoResult(f"the tests took longer than {timeout_s:.0f} s; they were stopped") from None
    except OSError as error:
        raise NoResult(f"the test command {clean(command[0])} cannot be run: {error.strerror}") from None
    output = (done.stdout or b"")[:10_000_000].decode(errors="replace")
    if output:
        typer.echo(output.rstrip(), err=True)  # as it is: the learner's own code may use colors
    return done.returncode, output
