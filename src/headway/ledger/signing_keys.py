"""The keys that sign certificates' credentials: one signs, older ones still verify, or are retired."""

from typing import Final

from sqlalchemy.engine import Connection, RowMapping

from headway.certificates.keys import NewKey, new_key
from headway.domain.errors import Busy, HeadwayError
from headway.store import signing_keys
from headway.store.database import Database

_TRIES: Final = 5


class UnknownKey(HeadwayError):
    """There is no such key."""

    code = "unknown-key"


def first_key(database: Database, signing_secret: str | None, *, now: int) -> RowMapping:
    """Return the key that signs, made if there is none yet; of two processes, the second takes the first one's key."""
    made = new_key(signing_secret)
    with database.transaction() as connection:
        return _added(connection, made, now)


def next_key(database: Database, signing_secret: str | None, *, now: int) -> RowMapping:
    """Make a new key that signs from now on. The one before keeps its public half, so its signatures stay valid."""
    for _ in range(_TRIES):
        made = new_key(signing_secret)
        with database.transaction() as connection:
            signing_keys.stop(connection)
            added = _added(connection, made, now)
        if added["id"] == made.id:
            return added
    raise Busy("others make new keys at the same time; look at `headway keys list`")


def check_there(database: Database, key_id: str) -> None:
    """UnknownKey where there is no such key."""
    with database.read() as connection:
        _find(connection, key_id)


def retire(database: Database, key_id: str, *, now: int) -> RowMapping:
    """Make all signatures of a key invalid, past and future, and return the key's row as it is then.

    Raise UnknownKey if there is none. A key that was retired already stays as it is.
    """
    with database.transaction() as connection:
        row = _find(connection, key_id)
        if row["retired_at"] is not None:
            return row
        signing_keys.retire(connection, key_id, now)
        return _find(connection, key_id)


def _added(connection: Connection, made: NewKey, now: int) -> RowMapping:
    signing_keys.add(connection, made.id, made.kept, now)
    # Another process's key, if that was first: on PostgreSQL adding has waited for it.
    row = signing_keys.current(connection)
    if row is None:
        raise UnknownKey("the key that was just made is gone")
    return row


def _find(connection: Connection, key_id: str) -> RowMapping:
    found = next((row for row in signing_keys.listed(connection) if row["id"] == key_id), None)
    if found is None:
        raise UnknownKey(f"there is no key {key_id[:64]!r}; `headway keys list` shows them")
    return found
