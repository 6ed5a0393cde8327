"""Statements on the keys that sign certificates' credentials."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from headway.store import rows
from headway.store.database import mark_for_scrubbing
from headway.store.schema import signing_key


def listed(connection: Connection) -> list[RowMapping]:
    """All keys, the newest first."""
    ordered = sa.select(signing_key).order_by(signing_key.c.created_at.desc(), signing_key.c.id)
    return list(connection.execute(ordered).mappings())


def current(connection: Connection) -> RowMapping | None:
    """The key that signs; None where there is none yet."""
    wanted = sa.select(signing_key).where(signing_key.c.signs)
    return connection.execute(wanted).mappings().one_or_none()


def stop(connection: Connection) -> None:
    """Let no key sign any more, and delete the private half, which is of no more use."""
    put_down = sa.update(signing_key).where(signing_key.c.signs).values(signs=None, secret=None)
    if connection.execute(put_down).rowcount:
        mark_for_scrubbing(connection)


def add(connection: Connection, key_id: str, secret: str, at: int) -> None:
    """Add the key that signs from now on; does nothing where another one signs, or is being added."""
    rows.insert(connection, signing_key, [(key_id, secret, True, at, None)], on_conflict="DO NOTHING")


def retire(connection: Connection, key_id: str, at: int) -> None:
    """Retire a key: nothing that it signed is to be believed, and it signs no more."""
    wanted = sa.update(signing_key).where(signing_key.c.id == key_id)
    connection.execute(wanted.values(retired_at=at, signs=None, secret=None))
    mark_for_scrubbing(connection)
