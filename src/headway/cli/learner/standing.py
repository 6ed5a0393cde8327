"""`headway status`, `headway history`, `headway leaderboard`: how you stand."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from headway.cli.learner.age import age_of, say_age
from headway.cli.learner.completing import course_names
from headway.cli.learner.device import ServerOption, percent, reader_at, say_kept_back
from headway.cli.learner.drawing import bar, bold, clean, dim, table
from headway.cli.screen import JsonOption, Misused, agreeing, counted, say, show, show_json

if TYPE_CHECKING:
    from headway.client import Answer, Headway

# The seconds for which a kept answer is shown without asking, if nothing was recorded since.
FRESH_S: Final = 300.0
_QUICK_S: Final = 3.0
PERIODS: Final = ("day", "week", "month", "all")


def status(
    course: Annotated[
        str | None,
        typer.Argument(
            metavar="COURSE", help="Show a course step by step.", show_default=False, autocompletion=course_names
        ),
    ] = None,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask the server, however new what is known here is.")
    ] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show your progress, your streak, and what comes next. What was read within five minutes is shown at once."""
    with reader_at(server, _QUICK_S) as headway:
        if course is None:
            _show_overview(headway, refresh=refresh, as_json=as_json)
        else:
            _show_course(headway, course, refresh=refresh, as_json=as_json)


def _read(headway: "Headway", path: str, *, refresh: bool) -> "Answer[Any]":
    known = None if refresh else headway.cached(path, FRESH_S)
    return known or headway.read(path)


def _show_overview(headway: "Headway", *, refresh: bool, as_json: bool) -> None:
    from urllib.parse import quote

    answer = _read(headway, "/progress", refresh=refresh)
    unfinished = [one for one in answer.data["courses"] if one["status"] != "completed"]
    latest = max(unfinished, key=lambda one: one["updated_at"] or "", default=None)
    path = f"/progress/courses/{quote(latest['course'], safe='')}" if latest else None
    inside = _read(headway, path, refresh=refresh) if path else None
    following = next_step(inside.data) if inside else None
    read = [answer, inside] if inside else [answer]
    counts = headway.counts()
    if as_json:
        show_json({**answer.data, "next": following, "outbox": counts, **age_of(*read)})
        return
    _show_figures(answer.data)
    rows = [
        (
            clean(one["title"]),
            bar(one["percent"]),
            percent(one["percent"]),
            f"{one['steps_completed']}/{one['steps_total']}{_short(one)}",
        )
        for one in answer.data["courses"]
    ]
    for line in ["", *table(rows)] if rows else []:
        show(line)
    if following:
        show(f"\nNext: {bold(clean(following['title']))} {dim(following['course'] + '/' + following['step'])}")
    elif not rows:
        show("\nNothing begun yet: `headway courses` shows what there is.")
    say_age(*read)
    _say_unsent(counts)


def _short(one: Any) -> str:
    """For a course with all steps done and not completed: only its score is too low."""
    return ", score below the pass mark" if one["percent"] == 100 and one["status"] != "completed" else ""


def _show_figures(data: Any) -> None:
    streak = data["streak"]
    today = "" if streak["active_today"] or not streak["current"] else dim(" (nothing yet today)")
    show(
        f"{bold(counted(streak['current'], 'day'))} in a row{today}, {counted(data['points'], 'point')},"
        f" {counted(data['exercises_completed'], 'exercise')}, {percent(data['average_percent'])} on average"
    )


def _show_course(headway: "Headway", course: str, *, refresh: bool, as_json: bool) -> None:
    from urllib.parse import quote

    answer = _read(headway, f"/progress/courses/{quote(course, safe='')}", refresh=refresh)
    counts, unsent = headway.counts(), headway.unsent(course)
    if as_json:
        more = {"next": next_step(answer.data), "unsent": sorted(unsent), "outbox": counts}
        show_json({**answer.data, **more, **age_of(answer)})
        return
    outline = headway.cached(f"/courses/{quote(course, safe='')}")
    title = clean(outline.data["title"]) if outline else course
    show(f"{bold(title)}  {bar(answer.data['percent'])}  {percent(answer.data['percent'])}")
    for module in answer.data["modules"]:
        needs = f" (after {', '.join(module['locked_by'])})" if module["locked_by"] else ""
        show(f"\n{bold(clean(module['title']))}  {module['status'].replace('_', ' ')}{needs}{_lacks(module)}")
        rows = [("  " + one["id"], clean(one["title"]), _status(one, unsent), _best(one)) for one in module["steps"]]
        for line in table(rows):
            show(line)
    say_age(answer)
    _say_unsent(counts)


