"""The learner whose progress is read: the caller, or a learner whom the caller may see."""

import re
from typing import Final, NamedTuple

from sqlalchemy.engine import Connection

from headway.domain.errors import HeadwayError
from headway.domain.legacy import legacy_id
from headway.store import figures
from headway.store.figures import Referred

_REFERENCE_MAX: Final = 255
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


class UnknownLearner(HeadwayError):
    """There is no such learner."""

    code = "not-found"


class Subject(NamedTuple):
    """A learner whose progress is read, and the zone that decides their days; for nobody the id is None."""

    learner_id: str | None
    time_zone: str


NOBODY: Final = Subject(None, "UTC")


class Asking(NamedTuple):
    """The caller who asks for another learner's progress: their id, if any, and their roles."""

    learner_id: str | None
    roles: frozenset[str]


NOBODY_ASKING: Final = Asking(None, frozenset())


def another(connection: Connection, asking: Asking, reference: str, course_id: str | None = None) -> Subject:
    """Return the learner with an id or an external id, if the caller may see them: one statement.

    Admins see everyone; creators see the learners enrolled in their own course, when that course's progress is read.
    Raise UnknownLearner, worded alike for learners who may not be seen and for those who do not exist.
    """
    found = _referred(connection, reference, course_id)
    if found is None and legacy_id(reference) is not None and "admin" in asking.roles:
        # A learner of the older product who is not imported yet has nothing recorded, and reads as nobody.
        return NOBODY
    if found is None or not _may_see(asking, found):
        raise UnknownLearner("there is no such learner", field="learner")
    return Subject(found.id, found.time_zone)


def named(connection: Connection, reference: str) -> str | None:
    """Return the id of the living learner with an id or an external id; for a moved guest, the account's."""
    found = _referred(connection, reference, None)
    return None if found is None else found.id


def is_id(reference: str) -> bool:
    """Return whether a reference is a learner's id, not an external id."""
    return _UUID.fullmatch(reference) is not None


def _referred(connection: Connection, reference: str, course_id: str | None) -> Referred | None:
    if not reference.isprintable() or len(reference) > _REFERENCE_MAX:
        return None
    if is_id(reference):
        return figures.referred(connection, "id", reference.lower(), course_id)
    found = figures.referred(connection, "external_id", reference, course_id)
    legacy = legacy_id(reference)
    if found is None and legacy is not None and legacy != reference:
        return figures.referred(connection, "external_id", legacy, course_id)
    return found


def _may_see(asking: Asking, found: Referred) -> bool:
    if asking.learner_id is None:
        return False
    teaches = "creator" in asking.roles and found.course_owner == asking.learner_id and found.enrolled
    return "admin" in asking.roles or found.id == asking.learner_id or teaches
