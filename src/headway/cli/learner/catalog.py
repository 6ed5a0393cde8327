"""`headway courses`, `headway start`, `headway open`: what there is to learn, and where it lies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from headway.cli.learner.completing import course_names, step_names
from headway.cli.learner.device import ServerOption, learner_at, percent, remember_server, tell
from headway.cli.learner.drawing import bold, clean, dim, table
from headway.cli.learner.folders import check_name, course_around, lay_out, write_mark
from headway.cli.screen import JsonOption, Misused, counted, say, show, show_json

if TYPE_CHECKING:
    from headway.client import Headway

CourseArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="COURSE", show_default=False, autocompletion=course_names)
]
StepArgument: TypeAlias = Annotated[
    str | None,
    typer.Argument(
        metavar="[COURSE/]STEP",
        help="A step; the one in whose folder you are where none is named.",
        show_default=False,
        autocompletion=step_names,
    ),
]
_OPTIONS: Final = ("options", "items")


def courses(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show what there is to learn, and how far you are."""
    with learner_at(server) as headway:
        found = headway.courses()
        mine = {one["course"]: one for one in headway.progress().data["courses"]}
    if as_json:
        show_json({"items": [{**one, "progress": mine.get(one["id"])} for one in found]})
        return
    rows = [(one["id"], clean(one["title"]), _how_far(mine.get(one["id"]))) for one in found]
    for line in table(rows) if rows else []:
        show(line)
    if not rows:
        say("There are no courses yet.")


def _how_far(progress: Any) -> str:
    return "" if progress is None else f"{percent(progress['percent'])}, {progress['status'].replace('_', ' ')}"


def start(
    course: CourseArgument,
    into: Annotated[Path | None, typer.Option("--into", help="The folder to make.  [COURSE, here]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that you have changed.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lay out a course's exercises in a folder, and show where you are in it. What you changed is kept."""
    folder = into or Path(check_name(course))
    with learner_at(server) as headway:
        outline = headway.outline(course).data
        headway.enroll(course)
        progress = headway.course_progress(course).data
        remember_server(headway.url)
        steps = {step["id"]: step for module in outline["modules"] for step in module["steps"] if step["files"]}
        done: dict[str, list[str]] = {"written": [], "same": [], "kept": []}
        for name in steps:
            for path, what in lay_out(folder / check_name(name), headway.step(course, name).data["files"], force=force):
                done[what].append(f"{name}/{path}")
        write_mark(folder, headway.url, course, {name: step["test"] for name, step in steps.items()})
    if as_json:
        show_json({"course": course, "folder": str(folder), "percent": progress["percent"], **done})
        return
    found, far = counted(len(steps), "exercise"), percent(progress["percent"])
    show(f"{bold(clean(outline['title']))}: {found} in {folder}, {far} done.")
    for path in done["kept"]:
        say(f"Kept as you have it: {path} (--force writes over it).")


def open_(step: StepArgument = None, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show a step's text and question, and where its files are."""
    from headway.client import make_event

    course, name = place_of(step)
    with learner_at(server) as headway:
        found = find_step(headway, course, name)
        event = make_event("opened", course, str(found["id"]))
        outcome = headway.record(event)[0]
    if as_json:
        tell(outcome, "", {"step": found}, as_json=True)
        return
    _show_step(course, found)
    if not outcome.is_recorded:
        tell(outcome, f"you opened {found['id']}", as_json=False)


def _show_step(course: str, step: Any) -> None:
    show(f"{bold(clean(step['title']))}  {dim(step['kind'])}")
    for text in (step["body"], step["prompt"]):
        if text:
            show(f"\n{clean(text)}")
    grader = step["grader"] or {}
    for name in _OPTIONS:
        for key, text in (grader.get(name) or {}).items():
            show(f"  {bold(clean(key))}  {clean(text)}")
    around = course_around()
    if around is not None and around.course == course and around.folder_of(step["id"]).is_dir():
        show(f"\n{dim('in')} {around.folder_of(step['id'])}")
    if step["url"]:
        show(f"\n{clean(step['url'])}")


def place_of(step: str | None) -> tuple[str, str]:
    """Course and step: as they were named, or those in whose folder we are."""
    around = course_around()
    named, slash, within = (step or "").partition("/")
    if slash:
        return named, within
    if around is None:
        raise Misused("name the step as COURSE/STEP, or go into the folder that `headway start COURSE` made")
    name = step or around.step
    if name is None:
        raise Misused("name the step, or go into its folder")
    return around.course, name


def find_step(headway: "Headway", course: str, name: str) -> Any:
    """A step of a course's outline, which is known offline as well once it was read."""
    outline = headway.outline(course).data
    for module in outline["modules"]:
        for step in module["steps"]:
            if name in (step["id"], *step["renamed_from"]):
                return step
    raise Misused(f"course {course} has no step {name!r}; `headway status {course}` lists them")
