"""The operations of reading progress."""

from collections.abc import Mapping
from typing import Final

from headway.http import (
    achievements,
    examples,
    examples_of_export,
    examples_of_practice,
    examples_of_progress,
    pauses,
    progress,
    resetting,
    reviewing,
)
from headway.http.contract.operation import Operation
from headway.views import course_progress, export, history, overview, statistics, streak

_TAG: Final = "Progress"
_CSV: Final = {"text/csv": {"type": "string"}}
_DRAWING: Final = {"image/svg+xml": {"type": "string"}}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "read_progress": Operation(
        tag=_TAG, gives={200: overview.Overview}, has_etag=True, refuses=(404,), given=examples_of_progress.OVERVIEW
    ),
    "read_course_progress": Operation(
        tag=_TAG, gives={200: course_progress.CourseProgress}, has_etag=True, given=examples_of_progress.COURSE
    ),
    "list_runs": Operation(tag=_TAG, gives={200: progress.RunList}, has_etag=True, given=examples_of_progress.RUNS),
    "read_module_progress": Operation(
        tag=_TAG, gives={200: course_progress.ModuleProgress}, has_etag=True, given=examples_of_progress.MODULE
    ),
    "read_streak_progress": Operation(
        tag=_TAG, gives={200: streak.StreakProgress}, has_etag=True, refuses=(404,), given=examples_of_practice.STREAK
    ),
    "read_history_progress": Operation(
        tag=_TAG, gives={200: history.History}, has_etag=True, refuses=(404,), given=examples_of_practice.HISTORY
    ),
    "read_statistics_progress": Operation(
        tag=_TAG,
        gives={200: statistics.Statistics},
        has_etag=True,
        refuses=(404,),
        given=examples_of_practice.STATISTICS,
    ),
    "list_practice_sessions": Operation(
        tag=_TAG, gives={200: progress.SessionList}, has_etag=True, refuses=(404,), given=examples_of_practice.SESSIONS
    ),
    "read_skill_levels": Operation(
        tag=_TAG, gives={200: progress.SkillLevels}, has_etag=True, refuses=(404,), given=examples_of_progress.SKILLS
    ),
    "list_reviews": Operation(
        tag=_TAG, gives={200: reviewing.ReviewList}, has_etag=True, refuses=(404,), given=examples_of_progress.REVIEWS
    ),
    "read_own_events": Operation(
        tag=_TAG, gives={200: progress.EventList}, has_etag=True, refuses=(404,), given=examples_of_practice.EVENTS
    ),
    "list_achievements": Operation(
        tag=_TAG,
        gives={200: achievements.AchievementList},
        has_etag=True,
        refuses=(404,),
        given={"items": [examples.ACHIEVEMENT], "hidden": 3, "next_cursor": None},
    ),
    "list_badges": Operation(
        tag=_TAG,
        gives={200: achievements.Badges},
        has_etag=True,
        refuses=(404,),
        given={"earned": [examples.BADGE], "available": []},
    ),
    "read_badge_drawing": Operation(tag=_TAG, callers="public", gives={200: None}, media=_DRAWING, has_etag=True),
    "pause_streak": Operation(
        tag=_TAG,
        callers="learner",
        takes=pauses.PauseAsked,
        gives={200: streak.PauseShown, 201: streak.PauseShown},
        refuses=(409,),
        sent=examples.PAUSE_SENT,
        given=examples.PAUSE,
    ),
    "export_progress": Operation(
        tag=_TAG, gives={200: export.Export}, also=_CSV, refuses=(404,), given=examples_of_export.EXPORT
    ),
    "reset_progress": Operation(
        tag=_TAG,
        callers="learner",
        takes=resetting.ResetAsked,
        may_be_empty=True,
        gives={200: resetting.ResetReply},
        refuses=(404, 409),
        sent={"id": "6b1f0c7e-58a3-4d0c-9a52-3a8b6f1f0a11"},
        given={"cleared": {"steps": 12, "attempts": 31, "sessions": 5, "days": 4}},
    ),
    "resume_streak": Operation(tag=_TAG, callers="learner", gives={204: None}),
}
