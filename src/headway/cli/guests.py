"""`headway guests clear`."""

from typing import Annotated

import typer

from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, counted, now, show, show_json

guests = typer.Typer(name="guests", help="Look after guests.")

DaysOption = Annotated[
    int | None,
    typer.Option("--days", min=1, max=36_500, help="How long they did nothing.  [guest_days, 365]"),
]


@guests.callback()
def _group() -> None:
    """Look after guests."""


@guests.command()
def clear(
    days: DaysOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them, and change nothing.")] = False,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove guests who have done nothing for long, with all that they recorded; a running server does it once a day.

    Guests with a certificate, and those that were moved into an account, stay.
    """
    from headway.domain.times import DAY
    from headway.ledger.guests import clear_guests
    from headway.settings import load_settings

    kept_days = days or load_settings(database_url=database).guest_days
    with database_of(database) as opened:
        cleared = clear_guests(opened, now() - kept_days * DAY, dry_run=dry_run)
    if as_json:
        show_json({"guests": cleared.guests, "entries": cleared.entries, "days": kept_days, "dry_run": dry_run})
        return
    who = f"{counted(cleared.guests, 'guest')} with {counted(cleared.entries, 'entry', 'entries')}"
    show(f"{'Would clear' if dry_run else 'Cleared'} {who}: nothing done for {counted(kept_days, 'day')}.")
