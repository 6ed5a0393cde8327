"""`headway login`, `headway logout`, `headway whoami`."""

from typing import TYPE_CHECKING, Annotated

import typer

from headway.cli.browsing import BrowserOption, open_page
from headway.cli.given import line_of_stdin
from headway.cli.learner.device import ServerOption, learner_at, remember_server, say_kept_back, way_to
from headway.cli.screen import JsonOption, agreeing, counted, say, show, show_json

if TYPE_CHECKING:
    from headway.client.entering import SignedIn
    from headway.client.signing_in import Code


def login(
    server: ServerOption = None,
    token_stdin: Annotated[
        bool, typer.Option("--token-stdin", help="Read a personal access token from standard input instead.")
    ] = False,
    browser: BrowserOption = True,
    as_json: JsonOption = False,
) -> None:
    """Sign in on this device by way of a browser. What you did as a guest comes along."""
    from headway.client.signing_in import sign_in_by_browser, sign_in_by_token
    from headway.client.store import Store

    with way_to(server) as transport:
        if token_stdin:
            done = sign_in_by_token(Store(), transport, line_of_stdin().strip())
        else:
            done = sign_in_by_browser(Store(), transport, lambda code: _show_code(code, browser=browser))
    remember_server(done.server)
    with learner_at(done.server) as headway:
        synced = headway.sync(5)
    if as_json:
        show_json({**done._asdict(), "waiting": synced.waiting})
        return
    show(f"You are signed in at {done.server} as {done.name or done.learner}.")
    if synced.recorded:
        were = agreeing(synced.recorded, "was", "were")
        say(f"{counted(synced.recorded, 'event')} that waited on this device {were} sent.")
    if synced.waiting:
        say(f"{_waiting(synced.waiting)}: {synced.why}.")
    say_kept_back({"locked": synced.locked, "aside": synced.aside})


def _waiting(count: int) -> str:
    return f"{counted(count, 'event')} {agreeing(count, 'waits', 'wait')} on this device"


def _show_code(code: "Code", *, browser: bool) -> None:
    say(f"Open {code.address} and enter the code {code.user_code}")
    if browser:
        open_page(code.complete_address)
    say("Waiting for you to let this device in …")


def logout(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Sign out on this device. What waits to be sent stays until you sign in again.

    A guest stays, for nobody could sign in as that one again; one whom the server does not know any more begins anew.
    """
    from headway.client.identities import forget_current
    from headway.client.signing_in import begin_anew
    from headway.client.store import Store

    with way_to(server) as transport:
        is_anew = begin_anew(Store(), transport)
    with learner_at(server) as headway:
        synced = headway.sync()
        with Store().writing() as connection:
            gone = forget_current(connection, headway.url)
    waiting = synced.waiting + synced.locked
    if as_json:
        show_json({"signed_out": is_anew or gone is not None, "waiting": waiting})
    elif is_anew:
        show(f"The guest of this device is gone from {headway.url}: you begin anew as another.")
    elif gone is None:
        show("Nobody was signed in.")
    else:
        show(f"You are signed out at {gone.server}. The account's page of sign-ins revokes the device's token.")
    if gone is not None and waiting:
        say(f"{_waiting(waiting)} until you sign in again.")
    elif is_anew and synced.waiting:
        say(f"{_waiting(synced.waiting)}: {synced.why}.")


def whoami(server: ServerOption = None, as_json: JsonOption = False) -> None:
    """Show who you are here: an account, or a guest."""
    from headway.client.signing_in import who_is_here

    with learner_at(server) as headway:
        found: SignedIn | None = who_is_here(headway)
    if as_json:
        show_json(
            found._asdict() if found else {"server": headway.url, "kind": "nobody", "learner": None, "name": None}
        )
    elif found is None:
        show(f"A guest at {headway.url} who has done nothing yet; `headway login` signs in.")
    elif found.kind == "guest":
        show(f"A guest at {found.server} ({found.learner or 'not sent yet'}); `headway login` signs in.")
    else:
        show(f"{found.name or found.learner} at {found.server}.")
