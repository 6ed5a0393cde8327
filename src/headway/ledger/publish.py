"""Publishing a version of a course. It locks the course against other publishers, never against learners."""

import json
from typing import NamedTuple

from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from headway.domain.course import Course
from headway.domain.errors import HeadwayError
from headway.domain.manifest import parse_manifest
from headway.domain.step_names import carry_keys, course_keys
from headway.graders.registry import check_grader
from headway.ledger.sweep import sweep
from headway.store import courses
from headway.store.catalog import Catalog, parse_stored
from headway.store.database import Database


class NotYourCourse(HeadwayError):
    """The course belongs to another creator."""

    code = "not-found"


class Published(NamedTuple):
    """What publishing did, or with a dry run would do: `created` is a first version, unchanged is no new one.

    `before` is the version that was in force, None where there was none.
    """

    course: Course
    version: int
    created: bool
    unchanged: bool
    before: Course | None


def publish(
    database: Database,
    manifest: object,
    *,
    now: int,
    publisher: str | None = None,
    may_publish_all: bool = False,
    dry_run: bool = False,
) -> Published:
    """Publish a manifest; ManifestInvalid lists its faults. `publisher` None is the operator, who may publish all."""
    course = parse_manifest(manifest, check_grader=check_grader)
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)  # in the author's order
    publication = _Publication(course, text, now, publisher, may_publish_all or publisher is None, dry_run)
    published = _published(database, publication)
    if not dry_run:
        sweep(database, Catalog(), course.id, now=now)
    return published


def _published(database: Database, publication: "_Publication") -> Published:
    try:
        with database.transaction() as connection:
            return publication.run(connection)
    except IntegrityError:
        # Another process published the course's first version meanwhile; now its row is there to be locked.
        with database.transaction() as connection:
            return publication.run(connection)


class _Publication(NamedTuple):
    course: Course
    text: str
    now: int
    publisher: str | None
    may_publish_all: bool
    dry_run: bool

    def run(self, connection: Connection) -> Published:
        """Compare with the version in force, and put this one in its place."""
        found = courses.find(connection, self.course.id, lock=True)
        self._check_owner(found)
        version = found["version"] if found is not None else 0
        previous = courses.manifests(connection, [(self.course.id, version)]).get((self.course.id, version))
        before = parse_stored(*previous) if previous is not None else None
        if previous is not None and before is not None and previous[0] == self.text:
            return Published(before, version, created=False, unchanged=True, before=before)
        keys: dict[str, str] = json.loads(previous[1]) if previous else {}
        course = carry_keys(keys, self.course)
        if not self.dry_run:
            self._store(connection, version + 1, keys | course_keys(course))
        return Published(course, version + 1, created=found is None, unchanged=False, before=before)

    def _check_owner(self, found: RowMapping | None) -> None:
        if found is None or self.may_publish_all:
            return
        if found["owner_id"] != self.publisher:
            raise NotYourCourse(f"there is no course {self.course.id!r} of yours; choose another id", field="id")

    def _store(self, connection: Connection, version: int, keys: dict[str, str]) -> None:
        step_keys = json.dumps(keys, sort_keys=True)
        one = courses.Publication(
            self.course.id, version, self.course.title, self.text, step_keys, self.now, self.publisher
        )
        courses.publish(connection, one)
