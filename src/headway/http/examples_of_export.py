"""An example of an export: the learner of `examples_of_progress.py`, on their first evening."""

from typing import Any, Final

_ENTRY: Final[dict[str, Any]] = {
    "ledger": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
    "received_at_us": 1772215500000000,
    "clock_skew_us": 0,
    "time_zone": "Europe/London",
    "source": "reported",
    "version": 2,
    "streak_rules": None,
    "course": "python-basics",
    "run": 1,
    "day": "2026-02-27",
    "trust": "reported",
    "score": None,
    "passed": False,
    "hints": 0,
    "counts": True,
}
EXPORT: Final[dict[str, Any]] = {
    "format": "headway-export",
    "version": 1,
    "exported_at": "2026-02-27T18:30:00.000000Z",
    "learner": {
        "id": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
        "kind": "account",
        "email": "ada@example.org",
        "display_name": "Ada",
        "time_zone": "Europe/London",
        "roles": "",
        "external_id": None,
        "created_at": 1772215200000000,
        "merged_into": None,
        "merged_at": None,
        "merged_after": None,
        "erased_at": None,
        "name_key": "ada",
        "leaderboard_alias": None,
        "leaderboard_opt_out": False,
    },
    "identities": [
        {
            "id": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
            "kind": "account",
            "moved_at": None,
            "moved_after": None,
            "entries": 2,
        }
    ],
    "tables": {
        "enrollment": [
            {
                "learner_id": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
                "course_id": "python-basics",
                "enrolled": True,
                "changed_at": 1772215500000000,
                "changed_by": "2d7c1a60-93b4-4f5e-8d21-7a0b3c9e5f12",
                "first_enrolled_at": 1772215500000000,
            }
        ],
        "course_run": [
            {
                "learner_id": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
                "course_id": "python-basics",
                "run": 1,
                "started_at": 1772215800000000,
                "active_at": 1772215800000000,
            }
        ],
        "day_sum": [
            {
                "learner_id": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
                "day": "2026-02-27",
                "course_id": "python-basics",
                "run": 1,
                "attempts": 0,
                "passed_attempts": 0,
                "scores": 0,
                "score_total": 0,
                "duration_ms": 300000,
                "hints": 0,
                "activities": 1,
                "steps_completed": 1,
                "exercises_completed": 0,
                "points": 5,
            }
        ],
    },
    "events": [
        _ENTRY
        | {
            "seq": 1,
            "id": "2d7c1a60-93b4-4f5e-8d21-7a0b3c9e5f12",
            "sent": {"course": "python-basics", "occurred_at": "2026-02-27T18:05:00.000000Z", "type": "enrolled"},
            "type": "enrolled",
            "step": None,
            "occurred_at": "2026-02-27T18:05:00.000000Z",
            "duration_s": 0.0,
            "changes": [{"type": "enrolled", "course": "python-basics"}],
        },
        _ENTRY
        | {
            "seq": 2,
            "id": "51e8b0d3-7f26-4c9a-b3e4-0d6a8c2f1b73",
            "sent": {
                "course": "python-basics",
                "duration_s": 300.0,
                "hints": 0,
                "occurred_at": "2026-02-27T18:10:00.000000Z",
                "step": "for-1",
                "type": "completed",
            },
            "received_at_us": 1772215800000000,
            "type": "completed",
            "step": "for-1",
            "occurred_at": "2026-02-27T18:10:00.000000Z",
            "duration_s": 300.0,
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
    ],
    "courses": [
        {
            "course": "python-basics",
            "version": 2,
            "manifest_sha256": "e68f0308ae2fd9f971f1444378039213922726478ab2813279f09a8afecb95d7",
        }
    ],
    "complete": True,
}
