"""What can be earned: the definitions shipped with Headway, and those that the site adds, changes or retires."""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from sqlalchemy.engine import Connection

from headway.domain.achievements import Definition, parse_definitions
from headway.domain.errors import HeadwayError
from headway.ledger.commit import committed
from headway.store import achievements
from headway.store.achievements import SHIPPED, SITE, Defined
from headway.store.database import Database


class UnknownAchievement(HeadwayError):
    """There is no achievement of that id."""

    code = "not-found"


@cache
def shipped() -> tuple[Definition, ...]:
    """Return the definitions shipped with Headway; DefinitionInvalid names file, id and field."""
    found = sorted(files("headway").joinpath("achievements").iterdir(), key=lambda one: one.name)
    texts = {one.name: one.read_text("utf-8") for one in found if one.name.endswith(".toml")}
    return tuple(parse_definitions({name: tomllib.loads(text) for name, text in texts.items()}))


def install(database: Database, definitions: Sequence[Definition]) -> int:
    """Put the shipped definitions in force, retire those no longer shipped, and return how many changed.

    Definitions that the site has changed or retired stay as they are.
    """
    return committed(database, lambda connection: _install(connection, definitions))


def _install(connection: Connection, definitions: Sequence[Definition]) -> int:
    version = achievements.read_set(connection, lock=True).version + 1
    known = {one.definition.id: one for one in achievements.defined(connection)}
    wanted = {one.id: Defined(one, SHIPPED, version, retired=False) for one in definitions}
    for one_id, one in known.items():
        if one.origin == SHIPPED and one_id not in wanted:
            wanted[one_id] = one._replace(retired=True, version=version)
    changed = [one for one_id, one in wanted.items() if _differs(one, known.get(one_id))]
    if changed:
        achievements.put(connection, changed)
    return len(changed)


def _differs(one: Defined, known: Defined | None) -> bool:
    if known is None:
        return True
    return known.origin == SHIPPED and (known.definition, known.retired) != (one.definition, one.retired)


def define(database: Database, definition: Definition) -> bool:
    """Add a definition of the site's own, or change one, and return whether it is new; a retired one is in force again.

    Learners keep what they have earned, with the points that it had. Learners who meet the definition get it by a
    backfill.
    """
    return committed(database, lambda connection: _define(connection, definition))


def _define(connection: Connection, definition: Definition) -> bool:
    version = achievements.read_set(connection, lock=True).version + 1
    known = _known(connection, definition.id)
    one = Defined(definition, SITE, version, retired=False)
    if known is None or known._replace(version=version) != one:
        achievements.put(connection, [one])
    return known is None


def retire(database: Database, achievement_id: str) -> None:
    """Retire a definition; learners who have earned it keep it. UnknownAchievement if there is none."""
    committed(database, lambda connection: _retire(connection, achievement_id))


def _retire(connection: Connection, achievement_id: str) -> None:
    version = achievements.read_set(connection, lock=True).version + 1
    known = _known(connection, achievement_id)
    if known is None:
        raise UnknownAchievement("there is no achievement of that id")
    if not known.retired:
        achievements.put(connection, [known._replace(origin=SITE, version=version, retired=True)])


def _known(connection: Connection, achievement_id: str) -> Defined | None:
    return next((one for one in achievements.defined(connection) if one.definition.id == achievement_id), None)
