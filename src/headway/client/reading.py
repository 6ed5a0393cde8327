"""Reading from the server, or, where it cannot be reached, from the last answers kept on this device."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from sqlite3 import Connection, Row
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from headway.client import identities
from headway.client.errors import NotSaved, Refused, SignInNeeded, TokenUnknown, Unreachable
from headway.client.identities import PUBLIC, Bearer
from headway.client.shapes import Answer
from headway.client.store import Store
from headway.client.transport import Reply, Transport, accepted


class _Kept(NamedTuple):
    body: str
    etag: str | None
    at: float
    is_stale: bool


class Reader:
    """Reads as a bearer, and keeps the latest answer to each question on this device."""

    def __init__(self, store: Store, transport: Transport, bearer: Bearer) -> None:
        self._store = store
        self._transport = transport
        self._bearer = bearer

    def read(self, path: str) -> Answer[Any]:
        """The server's answer, or the last one known where it cannot be reached; Unreachable where there is none."""
        token, kept = self._known(path)
        try:
            reply = self._transport.get(path, token=token, etag=kept.etag if kept else None)
        except TokenUnknown as error:
            raise self._told_of_guest(error) from None
        except Unreachable as error:
            if kept is None:
                raise
            return _answer(kept, is_fresh=False, trouble=error.detail)
        if reply.status == 304 and kept is not None:
            reply = Reply(200, json.loads(kept.body), {"etag": kept.etag or ""})
        return self._keep(path, reply)

    def cached(self, path: str, age_s: float | None = None) -> Answer[Any] | None:
        """The last known answer, without asking; None if there is none, or if it may have changed.

        With `age_s`, it may have changed where it is older than that, in seconds, or where something was sent since.
        """
        _, kept = self._known(path)
        if kept is None or (age_s is not None and (kept.is_stale or not 0 <= time.time() - kept.at <= age_s)):
            return None
        return _answer(kept, is_fresh=False)

    def enroll(self, path: str) -> bool:
        """Enroll the learner; False if there is no token yet, or if the server refuses, as it does for guests."""
        token, _ = self._known(path)
        try:
            return token is not None and accepted(self._transport.ask("POST", path, token=token)).status < 300
        except Refused:
            return False

    def verdict(self, event: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The server's verdict on a recorded attempt; None if it cannot be had."""
        path = path_of("courses", event["course"], "steps", event["step"], "attempts")
        token, _ = self._known(path)
        said = {name: value for name, value in event.items() if name not in ("type", "course", "step", "response")}
        try:
            reply = accepted(self._transport.ask("POST", path, {**said, "answer": event["response"]}, token=token))
        except (Refused, Unreachable, SignInNeeded):
            return None
        found = reply.body.get("attempt") if token else None
        return found if isinstance(found, dict) else None

    def _told_of_guest(self, error: TokenUnknown) -> TokenUnknown:
        """The error to raise for an unknown token: this device's own guest, who cannot sign in, is told what to do."""
        with self._store.reading() as connection:
            me = identities.known(connection, self._bearer)
            is_own = me is not None and identities.is_own_guest(connection, me)
        return TokenUnknown(identities.GUEST_GONE) if is_own else error

    def _known(self, path: str) -> tuple[str | None, _Kept | None]:
        with self._store.reading() as connection:
            identity = identities.known(connection, self._bearer)
            token = self._bearer.token or (identity.token if identity else None)
            if path.startswith(PUBLIC):
                return token, _kept_of_any(connection, self._bearer.server, path)
            return token, _kept(connection, identity.id, path) if identity else None

    def _keep(self, path: str, reply: Reply) -> Answer[Any]:
        kept = _Kept(json.dumps(reply.body), reply.headers.get("etag"), time.time(), is_stale=False)
        with suppress(NotSaved), self._store.writing() as connection:  # a full disk must not prevent reading
            identity = identities.current(connection, self._bearer)
            said = (identity.id, path, *kept)
            connection.execute("INSERT OR REPLACE INTO cached VALUES (?, ?, ?, ?, ?, ?)", said)
        return _answer(kept, is_fresh=True)


def note_change(connection: Connection) -> None:
    """Mark all cached answers as stale: something was written that may have changed them."""
    connection.execute("UPDATE cached SET is_stale = 1")


def path_of(*parts: str, **query: object) -> str:
    """A path below the API's base path; what is None is left out of the query."""
    asked = urlencode({name: value for name, value in query.items() if value is not None})
    return "".join(f"/{quote(part, safe='')}" for part in parts) + (f"?{asked}" if asked else "")


def _kept(connection: Connection, identity_id: int, path: str) -> _Kept | None:
    said = "SELECT body, etag, at, is_stale FROM cached WHERE identity_id = ? AND path = ?"
    return _read(connection.execute(said, (identity_id, path)).fetchone())


def _kept_of_any(connection: Connection, server: str, path: str) -> _Kept | None:
    """The latest answer kept for a path of a server, under whichever identity it was read."""
    said = """SELECT body, etag, at, is_stale FROM cached
        WHERE path = ? AND identity_id IN (SELECT id FROM identity WHERE server = ?) ORDER BY at DESC LIMIT 1"""
    return _read(connection.execute(said, (path, server)).fetchone())


def _read(row: Row | None) -> _Kept | None:
    return None if row is None else _Kept(row["body"], row["etag"], row["at"], bool(row["is_stale"]))


def _answer(kept: _Kept, *, is_fresh: bool, trouble: str | None = None) -> Answer[Any]:
    return Answer(json.loads(kept.body), datetime.fromtimestamp(kept.at, UTC), is_fresh, trouble)
