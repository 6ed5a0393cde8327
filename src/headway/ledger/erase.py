"""Erasing: a learner is deleted from every table, and what they did counts on as nobody's."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import HeadwayError, IdentityGone
from headway.domain.times import DAY, MINUTE
from headway.ledger.anonymous import left_of
from headway.ledger.archive import settle
from headway.ledger.boards import forget
from headway.ledger.commit import committed
from headway.ledger.enlist import derived_id, hash_of_id, name_of_key
from headway.ledger.portions import paged, portions
from headway.ledger.resting import Progress
from headway.ledger.security import Happening, note
from headway.ledger.throttles import forget_accounts
from headway.ledger.wholes import counted
from headway.store import entries, erasures, identities, learners, reset_marks, roster, sums
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry
from headway.store.erasures import Listed, Named

CONFIRMED_FOR: Final = 10 * MINUTE
_AT_ONCE: Final = 1_000


class SignInAgain(HeadwayError):
    """A sign-in of a moment ago is needed."""

    code = "unauthorized"


class Erased(NamedTuple):
    """How many identities were erased, with the guests moved into the learner, and how many events stay as nobody's."""

    identities: int
    events: int


class Applied(NamedTuple):
    """How many entries the list had, how many were new here, and how many learners had to be erased (again)."""

    listed: int
    added: int
    erased: int


class Session(NamedTuple):
    """The session that asks for an erasure; with `is_proof` it must be recent, as nothing else proves who asks."""

    token_hash: str
    is_proof: bool


def erase(
    database: Database, catalog: Catalog, learner_id: str, *, now: int, session: Session | None = None
) -> Erased | None:
    """Erase a learner and every guest moved into it, in one transaction; None if there is no such learner.

    Raise IdentityGone if the learner is a guest that is part of an account, or the session has ended. Afterwards,
    archive files with lines of theirs are written anew; what is left in the unused space of a SQLite file is for
    `Database.scrub`.
    """
    erased = committed(database, _Erasure(catalog, learner_id, now, session))
    settle(database)
    database.empty_log()
    return erased


def is_listed(connection: Connection, learner_id: str) -> bool:
    """Whether a learner of that id was erased."""
    return bool(erasures.among(connection, [hash_of_id(erasures.key(connection), learner_id)]))


def name_of_list(database: Database) -> str:
    """Return the name of the key that hashes the list: a list with another key says nothing of learners here."""
    with database.read() as connection:
        return name_of_key(erasures.key(connection))


def listed(database: Database) -> Iterator[Listed]:
    """The list of erasures."""
    found = paged(database, partial(erasures.page, limit=_AT_ONCE), attrgetter("learner_hash"))
    return chain.from_iterable(found)


def apply(database: Database, catalog: Catalog, given: Iterable[Listed], *, now: int, progress: Progress) -> Applied:
    """Erase the learners here who are in a list, as after a restore; repeating it changes nothing."""
    seen = added = erased = 0
    for portion in portions(given, lambda _: 1, _AT_ONCE):
        seen += len(portion)
        with database.transaction() as connection:
            added += erasures.add(connection, portion)
    hashes = {one.learner_hash for one in listed(database)}
    with database.read() as connection:
        key = erasures.key(connection)
    living = paged(database, partial(erasures.living, limit=_AT_ONCE), attrgetter("id"))
    for one in chain.from_iterable(living):
        progress(1)
        if not hashes.isdisjoint(_hashes(key, one)):
            erased += committed(database, _Erasure(catalog, one.merged_into or one.id, now, None)) is not None
    settle(database)
    database.scrub()
    return Applied(seen, added, erased)


def _hashes(key: str, one: Named) -> set[str]:
    """Return a learner's hashes in the list.

    The id derived from an external id is listed, too: an import would create it again.
    """
    derived = [] if one.external_id is None else [derived_id("learner", one.external_id)]
    return {hash_of_id(key, learner_id) for learner_id in (one.id, *derived)}


