"""Versions of courses as they are stored: each is read again, and what follows from their manifests is compared."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Final

import structlog
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.faults import ManifestInvalid
from headway.domain.names import Keys, succeed
from headway.ledger.faults import Fault, shown
from headway.store import courses
from headway.store.catalog import CourseDamaged, Pair, keys_written, read_manifest

log = structlog.get_logger()

MANIFEST: Final = "manifest"


def of_versions(connection: Connection) -> Iterator[Fault]:
    """Versions that are not what was published: damaged manifests, and what does not follow from whole ones."""
    for row, true in _looked_at(connection):
        if isinstance(true, CourseDamaged):
            yield _of_damage(row, true)
            continue
        for name, should in true.items():
            if row[name] != should:
                yield Fault("course_version", "", _key(row), name, row[name], should)


def damaged_versions(connection: Connection) -> Iterator[Fault]:
    """Versions whose manifests are damaged, which nobody can mend."""
    return (_of_damage(row, true) for row, true in _looked_at(connection) if isinstance(true, CourseDamaged))


def mend_versions(connection: Connection) -> set[Pair]:
    """Put what follows from whole manifests in the place of what is stored; of which versions, for catalogs."""
    wrong = dict[Pair, dict[str, str]]()
    for row, true in _looked_at(connection):
        if not isinstance(true, CourseDamaged) and any(row[name] != should for name, should in true.items()):
            wrong[row["course_id"], row["version"]] = true
    for pair, true in wrong.items():
        courses.mend_version(connection, pair, true)
    return set(wrong)


def _looked_at(connection: Connection) -> Iterator[tuple[RowMapping, dict[str, str] | CourseDamaged]]:
    """Each version, with what should be stored beside its manifest, or why that cannot be read.

    The keys of a version follow from all before it: behind one that is damaged nobody knows what they should be.
    """
    for _, chain in groupby(courses.chains(connection), itemgetter("course_id")):
        keys: Keys | None = Keys()
        for row in chain:
            try:
                true, keys = _true(row, keys)
            except CourseDamaged as damage:
                keys = None
                yield row, damage
                continue
            yield row, true


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


def _of_damage(row: RowMapping, damage: CourseDamaged) -> Fault:
    return Fault("course_version", "", _key(row), MANIFEST, shown(row[MANIFEST]), damage.why)


def _key(row: RowMapping) -> str:
    return f"{row['course_id']}/{row['version']}"


@contextmanager
def passing_over_damage() -> Iterator[None]:
    """Leave out what needs a damaged version: the log names it, and so do audit and rebuild."""
    try:
        yield
    except CourseDamaged as damage:
        log.error("course_damaged", detail=damage.detail)  # noqa: TRY400  # the detail says all: it is no defect
