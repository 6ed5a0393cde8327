"""`headway admin create` and `headway admin log`."""

from enum import StrEnum
from typing import Annotated

import typer

from headway.cli.given import password
from headway.cli.naming import LearnerOption, learner_id_of
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, now, show, show_json

admin = typer.Typer(name="admin", help="Look after accounts.")


class Role(StrEnum):
    """What an account may do beyond learning."""

    ADMIN = "admin"
    CREATOR = "creator"


@admin.callback()
def _group() -> None:
    """Look after accounts."""


@admin.command()
def create(
    email: Annotated[str, typer.Argument(metavar="EMAIL", show_default=False)],
    role: Annotated[Role, typer.Option("--role", help="What the account may do.")] = Role.ADMIN,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account for an administrator or a creator, or give one that is there the role and a new password.

    The password comes from the prompt, or from the first line of standard input.
    """
    from headway.ledger.accounts import empower
    from headway.ledger.emails import normalize_email

    address = normalize_email(email)
    with database_of(database, make=True) as opened:
        made = empower(opened, address, password(is_new=True), role.value, now=now())
    if as_json:
        show_json({"learner": made.learner_id, "email": address, "role": role.value, "created": made.created})
    elif made.created:
        show(f"Made {address} an account as {role.value}.")
    else:
        show(f"{address} had an account: it has the new password now, is {role.value}, and must sign in again.")


@admin.command()
def log(
    learner: LearnerOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")] = 50,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show sign-ins, refusals, and changes of passwords, tokens and roles, the newest first."""
    from headway.domain.times import format_time
    from headway.store import security

    with database_of(database) as opened:
        learner_id = None if learner is None else learner_id_of(opened, learner)
        with opened.read() as connection:
            found = security.page(connection, learner_id, None, limit)
    if as_json:
        show_json({"items": [{**one, "at": format_time(one["at"])} for one in found]})
        return
    for one in found:
        told = (format_time(one["at"])[:19] + "Z", one["kind"], one["learner_id"], one["address"], one["detail"])
        show("  ".join(part or "-" for part in told))
