"""`headway learners`: find learners, give and take roles, link imported ones to accounts."""

from typing import Annotated, Any

import typer

from headway.cli.naming import NAMES, LearnerArgument, learner_named
from headway.cli.opening import DatabaseOption, database_of
from headway.cli.screen import JsonOption, agreeing, counted, now, say, show, show_json

learners = typer.Typer(name="learners", help="Find learners, give them roles, and link imported ones to accounts.")


@learners.callback()
def _group() -> None:
    """Find learners, give them roles, and link imported ones to accounts."""


@learners.command()
def find(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The beginning of a name, or a whole address or id.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many.")] = 50,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List accounts and imported learners, by name; one by address, id or external id."""
    from headway.domain.times import format_time
    from headway.store import directory
    from headway.store.directory import LearnerQuery

    with database_of(database) as opened, opened.read() as connection:
        found = directory.page(connection, LearnerQuery(text or None), None, limit)
        if not found and text:
            found = _whole(opened, text)
    if as_json:
        show_json({"items": [_json(one, format_time(one.created_at)) for one in found]})
        return
    if not found:
        say("Nobody is called so." if text else "Nobody is known yet.")
    for one in found:
        told = (one.id, one.kind, one.email or one.external_id, one.display_name, one.roles.replace(" ", ","))
        show("  ".join(part or "-" for part in told))


@learners.command()
def roles(
    learner: LearnerArgument,
    give: Annotated[list[str] | None, typer.Option("--give", metavar="ROLE", help="admin or creator.")] = None,
    take: Annotated[list[str] | None, typer.Option("--take", metavar="ROLE", help="admin or creator.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show an account's roles, or give and take some. The last admin keeps theirs."""
    from headway.ledger.directing import set_roles
    from headway.store import learners as rows

    with database_of(database) as opened:
        learner_id = _id_of(opened, learner)
        with opened.read() as connection:
            row = rows.by_id(connection, learner_id)
        before = set(row["roles"].split()) if row is not None else set()
        after = sorted((before | set(give or ())) - set(take or ()))
        if give or take:
            set_roles(opened, learner_id, after, now=now())
    if as_json:
        show_json({"learner": learner_id, "roles": after})
    else:
        show(f"{learner}: {', '.join(after) or 'no roles'}.")


@learners.command("claim-code")
def claim_code(learner: LearnerArgument, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """Make a code by which an imported learner is claimed within a week: as `guest_token` of `POST /auth/merge`."""
    from headway.domain.times import format_time
    from headway.ledger.directing import make_claim_code

    with database_of(database) as opened:
        made = make_claim_code(opened, _id_of(opened, learner), now=now())
    if as_json:
        show_json({"code": made.code, "expires_at": format_time(made.expires_at)})
    else:
        show(made.code)


@learners.command()
def link(
    learner: LearnerArgument,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help=NAMES, show_default=False)],
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an imported learner part of an account: all that was imported counts there from now on."""
    from headway.ledger.directing import link as run
    from headway.store.catalog import Catalog

    with database_of(database) as opened:
        merged = run(opened, Catalog(), _id_of(opened, learner), _id_of(opened, account), now=now())
    if as_json:
        show_json({"merged": merged._asdict()})
    else:
        events = f"{counted(merged.events, 'event')} on {counted(merged.steps, 'step')}"
        show(f"Linked: {events} {agreeing(merged.events, 'counts', 'count')} for {account} now.")


def _json(one: Any, created_at: str) -> dict[str, Any]:
    said: dict[str, Any] = one._asdict() | {"roles": one.roles.split(), "created_at": created_at}
    del said["key"]
    return said


def _whole(opened: Any, named: str) -> list[Any]:
    """The learner with exactly this id, external id or address, in a list; an empty one if there is none."""
    from headway.domain.errors import HeadwayError
    from headway.store import directory

    try:
        learner_id = _id_of(opened, named)
    except HeadwayError:
        return []
    with opened.read() as connection:
        return list(directory.whole(connection, learner_id))


def _id_of(opened: Any, named: str) -> str:
    from headway.ledger.directing import NoSuchLearner

    found = learner_named(opened, named)
    if found is None:
        raise NoSuchLearner(f"{named} was erased", field="learner")
    return found.id
