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

# What a page may show, in its order.
SHOWN: Final = ("name", "streak", "points", "levels", "courses", "achievements")
_TOKEN_BYTES: Final = 24


class ShareWanted(NamedTuple):
    """What an account's page shows; `renew` gives it another address. `token_hash` is the request's session."""

    learner_id: str
    shows: Collection[str]
    renew: bool
    token_hash: str


def share(database: Database, asked: ShareWanted, *, now: int) -> Shared:
    """Have an account share a page, under the address that it has already or a new one.

    IdentityGone where the session has ended or the account is gone.
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
    """Have an account share nothing: whoever has the address finds nothing there any more. IdentityGone as above."""

    def work(connection: Connection) -> None:
        identity(connection, token_hash, learner_id, now)
        sharing.remove(connection, learner_id)

    committed(database, work)
