"""Statements on the public pages of learners' progress."""

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store import rows
from headway.store.sharing_tables import share_page


class Shared(NamedTuple):
    """A public page: whose it is, its token, what it shows, and since when it exists."""

    learner_id: str
    token: str
    shows: tuple[str, ...]
    created_at: int


def of_learner(connection: Connection, learner_id: str) -> Shared | None:
    """A learner's page."""
    found = connection.execute(sa.select(share_page).where(share_page.c.learner_id == learner_id)).first()
    return None if found is None else _read(found)


def of_token(connection: Connection, token: str) -> Shared | None:
    """The page under a token."""
    found = connection.execute(sa.select(share_page).where(share_page.c.token == token)).first()
    return None if found is None else _read(found)


def put(connection: Connection, page: Shared) -> None:
    """Store a learner's page in place of any earlier one."""
    rows.upsert(connection, share_page, [(page.learner_id, page.token, ",".join(page.shows), page.created_at)])


def remove(connection: Connection, learner_id: str) -> None:
    """Delete a learner's page."""
    connection.execute(sa.delete(share_page).where(share_page.c.learner_id == learner_id))


def _read(row: Any) -> Shared:
    learner_id, token, shows, created_at = row
    return Shared(learner_id, token, tuple(shows.split(",")), created_at)
