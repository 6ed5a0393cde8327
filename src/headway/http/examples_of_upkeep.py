"""Examples of replies about a site's state, for its admins."""

from typing import Any, Final

_FIGURE: Final[dict[str, Any]] = {
    "learner": "9f1f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c12",
    "field": "step_sum.attempts",
    "old": 8,
    "new": 3,
    "key": "python-basics/1/fizz",
}
AUDIT: Final[dict[str, Any]] = {
    "id": "5b0f6c1e-7d2a-4c3b-9e8f-1a2b3c4d5e6f",
    "status": "clean",
    "began_at": "2026-03-01T03:00:00Z",
    "ended_at": "2026-03-01T03:04:10Z",
    "done": 1204,
    "total": 1204,
    "report": {"learners": 1204, "events": 98211, "found": 0, "differing": 0, "faults": []},
}
AUDITED: Final[dict[str, Any]] = {
    "id": "5b0f6c1e-7d2a-4c3b-9e8f-1a2b3c4d5e6f",
    "total": 1204,
    "updated": 1,
    "unchanged": 1203,
    "found": 1,
    "updates": [_FIGURE],
}
BACKFILL: Final[dict[str, Any]] = {
    "dry_run": False,
    "total": 2,
    "updated": 1,
    "unchanged": 1,
    "broken": 0,
    "updates": [
        _FIGURE,
        {
            "learner": "9f1f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c12",
            "field": "achievements",
            "old": 3,
            "new": 4,
            "achievements": ["loop-the-loop"],
        },
    ],
}
SYSTEM: Final[dict[str, Any]] = {
    "headway": "0.1.0",
    "python": "3.13.1",
    "now": "2026-03-01T09:30:00Z",
    "started_at": "2026-02-20T12:00:00Z",
    "workers": 1,
    "learners": 1204,
    "database": {
        "kind": "sqlite",
        "version": "3.51.3",
        "revision": "0013",
        "newest_revision": "0013",
        "size_bytes": 73400320,
        "log_bytes": 4124152,
        "free_bytes": 81604378624,
    },
    "writer": {"waiting_events": 0, "lag_s": 0.0, "commits": 20411},
    "last_backup": {
        "taken_at": "2026-03-01T02:00:00Z",
        "rows": 310442,
        "size_bytes": 9123456,
        "sha256": "892c276974436fc54c6c7efed27c645d76be1cf01ac658deff4ad6c7c3ede611",
    },
    "last_audit": AUDIT,
    "audit_under_way": None,
}
