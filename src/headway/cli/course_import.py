"""`headway course import`: a manifest to go on from, made of the structure of a course elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from headway.cli.screen import JsonOption, Misused, counted, say, show, show_json

if TYPE_CHECKING:
    from headway.cli.manifest_file import ManifestFile
    from headway.domain.faults import Fault
    from headway.importers.exercism import Remark, Structure

FORMATS = ("exercism",)


class _Target(NamedTuple):
    """Where the manifest goes: a file, or standard output."""

    path: Path | None
    force: bool


def import_structure(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="exercism.")],
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="A track's config.json, or its folder; - is standard input.")
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there, as JSON if so named.")
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The course's id, if not the track's slug.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a manifest of a course's structure elsewhere, for `course check` and `course publish`. Needs no database.

    The manifest goes to standard output or FILE; what the author should know goes to standard error, with its line.
    """
    from headway.cli.manifest_file import read_manifest
    from headway.domain.faults import ManifestInvalid

    if format_ not in FORMATS:
        raise Misused(f"there is no format {format_!r}; there is {', '.join(FORMATS)}")
    _check_id(id_)
    source = read_manifest(_file_of(path))
    try:
        made = _structure(source.content, id_)
    except ManifestInvalid as invalid:
        _tell_faults(source, invalid.faults, as_json=as_json)
        raise typer.Exit(1) from None
    _give(made, source, _Target(output, force), as_json=as_json)


def _file_of(path: str) -> str:
    inside = Path(path) / "config.json"
    return str(inside) if Path(path).is_dir() else path


def _structure(content: Any, course_id: str | None) -> "Structure":
    from headway.importers.exercism import course_of
    from headway.importers.exercism_track import read_track

    track = read_track(content)
    return course_of(track, course_id or track.slug)


def _check_id(course_id: str | None) -> None:
    from headway.domain.fields import SLUG, SLUG_MAX

    if course_id is not None and not (SLUG.fullmatch(course_id) and len(course_id) <= SLUG_MAX):
        raise Misused(
            f"--id {course_id!r} is no slug: lower-case letters a to z, digits, hyphens, dots and underscores"
        )


def _give(made: "Structure", source: "ManifestFile", target: _Target, *, as_json: bool) -> None:
    from headway.cli.manifest_writing import manifest_text, write_new

    path = target.path
    text = manifest_text(made.manifest, as_json=path is not None and path.suffix == ".json")
    if path is not None:
        write_new(path, text, force=target.force)
    elif not as_json:
        show(text.removesuffix("\n"))
    if as_json:
        show_json(_json(made, source, path))
    else:
        _tell(made, source, path)


def _json(made: "Structure", source: "ManifestFile", path: Path | None) -> dict[str, Any]:
    remarks = [{"reason": one.reason, **_placed(source, one.path, one.message)} for one in made.remarks]
    told = {"course": made.manifest["id"], "file": None if path is None else str(path)}
    found = {"left_out": dict(made.left_out), "remarks": remarks, "faults": []}
    return {**told, **found} if path else {**told, **found, "manifest": made.manifest}


def _tell(made: "Structure", source: "ManifestFile", path: Path | None) -> None:
    from headway.importers.exercism import EARLY

    early = [one for one in made.remarks if one.reason == EARLY]
    for one in made.remarks:
        if one.reason != EARLY:
            say(_line(source, one))
    modules = made.manifest["modules"]
    size = f"{counted(len(modules), 'module')}, {counted(sum(len(one['steps']) for one in modules), 'step')}"
    say(f"headway: course {made.manifest['id']}: {size}{f', written to {path}' if path else ''}")
    for status, count in made.left_out.items():
        say(f"headway: left out as {status}: {counted(count, 'exercise')}")
    if early:
        say(
            f"headway: open before all that they require: {counted(len(early), 'practice exercise')}; --json names them"
        )


def _tell_faults(source: "ManifestFile", faults: "tuple[Fault, ...]", *, as_json: bool) -> None:
    if as_json:
        found = [_placed(source, fault.path, fault.message) for fault in faults]
        show_json({"course": None, "file": None, "left_out": {}, "remarks": [], "faults": found})
        return
    for fault in faults:
        say(_line(source, fault))
    say(f"headway: {source.name} has {counted(len(faults), 'fault')}; no manifest was made")


def _placed(source: "ManifestFile", path: str, message: str) -> dict[str, Any]:
    return {"path": path, "line": source.line_of(path), "message": message}


def _line(source: "ManifestFile", one: "Remark | Fault") -> str:
    line = f":{source.line_of(one.path)}" if one.path else ""
    return f"{source.name}{line}: {' '.join(filter(None, (one.path, one.message)))}"
