"""Examples of progress: how one learner stands at noon of 1 March 2026, as a test brings it about."""

from typing import Any, Final

_OPEN: Final[dict[str, Any]] = {
    "status": "open",
    "attempts": 0,
    "best_score": None,
    "latest_score": None,
    "completed": False,
    "completed_at": None,
    "feedback": None,
}
_LEVEL: Final[dict[str, Any]] = {
    "topic": "loops",
    "level": "beginner",
    "previous_level": None,
    "level_changed_at": None,
    "exercises_completed": 2,
    "average_percent": 92.5,
    "duration_s": 459.5,
    "next": {"level": "intermediate", "exercises": 10, "percent": 60.0},
    "mastery": {"estimate": 0.5794, "low": 0.224, "high": 0.8941},
}
SKILLS: Final[dict[str, Any]] = {"items": [_LEVEL], "next_cursor": None}
OVERVIEW: Final[dict[str, Any]] = {
    "exercises_completed": 2,
    "steps_completed": 3,
    "attempts": 3,
    "average_percent": 92.5,
    "duration_s": 459.5,
    "hints": 1,
    "points": 25,
    "streak": {"current": 3, "longest": 3, "last_active_on": "2026-03-01", "active_today": True, "freezes": 0},
    "achievements": {"unlocked": 0, "total": 1},
    "skill_levels": [_LEVEL],
    "courses": [
        {
            "course": "python-basics",
            "title": "Python basics",
            "version": 2,
            "enrolled": True,
            "status": "in_progress",
            "percent": 60.0,
            "steps_completed": 3,
            "steps_total": 5,
            "updated_at": "2026-03-01T09:30:00.000000Z",
        }
    ],
}
MODULE: Final[dict[str, Any]] = {
    "id": "loops",
    "title": "Loops",
    "status": "completed",
    "score_percent": 92.5,
    "completed_at": "2026-03-01T09:30:00.000000Z",
    "locked_by": [],
    "to_go": None,
    "breakdown": [
        {"kind": "lesson", "weight": 12.5, "percent": 100.0, "contribution": 12.5},
        {"kind": "quiz", "weight": 37.5, "percent": 100.0, "contribution": 37.5},
        {"kind": "assignment", "weight": 50.0, "percent": 85.0, "contribution": 42.5},
    ],
    "missing": [],
    "steps": [
        _OPEN
        | {
            "id": "for-1",
            "kind": "lesson",
            "title": "For loops",
            "status": "completed",
            "completed": True,
            "completed_at": "2026-02-27T18:10:00.000000Z",
        },
        {
            "id": "loops-quiz",
            "kind": "quiz",
            "title": "Quiz",
            "status": "completed",
            "attempts": 2,
            "best_score": 1.0,
            "latest_score": 1.0,
            "completed": True,
            "completed_at": "2026-02-28T10:01:00.000000Z",
            "feedback": None,
        },
        {
            "id": "fizz",
            "kind": "exercise",
            "title": "FizzBuzz",
            "status": "completed",
            "attempts": 1,
            "best_score": 0.85,
            "latest_score": 0.85,
            "completed": True,
            "completed_at": "2026-03-01T09:30:00.000000Z",
            "feedback": None,
        },
    ],
}
COURSE: Final[dict[str, Any]] = {
    "course": "python-basics",
    "version": 2,
    "run": 1,
    "enrolled": True,
    "status": "in_progress",
    "percent": 60.0,
    "score_percent": 46.25,
    "completed_at": None,
    "certificate": None,
    "modules": [
        MODULE,
        {
            "id": "functions",
            "title": "Functions",
            "status": "open",
            "score_percent": 0.0,
            "completed_at": None,
            "locked_by": [],
            "to_go": {"percent": 80.0, "reason": "one lesson and one exercise not attempted"},
            "breakdown": [
                {"kind": "lesson", "weight": 20.0, "percent": 0.0, "contribution": 0.0},
                {"kind": "assignment", "weight": 80.0, "percent": 0.0, "contribution": 0.0},
            ],
            "missing": [
                {"step": "def-1", "kind": "lesson", "title": "def", "percent": 0.0, "gain_percent": 20.0},
                {"step": "greet", "kind": "exercise", "title": "Greeting", "percent": 0.0, "gain_percent": 80.0},
            ],
            "steps": [
                _OPEN | {"id": "def-1", "kind": "lesson", "title": "def"},
                _OPEN | {"id": "greet", "kind": "exercise", "title": "Greeting"},
            ],
        },
    ],
}
RUNS: Final[dict[str, Any]] = {
    "items": [
        {
            "run": 1,
            "started_at": "2026-02-27T18:10:00.000000Z",
            "completed_at": None,
            "score_percent": 46.25,
            "certificate": None,
        }
    ],
    "next_cursor": None,
}
REVIEWS: Final[dict[str, Any]] = {
    "items": [
        {
            "course": "python-basics",
            "course_title": "Python basics",
            "step": "loops-quiz",
            "title": "Quiz",
            "due_at": "2026-03-01T00:00:00.000000Z",
            "retrievability": 0.9167,
        }
    ],
    "next_cursor": None,
}
ROSTER_ENTRY: Final[dict[str, Any]] = {
    "learner": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
    "display_name": "Ada",
    "external_id": None,
    "status": "in_progress",
    "percent": 60.0,
    "steps_completed": 3,
    "score_percent": 46.25,
    "last_step": "fizz",
    "last_active_at": "2026-03-01T09:30:00.000000Z",
    "enrolled_at": "2026-02-27T18:05:00.000000Z",
    "completed_at": None,
    "at_risk": None,
}
LEARNER_REPORT: Final[dict[str, Any]] = {
    "learner": ROSTER_ENTRY,
    "progress": COURSE,
    "history": [
        {
            "day": "2026-02-27",
            "attempts": 0,
            "passed_attempts": 0,
            "steps_completed": 1,
            "duration_s": 300.0,
            "hints": 0,
            "average_percent": None,
        },
        {
            "day": "2026-02-28",
            "attempts": 2,
            "passed_attempts": 1,
            "steps_completed": 1,
            "duration_s": 65.0,
            "hints": 0,
            "average_percent": 50.0,
        },
        {
            "day": "2026-03-01",
            "attempts": 1,
            "passed_attempts": 1,
            "steps_completed": 1,
            "duration_s": 94.5,
            "hints": 1,
            "average_percent": 85.0,
        },
    ],
}
