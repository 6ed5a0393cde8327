"""The outbox: events are written here before the first try to send them, and removed once the server has them."""

import json
from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import Any, Final, NamedTuple

from headway.client.errors import EventInvalid
from headway.client.events import encoded
from headway.client.identities import UNHEARD

WAITING: Final = "waiting"
LOCKED: Final = "locked"
ASIDE: Final = "aside"
BATCH_MAX: Final = 500
# The server takes 2 MiB; a proxy before it often only 1 MB.
BATCH_BYTES_MAX: Final = 900_000
# Each time the server fails on a request (status 500), the next is a fourth as large, until one event is alone.
_SMALLER: Final = 4


class Item(NamedTuple):
    """An event in the outbox: `waiting`, `locked` (its module is; tried again at the next sync) or set `aside`."""

    seq: int
    id: str
    identity_id: int
    event: str
    state: str
    reason: str | None
    failures: int

    @property
    def content(self) -> dict[str, Any]:
        """The event."""
        content: dict[str, Any] = json.loads(self.event)
        return content


def append(connection: Connection, identity_id: int, events: Iterable[dict[str, Any]]) -> None:
    """Add events at the end, unless they are here already; EventInvalid if the id belongs to another event."""
    for one in events:
        said = (one["id"], identity_id, encoded(one))
        added = connection.execute(
            "INSERT INTO item (id, identity_id, event) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING", said
        )
        if added.rowcount:
            continue
        kept = find(connection, one["id"])
        if kept is not None and kept.content != json.loads(said[2]):
            raise EventInvalid(f"id {one['id']} was used for another event; make a new UUID for each event")


