"""`headway import`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.opening import DatabaseOption, database_of, database_or_none
from headway.cli.screen import JsonOption, Misused, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.importers.intake import Summary
    from headway.importers.records import Doubted, Importer, Reject


def import_(
    format_: Annotated[
        str, typer.Argument(metavar="FORMAT", help="oulad, dalestudy, jsonl, csv, json-files, headway-export.")
    ],
    paths: Annotated[list[str], typer.Argument(metavar="PATH…", help="Files or a folder; - is standard input.")],
    course_map: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE", help="json-files: of which course's steps the exercises are."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read, check and count; write nothing.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import what happened elsewhere. A second run, or one after a run that broke, records nothing twice.

    Each record that cannot be taken is told on standard error with its file, its line and the reason. Exits with 1
    where the import failed, or where nothing could be taken.
    """
    if format_ == _EXPORT:
        _take_over(paths, database, dry_run=dry_run, as_json=as_json)
        return
    importer = _importer(format_, paths, course_map)
    with ExitStack() as stack:
        source = database_or_none(database) if dry_run else database_of(database, make=True)
        summary = _run(stack.enter_context(source), importer, dry_run=dry_run)
    if as_json:
        show_json(_json(format_, summary, dry_run=dry_run))
    else:
        _tell(summary, dry_run=dry_run)
    if summary.fruitless:
        raise typer.Exit(1)


_EXPORT = "headway-export"


def _take_over(paths: list[str], database: str | None, *, dry_run: bool, as_json: bool) -> None:
    from headway.importers.headway_export import take_over

    with database_of(database) as opened:
        for path in paths:
            done = take_over(opened, path, dry_run=dry_run)
            if as_json:
                show_json({"format": _EXPORT, "dry_run": dry_run, "file": path} | done._asdict())
                continue
            became = "is here already, just so" if done.repeated else "would be taken over" if dry_run else "taken over"
            show(f"Learner {done.learner_id}: {done.entries:,} entries, {became}.")


def _importer(format_: str, paths: list[str], course_map: str | None) -> "Importer":
    from headway.importers.run import FORMATS

    if format_ not in FORMATS:
        raise Misused(f"there is no format {format_!r}; there are {', '.join((*FORMATS, _EXPORT))}")
    if course_map is None:
        return FORMATS[format_](paths)
    if format_ != "json-files":
        raise Misused(f"--map goes with json-files; {format_} names its courses itself")
    from headway.importers.json_files import JsonFiles

    return JsonFiles(paths, map_of(course_map))


def map_of(name: str) -> dict[str, Any]:
    """The content of a map file; ImportFailed if it cannot be read, Misused if it is not a map."""
    import yaml

    from headway.importers.records import ImportFailed

    try:
        said = yaml.safe_load(Path(name).read_bytes())
    except OSError as error:
        raise ImportFailed(f"{name} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise Misused(f"{name} is no map that can be read: {' '.join(str(error).split())}") from None
    if not isinstance(said, dict):
        raise Misused(f"{name} must hold an object: `course`, and under `exercises` the step of each exercise")
    return said


def _run(opened: Any, importer: "Importer", *, dry_run: bool) -> "Summary":
    from headway.importers.run import rehearse, run

    work = rehearse if dry_run else run
    with progress_bar("Checking" if dry_run else "Importing", importer.size) as bar:
        return work(opened, importer, read=bar.advance, rejected=lambda reject: bar.say(_line(reject)))


def _line(said: "Reject | Doubted") -> str:
    file, line, record = said.place
    return f"{file}:{line}{f' record {record}' if record else ''}: {said.reason}: {said.message}"


def _json(format_: str, summary: "Summary", *, dry_run: bool) -> dict[str, Any]:
    return {
        "format": format_,
        "dry_run": dry_run,
        "read": summary.read,
        "recorded": summary.recorded,
        "duplicates": summary.duplicates,
        "refused": dict(summary.refused),
        "left_out": dict(summary.left_out),
        "courses": [course._asdict() for course in summary.courses],
        "learners": summary.learners,
        "enrollments": summary.enrollments,
        "streaks": summary.streaks,
        "doubted": dict(summary.doubted),
        "doubts": [one.place._asdict() | _said(one) for one in summary.doubts],
        "rejects": [one.place._asdict() | _said(one) for one in summary.rejects],
    }


def _said(one: "Reject | Doubted") -> dict[str, str]:
    return {"reason": one.reason, "message": one.message}


def _tell(summary: "Summary", *, dry_run: bool) -> None:
    if dry_run:
        show("A dry run: nothing was written. Importing would come to:")
    else:
        show("No event was imported: every record was refused." if summary.fruitless else "Imported.")
    rows = {
        "records read": summary.read,
        "events recorded": summary.recorded,
        "there already": summary.duplicates,
        **{f"left out, {why}": count for why, count in sorted(summary.left_out.items())},
        **{f"refused, {why}": count for why, count in sorted(summary.refused.items())},
        **{f"doubted, {why}": count for why, count in sorted(summary.doubted.items())},
        "learners": summary.learners,
        "enrollments": summary.enrollments,
        **({"streaks kept": summary.streaks} if summary.streaks else {}),
        "courses brought": len(summary.courses),
        "of them new or changed": sum(not course.unchanged for course in summary.courses),
    }
    width = max(map(len, rows))
    for name, count in rows.items():
        show(f"  {name:<{width}}  {count:>11,}")
    if summary.refused:
        say(
            "What was refused is told above, each with its line; mend it there, or publish the course that it names,"
            " and import again: nothing counts twice."
        )
