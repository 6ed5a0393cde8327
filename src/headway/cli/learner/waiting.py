"""`headway sync` and `headway outbox`: what waits on this device, and why."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeAlias

import typer

from headway.cli.learner.device import QUEUED, ServerOption, learner_at, say_kept_back, whoever_is_at
from headway.cli.learner.drawing import clean, dim, table
from headway.cli.screen import JsonOption, Misused, agreeing, counted, say, show, show_json

IdsArgument: TypeAlias = Annotated[list[str], typer.Argument(metavar="ID…", show_default=False)]

outbox = typer.Typer(name="outbox", help="See what waits on this device, and why.", invoke_without_command=True)


def sync(
    wait_s: Annotated[float, typer.Option("--wait", min=0, max=3600, help="Try for so many seconds.")] = 20.0,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send what waits on this device, at every server. Exits with 75 where something still waits."""
    from headway.client import outbox as kept
    from headway.client.store import Store

    with Store().reading() as connection:
        others = kept.servers(connection)
    done = []
    with learner_at(server) as meant:
        elsewhere = [one for one in others if one != meant.url and server is None]
    for opened in (learner_at(server), *map(whoever_is_at, elsewhere)):
        with opened as headway:
            synced = headway.sync(wait_s)._asdict()
            del synced["outcomes"]
            done.append({"server": headway.url, **synced})
    if as_json:
        show_json({"items": done})
    for one in [] if as_json else done:
        _show_synced(one)
    if any(one["waiting"] or one["locked"] for one in done):
        raise typer.Exit(QUEUED)


def _show_synced(one: dict[str, Any]) -> None:
    show(f"{one['server']}: {counted(one['recorded'], 'event')} sent.")
    if one["waiting"]:
        waits = agreeing(one["waiting"], "waits", "wait")
        say(f"{counted(one['waiting'], 'event')} still {waits}: {one['why']}.")
    say_kept_back(one)


@outbox.callback()
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """See what waits on this device, and why."""
    if context.invoked_subcommand is not None:
        return
    from headway.client import outbox as kept
    from headway.client.store import Store

    with Store().reading() as connection:
        found = kept.listed(connection)
    items = [
        {
            "id": item.id,
            "server": server,
            "state": item.state,
            "reason": (trouble if item.state == kept.WAITING else None) or item.reason,
            "event": item.content,
        }
        for item, server, trouble in found
    ]
    if as_json:
        show_json({"items": items})
        return
    for line in table([_row(one) for one in items]) if items else []:
        show(line)
    if not items:
        say("Nothing waits on this device.")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    event = one["event"]
    place = f"{event['course']}/{event['step']}"
    return one["id"], one["state"], event["type"], clean(place), dim(clean(one["reason"] or ""))


def _check_there(ids: Sequence[str]) -> None:
    """Raise Misused for ids that are not in the outbox, before anything is done or asked."""
    from headway.client import outbox as kept
    from headway.client.store import Store

    with Store().reading() as connection:
        unknown = kept.unknown(connection, ids)
    if unknown:
        raise Misused(f"there is no event {clean(unknown[0])!r} in the outbox; `headway outbox` lists what there is")


@outbox.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", show_default=False)] = None,
    as_json: JsonOption = False,
) -> None:
    """Have what was refused sent again, all of it or some: the course may have what it lacked."""
    from headway.client import outbox as kept
    from headway.client.store import Store

    _check_there(ids or [])
    with Store().writing() as connection:
        count = kept.put_back(connection, ids or None)
    if as_json:
        show_json({"put_back": count})
    else:
        show(f"{counted(count, 'event')} will be sent again with `headway sync`.")


@outbox.command()
def adopt(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID…]", show_default=False)] = None,
    server: ServerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have what was made as somebody else sent as you: some, or all made with a token that the server does not know."""
    from headway.client import identities
    from headway.client import outbox as kept
    from headway.client.errors import NotSaved
    from headway.client.signing_in import who_is_here

    _check_there(ids or [])
    with learner_at(server) as headway:
        who_is_here(headway)  # fails for a token that the server does not know
        with headway.store.sending() as is_ours, headway.store.writing() as connection:
            if not is_ours:
                raise NotSaved("another program sends what waits just now: try again once it is done")
            if others := kept.elsewhere(connection, ids or [], headway.url):
                raise Misused(f"event {others[0]} is for another server than {headway.url}; --server names it")
            count = kept.adopt(connection, headway.url, identities.current(connection, headway.bearer).id, ids or None)
    if as_json:
        show_json({"adopted": count})
    else:
        show(f"{counted(count, 'event')} will be sent as you with `headway sync`.")


@outbox.command()
def drop(
    ids: IdsArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Throw events away that were never recorded. Asks first."""
    import sys

    from headway.client import outbox as kept
    from headway.client.store import Store

    _check_there(ids)
    if not yes:
        if not sys.stdin.isatty():
            raise Misused("what is dropped was never recorded, and is gone for good: say --yes")
        typer.confirm(f"Drop {counted(len(ids), 'event')} for good?", abort=True, err=True)
    with Store().writing() as connection:
        count = kept.drop(connection, ids)
    if as_json:
        show_json({"dropped": count})
    else:
        show(f"{counted(count, 'event')} dropped.")
