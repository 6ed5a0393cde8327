"""The operations of courses' reports and rosters."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import creator_reports, creator_rosters
from headway.http.contract.operation import Operation
from headway.views.report import Report
from headway.views.roster import LearnerReport

_TAG: Final = "Reports"
_LEARNER_ID: Final = "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10"
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
            "learner": _LEARNER_ID,
            "display_name": "Ada",
            "reason": "inactive",
            "percent": 33.33,
            "last_active_at": "2026-02-10T17:02:11.000000Z",
        }
    ],
    "course": "python-basics",
    "title": "Python basics",
    "version": 2,
}
_ENTRY: Final[dict[str, Any]] = {
    "learner": _LEARNER_ID,
    "display_name": "Ada",
    "external_id": None,
    "status": "in_progress",
    "percent": 33.33,
    "steps_completed": 4,
    "score_percent": 30.5,
    "last_step": "fizz",
    "last_active_at": "2026-02-10T17:02:11.000000Z",
    "enrolled_at": "2026-01-07T09:00:00.000000Z",
    "completed_at": None,
    "at_risk": "inactive",
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
        given={"items": [_ENTRY], "next_cursor": None},
    ),
    "read_course_learner": Operation(tag=_TAG, callers="creator", gives={200: LearnerReport}, has_etag=True),
    "export_course_report": Operation(tag=_TAG, callers="creator", gives={200: None}, has_etag=True, media=_CSV),
    "export_course_learners": Operation(tag=_TAG, callers="creator", gives={200: None}, media=_CSV),
}
