"""`headway courses`, `headway start`, `headway open`: what there is to learn, and where it lies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

import typer

from headway.cli.learner.age import age_of, say_age
from headway.cli.learner.completing import course_names, step_names
from headway.cli.learner.device import (
    LOCKED,
    ServerOption,
    conclude,
    learner_at,
    percent,
    reader_at,
    remember_server,
    show_outcome,
    why,
)
from headway.cli.learner.drawing import bold, clean, dim, table
from headway.cli.learner.folders import check_name, course_around, lay_out, write_mark
from headway.cli.screen import JsonOption, Misused, counted, say, show, show_json

if TYPE_CHECKING:
    from headway.client import Answer, Headway
    from headway.client.shapes import Outline, OutlineStep, Overview

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
    with reader_at(server) as headway:
        found = headway.catalog()
        progress = _progress_beside(found, headway)
    read = [found, progress] if progress else [found]
    mine = {one["course"]: one for one in progress.data["courses"]} if progress else {}
    if as_json:
        items = [{**one, "progress": mine.get(one["id"])} for one in found.data]
        show_json({"items": items, **age_of(*read)})
        return
    rows = [(one["id"], clean(one["title"]), _how_far(mine.get(one["id"]))) for one in found.data]
    for line in table(rows) if rows else []:
        show(line)
    if not rows:
        say("There are no courses yet.")
    say_age(*read)


def _progress_beside(found: "Answer[Any]", headway: "Headway") -> "Answer[Overview] | None":
    """The learner's progress; None if it cannot be had, and the catalog too is only known from before."""
    from headway.client import Unreachable

    try:
        return headway.progress()
    except Unreachable:
        if found.is_fresh:
            raise
        return None


def _how_far(progress: Any) -> str:
    return "" if progress is None else f"{percent(progress['percent'])}, {progress['status'].replace('_', ' ')}"


def start(
    course: CourseArgument,
    into: Annotated[
        Path | None, typer.Option("--into", help="The folder to make.  [COURSE, here, or the one we are in]")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over files that you have changed.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Lay out a course's exercises in a folder, and show where you are in it. What you changed is kept."""
    folder = into or _folder_of(check_name(course))
    with reader_at(server) as headway:
        outline = headway.outline(course)
        headway.enroll(course)
        progress = headway.course_progress(course)
        remember_server(headway.url)
        steps = {step["id"]: step for module in outline.data["modules"] for step in module["steps"] if step["files"]}
        done: dict[str, list[str]] = {"written": [], "same": [], "kept": []}
        for name in steps:
            for path, what in lay_out(folder / check_name(name), headway.step(course, name).data["files"], force=force):
                done[what].append(f"{name}/{path}")
        write_mark(folder, headway.url, course, {name: step["test"] for name, step in steps.items()})
    if as_json:
        told = {"course": course, "folder": str(folder), "percent": progress.data["percent"], **done}
        show_json(told | age_of(outline, progress))
        return
    laid_out = f"{counted(len(steps), 'exercise')} in {folder}" if steps else f"no exercise has files for {folder}"
    show(f"{bold(clean(outline.data['title']))}: {laid_out}, {percent(progress.data['percent'])} done.")
    if not steps:
        say(f"`headway status {course}` lists its steps, and `headway open {course}/STEP` shows one.")
    for path in done["kept"]:
        say(f"Kept as you have it: {path} (--force writes over it).")
    say_age(outline, progress)


def _folder_of(course: str) -> Path:
    """The folder to lay a course out in: the one that we are in, if it is the course's, else one of its name here."""
    around = course_around()
    return around.path if around is not None and around.course == course else Path(course)


def open_(step: StepArgument = None, server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show a step's text and question, and where its files are."""
    from headway.client import NotSaved, make_event

    course, name = place_of(step)
    with learner_at(server) as headway:
        outline = headway.outline(course)
        found = step_of(outline.data, name)
        event = make_event("opened", course, str(found["id"]))
        told = {"step": found, **age_of(outline)}
        if not as_json:
            _show_step(course, found)
            say_age(outline)
        try:
            outcome = headway.record(event)[0]
        except NotSaved:  # a full disk must not prevent reading
            if as_json:
                show_json(told)
            raise
    if as_json:
        show_outcome(outcome, told)
    if outcome.status == LOCKED:
        # The step is shown, so all went well, although its event may never be sent from here.
        say(f"It can be read, and not yet worked on: {why(outcome)}.")
        return
    conclude(outcome, f"you opened {found['id']}")


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
    """Course and step: as named, or those in whose folder we are."""
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


def step_of(outline: "Outline", name: str) -> "OutlineStep":
    """The step of a course with this id, or which had it before; Misused if there is none."""
    for module in outline["modules"]:
        for step in module["steps"]:
            if name in (step["id"], *step["renamed_from"]):
                return step
    raise Misused(f"course {outline['id']} has no step {name!r}; `headway status {outline['id']}` lists them")
