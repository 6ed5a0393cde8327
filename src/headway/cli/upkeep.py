"""`headway migrate`."""

from headway.cli.opening import DatabaseOption, check_takes_writes, connected
from headway.cli.screen import JsonOption, show, show_json


def migrate(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Set the database up, or bring its tables up to date."""
    from headway.store import migrate as migrations

    with connected(database, make=True) as opened:
        before, after = migrations.migrate(opened)
        check_takes_writes(opened)
        if as_json:
            show_json({"database": opened.shown, "before": before, "after": after})
        elif before == after:
            show(f"{opened.shown} is up to date at revision {after}.")
        else:
            show(f"{opened.shown} is at revision {after} now, before it was {before or 'empty'}.")