def _lacks(module: Any) -> str:
    """How much a module in progress lacks to its pass mark: all its steps may be done without completing it."""
    lacking = module["to_go"]
    if module["status"] != "in_progress" or not lacking or not lacking["percent"]:
        return ""
    return f", {percent(lacking['percent'])} to go: {clean(lacking['reason'])}"


def _status(step: Any, unsent: Collection[str]) -> str:
    """The step's status as the server knows it, and whether this device has more of it that is not sent."""
    more = ", more saved on this device" if step["id"] in unsent else ""
    return f"{step['status'].replace('_', ' ')}{more}"


def _best(step: Any) -> str:
    return "" if step["best_score"] is None else percent(step["best_score"] * 100)


def next_step(course: Any) -> dict[str, str] | None:
    """The first step of an open module that is neither completed, nor locked, nor waiting for a grade."""
    for module in course["modules"]:
        for step in module["steps"] if module["status"] != "locked" else []:
            if step["status"] not in ("completed", "locked", "submitted"):
                return {"course": course["course"], "step": step["id"], "title": step["title"]}
    return None


def _say_unsent(counts: dict[str, int]) -> None:
    if waiting := counts["waiting"]:
        are = agreeing(waiting, "is", "are")
        say(f"{counted(waiting, 'event')} on this device {are} not sent yet: `headway sync`.")
    say_kept_back(counts)


def history(
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How many days, to today.")] = 14,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what you did day by day."""
    with reader_at(server) as headway:
        answer = headway.history(days)
    if as_json:
        show_json({**answer.data, **age_of(answer)})
        return
    most = max((one["points"] for one in answer.data["days"]), default=0) or 1
    rows = [
        (
            one["day"],
            bar(one["points"] * 100 / most),
            counted(one["points"], "point"),
            counted(one["exercises_completed"], "exercise"),
            f"{one['duration_s'] / 60:.0f} min",
        )
        for one in answer.data["days"]
    ]
    for line in table(rows):
        show(line)
    say_age(answer)


def leaderboard(
    period: Annotated[str, typer.Argument(metavar="[day|week|month|all]")] = "week",
    course: Annotated[
        str | None, typer.Option("--course", help="Of this course alone.", autocompletion=course_names)
    ] = None,
    around: Annotated[bool, typer.Option("--around-me", help="Show your neighbors instead of the first.")] = False,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who gained most points."""
    from urllib.parse import urlencode

    if period not in PERIODS:
        raise Misused(f"the period is one of {', '.join(PERIODS)}")
    asked = {"course": course, "around": "me" if around else None}
    query = urlencode({name: value for name, value in asked.items() if value is not None})
    with reader_at(server) as headway:
        answer = headway.read(f"/leaderboards/{period}" + (f"?{query}" if query else ""))
        is_guest = _is_guest(headway)
    if as_json:
        show_json({**answer.data, **age_of(answer)})
        return
    rows = [_place(one) for one in answer.data["items"]]
    for line in table(rows) if rows else []:
        show(line)
    if not rows and not around:
        say("Nobody has gained points there yet.")
    if (me := answer.data.get("me")) and me.get("rank") is not None:
        show(bold(f"You: {me['rank']}, {counted(me['points'], 'point')}."))
    elif is_guest:
        say("Guests are on no leaderboard: `headway login` takes you there, with all that you did.")
    elif not rows and around:
        say("You are not on this leaderboard: you have gained no points there yet, or keep off the leaderboards.")
    say_age(answer)


def _is_guest(headway: "Headway") -> bool:
    """Whether a guest, or nobody yet, uses this device, as far as it knows."""
    from headway.client.signing_in import who_is_here

    if headway.bearer.token is not None:
        return False
    found = who_is_here(headway)
    return found is None or found.kind == "guest"


def _place(one: Any) -> tuple[str, str, str, str]:
    name = clean(one["display_name"] or "somebody")
    shown = bold(name) if one.get("is_me") else name
    return str(one["rank"]), shown, counted(one["points"], "point"), f"{one['solved']} solved"
