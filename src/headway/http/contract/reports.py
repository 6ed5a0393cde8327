"""The operations of courses' reports and rosters."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import creator_reports, creator_rosters, examples_of_progress
from headway.http.contract.operation import Operation
from headway.views.report import Report
from headway.views.roster import LearnerReport

_TAG: Final = "Reports"
_OWN_COURSES: Final[dict[str, Any]] = {
    "items": [
        {
            "id": "python-basics",
            "title": "Python basics",
            "version": 2,
            "created_at": "2026-01-05T08:00:00.000000Z",
            "enrolled": 120,
            "completed": 41,
        }
    ],
    "next_cursor": None,
}
_REPORT: Final[dict[str, Any]] = {
    "summary": {
        "enrolled": 120,
        "completed": 41,
        "average_percent": 58.33,
        "median_percent": 66.67,
        "average_score_percent": 81.5,
    },
    "last_active": {"day": 12, "week": 30, "month": 41, "older": 30, "never": 7},
    "modules": [
        {"id": "loops", "title": "Loops", "reached": 113, "completed": 41, "median_score_percent": 83.25},
    ],
    "steps": [
        {
            "id": "fizz",
            "module": "loops",
            "title": "FizzBuzz",
            "kind": "exercise",
            "learners": 98,
            "attempts": 240,
            "passed_attempts": 84,
            "completed": 80,
            "average_score_percent": 77.4,
            "pass_rate_percent": 35.0,
            "completion_rate_percent": 81.63,
            "median_attempts_to_pass": 2.5,
            "median_duration_s": 310.0,
            "stopped": 19,
            "dropped_in_version": 2,
            "first_try_before_percent": 61.4,
            "first_try_since_percent": 27.27,
        }
    ],
    "score_distribution": [{"from_percent": 0, "to_percent": 10, "learners": 9}],
    "cohorts": [{"week": "2026-W02", "enrolled": 64, "completed": 30, "average_percent": 71.2}],
    "at_risk": [
        {
            "learner": "9a1d5c70-2b4e-4f8a-b6c3-7e0d1f2a4b5c",
            "display_name": "Ben",
            "reason": "inactive",
            "percent": 33.33,
            "last_active_at": "2026-02-10T17:02:11.000000Z",
        }
    ],
    "course": "python-basics",
    "title": "Python basics",
    "version": 2,
}
_CSV: Final = {"text/csv": {"type": "string"}}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "list_own_courses": Operation(
        tag=_TAG,
        callers="creator",
        gives={200: creator_reports.OwnCourseList},
        refuses=(403,),
        has_etag=True,
        given=_OWN_COURSES,
    ),
    "read_course_report": Operation(tag=_TAG, callers="creator", gives={200: Report}, has_etag=True, given=_REPORT),
    "list_course_learners": Operation(
        tag=_TAG,
        callers="creator",
        gives={200: creator_rosters.RosterList},
        refuses=(422,),
        has_etag=True,
        given={"items": [examples_of_progress.ROSTER_ENTRY], "next_cursor": None},
    ),
    "read_course_learner": Operation(
        tag=_TAG,
        callers="creator",
        gives={200: LearnerReport},
        has_etag=True,
        given=examples_of_progress.LEARNER_REPORT,
    ),
    "export_course_report": Operation(tag=_TAG, callers="creator", gives={200: None}, has_etag=True, media=_CSV),
    "export_course_learners": Operation(tag=_TAG, callers="creator", gives={200: None}, media=_CSV),
}
