"""Sharing: an account's public page, made, changed and revoked by its owner."""

from collections.abc import Collection
from secrets import token_urlsafe
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.ledger.commit import committed
from headway.ledger.session_owner import identity
from headway.store import sharing
from headway.store.database import Database
from headway.store.sharing import Shared

# The parts that a page may show, in the page's order.
SHOWN: Final = ("name", "streak", "points", "levels", "courses", "achievements")
_TOKEN_BYTES: Final = 24


class ShareWanted(NamedTuple):
    """What an account's page shows; `renew` gives it another address. `token_hash` is the request's session."""

    learner_id: str
    shows: Collection[str]
    renew: bool
    token_hash: str


def share(database: Database, asked: ShareWanted, *, now: int) -> Shared:
    """Share an account's page, under its present address or a new one, and return the page.

    Raise IdentityGone if the session has ended or the account is gone.
    """

    def work(connection: Connection) -> Shared:
        identity(connection, asked.token_hash, asked.learner_id, now)
        known = sharing.of_learner(connection, asked.learner_id)
        shows = tuple(one for one in SHOWN if one in asked.shows)
        if known is None or asked.renew:
            page = Shared(asked.learner_id, token_urlsafe(_TOKEN_BYTES), shows, now)
        else:
            page = known._replace(shows=shows)
        sharing.put(connection, page)
        return page

    return committed(database, work)


def unshare(database: Database, learner_id: str, token_hash: str, *, now: int) -> None:
    """Remove an account's public page, so that its address leads nowhere. Raise IdentityGone as `share` does."""

    def work(connection: Connection) -> None:
        identity(connection, token_hash, learner_id, now)
        sharing.remove(connection, learner_id)

    committed(database, work)
