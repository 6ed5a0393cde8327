"""Whose progress is read: the caller's own, or that of a learner whom the caller may see."""

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
    """A learner whose progress is read, and the zone that says what day it is for them; nobody has no id."""

    learner_id: str | None
    time_zone: str


NOBODY: Final = Subject(None, "UTC")


class Asking(NamedTuple):
    """Who asks for another learner's progress: their id, if they have one, and their roles."""

    learner_id: str | None
    roles: frozenset[str]


NOBODY_ASKING: Final = Asking(None, frozenset())


def another(connection: Connection, asking: Asking, reference: str, course_id: str | None = None) -> Subject:
    """The learner of an id or an external id, as far as the one who asks may see them: one statement.

    Admins see everyone, creators the learners enrolled in a course of their own where it is that course's progress that
    is read. Whoever may not be seen is UnknownLearner, in the same words as one who is not there.
    """
    found = _referred(connection, reference, course_id)
    if found is None and legacy_id(reference) is not None and "admin" in asking.roles:
        # Of a learner of the older product who is not imported yet nothing is recorded, and that is what is read.
        return NOBODY
    if found is None or not _may_see(asking, found):
        raise UnknownLearner("there is no such learner", field="learner")
    return Subject(found.id, found.time_zone)


def named(connection: Connection, reference: str) -> str | None:
    """The id of the living learner of an id or an external id; of a guest that was moved, its account's."""
    found = _referred(connection, reference, None)
    return None if found is None else found.id


def is_id(reference: str) -> bool:
    """Whether a learner is named by id, and not by external id."""
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
