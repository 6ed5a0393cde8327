"""Statements on throttles: how often something was tried in a window of time."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import throttle

# One statement counts and returns, so that of tries made at the same time each gets its own number.
_TAKE = sa.text(
    "INSERT INTO throttle AS t (key, count, ends_at) VALUES (:key, 1, :ends_at)"
    " ON CONFLICT (key) DO UPDATE SET"
    " count = CASE WHEN t.ends_at <= :now THEN 1 ELSE t.count + 1 END,"
    " ends_at = CASE WHEN t.ends_at <= :now THEN :ends_at ELSE t.ends_at END"
    " RETURNING count, ends_at"
)


def take(connection: Connection, key: str, *, now: int, window: int) -> tuple[int, int]:
    """Count a try; return how many its window has, and when the window ends. Times are microseconds."""
    row = connection.execute(_TAKE, {"key": key, "now": now, "ends_at": now + window}).one()
    return row[0], row[1]


def counted(connection: Connection, keys: Collection[str], now: int) -> dict[str, tuple[int, int]]:
    """(count, end) of the windows of these keys that have not ended."""
    statement = sa.select(throttle).where(throttle.c.key.in_(keys), throttle.c.ends_at > now)
    return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}


def clear(connection: Connection, key: str) -> None:
    """Delete the count of a key."""
    connection.execute(sa.delete(throttle).where(throttle.c.key == key))


def forget_beginning(connection: Connection, beginnings: Iterable[str], length: int) -> None:
    """Delete the counts of keys that begin with one of these texts, each of this length."""
    connection.execute(sa.delete(throttle).where(sa.func.substr(throttle.c.key, 1, length).in_(list(beginnings))))


def give_back(connection: Connection, key: str) -> None:
    """Take back a try that should not count."""
    statement = sa.update(throttle).where(throttle.c.key == key, throttle.c.count > 0)
    connection.execute(statement.values(count=throttle.c.count - 1))


def forget_ended(connection: Connection, now: int, limit: int) -> int:
    """Delete at most `limit` ended windows; return how many."""
    ended = sa.select(throttle.c.key).where(throttle.c.ends_at <= now).order_by(throttle.c.ends_at).limit(limit)
    return connection.execute(sa.delete(throttle).where(throttle.c.key.in_(ended))).rowcount
