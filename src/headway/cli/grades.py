"""`headway grades`: what learners handed in, its grades, overrides and waivers, and regrades."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from headway.cli.naming import LearnerArgument, LearnerOption, learner_id_of
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, agreeing, counted, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from headway.ledger.effects import Effects, Update
    from headway.store.database import Database
    from headway.views.submissions import Page, Status, Submission, SubmissionQuery

CourseArgument: TypeAlias = Annotated[str, typer.Argument(metavar="COURSE", show_default=False)]
StepArgument: TypeAlias = Annotated[str, typer.Argument(metavar="STEP", show_default=False)]
ScoreArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="SCORE", help="0 to 1, or a percentage up to 100.", show_default=False)
]
ReasonOption: TypeAlias = Annotated[
    str, typer.Option("--reason", help="Why; whom it is about can read it.", show_default=False)
]
DryRunOption: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")]

grades = typer.Typer(name="grades", help="Grade by hand, override, waive and regrade.")
_SHOWN = 20
_PAGE = 100


@grades.callback()
def _group() -> None:
    """Grade by hand, override, waive and regrade."""


@grades.command("list")
def list_(  # noqa: PLR0913, PLR0917 - the arguments and flags of a command
    course: CourseArgument,
    step: Annotated[str | None, typer.Option("--step", help="Of this step alone.")] = None,
    learner: LearnerOption = None,
    status: Annotated[str, typer.Option("--status", metavar="waiting|graded|all")] = "waiting",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what learners handed in at the steps that people grade, the oldest first."""
    import msgspec

    from headway.views.submissions import SubmissionQuery

    items: list[Any] = []
    guides: dict[str, str] = {}
    with database_of(database) as opened:
        learner_id = None if learner is None else learner_id_of(opened, learner)
        asked = SubmissionQuery(step, learner_id, _status(status))
        for page in _pages(opened, course, asked, limit):
            for one in [] if as_json else page.items:
                show(_line(one))
            # A response is kept as the JSON that was sent, and decoded only here.
            items += msgspec.json.decode(msgspec.json.encode(page.items)) if as_json else []
            guides |= page.guides
    if as_json:
        show_json({"items": items, "guides": guides})
    elif page.next_place is not None:
        say(f"There are more; --limit takes more than {limit}.")
    elif not page.items:
        say("Nothing waits." if status == "waiting" else "There is nothing.")


def _pages(database: "Database", course: str, asked: "SubmissionQuery", limit: int) -> "Iterator[Page]":
    """Pages of what was handed in, read one at a time: responses can be large."""
    from headway.ledger.by_hand import course_in_force
    from headway.store.catalog import Catalog
    from headway.views.submissions import read_submissions

    catalog, left = Catalog(), limit
    while left > 0:
        with database.read() as connection:
            content = course_in_force(connection, catalog, course)
            page = read_submissions(connection, content, asked._replace(limit=min(left, _PAGE)))
        yield page
        left -= len(page.items)
        asked = asked._replace(behind=page.next_place)
        if page.next_place is None:
            return


