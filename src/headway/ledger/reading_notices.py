"""What a learner has read of their notices."""

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError, IdentityGone
from headway.ledger.commit import committed
from headway.store import learners, notices, preferences
from headway.store.database import Database
from headway.store.notices import Notice, Place


class UnknownNotice(HeadwayError):
    """The learner has no such notice."""

    code = "not-found"


def mark_read(database: Database, learner_id: str, token_hash: str, notice_id: str, *, now: int) -> None:
    """Note that one notice was read; UnknownNotice where there is none, IdentityGone where the session has ended."""

    def work(connection: Connection) -> None:
        _enter(connection, learner_id, token_hash, now)
        notices.mark_one_read(connection, _found(connection, learner_id, notice_id), now)

    committed(database, work)


def mark_all_read(database: Database, learner_id: str, token_hash: str, up_to: str | None, *, now: int) -> int:
    """Note that all notices were read, or those up to one; how many are still unread.

    UnknownNotice where there is none of that id, IdentityGone where the session has ended.
    """

    def work(connection: Connection) -> int:
        _enter(connection, learner_id, token_hash, now)
        last = None if up_to is None else _found(connection, learner_id, up_to)
        notices.mark_read(connection, learner_id, last and Place(last.seq, last.n), now)
        return notices.unread(connection, learner_id, preferences.not_in_app(connection, learner_id))

    return committed(database, work)


def _enter(connection: Connection, learner_id: str, token_hash: str, now: int) -> None:
    """Under the learner's lock: a move takes notices along."""
    locked = learners.lock(connection, [learner_id]).get(learner_id)
    if locked is None or locked.merged_into or locked.erased_at is not None:
        raise IdentityGone("this identity was moved into an account or erased; sign in again")
    if learners.by_session(connection, token_hash, now) is None:
        raise IdentityGone("the session has ended; sign in again")


def _found(connection: Connection, learner_id: str, notice_id: str) -> Notice:
    found = notices.of_id(connection, learner_id, notice_id)
    if found is None:
        raise UnknownNotice("you have no such notification")
    return found
