"""`headway doctor`: checks of the installation, the database and their surroundings, with advice."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from headway.cli.findings import Finding, State
from headway.cli.opening import DatabaseOption
from headway.cli.screen import JsonOption, say, show, show_json

_MARKS = {State.FINE: "ok", State.NOTE: "note", State.WRONG: "WRONG"}


def doctor(
    mail: Annotated[bool, typer.Option("--mail", help="Ask the mail server as well; no mail is sent.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at versions, database, disk, clock and settings, and give advice. Exits with 1 where something is wrong."""
    from headway.cli.findings import of_process, of_settings
    from headway.cli.findings_of_database import of_database
    from headway.cli.findings_of_running import of_surroundings
    from headway.settings import load_settings

    settings = load_settings(database_url=database)
    found = [*of_process(), *of_settings(settings), *of_surroundings(settings, mail=mail), *of_database(settings)]
    wrong = [one for one in found if one.state is State.WRONG]
    if as_json:
        show_json({"healthy": not wrong, "findings": [_json(one) for one in found]})
    else:
        _tell(found)
        say(f"{len(wrong)} wrong." if wrong else "Nothing is wrong.")
    if wrong:
        raise typer.Exit(1)


def _json(one: Finding) -> dict[str, Any]:
    return {"name": one.name, "state": one.state.value, "value": one.value, "advice": one.advice}


def _tell(found: Iterable[Finding]) -> None:
    for one in found:
        show(f"{_MARKS[one.state]:<6} {one.name:<22} {one.value}")
        if one.advice:
            show(f"{'':<6} {'':<22} {one.advice}")
