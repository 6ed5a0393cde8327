"""Move a guest into an account, in one transaction under both locks: the ledger stays, the sums move over."""

from contextlib import closing

from sqlalchemy.engine import Connection

from headway.domain.errors import IdentityGone
from headway.domain.facts import CERTIFIED
from headway.domain.recording import SERVER
from headway.ledger import announcing
from headway.ledger.accounts import Merged
from headway.ledger.achieving import Cause
from headway.ledger.batch import Batch
from headway.ledger.commit import committed, log_statuses
from headway.ledger.judging import Judging, judge
from headway.ledger.submission import StatusChange
from headway.ledger.wholes import counted
from headway.store import boards, claims, entries, guests, identities, learners, notices, preferences, roster, sums
from headway.store.catalog import Catalog
from headway.store.database import Database


def move_guest(
    database: Database,
    catalog: Catalog,
    account_id: str,
    guest_hash: str,
    session_hash: str | None = None,
    *,
    now: int,
) -> Merged | None:
    """Move a token's guest into an account; None if the token is not a guest's, or the guest was moved already.

    Raise IdentityGone if the account is erased, or the session that asks for the move has ended. A database error
    leaves account and guest as they were.
    """
    move = _Move(catalog, account_id, guest_hash, session_hash, now)
    merged = committed(database, move)
    log_statuses(move.statuses)
    return merged


def move_imported(
    database: Database, catalog: Catalog, account_id: str, imported_id: str, *, now: int
) -> Merged | None:
    """Move an imported learner into an account, like a guest; None if they are part of one already."""
    move = _Link(catalog, account_id, imported_id, None, now)
    merged = committed(database, move)
    log_statuses(move.statuses)
    return merged


class _Move:
    """One move. Run again after a COMMIT whose answer was lost, it finds the move done and returns the same."""

    def __init__(self, catalog: Catalog, account_id: str, guest_hash: str, session_hash: str | None, now: int) -> None:
        self.catalog = catalog
        self.account_id = account_id
        self.guest_hash = guest_hash
        self.session_hash = session_hash
        self.now = now
        self.statuses: list[StatusChange] = []
        self._tried: tuple[str, int, Merged] | None = None

    def __call__(self, connection: Connection) -> Merged | None:
        guest_id = self._opened(connection) or (self._tried[0] if self._tried else None)
        locked = learners.lock(connection, {self.account_id, guest_id or self.account_id})
        self._check_account(connection)
        if guest_id is None:
            return None
        # Checked under both locks: the guest may just have been moved, or have become an account.
        if self._opened(connection) == guest_id:
            batch = Batch(connection, self.catalog)
            batch.locked = locked
            # Guests are in no roster; an imported learner leaves rosters, and the account takes their place.
            with counted(connection, self.catalog, roster.courses_of(connection, [guest_id])):
                return self._move(batch, guest_id)
        return self._done_before(connection)

    def _done_before(self, connection: Connection) -> Merged | None:
        if self._tried is None:
            return None
        guest_id, at, merged = self._tried
        guest = learners.by_id(connection, guest_id)
        if guest is None:
            return merged if merged == Merged(0, 0, 0) else None
        return merged if (guest["merged_into"], guest["merged_at"]) == (self.account_id, at) else None

    def _check_account(self, connection: Connection) -> None:
        account = learners.by_id(connection, self.account_id)
        if account is None or account["kind"] != "account" or account["merged_into"] or account["erased_at"]:
            raise IdentityGone("there is no such account any more")
        if self.session_hash and learners.by_session(connection, self.session_hash, self.now) is None:
            raise IdentityGone("the session has ended; sign in again")

    def _opened(self, connection: Connection) -> str | None:
        """Return the guest that the token opens, or the imported learner that a claim code opens."""
        found = learners.by_session(connection, self.guest_hash, self.now)
        if found is None:
            return claims.opened(connection, self.guest_hash, self.now)
        if found["merged_into"] is not None:
            return None
        return str(found["id"]) if found["kind"] == found["session_kind"] == "guest" else None

    def _move(self, batch: Batch, guest_id: str) -> Merged:
        connection = batch.connection
        head = learners.heads(connection, [self.account_id])[self.account_id]
        with closing(entries.between(connection, guest_id, guest_id)) as found:
            brought = list(found)
        # An imported learner keeps the external id, under which records may still come in.
        if not brought and not self._is_imported(connection, guest_id):
            return self._clear(connection, guest_id)
        known = identities.held(connection, ((self.account_id, one.event_id) for one in brought))
        new = [one for one in brought if one.event_id not in known]
        counted = batch.take_in(self.account_id, brought, {one.event_id for one in new})
        # Ids that the guest's own resets cleared become known as well, and still do not count.
        cleared = batch.cleared(brought)
        known_now = [one for one in new if one.event_id in counted | cleared]
        new = [one for one in new if one.event_id in counted]
        resets = sums.read_learners(connection, sums.RESETS, [guest_id])
        batch.learners[self.account_id].standing.take_in_resets(guest_id, {key: mark for _, key, mark in resets})
        batch.learners[self.account_id].head = head
        batch.achieving.causes[self.account_id] = Cause(f"move:{guest_id}", self.now, self.now)
        # Grants that neither had the progress for may be due to both together.
        places = {(self.account_id, one.course_id, one.run) for one in new if one.step_id}
        self.statuses = judge(batch, places, Judging(f"move:{guest_id}", self.now))
        # Before writing, because certificate ids are unique, and the guest's are about to become the account's.
        identities.drop_sums(connection, guest_id)
        boards.drop(connection, [guest_id])
        batch.write()
        identities.bring(connection, self.account_id, known_now)
        announcing.note(connection, [guest_id, self.account_id])
        notices.move(connection, guest_id, self.account_id, batch.learners[self.account_id].head)
        preferences.move(connection, guest_id, self.account_id)
        # The moves into one account are ordered by their times, whatever the servers' clocks say.
        at = max(self.now, identities.last_move(connection, self.account_id) + 1)
        learners.change(connection, guest_id, {"merged_into": self.account_id, "merged_at": at, "merged_after": head})
        learners.end_sessions(connection, guest_id)
        claims.forget(connection, guest_id)
        steps = {(one.course_id, one.run, one.step_id) for one in brought if one.step_id}
        certificates = sum(one.type == CERTIFIED for one in new)
        merged = Merged(len(steps), sum(one.source != SERVER for one in new), certificates)
        self._tried = (guest_id, at, merged)
        return merged

    def _is_imported(self, connection: Connection, guest_id: str) -> bool:
        row = learners.by_id(connection, guest_id)
        return row is not None and row["kind"] == "imported"

    def _clear(self, connection: Connection, guest_id: str) -> Merged:
        """Remove a guest that recorded nothing, as there is nothing for an account to keep."""
        guests.remove(connection, [guest_id], reason="empty guest moved")
        nothing = Merged(0, 0, 0)
        self._tried = (guest_id, self.now, nothing)
        return nothing


class _Link(_Move):
    """A move of an imported learner named by id, which takes the place of the token's hash."""

    def _opened(self, connection: Connection) -> str | None:
        found = learners.by_id(connection, self.guest_hash)
        is_free = found is not None and found["kind"] == "imported" and found["merged_into"] is None
        return self.guest_hash if is_free else None