@grades.command()
def give(  # noqa: PLR0913, PLR0917 - the arguments and flags of a command
    course: CourseArgument,
    learner: LearnerArgument,
    attempt: Annotated[str, typer.Argument(metavar="ATTEMPT", show_default=False)],
    score: ScoreArgument,
    feedback: Annotated[str, typer.Option("--feedback", help="What the learner is told.")] = "",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Grade an attempt that waits, or raise the grade that it has; a lower one is not recorded."""
    from uuid import uuid4

    from headway.domain.scores import fraction
    from headway.ledger.by_hand import FEEDBACK_MAX, check_text
    from headway.ledger.grade import GradeAsked, give_grade
    from headway.store.catalog import Catalog

    said = check_text(feedback, "feedback", FEEDBACK_MAX, may_be_empty=True)
    millionths, attempt_id = _millionths(score), _attempt(attempt)
    with database_of(database) as opened:
        learner_id = learner_id_of(opened, learner)
        asked = GradeAsked(course, learner_id, attempt_id, millionths, said, None, str(uuid4()))
        given = give_grade(opened, Catalog(), asked, now=now())
    result, step = given.receipt.results[0], given.receipt.steps[0]
    why = "" if given.had is None else _why_kept((course, learner, step.name, score), given.had)
    if as_json:
        told = {
            "status": result.status,
            "step": step.name,
            "step_status": step.status,
            "best": fraction(step.sum.best_said),
        }
        show_json(told | {"why": why, "changes": given.receipt.changes})
        return
    if why:
        show(f"Nothing was recorded: {why}")
        return
    show(f"{step.name} is {step.status.replace('_', ' ')}, with {_as_sent(step.sum.best_said, score)} at best.")


def _why_kept(place: tuple[str, str, str, str], had: int) -> str:
    """Why a lower grade was not recorded, and the command that lowers the step's score anyway."""
    course, learner, step, score = place
    return (
        f"the attempt has {_as_sent(had, score)} already, and a grade never lowers. To have the step count"
        f" {_as_sent(_millionths(score), score)}: `headway grades override {course} {learner} {step} {score} --final"
        " --reason …`"
    )


def _as_sent(millionths: int | None, sent: str) -> str:
    """A score on the scale that another was written on: a percentage, or 0 to 1."""
    from headway.domain.scores import fraction

    if millionths is None:
        return "no score"
    return f"{millionths / 10_000:.6g} %" if _is_percentage(sent) else str(fraction(millionths))


def _is_percentage(sent: str) -> bool:
    return float(sent) > 1


@grades.command()
def override(  # noqa: PLR0913, PLR0917 - the arguments and flags of a command
    course: CourseArgument,
    learner: LearnerArgument,
    step: StepArgument,
    score: ScoreArgument,
    reason: ReasonOption,
    final: Annotated[bool, typer.Option("--final", help="Count it even where the learner reached more.")] = False,
    dry_run: DryRunOption = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a step counts for, for one learner."""
    place = (course, learner, step)
    _say_of(place, score, reason, (database, as_json), final=final, dry_run=dry_run)


@grades.command()
def waive(  # noqa: PLR0913, PLR0917 - the arguments and flags of a command
    course: CourseArgument,
    learner: LearnerArgument,
    step: StepArgument,
    reason: ReasonOption,
    dry_run: DryRunOption = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Spare one learner a step: it is completed, and counts in full."""
    _say_of((course, learner, step), None, reason, (database, as_json), final=False, dry_run=dry_run)


@grades.command()
def regrade(
    course: CourseArgument,
    step: StepArgument,
    reason: ReasonOption,
    dry_run: DryRunOption = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Judge all responses to a step anew, by the version in force; nothing sinks, and nothing granted is taken back."""
    from headway.ledger.by_hand import REASON_MAX, check_text
    from headway.ledger.regrade import RegradeAsked
    from headway.ledger.regrade import regrade as run
    from headway.store.catalog import Catalog

    asked = RegradeAsked(course, step, check_text(reason, "reason", REASON_MAX), None)
    with database_of(database) as opened, progress_bar("Regrading learners", None) as bar:
        found = run(opened, Catalog(), asked, now=now, dry_run=dry_run, progress=bar.advance)
    _tell(found, as_json=as_json, dry_run=dry_run)


def _say_of(
    place: tuple[str, str, str],
    score: str | None,
    reason: str,
    flags: tuple[str | None, bool],
    *,
    final: bool,
    dry_run: bool,
) -> None:
    from uuid import uuid4

    from headway.ledger.by_hand import REASON_MAX, check_text
    from headway.ledger.override import OverrideAsked
    from headway.ledger.override import override as run
    from headway.store.catalog import Catalog

    (course, learner, step), (database, as_json) = place, flags
    said = check_text(reason, "reason", REASON_MAX)
    millionths = None if score is None else _millionths(score)
    with database_of(database) as opened:
        learner_id = learner_id_of(opened, learner)
        asked = OverrideAsked(course, learner_id, step, millionths, final, said, None, str(uuid4()))
        found = run(opened, Catalog(), asked, now=now(), dry_run=dry_run)
    _tell(found, as_json=as_json, dry_run=dry_run, in_percent=score is not None and _is_percentage(score))


def _tell(found: "Effects", *, as_json: bool, dry_run: bool, in_percent: bool = False) -> None:
    if as_json:
        listed = {"updates": [one._asdict() for one in found.updates], "kept": [one._asdict() for one in found.kept]}
        counts = {"total": found.total, "updated": found.updated, "unchanged": found.unchanged}
        show_json({"dry_run": dry_run, **counts, **listed, "left_out": found.left_out, "note": found.note})
        return
    for update in found.updates[:_SHOWN]:
        show(_update(update, in_percent=in_percent and update.field == "score"))
    if len(found.updates) + found.left_out > _SHOWN:
        say("There are more; --json lists a thousand.")
    would = "would change" if dry_run else "changed"
    show(f"Of {counted(found.total, 'learner')} {found.updated:,} {would}, {found.unchanged:,} not.")
    if found.kept:
        itself, stay = agreeing(len(found.kept), "itself", "themselves"), agreeing(len(found.kept), "stays", "stay")
        show(f"{counted(len(found.kept), 'score')} would be lower by {itself}, and {stay}: {found.kept[0].why}.")


def _update(one: "Update", *, in_percent: bool) -> str:
    shown = [_value(value, in_percent=in_percent) for value in (one.old, one.new)]
    return f"{one.learner}  {one.field}: {' -> '.join(shown)}"


def _value(one: Any, *, in_percent: bool) -> str:
    if in_percent and isinstance(one, int | float):
        return f"{one * 100:.6g} %"
    return "none" if one is None else str(one).lower() if isinstance(one, bool) else str(one)


def _line(one: "Submission") -> str:
    whose = one.learner.display_name or one.learner.id
    score = "waits" if one.score is None else f"{one.score}"
    return "  ".join((one.submitted_at[:16], one.step, score, one.attempt, one.learner.id, whose))


def _status(sent: str) -> "Status":
    from headway.cli.screen import Misused

    match sent:
        case "waiting" | "graded" | "all":
            return sent
        case _:
            raise Misused("--status is one of waiting, graded, all")


def _attempt(sent: str) -> str:
    from headway.cli.screen import Misused
    from headway.domain.events import EventInvalid, event_id_of

    try:
        return event_id_of(sent)
    except EventInvalid:
        raise Misused("ATTEMPT is the id of an attempt, as `headway grades list` shows it") from None


def _millionths(sent: str) -> int:
    """A person's grade in millionths; Misused beyond 0 to 100, where a client's score would be cut off."""
    from headway.cli.screen import Misused
    from headway.domain.scores import ScoreInvalid, normalize_score

    try:
        score = normalize_score(sent)
    except ScoreInvalid:
        score = None
    if score is None or not 0 <= float(sent) <= 100:
        raise Misused("score must be a finite number: 0 to 1, or a percentage up to 100")
    return score
