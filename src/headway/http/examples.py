"""Examples of bodies for the contract; a test sends those of requests, and compares the shapes of those of replies."""

from collections.abc import Mapping
from typing import Any, Final

_AT: Final = "2026-03-01T09:30:00.000000Z"
_EVENT_ID: Final = "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c11"
_LEARNER_ID: Final = "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10"

EVENTS_SENT: Final[dict[str, Any]] = {
    "events": [
        {
            "id": _EVENT_ID,
            "type": "attempted",
            "course": "python-basics",
            "step": "fizz",
            "occurred_at": "2026-03-01T10:30:00+01:00",
            "score": {"raw": 17, "max": 20},
            "duration_s": 94.5,
            "hints": 1,
        }
    ]
}
_STEP: Final[dict[str, Any]] = {
    "course": "python-basics",
    "step": "for-1",
    "status": "completed",
    "attempts": 0,
    "best_score": None,
    "latest_score": None,
    "first_score": None,
    "completed": True,
    "completed_at": "2026-02-27T18:10:00.000000Z",
    "duration_s": 300.0,
    "hints": 0,
    "updated_at": "2026-02-27T18:10:00.000000Z",
}
_FIZZ: Final[dict[str, Any]] = _STEP | {
    "step": "fizz",
    "attempts": 1,
    "best_score": 0.85,
    "latest_score": 0.85,
    "first_score": 0.85,
    "completed_at": _AT,
    "duration_s": 94.5,
    "hints": 1,
    "updated_at": _AT,
}
_QUIZ: Final[dict[str, Any]] = _STEP | {
    "step": "loops-quiz",
    "attempts": 2,
    "best_score": 1.0,
    "latest_score": 1.0,
    "first_score": 0.0,
    "completed_at": "2026-02-28T10:01:00.000000Z",
    "duration_s": 65.0,
    "updated_at": "2026-02-28T10:01:00.000000Z",
}


def _completed(step: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "step_completed", **{name: step[name] for name in ("course", "step", "completed_at")}}


