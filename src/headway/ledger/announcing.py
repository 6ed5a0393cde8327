"""Whom a transaction told anything, said once it is committed: to streams, which then read what that was."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Connection

from headway.store import calls
from headway.store.database import Database


class Told(NamedTuple):
    """The learners whom a transaction told anything, and whether webhooks are to be sent of it."""

    learner_ids: set[str]
    is_due: bool


# Called from whatever thread committed; it must neither wait nor raise.
Heard: TypeAlias = Callable[[Told], None]
_TOLD: Final = "headway_told"
_DUE: Final = "headway_due"
_listening: Final = WeakKeyDictionary[Database, Heard]()


def listen(database: Database, heard: Heard) -> None:
    """Have it said from now on whom transactions of this process tell anything."""
    _listening[database] = heard


def stop_listening(database: Database, heard: Heard) -> None:
    """Have nothing more said to whoever listens so: it holds the database, which would never go."""
    if _listening.get(database) == heard:
        del _listening[database]


def note(connection: Connection, learner_ids: Iterable[str]) -> None:
    """Note whom this transaction tells anything."""
    connection.info.setdefault(_TOLD, set()).update(learner_ids)


def note_due(connection: Connection) -> None:
    """Note that this transaction puts down what webhooks are to be sent."""
    connection.info[_DUE] = True


def taken(connection: Connection) -> Told:
    """Whom it told anything. Of one that failed some may be left on the connection, who are told of nothing new."""
    return Told(connection.info.pop(_TOLD, set()), connection.info.pop(_DUE, False))


def announce(database: Database, told: Told) -> None:
    """Say of whom it is committed."""
    heard = _listening.get(database)
    if any(told) and heard is not None:
        heard(told)


def call(database: Database, learner_ids: list[str]) -> None:
    """Say it to the other processes, in a transaction of its own; on PostgreSQL alone there are any."""
    with database.transaction() as connection:
        calls.call(connection, learner_ids)
