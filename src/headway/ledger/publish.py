"""Publishing a version of a course. It locks the course against other publishers, never against learners."""

import json
from typing import NamedTuple

from headway.domain.course import Course
from headway.domain.errors import HeadwayError
from headway.domain.manifest import parse_manifest
from headway.domain.step_names import carry_keys, course_keys
from headway.graders.registry import check_grader
from headway.store import courses
from headway.store.database import Database


class NotYourCourse(HeadwayError):
    """The course belongs to another creator."""

    code = "not-found"


class Published(NamedTuple):
    """What publishing did, or with a dry run would do: `created` is a first version, unchanged is no new one."""

    course: Course
    version: int
    created: bool
    unchanged: bool


def publish(
    database: Database, manifest: object, *, now: int, publisher: str | None = None, dry_run: bool = False
) -> Published:
    """Publish a manifest; ManifestInvalid lists its faults. `publisher` None is the operator, who may publish all."""
    course = parse_manifest(manifest, check_grader=check_grader)
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with database.transaction() as connection:
        found = courses.find(connection, course.id, lock=True)
        if found is not None and publisher is not None and found["owner_id"] != publisher:
            raise NotYourCourse(f"there is no course {course.id!r} of yours; choose another id", field="id")
        version = found["version"] if found is not None else 0
        previous = courses.manifests(connection, [(course.id, version)]).get((course.id, version))
        if previous is not None and previous[0] == text:
            return Published(course, version, created=False, unchanged=True)
        keys: dict[str, str] = json.loads(previous[1]) if previous else {}
        course = carry_keys(keys, course)
        if not dry_run:
            step_keys = json.dumps(keys | course_keys(course), sort_keys=True)
            courses.publish(
                connection,
                courses.Publication(course.id, version + 1, course.title, text, step_keys, now, publisher),
            )
    return Published(course, version + 1, created=found is None, unchanged=False)
