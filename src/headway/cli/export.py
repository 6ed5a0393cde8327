"""`headway export`: everything about a learner."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from headway.cli.naming import NAMES, learner_named
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.output import output
from headway.cli.screen import JsonOption, Misused, now, say, show_json

_FORMATS = ("json", "csv")


def export(
    learner: Annotated[str, typer.Option("--learner", metavar="LEARNER", help=NAMES)],
    file: Annotated[str, typer.Argument(metavar="FILE", help="- is standard output.")] = "-",
    format_: Annotated[str, typer.Option("--format", metavar="FORMAT", help="json (complete) or csv.")] = "json",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write everything about a learner: json is complete and can be imported again, csv is the exercise history."""
    from headway.store.catalog import Catalog
    from headway.views.export import export_csv, export_json
    from headway.views.subject import Subject, UnknownLearner

    if format_ not in _FORMATS:
        raise Misused(f"there is no format {format_!r}; there are {', '.join(_FORMATS)}")
    with database_of(database) as opened:
        found = learner_named(opened, learner)
        if found is None:
            raise UnknownLearner(f"{learner} was erased; there is nothing left to export", field="learner")

        def read(view: Any) -> Any:
            with opened.read() as connection:
                return view(connection)

        subject = Subject(found.id, "UTC")
        pieces = export_json(read, subject, now()) if format_ == "json" else export_csv(read, Catalog(), subject)
        size = _write(file, pieces)
    if as_json and file != "-":
        show_json({"learner": found.id, "format": format_, "bytes": size})
    elif file != "-":
        say(f"Wrote {size:,} bytes about {found.shown} to {file}.")


def _write(file: str, pieces: Iterable[bytes]) -> int:
    size = 0
    with output(file) as out:
        for piece in pieces:
            size += out.write(piece)
    return size
