"""Statements on sign-ins of devices (RFC 8628), from their request to the token that they end in."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store.schema import device_sign_in


def add(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Add a sign-in; False where another has its user code."""
    taken = sa.select(device_sign_in.c.user_code).where(device_sign_in.c.user_code == row["user_code"])
    if connection.execute(taken).first() is not None:
        return False
    connection.execute(sa.insert(device_sign_in).values(**row))
    return True


def clear(connection: Connection, before: int) -> None:
    """Delete sign-ins that expired before a time."""
    connection.execute(sa.delete(device_sign_in).where(device_sign_in.c.expires_at < before))


def by_user_code(connection: Connection, user_code: str, now: int, *, lock: bool = False) -> RowMapping | None:
    """The sign-in of this user code that waits for approval or refusal; None where there is none."""
    statement = sa.select(device_sign_in).where(
        device_sign_in.c.user_code == user_code,
        device_sign_in.c.expires_at > now,
        device_sign_in.c.learner_id.is_(None),
        device_sign_in.c.denied.is_(False),
    )
    return connection.execute(statement.with_for_update() if lock else statement).mappings().first()


def by_device_code(connection: Connection, device_code_hash: str, *, lock: bool = False) -> RowMapping | None:
    """The sign-in of this device code, in whatever state; None where there is none."""
    statement = sa.select(device_sign_in).where(device_sign_in.c.device_code_hash == device_code_hash)
    return connection.execute(statement.with_for_update() if lock else statement).mappings().first()


def change(connection: Connection, device_code_hash: str, **values: Any) -> None:
    """Set columns of a sign-in."""
    changed = sa.update(device_sign_in).where(device_sign_in.c.device_code_hash == device_code_hash)
    connection.execute(changed.values(**values))


def end(connection: Connection, device_code_hash: str) -> None:
    """Delete a sign-in: its code is used up."""
    connection.execute(sa.delete(device_sign_in).where(device_sign_in.c.device_code_hash == device_code_hash))
