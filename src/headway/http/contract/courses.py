"""The operations of courses."""

from collections.abc import Mapping
from typing import Final

from headway.http import course_shapes, examples, examples_of_courses
from headway.http.contract.operation import Operation

_TAG: Final = "Courses"

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_courses": Operation(
        tag=_TAG,
        callers="public",
        gives={200: course_shapes.CoursePage},
        has_etag=True,
        given=examples_of_courses.COURSES,
    ),
    "read_course": Operation(
        tag=_TAG,
        callers="public",
        gives={200: course_shapes.Outline},
        has_etag=True,
        given=examples_of_courses.OUTLINE,
    ),
    "read_step": Operation(
        tag=_TAG,
        callers="public",
        gives={200: course_shapes.StepShown},
        has_etag=True,
        given=examples_of_courses.STEP,
    ),
    "publish_course": Operation(
        tag=_TAG,
        callers="creator",
        takes=course_shapes.Manifest,
        gives={200: course_shapes.CoursePublished, 201: course_shapes.CoursePublished},
        sent=examples.MANIFEST,
        given=examples.PUBLISHED,
    ),
    "enroll": Operation(
        tag=_TAG,
        callers="account",
        gives={200: course_shapes.Enrollment, 201: course_shapes.Enrollment},
        given={"course": "python-basics", "enrolled": True},
    ),
    "leave": Operation(tag=_TAG, callers="account", gives={204: None}),
    "start_run": Operation(
        tag=_TAG,
        callers="learner",
        takes=course_shapes.RunAsked,
        may_be_empty=True,
        gives={200: course_shapes.RunBegun, 201: course_shapes.RunBegun},
        refuses=(409,),
        sent={"id": "0d0b9b56-6f0e-4f5f-9c7c-0d1a3c5e7b42"},
        given={"course": "python-basics", "run": 2, "started_at": "2026-03-09T12:00:00.000000Z"},
    ),
}
