"""Adopt a learner from an export: take over the facts of the ledgers, and work out here all that follows from them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy.engine import Connection
from sqlalchemy.exc import DataError, IntegrityError

from headway.domain.errors import HeadwayError
from headway.domain.events import read_event
from headway.domain.filed import is_body
from headway.domain.recording import Circumstances, effective_at
from headway.domain.times import TIME_MAX, zone
from headway.ledger.by_hand import carry_out
from headway.ledger.enlist import erased
from headway.ledger.erase import is_listed
from headway.ledger.rebuild import mend
from headway.ledger.wholes import counted
from headway.store import entries, exporting, identities, learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.entries import Entry

# Without the roles: this site alone decides on those, not a file that its learner may have edited.
_COLUMNS: Final = ("id", "kind", "email", "display_name", "time_zone", "external_id", "created_at")
_FACTS: Final = ("received_at_us", "clock_skew_us", "time_zone", "source", "version")
# A learner who is on no leaderboard there is on none here.
_SHOWN: Final = ("leaderboard_alias", "leaderboard_opt_out")
_MOVED: Final = ("merged_into", "merged_at", "merged_after")


class NotAdopted(HeadwayError):
    """The learner cannot be taken over here."""

    code = "import-failed"


class Adoptee(NamedTuple):
    """A learner from elsewhere: rows of the account and of each guest moved into it, and all entries' facts in order.

    `versions` are the hashes of the manifests by which the entries were recorded, by course and version.
    """

    learners: Sequence[Mapping[str, Any]]
    entries: Sequence[Entry]
    versions: Mapping[tuple[str, int], str]


class Adopted(NamedTuple):
    """The learner, how many entries there are, and whether they were here already."""

    learner_id: str
    entries: int
    repeated: bool


def adopt(database: Database, catalog: Catalog, one: Adoptee, *, dry_run: bool = False) -> Adopted:
    """Adopt a learner, all or nothing; one who is here already with the same entries stays unchanged.

    Raise NotAdopted if the learner was erased here or has other entries, if the address or the external id belongs to
    somebody else, if a version of a course is missing here or differs, or if an entry belongs to none of the learner's
    ledgers.
    """
    try:
        return carry_out(database, lambda connection, _: _adopt(connection, catalog, one), dry_run=dry_run)
    except (IntegrityError, DataError, OverflowError) as error:  # an id that is somebody else's, a number too large
        said = str(getattr(error, "orig", error)).partition("\n")[0]
        raise NotAdopted(f"what it holds cannot be kept here, or not beside what is here: {said}") from None


def facts_of(said: Mapping[str, Any]) -> Entry:
    """Return an entry with its facts alone, as an export gives it; what is derived from them is still to be worked out.

    Raise Invalid or NotAdopted if no server could have recorded them.
    """
    event = read_event(said["id"], said["body"])
    known = Circumstances(*(said[name] for name in _FACTS))
    zone(known.time_zone)
    at = effective_at(event, known) if event.fact is None else event.occurred_at or 0
    if not 0 <= at <= TIME_MAX:
        raise NotAdopted("by its clock it would have happened at a time of which no day can be told")
    place, facts = (said["ledger"], said["seq"], said["id"], said["body"]), tuple(said[name] for name in _FACTS)
    derived = (event.type, event.course, 1, "", 0, "", "", None, False, 0, 0, None)
    return Entry._make((*place, *facts, *derived, said["streak_rules"]))


def _look(connection: Connection, one: Adoptee) -> Adopted | None:
    """Return the learner if they are here already, None if they are to be added.

    Raise NotAdopted if they cannot be adopted.
    """
    ids = [row["id"] for row in one.learners]
    _check_ledgers(ids, one.entries)
    if any(is_listed(connection, learner_id) for learner_id in ids):
        raise NotAdopted("this learner was erased here: whoever was erased is not brought back")
    there = exporting.published(connection, list(one.versions))
    for pair, wanted in sorted(one.versions.items()):
        if there.get(pair) != wanted:
            said = "is another here" if pair in there else "is not published here"
            raise NotAdopted(f"version {pair[1]} of course {pair[0]} {said}; publish the versions of there, in order")
    if not learners.existing(connection, ids):
        _check_names(connection, one.learners[0])
        return None
    here = {place.id: place.head for place in identities.ledgers(connection, ids[0], 0)}
    wanted_ids = [(entry.learner_id, entry.event_id) for entry in one.entries]
    known = entries.known(connection, wanted_ids)
    pairs = zip(wanted_ids, one.entries, strict=True)
    same = all(key in known and is_body(known[key].body, entry.body) for key, entry in pairs)
    if not same or here.keys() != set(ids):
        raise NotAdopted("this learner is here already, with other entries: an export is no way to join two")
    return Adopted(ids[0], len(one.entries), repeated=True)


def _check_ledgers(ids: Sequence[str], found: Sequence[Entry]) -> None:
    """Raise NotAdopted unless all entries are of these ledgers, numbered from 1 without gaps, each id once."""
    heads = dict.fromkeys(ids, 0)
    if len(heads) < len(ids):
        raise NotAdopted("one of its identities is there twice")
    for entry in found:
        if entry.learner_id not in heads:
            raise NotAdopted(f"entry {entry.event_id} is of ledger {entry.learner_id}, which is none of this learner's")
        heads[entry.learner_id] += 1
        if entry.seq != heads[entry.learner_id]:
            place = f"entry {entry.seq} of ledger {entry.learner_id} stands where {heads[entry.learner_id]} should"
            raise NotAdopted(f"its ledger does not hold together: {place}")
    if len({(entry.learner_id, entry.event_id) for entry in found}) < len(found):
        raise NotAdopted("its ledger does not hold together: two entries have one id")


def _check_names(connection: Connection, account: Mapping[str, Any]) -> None:
    """Raise NotAdopted if the email address or external id belongs to another learner, or was erased."""
    address, external_id = account["email"], account["external_id"]
    if address and learners.by_email(connection, address) is not None:
        raise NotAdopted(f"{address} is the address of another account here")
    if external_id and learners.by_external_ids(connection, [external_id]):
        raise NotAdopted(f"{external_id} is the external id of another learner here")
    if external_id and erased(connection, [external_id]):
        raise NotAdopted(f"{external_id} is the external id of a learner who was erased here")


def _adopt(connection: Connection, catalog: Catalog, one: Adoptee) -> Adopted:
    found = _look(connection, one)
    if found is not None:
        return found
    account, *guests = one.learners
    learners.add(connection, {name: account[name] for name in (*_COLUMNS, *_SHOWN) if name in account})
    for guest in guests:
        learners.add(connection, {name: guest[name] for name in (*_COLUMNS, *_MOVED) if name in guest})
    entries.append(connection, one.entries)
    ids = [row["id"] for row in one.learners]
    with counted(connection, catalog, {(ids[0], entry.course_id) for entry in one.entries if entry.course_id}):
        broken = mend(connection, catalog, sorted(ids))
    if broken:
        raise NotAdopted(f"its ledger does not hold together: entry {broken[0].key}: {broken[0].true}")
    return Adopted(ids[0], len(one.entries), repeated=False)
