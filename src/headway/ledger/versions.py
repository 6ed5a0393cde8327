"""Check stored versions of courses: each is parsed again and compared with what follows from its manifest."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

import structlog
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.faults import ManifestInvalid
from headway.domain.names import Keys, succeed
from headway.ledger.faults import FAULTS_SHOWN, Fault, shown
from headway.store import courses
from headway.store.catalog import GONE, CourseDamaged, Pair, keys_written, read_manifest

log = structlog.get_logger()

MANIFEST: Final = "manifest"


class StoredVersion(NamedTuple):
    """A version as it is stored (None if its row is gone), and the values it should have, or why they are unknown."""

    pair: Pair
    row: RowMapping | None
    true: dict[str, str] | CourseDamaged

    def faults(self) -> Iterator[Fault]:
        """Yield the faults of the stored row."""
        if isinstance(self.true, CourseDamaged):
            yield self._fault(MANIFEST, self.true.why)
        for name, should in self.wrong().items():
            yield self._fault(name, should)

    def wrong(self) -> dict[str, str]:
        """Return the right values of the columns that are wrong; nothing if the manifest is damaged."""
        if self.row is None or isinstance(self.true, CourseDamaged):
            return {}
        return {name: should for name, should in self.true.items() if self.row[name] != should}

    def _fault(self, name: str, true: str) -> Fault:
        course_id, version = self.pair
        return Fault("course_version", "", f"{course_id}/{version}", name, self.row and shown(self.row[name]), true)


def gone(pair: Pair) -> StoredVersion:
    """A version whose row is gone."""
    return StoredVersion(pair, None, CourseDamaged(pair, GONE))


def look_at_versions(connection: Connection) -> Iterator[StoredVersion]:
    """Yield each version with the values that follow from its manifest, or why they are unknown.

    The keys of a version follow from all versions before it: after a damaged one they are unknown.
    """
    for course_id, chain in groupby(courses.chains(connection), itemgetter("course_id")):
        keys: Keys | None = Keys()
        expected = 1
        for row in chain:
            pair = (course_id, row["version"])
            for missing in range(expected, min(row["version"], expected + FAULTS_SHOWN)):
                keys = None
                yield gone((course_id, missing))
            expected = row["version"] + 1
            try:
                true, keys = _true(row, keys)
            except CourseDamaged as damage:
                keys = None
                yield StoredVersion(pair, row, damage)
            else:
                yield StoredVersion(pair, row, true)


def _true(row: RowMapping, before: Keys | None) -> tuple[dict[str, str], Keys | None]:
    pair = (row["course_id"], row["version"])
    course = read_manifest(pair, row[MANIFEST])
    if before is None:
        return {"title": course.title}, None
    try:
        _, keys = succeed(before, course)
    except ManifestInvalid as error:
        raise CourseDamaged(pair, f"its manifest does not follow the versions before it: {error}") from error
    steps, modules = keys_written(keys)
    return {"title": course.title, "step_keys": steps, "module_keys": modules}, keys


@contextmanager
def passing_over_damage() -> Iterator[None]:
    """Skip work that needs a damaged version; the log names the version, and so do audit and rebuild."""
    try:
        yield
    except CourseDamaged as damage:
        log.error("course_damaged", detail=damage.detail)  # noqa: TRY400  # the detail says all: it is no defect
