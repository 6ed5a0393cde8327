"""The learners that records name: external ids, which become learners when first named, and UUIDs of known ones."""

import re
from collections.abc import Collection
from typing import Final

from headway.domain.legacy import legacy_id
from headway.ledger import enlist
from headway.ledger.enlist import derived_id, hash_of_id
from headway.store import erasures, learners
from headway.store.database import Database

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def enlisted(database: Database, names: Collection[str], now: int) -> dict[str, str]:
    """Learner ids by name, after new learners are created; UUIDs of no learner are left out."""
    external = _external(database, names)
    made = enlist.enlist(database, external.values(), now=now) if external else {}
    return _known_uuids(database, names) | {name: made[one] for name, one in external.items() if one in made}


def foreseen(database: Database | None, names: Collection[str]) -> dict[str, str]:
    """The same as `enlisted` without creating anybody: a new learner gets the id that they would have."""
    external = _external(database, names)
    made = {name: derived_id("learner", one) for name, one in external.items()}
    if database is None:
        return made
    gone = erased(database, names)
    with database.read() as connection:
        there = learners.by_external_ids(connection, external.values())
    known = made | {name: there[one] for name, one in external.items() if one in there} | _known_uuids(database, names)
    return {name: learner_id for name, learner_id in known.items() if name not in gone}


def erased(database: Database, names: Collection[str]) -> set[str]:
    """Which of the names are those of erased learners."""
    external = _external(database, names)
    with database.read() as connection:
        key = erasures.key(connection)
        by_hash = {hash_of_id(key, name): name for name in names if _UUID.fullmatch(name)}
        gone = enlist.erased(connection, external.values())
        return {name for name, one in external.items() if one in gone} | {
            by_hash[one] for one in erasures.among(connection, by_hash)
        }


def _external(database: Database | None, names: Collection[str]) -> dict[str, str]:
    """External ids by name: `7` stands for `user_7`, unless a learner with the external id `7` exists."""
    named = {name: legacy_id(name) or name for name in names if not _UUID.fullmatch(name)}
    odd = [name for name, one in named.items() if name != one]
    if not odd or database is None:
        return named
    with database.read() as connection:
        return named | {name: name for name in learners.by_external_ids(connection, odd)}


def _known_uuids(database: Database, names: Collection[str]) -> dict[str, str]:
    named = {name: name.lower() for name in names if _UUID.fullmatch(name)}
    if not named:
        return {}
    with database.read() as connection:
        known = learners.existing(connection, set(named.values()))
    return {name: learner_id for name, learner_id in named.items() if learner_id in known}
