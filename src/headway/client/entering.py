"""Signing in with an account's token, also with one that was kept on this device before the server said whose it is."""

from typing import NamedTuple

from headway.client import identities
from headway.client.errors import Refused, SignInNeeded, Unreachable
from headway.client.store import Store
from headway.client.transport import Transport, accepted


class SignedIn(NamedTuple):
    """Who is signed in on this device."""

    server: str
    kind: str
    learner: str | None
    name: str | None


def enter(store: Store, transport: Transport, token: str, *, was_left: bool = False) -> SignedIn:
    """Ask the server whose token this is, and sign in as that account; SignInNeeded if it is a guest's.

    With `was_left`, sign in only if it is still the token that is kept on this device.
    """
    me = accepted(transport.ask("GET", "/auth/me", token=token)).body
    match me:
        case {"kind": "account", "learner": {"id": str(learner), **said}}:
            name = str(said.get("display_name") or said.get("email") or "") or None
        case {"kind": "guest"}:
            raise SignInNeeded("that is a guest's token; sign in with an account's")
        case _:
            raise Unreachable(f"{transport.url} does not say who the token is of")
    with store.writing("you are not signed in") as connection:
        # Somebody may have signed in or out meanwhile, and that is newer.
        if not was_left or identities.token_left(connection, transport.url) == token:
            identities.signed_in(connection, transport.url, token, learner, name)
    return SignedIn(transport.url, identities.ACCOUNT, learner, name)


def enter_by_what_was_left(store: Store, transport: Transport) -> None:
    """Finish a sign-in whose token was kept before the server could say whose it is, if there is one."""
    with store.reading() as connection:
        token = identities.token_left(connection, transport.url)
    if token is None:
        return
    try:
        enter(store, transport, token, was_left=True)
    except SignInNeeded:  # it was revoked
        with store.writing() as connection:
            if identities.token_left(connection, transport.url) == token:
                identities.drop_left(connection, transport.url)
    except Refused:
        return  # perhaps another time
