"""Record which notices a learner has read."""

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.ledger.commit import committed
from headway.ledger.session_owner import identity
from headway.store import notices, preferences
from headway.store.database import Database
from headway.store.notices import Notice, NoticePlace


class UnknownNotice(HeadwayError):
    """The learner has no such notice."""

    code = "not-found"


def mark_read(database: Database, learner_id: str, token_hash: str, notice_id: str, *, now: int) -> None:
    """Mark one notice as read; UnknownNotice if there is none, IdentityGone if the session has ended."""

    def work(connection: Connection) -> None:
        identity(connection, token_hash, learner_id, now)
        notices.mark_one_read(connection, _found(connection, learner_id, notice_id), now)

    committed(database, work)


def mark_all_read(database: Database, learner_id: str, token_hash: str, up_to: str | None, *, now: int) -> int:
    """Mark all notices as read, or those up to one, and return how many are still unread.

    Raise UnknownNotice if there is none of that id, and IdentityGone if the session has ended.
    """

    def work(connection: Connection) -> int:
        identity(connection, token_hash, learner_id, now)
        last = None if up_to is None else _found(connection, learner_id, up_to)
        notices.mark_read(connection, learner_id, last and NoticePlace(last.seq, last.n), now)
        return notices.unread(connection, learner_id, preferences.not_in_app(connection, learner_id))

    return committed(database, work)


def _found(connection: Connection, learner_id: str, notice_id: str) -> Notice:
    found = notices.of_id(connection, learner_id, notice_id)
    if found is None:
        raise UnknownNotice("you have no such notification")
    return found
