"""Learners that are known from elsewhere: each external id is one learner, however often it is named."""

from collections.abc import Iterable
from hashlib import sha1, sha256
from hmac import digest
from uuid import UUID

from sqlalchemy.engine import Connection

from headway.store import erasures, learners
from headway.store.database import Database

# Ids of imported learners and of imported records follow from their source, so that a second run makes nothing new.
IMPORTED = UUID("6f0b4b8e-3d1e-4f0e-9a51-7d0c6a3f8e11")
_NAMESPACE = IMPORTED.bytes


def derived_id(*parts: object) -> str:
    """Return the id derived from a record's source: the result of uuid5, in a quarter of its time."""
    made = sha1(_NAMESPACE + "\x1f".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(made[16], 16) & 3]
    return f"{made[:8]}-{made[8:12]}-5{made[13:16]}-{variant}{made[17:20]}-{made[20:32]}"


def enlist(database: Database, external_ids: Iterable[str], *, now: int, time_zone: str = "UTC") -> dict[str, str]:
    """Return learner ids by external id; unknown ones are added, those of erased learners are left out."""
    wanted = list(dict.fromkeys(external_ids))
    with database.read() as connection:
        found = learners.by_external_ids(connection, wanted)
        gone = erased(connection, wanted)
    missing = [one for one in wanted if one not in found and one not in gone]
    if not missing:
        return found
    with database.transaction() as connection:
        learners.add_missing(
            connection,
            *(
                {
                    "id": derived_id("learner", one),
                    "kind": "imported",
                    "external_id": one,
                    "time_zone": time_zone,
                    "created_at": now,
                }
                for one in missing
            ),
        )
        # Adding a learner who is being erased waits for that, so only now is it known who was erased.
        gone = erased(connection, missing)
        if gone:
            erasures.remove(connection, [derived_id("learner", one) for one in sorted(gone)], None)
        return found | learners.by_external_ids(connection, missing)


def erased(connection: Connection, external_ids: Iterable[str]) -> set[str]:
    """Return those of the external ids that belonged to erased learners: nobody may become one of these again."""
    key = erasures.key(connection)
    by_hash = {hash_of_id(key, derived_id("learner", one)): one for one in external_ids}
    return {by_hash[one] for one in erasures.among(connection, by_hash)}


def hash_of_id(key: str, learner_id: str) -> str:
    """Return the keyed hash that the list of erasures keeps of a learner: a derived id could be guessed."""
    return digest(key.encode(), learner_id.lower().encode(), "sha256").hex()


def name_of_key(key: str) -> str:
    """Return a name that tells one key from another, without revealing it."""
    return sha256(key.encode()).hexdigest()[:16]