EVENTS_RECORDED: Final[dict[str, Any]] = {
    "results": [{"id": _EVENT_ID, "status": "recorded"}],
    "steps": [_FIZZ],
    "changes": [
        _completed(_FIZZ),
        {"type": "streak_extended", "current": 3, "day": "2026-03-01"},
        {
            "type": "module_completed",
            "course": "python-basics",
            "module": "loops",
            "score_percent": 92.5,
            "completed_at": _AT,
        },
        {"type": "module_unlocked", "course": "python-basics", "module": "functions", "unlocked_at": _AT},
    ],
}
_PAUSE_ID: Final = "3e1b7c52-1d0f-4f7e-8a55-0c9d2b6e4f90"
PAUSE_SENT: Final[dict[str, Any]] = {"id": _PAUSE_ID, "days": 10}
PAUSE: Final[dict[str, Any]] = {"id": _PAUSE_ID, "from": "2026-12-24", "to": "2027-01-02"}
COMPLETION_SENT: Final[dict[str, Any]] = {"id": "51e8b0d3-7f26-4c9a-b3e4-0d6a8c2f1b73", "duration_s": 300}
STEP_RECORDED: Final[dict[str, Any]] = {
    "result": {"id": COMPLETION_SENT["id"], "status": "recorded"},
    "progress": _STEP,
    "changes": [_completed(_STEP), {"type": "streak_extended", "current": 1, "day": "2026-02-27"}],
}
ATTEMPT_SENT: Final[dict[str, Any]] = {"id": "c8a61f05-2b9e-4d73-9f10-5e4b7d3c6a25", "answer": "a", "duration_s": 20}
ATTEMPT_RECORDED: Final[dict[str, Any]] = {
    "result": {"id": ATTEMPT_SENT["id"], "status": "recorded"},
    "attempt": {"score": 1.0, "passed": True, "feedback": "Right: it starts at 0."},
    "progress": _QUIZ,
    "changes": [_completed(_QUIZ)],
}
LEARNER: Final[dict[str, Any]] = {
    "id": _LEARNER_ID,
    "kind": "account",
    "email": "ada@example.org",
    "display_name": "Ada",
    "leaderboard_alias": None,
    "leaderboard_opt_out": False,
    "roles": [],
    "time_zone": "Europe/London",
    "created_at": "2026-02-27T18:00:00.000000Z",
}
GUEST: Final[dict[str, Any]] = LEARNER | {"kind": "guest", "email": None, "display_name": None, "time_zone": "UTC"}
REGISTRATION: Final[dict[str, Any]] = {
    "email": "ada@example.org",
    "password": "correct horse battery",
    "display_name": "Ada",
    "time_zone": "Europe/London",
}
SIGN_IN: Final[dict[str, Any]] = {"email": "ada@example.org", "password": "correct horse battery"}
TOKEN_ASKED: Final[dict[str, Any]] = {"name": "Notebook", "scopes": ["read", "write"], "expires_in_days": 90}
TOKEN: Final[dict[str, Any]] = {
    "id": "3d0f7b52-7a5e-4f0a-8f7b-2f6c1d9e8a40",
    "name": "Notebook",
    "scopes": ["read", "write"],
    "created_at": _AT,
    "last_used_at": None,
    "expires_at": "2026-05-30T09:30:00.000000Z",
}
TOKEN_MADE: Final[dict[str, Any]] = TOKEN | {"token": "hwp_bDJ5c0tQd1hVZ0RyN3ZOcTRtRjh6VGNBMXhIZTZZaks"}
SESSION: Final[dict[str, Any]] = {
    "id": "0d0f3a52-6f0a-4b53-8d0c-0b8f6b3d9e10",
    "name": "Firefox on Linux",
    "created_at": _AT,
    "last_used_at": _AT,
    "expires_at": "2026-03-31T09:30:00.000000Z",
    "current": True,
}
SECURITY_EVENT: Final[dict[str, Any]] = {
    "id": "6c1f0f6e-38a8-4b6d-9c0e-6f0d2c1b7a55",
    "kind": "signed-in",
    "at": _AT,
    "address": "203.0.113.7",
    "detail": "Firefox on Linux",
}
DEVICE_ASKED: Final[dict[str, Any]] = {"client_id": "headway 1.0", "scope": "read write"}
_DEVICE_CODE: Final = "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS4w"
DEVICE_WAITS: Final[dict[str, Any]] = {
    "device_code": _DEVICE_CODE,
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://learn.example.org/device",
    "verification_uri_complete": "https://learn.example.org/device?user_code=WDJB-MJHT",
    "expires_in": 900,
    "interval": 5,
}
DEVICE_ASKS_AGAIN: Final[dict[str, Any]] = {
    "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
    "device_code": _DEVICE_CODE,
    "client_id": "headway 1.0",
}
DEVICE_TOKEN: Final[dict[str, Any]] = {
    "access_token": TOKEN_MADE["token"],
    "token_type": "Bearer",
    "expires_in": 31_536_000,
    "scope": "read write",
}
PROVIDERS: Final[dict[str, Any]] = {
    "items": [{"id": "example", "title": "Example", "url": "/api/v1/auth/oidc/example"}],
    "next_cursor": None,
}
MANIFEST: Final[dict[str, Any]] = {
    "id": "python-basics",
    "title": "Python basics",
    "certificate": True,
    "modules": [
        {
            "id": "loops",
            "title": "Loops",
            "requires": [],
            "steps": [
                {"id": "for-1", "kind": "lesson", "title": "For loops", "topics": ["loops"]},
                {
                    "id": "loops-quiz",
                    "kind": "quiz",
                    "title": "Quiz",
                    "pass_mark": 70,
                    "prompt": "What does range(3) give?",
                    "topics": ["loops"],
                    "grader": {
                        "type": "choice",
                        "options": {"a": "0 1 2", "b": "1 2 3"},
                        "answer": "a",
                        "when_right": "Right: it starts at 0.",
                    },
                },
                {
                    "id": "fizz",
                    "kind": "exercise",
                    "title": "FizzBuzz",
                    "topics": ["loops"],
                    "files": {"fizz.py": "def fizz(n):\n    pass\n"},
                    "test": {"command": ["python", "-m", "pytest"], "timeout_s": 60},
                },
            ],
        },
        {
            "id": "functions",
            "title": "Functions",
            "steps": [
                {"id": "def-1", "kind": "lesson", "title": "def", "topics": ["functions"]},
                {"id": "greet", "kind": "exercise", "title": "Greeting", "topics": ["functions"]},
            ],
        },
    ],
}
PUBLISHED: Final[dict[str, Any]] = {
    "course": "python-basics",
    "version": 1,
    "impact": {
        "summary": "completes 0, takes back 0, orphans 0",
        "steps_added": ["for-1", "loops-quiz", "fizz", "def-1", "greet"],
        "steps_removed": [],
        "steps_renamed": [],
        "modules_added": ["loops", "functions"],
        "modules_removed": [],
        "modules_renamed": [],
        "gates_moved": [],
        "learners": 0,
        "gains": {
            "learners": 0,
            "modules_unlocked": 0,
            "modules_completed": 0,
            "courses_completed": 0,
            "certificates": 0,
            "first": [],
        },
        "would_lose": {
            "learners": 0,
            "modules_open": 0,
            "modules_completed": 0,
            "courses_completed": 0,
            "why_kept": "what was granted stays: a completion is never taken back, and what was open stays open",
            "first": [],
        },
        "orphaned": [],
    },
}
_CERTIFICATE_ID: Final = "7c1f4a3e-9b0d-4c55-8a1e-2d6f0c9b3e71"
CERTIFICATE: Final[dict[str, Any]] = {
    "id": _CERTIFICATE_ID,
    "learner_name": "Ada",
    "course": "python-basics",
    "title": "Python basics",
    "run": 1,
    "score_percent": 87.5,
    "issued_at": _AT,
    "revoked_at": None,
    "revoked_reason": None,
    "url": f"https://learn.example.org/certificates/{_CERTIFICATE_ID}",
    "pdf_url": f"https://learn.example.org/api/v1/certificates/{_CERTIFICATE_ID}/pdf",
    "credential_url": f"https://learn.example.org/api/v1/certificates/{_CERTIFICATE_ID}/credential",
}
_ATTEMPT_ID: Final = "0b8f6f0e-58c5-4a1e-9d7b-0e6d3e1f2a3b"
_GRADE_ID: Final = "3f0c9a52-6d1e-4b7c-8e21-5a9d7c4b1f60"
_OTHER_ID: Final = "9a1d5c70-2b4e-4f8a-b6c3-7e0d1f2a4b5c"
SUBMISSIONS: Final[dict[str, Any]] = {
    "items": [
        {
            "attempt": _ATTEMPT_ID,
            "learner": {"id": _OTHER_ID, "display_name": "Ben"},
            "step": "essay",
            "title": "Why threads wait",
            "run": 1,
            "submitted_at": _AT,
            "response": "Each of them holds the lock that the other one wants.",
            "attempts": 1,
            "score": None,
            "passed": False,
            "feedback": None,
            "graded_by": None,
            "graded_at": None,
        }
    ],
    "next_cursor": None,
    "guides": {"essay": "Names both locks, and the order in which each thread takes them."},
}
GRADE_SENT: Final[dict[str, Any]] = {
    "learner": _OTHER_ID,
    "attempt": _ATTEMPT_ID,
    "score": 0.85,
    "feedback": "Right. Which order would have spared them the wait?",
    "id": _GRADE_ID,
}
GRADE_TOLD: Final[dict[str, Any]] = {
    "result": {"id": _GRADE_ID, "status": "recorded"},
    "progress": {
        "course": "threads",
        "step": "essay",
        "status": "completed",
        "attempts": 1,
        "best_score": 0.85,
        "latest_score": 0.85,
        "first_score": 0.85,
        "completed": True,
        "completed_at": _AT,
        "duration_s": 0.0,
        "hints": 0,
        "updated_at": _AT,
    },
    "changes": [
        {
            "type": "step_graded",
            "course": "threads",
            "step": "essay",
            "score": 0.85,
            "attempt": _ATTEMPT_ID,
            "feedback": "Right. Which order would have spared them the wait?",
        },
        {"type": "step_completed", "course": "threads", "step": "essay", "completed_at": _AT},
    ],
}
REGRADE_SENT: Final[dict[str, Any]] = {"step": "loops-quiz", "reason": "Option b is right as well."}
REGRADE_TOLD: Final[dict[str, Any]] = {
    "dry_run": False,
    "total": 2,
    "updated": 1,
    "unchanged": 1,
    "updates": [
        {"learner": _OTHER_ID, "run": 1, "field": "score", "old": 0.0, "new": 1.0},
        {"learner": _OTHER_ID, "run": 1, "field": "completed", "old": False, "new": True},
    ],
    "kept": [],
    "left_out": 0,
    "note": "Nothing sinks by a regrade, and nothing that was granted is taken back: `kept` is what would have sunk.",
}
DEFINITION_SENT: Final[dict[str, Any]] = {
    "title": "Loop the loop",
    "description": "Complete 25 exercises.",
    "category": "practice",
    "metric": "exercises",
    "threshold": 25,
    "points": 15,
    "tier": "silver",
    "hidden": False,
}
DEFINITION: Final[dict[str, Any]] = {"id": "loop-the-loop", **DEFINITION_SENT, "origin": "site", "retired": False}
ACHIEVEMENT: Final[dict[str, Any]] = {
    "id": "loop-the-loop",
    "title": "Loop the loop",
    "description": "Complete 25 exercises.",
    "category": "practice",
    "tier": "silver",
    "points": 15,
    "hidden": False,
    "unlocked": False,
    "unlocked_at": None,
    "progress": {"value": 20, "target": 25, "percent": 80.0},
    "image": "/api/v1/badges/practice-silver-locked.svg",
}
BADGE: Final[dict[str, Any]] = {
    "id": "first-step",
    "title": "First step",
    "category": "first_steps",
    "tier": "bronze",
    "points": 5,
    "earned_at": _AT,
    "image": "/api/v1/badges/first-steps-bronze.svg",
}
