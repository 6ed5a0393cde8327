"""Examples of what the learner of `examples_of_progress.py` did, entry by entry and day by day."""

from typing import Any, Final

_ENTRY: Final[dict[str, Any]] = {
    "course": "python-basics",
    "step": None,
    "score": None,
    "passed": False,
    "duration_s": 0.0,
    "hints": 0,
    "trust": "server",
}
EVENTS: Final[dict[str, Any]] = {
    "items": [
        _ENTRY
        | {
            "id": "dbe797a9-c06f-4211-a430-6df226e08d73",
            "type": "module_unlocked",
            "occurred_at": "2026-03-01T09:30:00.000000Z",
            "received_at": "2026-03-01T09:30:00.000000Z",
            "day": "2026-03-01",
            "changes": [
                {
                    "type": "module_unlocked",
                    "course": "python-basics",
                    "module": "functions",
                    "unlocked_at": "2026-03-01T09:30:00.000000Z",
                }
            ],
        },
        _ENTRY
        | {
            "id": "c5e6f57f-a0e5-4f38-9d19-3b373e9aafb8",
            "type": "module_completed",
            "occurred_at": "2026-03-01T09:30:00.000000Z",
            "received_at": "2026-03-01T09:30:00.000000Z",
            "day": "2026-03-01",
            "score": 0.925,
            "changes": [
                {
                    "type": "module_completed",
                    "course": "python-basics",
                    "module": "loops",
                    "score_percent": 92.5,
                    "completed_at": "2026-03-01T09:30:00.000000Z",
                }
            ],
        },
        {
            "id": "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c11",
            "type": "attempted",
            "course": "python-basics",
            "step": "fizz",
            "occurred_at": "2026-03-01T09:30:00.000000Z",
            "received_at": "2026-03-01T09:30:00.000000Z",
            "day": "2026-03-01",
            "score": 0.85,
            "passed": True,
            "duration_s": 94.5,
            "hints": 1,
            "trust": "reported",
            "changes": [
                {
                    "type": "step_completed",
                    "course": "python-basics",
                    "step": "fizz",
                    "completed_at": "2026-03-01T09:30:00.000000Z",
                },
                {"type": "streak_extended", "current": 3, "day": "2026-03-01"},
            ],
        },
        {
            "id": "c8a61f05-2b9e-4d73-9f10-5e4b7d3c6a25",
            "type": "attempted",
            "course": "python-basics",
            "step": "loops-quiz",
            "occurred_at": "2026-02-28T10:01:00.000000Z",
            "received_at": "2026-02-28T10:01:00.000000Z",
            "day": "2026-02-28",
            "score": 1.0,
            "passed": True,
            "duration_s": 20.0,
            "hints": 0,
            "trust": "graded",
            "changes": [
                {
                    "type": "step_completed",
                    "course": "python-basics",
                    "step": "loops-quiz",
                    "completed_at": "2026-02-28T10:01:00.000000Z",
                }
            ],
            "response": "a",
        },
        _ENTRY
        | {
            "id": "94c3f7a2-0e5d-4b18-a6c7-3f9d1e2b8a04",
            "type": "attempted",
            "step": "loops-quiz",
            "occurred_at": "2026-02-28T10:00:00.000000Z",
            "received_at": "2026-02-28T10:00:00.000000Z",
            "day": "2026-02-28",
            "score": 0.0,
            "duration_s": 45.0,
            "trust": "graded",
            "changes": [{"type": "streak_extended", "current": 2, "day": "2026-02-28"}],
            "response": "b",
        },
        _ENTRY
        | {
            "id": "51e8b0d3-7f26-4c9a-b3e4-0d6a8c2f1b73",
            "type": "completed",
            "step": "for-1",
            "occurred_at": "2026-02-27T18:10:00.000000Z",
            "received_at": "2026-02-27T18:10:00.000000Z",
            "day": "2026-02-27",
            "duration_s": 300.0,
            "trust": "reported",
            "changes": [
                {
                    "type": "step_completed",
                    "course": "python-basics",
                    "step": "for-1",
                    "completed_at": "2026-02-27T18:10:00.000000Z",
                },
                {"type": "streak_extended", "current": 1, "day": "2026-02-27"},
            ],
        },
        _ENTRY
        | {
            "id": "2d7c1a60-93b4-4f5e-8d21-7a0b3c9e5f12",
            "type": "enrolled",
            "occurred_at": "2026-02-27T18:05:00.000000Z",
            "received_at": "2026-02-27T18:05:00.000000Z",
            "day": "2026-02-27",
            "trust": "reported",
            "changes": [{"type": "enrolled", "course": "python-basics"}],
        },
    ],
    "next_cursor": None,
}
SESSIONS: Final[dict[str, Any]] = {
    "items": [
        {
            "started_at": "2026-03-01T09:30:00.000000Z",
            "ended_at": "2026-03-01T09:30:00.000000Z",
            "exercises": 1,
            "correct": 1,
            "duration_s": 94.5,
        },
        {
            "started_at": "2026-02-28T10:00:00.000000Z",
            "ended_at": "2026-02-28T10:01:00.000000Z",
            "exercises": 2,
            "correct": 1,
            "duration_s": 65.0,
        },
    ],
    "next_cursor": None,
}
STREAK: Final[dict[str, Any]] = {
    "current": 3,
    "longest": 3,
    "last_active_on": "2026-03-01",
    "active_today": True,
    "time_zone": "Europe/London",
    "freezes": 0,
    "freezes_max": 2,
    "next_freeze_in": 4,
    "days": ["2026-02-27", "2026-02-28", "2026-03-01"],
    "freezes_earned_on": [],
    "freezes_spent_on": [],
    "pauses": [],
    "milestones": [
        {"days": 7, "reached_on": None},
        {"days": 30, "reached_on": None},
        {"days": 100, "reached_on": None},
        {"days": 365, "reached_on": None},
    ],
    "imported_longest": None,
}
HISTORY: Final[dict[str, Any]] = {
    "days": [
        {
            "exercises_completed": 1,
            "steps_completed": 1,
            "attempts": 2,
            "duration_s": 65.0,
            "hints": 0,
            "average_percent": 50.0,
            "points": 10,
            "achievements_unlocked": 0,
            "day": "2026-02-28",
            "streak": 2,
            "cumulative": {
                "exercises_completed": 1,
                "steps_completed": 2,
                "attempts": 2,
                "duration_s": 365.0,
                "hints": 0,
                "average_percent": 50.0,
                "points": 15,
                "achievements_unlocked": 0,
            },
        },
        {
            "exercises_completed": 1,
            "steps_completed": 1,
            "attempts": 1,
            "duration_s": 94.5,
            "hints": 1,
            "average_percent": 85.0,
            "points": 10,
            "achievements_unlocked": 0,
            "day": "2026-03-01",
            "streak": 3,
            "cumulative": {
                "exercises_completed": 2,
                "steps_completed": 3,
                "attempts": 3,
                "duration_s": 459.5,
                "hints": 1,
                "average_percent": 61.67,
                "points": 25,
                "achievements_unlocked": 0,
            },
        },
    ]
}
STATISTICS: Final[dict[str, Any]] = {
    "period": "week",
    "from": "2026-02-23",
    "to": "2026-03-01",
    "exercises_completed": 2,
    "steps_completed": 3,
    "attempts": 3,
    "average_percent": 61.67,
    "median_percent": 85.0,
    "spread_percent": {"low": 42.5, "high": 92.5},
    "pass_rate_percent": 66.67,
    "duration_s": 459.5,
    "average_duration_s": 53.167,
    "median_duration_s": 45.0,
    "spread_duration_s": {"low": 32.5, "high": 69.75},
    "hints": 1,
    "points": 25,
    "topics": [
        {
            "topic": "loops",
            "exercises_completed": 2,
            "attempts": 3,
            "average_percent": 61.67,
            "pass_rate_percent": 66.67,
            "duration_s": 459.5,
            "strength": "even",
        }
    ],
    "trend": [
        {"day": "2026-02-23", "attempts": 0, "average_percent": None, "median_percent": None},
        {"day": "2026-02-24", "attempts": 0, "average_percent": None, "median_percent": None},
        {"day": "2026-02-25", "attempts": 0, "average_percent": None, "median_percent": None},
        {"day": "2026-02-26", "attempts": 0, "average_percent": None, "median_percent": None},
        {"day": "2026-02-27", "attempts": 0, "average_percent": None, "median_percent": None},
        {"day": "2026-02-28", "attempts": 2, "average_percent": 50.0, "median_percent": 50.0},
        {"day": "2026-03-01", "attempts": 1, "average_percent": 85.0, "median_percent": 85.0},
    ],
}