def next_batch(connection: Connection, identity_ids: Sequence[int]) -> list[Item]:
    """The items to send next for some identities, oldest first; those on which the server failed before come last."""
    chosen = _marks(identity_ids)
    rows = connection.execute(
        f"SELECT * FROM item WHERE state = '{WAITING}' AND identity_id IN ({chosen}) ORDER BY failures, seq LIMIT ?",  # noqa: S608 - marks alone
        (*identity_ids, BATCH_MAX),
    )
    batch: list[Item] = []
    size = 0
    for row in rows:
        item = Item(**row)
        size += len(item.event.encode()) + 1
        most = max(1, BATCH_MAX // _SMALLER ** min(batch[0].failures if batch else 0, 5))
        if batch and (size > BATCH_BYTES_MAX or len(batch) >= most or item.failures != batch[0].failures):
            break
        batch.append(item)
    return batch


def take_out(connection: Connection, items: Iterable[Item]) -> None:
    """Remove items that the server has recorded."""
    connection.executemany("DELETE FROM item WHERE seq = ?", ((one.seq,) for one in items))


def keep(connection: Connection, items: Iterable[Item], state: str, reasons: Iterable[str]) -> None:
    """Put items that the server refused into a state, each with its reason."""
    said = ((state, reason, item.seq) for item, reason in zip(items, reasons, strict=True))
    connection.executemany("UPDATE item SET state = ?, reason = ? WHERE seq = ?", said)


def note_failure(connection: Connection, items: Iterable[Item], reason: str) -> None:
    """Count a failure of the server (status 500) for each item of the request."""
    said = ((reason, item.seq) for item in items)
    connection.executemany("UPDATE item SET failures = failures + 1, reason = ? WHERE seq = ?", said)


def try_locked_again(connection: Connection, server: str) -> None:
    """Have all locked items of a server wait again: another device may have brought the unlock."""
    connection.execute(
        f"UPDATE item SET state = '{WAITING}' WHERE state = '{LOCKED}'"  # noqa: S608 - words of this file
        " AND identity_id IN (SELECT id FROM identity WHERE server = ?)",
        (server,),
    )


def put_back(connection: Connection, ids: Sequence[str] | None = None) -> int:
    """Have items that were set aside wait again, all or some; returns how many."""
    which, values = _which(ids)
    statement = f"UPDATE item SET state = '{WAITING}', reason = NULL, failures = 0 WHERE state = '{ASIDE}'{which}"  # noqa: S608 - marks alone
    return connection.execute(statement, values).rowcount


def adopt(connection: Connection, server: str, identity_id: int, ids: Sequence[str] | None = None) -> int:
    """Give items for a server another identity: the given ones, or all whose token the server did not know.

    Nobody may be sending meanwhile, or an item under way would be recorded for both identities. Returns how many.
    """
    which, values = _which(ids)
    said = None if ids is not None else UNHEARD
    statement = (
        f"UPDATE item SET identity_id = ?, state = '{WAITING}', reason = NULL, failures = 0 WHERE identity_id IN"  # noqa: S608 - words of this file
        " (SELECT id FROM identity WHERE server = ? AND id IS NOT ? AND into_id IS NOT ?"
        f" AND trouble IS coalesce(?, trouble)){which}"
    )
    return connection.execute(statement, (identity_id, server, identity_id, identity_id, said, *values)).rowcount


def drop(connection: Connection, ids: Sequence[str]) -> int:
    """Delete items for good; returns how many there were."""
    which, values = _which(ids)
    return connection.execute(f"DELETE FROM item WHERE 1{which}", values).rowcount  # noqa: S608 - marks alone


def find(connection: Connection, item_id: str) -> Item | None:
    """The item with an event of that id."""
    row = connection.execute("SELECT * FROM item WHERE id = ?", (item_id,)).fetchone()
    return None if row is None else Item(**row)


def has_any(connection: Connection, identity_id: int) -> bool:
    """Whether the outbox holds anything that was made under an identity."""
    return connection.execute("SELECT 1 FROM item WHERE identity_id = ? LIMIT 1", (identity_id,)).fetchone() is not None


def elsewhere(connection: Connection, ids: Sequence[str], server: str) -> list[str]:
    """Those of the ids whose events are for another server."""
    asked = "SELECT 1 FROM item JOIN identity ON identity.id = identity_id WHERE item.id = ? AND server = ?"
    return [one for one in ids if connection.execute(asked, (one, server)).fetchone() is None]


def unknown(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Those ids under which nothing is in the outbox."""
    return [one for one in ids if find(connection, one) is None]


def listed(connection: Connection) -> list[tuple[Item, str, str | None]]:
    """All items, oldest first, each with its server and the reason that keeps it back."""
    rows = connection.execute(
        "SELECT item.*, of.server, coalesce(account.trouble, of.trouble, place.said) AS trouble FROM item"
        " JOIN identity AS of ON of.id = item.identity_id LEFT JOIN identity AS account ON account.id = of.into_id"
        " LEFT JOIN place ON place.server = of.server"
        " ORDER BY item.seq"
    )
    return [(Item(*tuple(row)[:7]), row["server"], row["trouble"]) for row in rows]


def counts(connection: Connection, server: str | None = None) -> dict[str, int]:
    """The number of items in each state, for one server or for all."""
    rows = connection.execute(
        "SELECT state, count(*) FROM item JOIN identity ON identity.id = item.identity_id"
        " WHERE ? IS NULL OR server = ? GROUP BY state",
        (server, server),
    )
    return {WAITING: 0, LOCKED: 0, ASIDE: 0} | {row[0]: row[1] for row in rows}


def steps_unsent(connection: Connection, server: str, course: str) -> set[str]:
    """The steps of a course of which an item waits or is locked."""
    rows = connection.execute(
        "SELECT DISTINCT event ->> '$.step' FROM item JOIN identity ON identity.id = item.identity_id"
        " WHERE server = ? AND state IN (?, ?) AND event ->> '$.course' = ?",
        (server, WAITING, LOCKED, course),
    )
    return {row[0] for row in rows}


def servers(connection: Connection) -> list[str]:
    """The servers that there are items for, in whatever state."""
    rows = connection.execute("SELECT DISTINCT server FROM item JOIN identity ON identity.id = item.identity_id")
    return [row["server"] for row in rows]


def _which(ids: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    return ("", ()) if ids is None else (f" AND id IN ({_marks(ids)})", tuple(ids))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
