"""`headway erase` and `headway erasures`: erase learners, and erase them again after a restore."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.given import confirm, text_of
from headway.cli.naming import LearnerArgument, learner_named
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.output import output
from headway.cli.screen import JsonOption, Misused, agreeing, counted, now, progress_bar, say, show, show_json

if TYPE_CHECKING:
    from headway.store.database import Database
    from headway.store.erasures import Listed

erasures = typer.Typer(name="erasures", help="Keep the list of who was erased, and apply it after a restore.")

_FILE_HELP = "JSON Lines; - is standard"


@erasures.callback()
def _group() -> None:
    """Keep the list of who was erased, and apply it after a restore."""


def erase(
    learner: LearnerArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase a learner for good. What was done counts on as nobody's."""
    from headway.ledger.erase import erase as run
    from headway.store.catalog import Catalog

    with database_of(database) as opened:
        found = learner_named(opened, learner)
        if found is None:
            # An earlier run may have been stopped before the file was scrubbed.
            _scrub(opened)
            _tell_again(learner, as_json=as_json)
            return
        if not yes:
            confirm(f"Erase {found.shown} for good?")
        erased = run(opened, Catalog(), found.id, now=now())
        _scrub(opened)
    if as_json:
        identities, events = erased or (0, 0)
        show_json({"erased": erased is not None, "identities": identities, "events": events})
    elif erased is None:
        show("Erased meanwhile by somebody else.")
    else:
        show(f"Erased: {counted(erased.events, 'event')} {agreeing(erased.events, 'counts', 'count')} on as nobody's.")
        say("Backups still hold this learner: keep what `headway erasures export` writes, to apply after a restore.")


def _scrub(database: "Database") -> None:
    if not database.scrub():
        say("Somebody reads from an older state of the file, which keeps it in the log: run this again in a while.")


def _tell_again(learner: str, *, as_json: bool) -> None:
    if as_json:
        show_json({"erased": False, "identities": 0, "events": 0})
    else:
        show(f"{learner} was erased before; there is nothing left to erase.")


@erasures.command()
def export(
    file: Annotated[str, typer.Argument(metavar="FILE", help=f"{_FILE_HELP} output.", show_default=False)],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the list of who was erased: hashes of ids, and the days."""
    from headway.domain.times import offset_day
    from headway.ledger.erase import listed, name_of_list

    written = 0
    with database_of(database) as opened, output(file) as out:
        key = name_of_list(opened)
        for one in listed(opened):
            written += 1
            line = {"learner_hmac": one.learner_hash, "erased_on": offset_day(one.erased_at, 0), "key": key}
            out.write(f"{json.dumps(line, separators=(',', ':'))}\n".encode())
    if file == "-":
        return
    if as_json:
        show_json({"listed": written})
    else:
        show(f"Wrote {counted(written, 'erasure')} to {file}.")


@erasures.command("apply")
def apply_(
    file: Annotated[str, typer.Argument(metavar="FILE", help=f"{_FILE_HELP} input.", show_default=False)],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Erase again whoever is in a list; safe beside a running server, and done twice it changes nothing."""
    from headway.ledger.erase import apply, name_of_list
    from headway.store import learners
    from headway.store.catalog import Catalog

    with database_of(database) as opened:
        given = list(_read(file, name_of_list(opened)))
        with opened.read() as connection:
            total = learners.count(connection)
        with progress_bar("Looking at learners", total) as bar:
            applied = apply(opened, Catalog(), given, now=now(), progress=bar.advance)
    if as_json:
        show_json(applied._asdict())
    else:
        show(f"{counted(applied.listed, 'erasure')} in the list, {applied.added:,} of them new here.")
        show(f"{counted(applied.erased, 'learner')} erased again.")


def _read(file: str, key: str) -> "Iterator[Listed]":
    for number, line in enumerate(text_of(file).split("\n"), 1):
        if line.strip():
            yield _listed(line, f"{file}:{number}", key)


def _listed(line: str, place: str, key: str) -> "Listed":
    from headway.domain.errors import Invalid
    from headway.domain.times import parse_day, parse_time
    from headway.store.erasures import Listed

    try:
        said = json.loads(line)
        learner_hash, day = said["learner_hmac"], parse_day(said["erased_on"], field="erased_on")
        if len(learner_hash) != 64 or learner_hash.strip("0123456789abcdef"):
            raise ValueError(learner_hash)
        if said["key"] != key:
            raise Misused(f"{place}: this list is of another database: apply it to a restored backup of that one")
        return Listed(learner_hash, parse_time(f"{day}T00:00:00Z")[0])
    except (ValueError, TypeError, LookupError, AttributeError, Invalid):
        raise Misused(f"{place}: this is no line of a list that `headway erasures export` wrote") from None
