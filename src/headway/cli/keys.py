"""`headway keys`: the keys that sign the credentials of certificates."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from headway.cli.given import confirm
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, now, say, show, show_json

if TYPE_CHECKING:
    from sqlalchemy.engine import RowMapping

keys = typer.Typer(name="keys", help="Look after the keys that sign certificates.")


@keys.callback()
def _group() -> None:
    """Look after the keys that sign certificates."""


@keys.command("list")
def list_(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Show the keys, the newest first: the one that signs, those that did, and those that were retired."""
    from headway.store import signing_keys

    with database_of(database) as opened, opened.read() as connection:
        found = [_told(row) for row in signing_keys.listed(connection)]
    if as_json:
        show_json({"items": found})
        return
    for one in found:
        show("  ".join((one["id"], one["created_at"][:10], one["state"], *_how_kept(one))))
    if not found:
        say("There is no key yet: the first credential that is asked for makes one, and so does `headway keys new`.")


@keys.command()
def new(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Make the next key that signs. What older keys signed stays valid."""
    from headway.ledger.signing_keys import next_key
    from headway.settings import load_settings

    settings = load_settings(database_url=database)
    with database_of(database) as opened:
        made = _told(next_key(opened, settings.signing_secret, now=now()))
        opened.scrub()
    if as_json:
        show_json(made)
        return
    show(f"{made['id']} signs from now on.")
    if not made["sealed"]:
        say("It lies open in the database and its backups; with signing_secret set, new keys are sealed.")


@keys.command()
def retire(
    key: Annotated[str, typer.Argument(metavar="ID", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have nothing believed any more that a key signed, as when it was stolen. Cannot be undone.

    Learners can fetch their credentials again, signed by another key.
    """
    from headway.ledger.signing_keys import check_there
    from headway.ledger.signing_keys import retire as run

    with database_of(database) as opened:
        check_there(opened, key)
        if not yes:
            confirm(f"Let every credential that {key} signed be worth nothing?")
        retired = _told(run(opened, key, now=now()))
        opened.scrub()
    if as_json:
        show_json(retired)
    else:
        show(f"Retired: what {key} signed verifies no more. The next credential that is asked for has another key.")


def _told(row: "RowMapping") -> dict[str, Any]:
    from headway.certificates.keys import is_sealed
    from headway.domain.times import format_time

    retired_at = row["retired_at"]
    return {
        "id": row["id"],
        "state": "retired" if retired_at is not None else "signs" if row["signs"] else "verifies",
        "created_at": format_time(row["created_at"]),
        "retired_at": None if retired_at is None else format_time(retired_at),
        "sealed": None if row["secret"] is None else is_sealed(row["secret"]),
    }


def _how_kept(one: dict[str, Any]) -> list[str]:
    return [] if one["sealed"] is None else ["sealed" if one["sealed"] else "not sealed"]