class _Erasure:
    """One erasure. Run again after a COMMIT whose answer was lost, it finds the learner erased and returns the same."""

    def __init__(self, catalog: Catalog, learner_id: str, now: int, session: Session | None) -> None:
        self.catalog = catalog
        self.learner_id = learner_id
        self.now = now
        self.session = session
        self._tried: Erased | None = None

    def __call__(self, connection: Connection) -> Erased | None:
        # Lock all known identities at once, in order of id as everywhere; one that is moved in meanwhile follows below.
        known = identities.moved_into(connection, [self.learner_id]).get(self.learner_id, ())
        erasures.hold(connection, [self.learner_id, *(one.id for one in known)])
        row = learners.by_id(connection, self.learner_id)
        if row is None or row["erased_at"] is not None:
            return self._tried
        if row["merged_into"] is not None:
            raise IdentityGone("this guest is part of an account now: erase that")
        self._check_session(connection)
        # Moved guests are written only under the lock of their account, which is held.
        moved = identities.moved_into(connection, [self.learner_id]).get(self.learner_id, ())
        ids = [self.learner_id, *(one.id for one in moved)]
        erasures.hold(connection, ids)
        forget_accounts(connection, [*ids, *([row["email"]] if row["email"] else [])])
        events = self._replace(connection, row, ids)
        self._note(connection, row, ids)
        self._tried = Erased(len(ids), events)
        return self._tried

    def _check_session(self, connection: Connection) -> None:
        if self.session is None:
            return
        found = learners.by_session(connection, self.session.token_hash, self.now)
        if found is None or found["id"] != self.learner_id:
            raise IdentityGone("the session has ended; sign in again")
        began = erasures.began(connection, self.session.token_hash) or 0
        if self.session.is_proof and self.now - began > CONFIRMED_FOR:
            raise SignInAgain("this account has no password: sign in once more, and erase it within ten minutes")

    def _replace(self, connection: Connection, row: RowMapping, ids: list[str]) -> int:
        """Replace a learner by nobody, if anything of theirs is left that others' figures need."""
        heir_id = str(uuid4())
        left, left_sums = left_of(connection, self.catalog, heir_id, _counted(connection, row["id"]))
        has_heir = bool(left) or erasures.owns_courses(connection, ids)
        if has_heir:
            learners.add(connection, _nobody(heir_id, row, self._day))
        forget(connection, ids)
        # An erased learner is in no roster: nobody is not enrolled, whatever they did.
        with counted(connection, self.catalog, roster.courses_of(connection, ids)):
            erasures.remove(connection, ids, heir_id if has_heir else None)
        entries.append(connection, left)
        for kind in sums.ALL:
            sums.write(connection, kind, ((heir_id, *one) for one in kind.held_in(left_sums).items()))
        return len(left)

    def _note(self, connection: Connection, row: RowMapping, ids: list[str]) -> None:
        named = [Named(row["id"], row["external_id"], None), *(Named(one, None, None) for one in ids[1:])]
        key = erasures.key(connection)
        erasures.add(connection, [Listed(one, self._day) for name in named for one in sorted(_hashes(key, name))])
        note(connection, Happening.ERASED, None, at=self.now)

    @property
    def _day(self) -> int:
        """The day alone: with the exact time, somebody who knows an old id could tell which nobody it became."""
        return self.now - self.now % DAY


def _nobody(heir_id: str, row: RowMapping, day: int) -> dict[str, object]:
    created_at = row["created_at"] - row["created_at"] % DAY
    return {"id": heir_id, "kind": row["kind"], "time_zone": "UTC", "created_at": created_at, "erased_at": day}


def _counted(connection: Connection, learner_id: str) -> list[Entry]:
    """Return the entries of a learner and their guests that count, in the order of the moves, each event id once.

    Entries that were reset are left out.
    """
    marks = reset_marks.of_learners(connection, [learner_id]).get(learner_id, reset_marks.NO_MARKS)
    whole = (learner_id, learner_id)
    found: dict[str, Entry] = {}
    for theirs in (entries.between(connection, *whole), identities.entries_of_guests(connection, *whole)):
        with closing(theirs):
            for entry in theirs:
                found.setdefault(entry.event_id, entry)
    return [one for one in found.values() if reset_marks.counts(marks, one, learner_id)]
