"""Which notifications reach a learner by which channel: chosen by themselves, and unsubscribed by a link in a mail."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import Invalid
from headway.domain.preferences import EVERY_KIND, MAILED, Preference, read_unsubscribe_token
from headway.ledger.commit import committed
from headway.ledger.session_owner import identity
from headway.store import confirmed, erasures, learners, preferences
from headway.store.database import Database

_NO_ADDRESS = "there is no address to send e-mail to: only accounts with an e-mail address get any"


class Wish(NamedTuple):
    """A learner's choice for a kind; None leaves a channel as it is."""

    in_app: bool | None = None
    stream: bool | None = None
    email: bool | None = None


class PreferencesWanted(NamedTuple):
    """A learner's choices by kind. `token_hash` is the request's session; `no_mail` says why no mail can be sent."""

    learner_id: str
    token_hash: str
    wishes: Mapping[str, Wish]
    no_mail: str | None = None


def choose(database: Database, asked: PreferencesWanted, *, now: int) -> None:
    """Set the channels by which notifications reach a learner from now on.

    Raise Invalid if e-mail is chosen and none can be sent, and IdentityGone if the session has ended.
    """

    def work(connection: Connection) -> None:
        address = identity(connection, asked.token_hash, asked.learner_id, now)["email"]
        known = preferences.of_learner(connection, asked.learner_id)
        chosen = dict[str, Preference]()
        for kind, wish in asked.wishes.items():
            before = known.get(kind, Preference(asked.learner_id, kind))
            if wish.email and before.mailed_since is None:
                _check_mail(kind, asked.no_mail or (None if address else _NO_ADDRESS))
            chosen[kind] = _after(before, wish, now)
        preferences.put(connection, chosen.values())

    committed(database, work)


def _check_mail(kind: str, why_not: str | None) -> None:
    if why_not is not None:
        raise Invalid(why_not, field=f"{kind}.email")


def _after(before: Preference, wish: Wish, now: int) -> Preference:
    in_app = before.in_app if wish.in_app is None else wish.in_app
    stream = before.stream if wish.stream is None else wish.stream
    since = before.mailed_since
    if wish.email is not None:
        # If it was on already, it keeps its time: notices since then are still to be mailed.
        since = (since if since is not None else now) if wish.email else None
    return before._replace(in_app=in_app, stream=stream, mailed_since=since)


def whose_token(connection: Connection, kind: str, token: str) -> str | None:
    """Return the learner of an unsubscribe link's token, for a kind or every kind; None if the token is invalid."""
    if kind != EVERY_KIND and kind not in MAILED:
        return None
    return read_unsubscribe_token(erasures.key(connection), kind, token)


def unsubscribe(database: Database, kind: str, token: str) -> str | None:
    """Send a learner no more mails of a kind, or of any; return the token's learner, None if it is invalid.

    After unsubscribing from every kind, the address must be confirmed again before any mail: perhaps it is not the
    account owner's. Repeated, or for an erased learner, it changes nothing.
    """

    def work(connection: Connection) -> str | None:
        learner_id = whose_token(connection, kind, token)
        if learner_id is None:
            return None
        learners.lock(connection, [learner_id])
        known = preferences.of_learner(connection, learner_id)
        ended = [one for one in known.values() if kind in (EVERY_KIND, one.kind) and one.mailed_since is not None]
        preferences.put(connection, (one._replace(mailed_since=None) for one in ended))
        if kind == EVERY_KIND:
            confirmed.forget(connection, learner_id)
        return learner_id

    return committed(database, work)
