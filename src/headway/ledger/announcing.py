"""Announce, after a commit, which learners a transaction told anything: streams then read what it was."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection

from headway.store import calls
from headway.store.database import Database


class Announcement(NamedTuple):
    """The learners whom a transaction told anything, and whether it put down messages for webhooks."""

    learner_ids: set[str]
    is_due: bool


# Called from the thread that committed; it must neither wait nor raise.
Heard: TypeAlias = Callable[[Announcement], None]
_TOLD: Final = "headway_told"
_DUE: Final = "headway_due"
_listening: Final = WeakKeyDictionary[Database, Heard]()


def listen(database: Database, heard: Heard) -> None:
    """From now on call `heard` with the learners whom each transaction of this process tells anything."""
    _listening[database] = heard


def stop_listening(database: Database, heard: Heard) -> None:
    """Stop calling `heard`: it refers to the database, which would never be freed."""
    if _listening.get(database) == heard:
        del _listening[database]


def note(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Note learners whom this transaction tells anything."""
    connection.info.setdefault(_TOLD, set()).update(learner_ids)


def note_due(connection: Connection) -> None:
    """Note that this transaction puts down messages for webhooks."""
    connection.info[_DUE] = True


def taken(connection: Connection) -> Announcement:
    """Return and clear what the transaction noted.

    A failed transaction may leave learners on the connection; announcing those later does no harm, since there is
    nothing new for them to read.
    """
    return Announcement(connection.info.pop(_TOLD, set()), connection.info.pop(_DUE, False))


def announce(database: Database, told: Announcement) -> None:
    """Tell the listener whom the committed transaction told anything."""
    heard = _listening.get(database)
    if any(told) and heard is not None:
        heard(told)


def call(database: Database, learner_ids: list[str]) -> None:
    """Tell the other processes, in a transaction of its own; only on PostgreSQL are there any."""
    with database.transaction() as connection:
        calls.call(connection, learner_ids)
