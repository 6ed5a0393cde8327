"""Courses as published, kept parsed. A version never changes; which one is in force is asked of the database."""

import json
from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Final

from sqlalchemy.engine import Connection

from headway.domain.achievements import Ladders
from headway.domain.course import Course
from headway.domain.manifest import parse_manifest
from headway.domain.names import Keys, carry_keys
from headway.store import achievements, courses

KEPT_MAX: Final = 512
# Of manifests as text, which parsed take several times as much; courses that are in use together should all fit.
CHARACTERS_KEPT_MAX: Final = 64 * 1024 * 1024


class Catalog:
    """Parsed versions of courses, shared by the threads of a process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Course] = {}
        self._sizes: dict[tuple[str, int], int] = {}
        self._achievements = -1, Ladders(())
        self._lock = Lock()

    def load(self, connection: Connection, wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Course]:
        """The wanted (course, version) pairs; at most one statement, whatever their number."""
        pairs = set(wanted)
        found = {pair: course for pair in pairs if (course := self._kept.get(pair)) is not None}
        missing = pairs - found.keys()
        if not missing:
            return found
        stored = courses.manifests(connection, missing)
        fresh = {pair: parse_stored(*parts) for pair, parts in stored.items()}
        self._keep(fresh, {pair: len(parts[0]) for pair, parts in stored.items()})
        return found | fresh

    def in_force(self, connection: Connection, course_ids: Iterable[str]) -> dict[str, tuple[int, Course]]:
        """Version and content of each course that exists, as this transaction sees it."""
        return self.of_versions(connection, courses.versions(connection, course_ids))

    def of_versions(self, connection: Connection, versions: Mapping[str, int]) -> dict[str, tuple[int, Course]]:
        """The same, where the versions in force are known."""
        loaded = self.load(connection, versions.items())
        return {course_id: (version, loaded[course_id, version]) for course_id, version in versions.items()}

    def achievements(self, connection: Connection, version: int) -> Ladders:
        """The definitions in force, of a version that this transaction read, or of a newer one."""
        kept, ladders = self._achievements
        if kept != version:
            kept, definitions = achievements.in_force(connection)
            ladders = Ladders(definitions)
            self._achievements = kept, ladders
        return ladders

    def _keep(self, fresh: dict[tuple[str, int], Course], sizes: dict[tuple[str, int], int]) -> None:
        with self._lock:
            self._kept |= fresh
            self._sizes |= sizes
            while len(self._kept) > KEPT_MAX or sum(self._sizes.values()) > CHARACTERS_KEPT_MAX:
                first = next(iter(self._kept))
                del self._kept[first], self._sizes[first]


def parse_stored(manifest: str, step_keys: str, module_keys: str) -> Course:
    """A published version from its stored manifest and keys; all were checked when it was published."""
    keys = Keys(json.loads(module_keys), json.loads(step_keys))
    return carry_keys(keys, parse_manifest(json.loads(manifest), check_grader=lambda _: ()))
