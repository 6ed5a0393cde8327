"""Publish a version of a course, and report what that does to its learners. One publication runs at a time."""

import json
from functools import partial
from typing import NamedTuple

from sqlalchemy.engine import Connection, RowMapping
from sqlalchemy.exc import IntegrityError

from headway.domain.course import Course
from headway.domain.errors import HeadwayError
from headway.domain.impact import Succession
from headway.domain.manifest import parse_manifest
from headway.domain.names import Keys, succeed
from headway.graders.registry import check_grader
from headway.ledger.impact import Impact, rehearse
from headway.ledger.recount import recount
from headway.ledger.sweep import sweep
from headway.store import courses
from headway.store.catalog import Catalog, keys_written, parse_stored, read_keys
from headway.store.database import Database


class NotYourCourse(HeadwayError):
    """The course belongs to another creator."""

    code = "not-found"


class Published(NamedTuple):
    """What publishing did, or with a dry run would do: `created` for a first version, `unchanged` for no new one.

    `before` is the version that was in force, None if there was none.
    """

    course: Course
    version: int
    created: bool
    unchanged: bool
    before: Course | None
    impact: Impact


def publish(
    database: Database,
    manifest: object,
    *,
    now: int,
    publisher: str | None = None,
    may_publish_all: bool = False,
    dry_run: bool = False,
) -> Published:
    """Publish a manifest; ManifestInvalid lists its faults. `publisher` None is the operator, who may publish all.

    Returns once every learner of the course was judged by the version. A dry run writes nothing and blocks nobody.
    """
    course = parse_manifest(manifest, check_grader=check_grader)
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)  # in the author's order
    publication = _Publication(course, text, now, publisher, may_publish_all or publisher is None)
    with database.read() as connection:
        # Refuse before waiting for others.
        would, _ = publication.compare(connection)
    return _rehearsed(database, publication, would) if dry_run else _published(database, publication)


def _rehearsed(database: Database, publication: "_Publication", would: Published) -> Published:
    if not would.unchanged:
        succession = Succession(would.before, would.course)
        rehearse(database, succession, would.impact, now=publication.now, all_known=publication.may_publish_all)
    return would


def _published(database: Database, publication: "_Publication") -> Published:
    """Store and judge under the exclusive lock, so that nobody else gives what is reported here."""
    catalog = Catalog()
    judge_all = partial(
        sweep, database, catalog, publication.course.id, now=publication.now, all_known=publication.may_publish_all
    )
    with database.alone(wait=True):
        # If judging by the version in force broke off, everybody is judged by that one first.
        left_over = judge_all()
        published = _stored(database, publication)
        impact = left_over if published.unchanged else judge_all()
        recount(database, catalog, publication.course.id)
    return published._replace(impact=impact or published.impact)


def _stored(database: Database, publication: "_Publication") -> Published:
    try:
        with database.transaction() as connection:
            return publication.store(connection)
    except IntegrityError:
        # Somebody who did not wait published the first version meanwhile; now its row can be locked.
        with database.transaction() as connection:
            return publication.store(connection)


class _Publication(NamedTuple):
    course: Course
    text: str
    now: int
    publisher: str | None
    may_publish_all: bool

    def compare(self, connection: Connection, *, lock: bool = False) -> tuple[Published, Keys]:
        """Return what publishing would do to the version in force, and the keys of all ids that ever were."""
        found = courses.find(connection, self.course.id, lock=lock)
        self._check_owner(found)
        version = found["version"] if found is not None else 0
        pair = (self.course.id, version)
        previous = courses.manifests(connection, [pair]).get(pair)
        before = parse_stored(pair, previous) if previous is not None else None
        keys = read_keys(previous.step_keys, previous.module_keys) if previous is not None else Keys()
        if previous is not None and before is not None and previous.manifest == self.text:
            return Published(before, version, created=False, unchanged=True, before=before, impact=Impact()), keys
        course, later = succeed(keys, self.course)
        made = Published(course, version + 1, found is None, unchanged=False, before=before, impact=Impact())
        return made, later

    def store(self, connection: Connection) -> Published:
        """Store this version as the one in force, unless nothing changed."""
        made, keys = self.compare(connection, lock=True)
        if not made.unchanged:
            steps, modules = keys_written(keys)
            said = (self.course.title, self.text, steps, self.now, self.publisher, modules)
            courses.publish(connection, courses.Publication(self.course.id, made.version, *said))
        return made

    def _check_owner(self, found: RowMapping | None) -> None:
        if found is None or self.may_publish_all:
            return
        if found["owner_id"] != self.publisher:
            raise NotYourCourse(f"there is no course {self.course.id!r} of yours; choose another id", field="id")
