"""`headway course check` and `headway course publish`; `headway course import` is in `course_import.py`."""

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from headway.cli.course_import import import_structure
from headway.cli.opening import DatabaseOption, database_of, database_to_try
from headway.cli.screen import JsonOption, agreeing, counted, now, say, show, show_json
from headway.domain.faults import ManifestInvalid

if TYPE_CHECKING:
    from headway.cli.manifest_file import ManifestFile
    from headway.domain.course import Course
    from headway.http.impact import Impact, Renamed

FileArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="FILE", help="The manifest, YAML or JSON; - is standard input.")
]
DryRunOption: TypeAlias = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]

_SHOWN = 20

course = typer.Typer(name="course", help="Check, publish and import courses.")
course.command("import")(import_structure)


@course.command()
def check(file: FileArgument, as_json: JsonOption = False) -> None:
    """Check a course's manifest; each fault is told with its place. Needs no database."""
    from headway.cli.manifest_file import read_manifest
    from headway.domain.manifest import parse_manifest
    from headway.graders.registry import check_grader

    manifest = read_manifest(file)
    try:
        parsed = parse_manifest(manifest.content, check_grader=check_grader)
    except ManifestInvalid as invalid:
        _tell_faults(manifest, invalid, as_json=as_json)
        raise typer.Exit(1) from None
    if as_json:
        show_json({"course": parsed.id, "valid": True, "faults": []})
    else:
        show(f"{manifest.name} is right: course {parsed.id}, {_size(parsed)}.")


@course.command()
def publish(
    file: FileArgument, dry_run: DryRunOption = False, database: DatabaseOption = None, as_json: JsonOption = False
) -> None:
    """Publish a course, or a new version of it. What is published already makes no new version."""
    from msgspec import to_builtins

    from headway.cli.manifest_file import read_manifest
    from headway.http.impact import impact_of
    from headway.ledger.publish import publish as run

    manifest = read_manifest(file)
    with database_to_try(database) if dry_run else database_of(database, make=True) as opened:
        try:
            done = run(opened, manifest.content, now=now(), dry_run=dry_run)
        except ManifestInvalid as invalid:
            _tell_faults(manifest, invalid, as_json=as_json, outcome="; nothing was published")
            raise typer.Exit(1) from None
    impact = impact_of(done)
    if as_json:
        told = {"course": done.course.id, "version": done.version, "created": done.created}
        show_json({**told, "unchanged": done.unchanged, "dry_run": dry_run, "impact": to_builtins(impact)})
    elif done.unchanged:
        show(f"{done.course.id} is published like this already, as version {done.version}.")
    else:
        verb = "Would publish" if dry_run else "Published"
        show(f"{verb} {done.course.id} version {done.version}: {_size(done.course)}.")
        if not done.created:
            _tell_changes(impact)
        tell_impact(impact)


def _tell_changes(impact: "Impact") -> None:
    """Show which steps and modules were removed, added or renamed, a line for each list."""
    _tell_ids("Modules", impact.modules_removed, impact.modules_added, impact.modules_renamed)
    _tell_ids("Steps", impact.steps_removed, impact.steps_added, impact.steps_renamed)
    gone_and_come = ((impact.modules_removed, impact.modules_added), (impact.steps_removed, impact.steps_added))
    if any(gone and come for gone, come in gone_and_come):
        say(
            "Is one that was added one that was removed, under another id? Give it `renamed_from: [OLD ID]`; without"
            " that it is new to learners, and what they did under the old id does not count for it."
        )


def _tell_ids(what: str, removed: "list[str]", added: "list[str]", renamed: "list[Renamed]") -> None:
    told = {"removed": removed, "added": added, "renamed": [f"{one.before} -> {one.after}" for one in renamed]}
    for how, ids in told.items():
        more = f" and {len(ids) - _SHOWN:,} more (--json names them)" if len(ids) > _SHOWN else ""
        if ids:
            show(f"{what} {how}: {', '.join(ids[:_SHOWN])}{more}.")


def tell_impact(impact: "Impact") -> None:
    """Show what publishing does to learners, a line for each effect; nothing if nobody has begun the course."""
    if not impact.learners:
        return
    gains, kept = impact.gains, impact.would_lose
    show(f"Of {counted(impact.learners, 'learner')} who began it, {_gain(gains.learners, kept.learners)}")
    if gains.learners:
        show(f"  modules completed {gains.modules_completed:,}, unlocked {gains.modules_unlocked:,}")
        show(f"  courses completed {gains.courses_completed:,}, certificates {gains.certificates:,}")
    if kept.learners:
        show(f"Nobody loses anything; by the new rules alone {kept.learners:,} would ({kept.why_kept}).")
    for one in impact.orphaned:
        show(f"Step {one.step} is gone; {counted(one.learners, 'learner')} had progress on it, which is kept.")
    for gate in impact.gates_moved:
        before = "new" if gate.before is None else f"before: {', '.join(gate.before) or 'nothing'}"
        show(f"Module {gate.module} requires {', '.join(gate.after) or 'nothing'} ({before}).")


def _gain(gaining: int, losing: int) -> str:
    """How many learners gain something; where nobody does, also whether anybody would lose."""
    if gaining:
        return f"{gaining:,} {agreeing(gaining, 'gains', 'gain')} something:"
    return "nobody gains anything." if losing else "nobody gains or would lose anything."


def _tell_faults(manifest: "ManifestFile", invalid: ManifestInvalid, *, as_json: bool, outcome: str = "") -> None:
    found: list[dict[str, Any]] = [
        {"path": fault.path, "line": manifest.line_of(fault.path), "message": fault.message} for fault in invalid.faults
    ]
    # In the order of the file; last what has no place in it, such as how many faults are not listed.
    found.sort(key=lambda one: (not one["path"], one["line"] or 0))
    if as_json:
        show_json({"course": None, "valid": False, "faults": found})
        return
    for one in found:
        line = f":{one['line']}" if one["line"] and one["path"] else ""
        show(f"{manifest.name}{line}: {' '.join(filter(None, (one['path'], one['message'])))}")
    say(f"headway: {manifest.name} has {counted(len(found), 'fault')}{outcome}")


def _size(course: "Course") -> str:
    return f"{counted(len(course.modules), 'module')}, {counted(len(course.steps), 'step')}"
