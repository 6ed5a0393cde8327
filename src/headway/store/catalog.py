"""Courses as published, kept parsed. A version never changes; which one is in force is asked of the database."""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from threading import Lock
from types import MappingProxyType
from typing import Final, TypeAlias

from sqlalchemy.engine import Connection

from headway.domain.achievements import Ladders
from headway.domain.course import Course
from headway.domain.errors import HeadwayError
from headway.domain.manifest import parse_manifest
from headway.domain.names import Keys, carry_keys
from headway.store import achievements, courses
from headway.store.courses import Written

KEPT_MAX: Final = 512
# The total length of the manifests whose courses are kept; parsed, they take several times as much. Courses in use at
# the same time should all fit.
CHARACTERS_KEPT_MAX: Final = 64 * 1024 * 1024

GONE: Final = "its row is gone"

# (course id, version).
Pair: TypeAlias = tuple[str, int]


class CourseDamaged(HeadwayError):
    """What is stored of a version of a course is not what was published."""

    code = "course-damaged"

    def __init__(self, pair: Pair, why: str, advice: str = "restore it from a backup") -> None:
        self.pair = pair
        self.why = why
        super().__init__(f"version {pair[1]} of the course {pair[0]!r} is damaged in the database: {why}; {advice}")


class Catalog:
    """Parsed versions of courses, shared by the threads of a process.

    `mended` holds fields to use in place of what is stored of some versions, to see what a rebuild would result in.
    """

    def __init__(self, mended: Mapping[Pair, Mapping[str, str]] = MappingProxyType({})) -> None:
        self._mended = mended
        self._kept: dict[Pair, Course] = {}
        self._sizes: dict[Pair, int] = {}
        self._achievements = -1, Ladders(())
        self._lock = Lock()

    def load(self, connection: Connection, wanted: Iterable[Pair]) -> dict[Pair, Course]:
        """The wanted versions, read by at most one statement; CourseDamaged where one cannot be read."""
        found, damaged = self.undamaged(connection, wanted)
        for one in damaged.values():
            raise one
        return found

    def undamaged(
        self, connection: Connection, wanted: Iterable[Pair]
    ) -> tuple[dict[Pair, Course], dict[Pair, CourseDamaged]]:
        """The wanted versions that can be read, and for others the error; those of unknown courses are in neither."""
        pairs = set(wanted)
        found = {pair: course for pair in pairs if (course := self._kept.get(pair)) is not None}
        missing = pairs - found.keys()
        if not missing:
            return found, {}
        stored = courses.manifests(connection, missing)
        fresh, damaged = dict[Pair, Course](), _gone(connection, missing - stored.keys())
        for pair, written in stored.items():
            try:
                fresh[pair] = parse_stored(pair, written._replace(**self._mended.get(pair, {})))
            except CourseDamaged as error:
                damaged[pair] = error
        self._keep(fresh, {pair: len(stored[pair].manifest) for pair in fresh})
        return found | fresh, damaged

    def in_force(self, connection: Connection, course_ids: Iterable[str]) -> dict[str, tuple[int, Course]]:
        """The version in force of each of these courses that exists, and its content, as this transaction sees it."""
        return self.of_versions(connection, courses.versions(connection, course_ids))

    def whole_in_force(self, connection: Connection, course_ids: Iterable[str]) -> dict[str, tuple[int, Course]]:
        """The same, without courses whose version in force is damaged."""
        found, _ = self.undamaged(connection, courses.versions(connection, course_ids).items())
        return {course_id: (version, course) for (course_id, version), course in found.items()}

    def of_versions(self, connection: Connection, versions: Mapping[str, int]) -> dict[str, tuple[int, Course]]:
        """The same, given the versions in force."""
        loaded = self.load(connection, versions.items())
        return {course_id: (version, loaded[course_id, version]) for course_id, version in versions.items()}

    def forget(self, pairs: Iterable[Pair]) -> None:
        """Drop these versions, because what is stored of them was mended."""
        with self._lock:
            for pair in self._kept.keys() & set(pairs):
                del self._kept[pair], self._sizes[pair]

    def achievements(self, connection: Connection, version: int) -> Ladders:
        """The definitions in force; `version` is the one that this transaction read; a newer one may be returned."""
        kept, ladders = self._achievements
        if kept != version:
            kept, definitions = achievements.in_force(connection)
            ladders = Ladders(definitions)
            self._achievements = kept, ladders
        return ladders

    def _keep(self, fresh: dict[Pair, Course], sizes: dict[Pair, int]) -> None:
        with self._lock:
            self._kept |= fresh
            self._sizes |= sizes
            while len(self._kept) > KEPT_MAX or sum(self._sizes.values()) > CHARACTERS_KEPT_MAX:
                first = next(iter(self._kept))
                del self._kept[first], self._sizes[first]


def _gone(connection: Connection, pairs: AbstractSet[Pair]) -> dict[Pair, CourseDamaged]:
    """Errors for those of these missing versions that must have existed: version 1 or later of an existing course."""
    existing = courses.versions(connection, {course_id for course_id, _ in pairs}) if pairs else {}
    return {pair: CourseDamaged(pair, GONE) for pair in pairs if pair[0] in existing and pair[1] > 0}


def parse_stored(pair: Pair, written: Written) -> Course:
    """The course of a stored version, whose grader was checked at publishing; CourseDamaged where it cannot be read."""
    course = read_manifest(pair, written.manifest)
    try:
        return carry_keys(read_keys(written.step_keys, written.module_keys), course)
    except (HeadwayError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise CourseDamaged(pair, f"its keys: {error}", "`headway rebuild` mends it") from error


def read_manifest(pair: Pair, manifest: str) -> Course:
    """The course in a stored manifest, without earlier keys; CourseDamaged where it holds none, or another."""
    try:
        course = parse_manifest(json.loads(manifest), check_grader=lambda _: ())
    except (HeadwayError, ValueError, RecursionError) as error:
        raise CourseDamaged(pair, f"its manifest: {error}") from error
    if course.id != pair[0]:
        raise CourseDamaged(pair, f"its manifest is of the course {course.id!r}")
    return course


def read_keys(step_keys: str, module_keys: str) -> Keys:
    """A version's keys from their stored JSON."""
    return Keys(json.loads(module_keys), json.loads(step_keys))


def keys_written(keys: Keys) -> tuple[str, str]:
    """The keys of steps and of modules as JSON to store."""
    return json.dumps(dict(keys.steps), sort_keys=True), json.dumps(dict(keys.modules), sort_keys=True)
