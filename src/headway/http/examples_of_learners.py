"""Examples of learners as admins see them."""

from typing import Any, Final

LISTED: Final[dict[str, Any]] = {
    "id": "2b1f36c6-188d-5e03-a1a8-392b04906851",
    "kind": "imported",
    "email": None,
    "display_name": None,
    "roles": [],
    "external_id": "user_7",
    "time_zone": "UTC",
    "created_at": "2026-03-01T12:00:00.000000Z",
}
SHOWN: Final[dict[str, Any]] = {
    **LISTED,
    "external_ids": ["user_7"],
    "events": 31,
    "enrollments": 0,
    "last_event_at": "2026-03-01T12:00:00.000000Z",
}
CLAIM: Final[dict[str, Any]] = {
    "code": "b7kq2m8sP1xYw0Zr5TnVd3Gf6HjLcE9a",
    "expires_at": "2026-03-08T12:00:00.000000Z",
}
IMPORT_SENT: Final[dict[str, Any]] = {
    "format": "json-files",
    "dry_run": True,
    "files": [{"name": "attempts_user_7.json", "base64": "W10="}],
}
IMPORT: Final[dict[str, Any]] = {
    "id": "5b0a0d7e-4a5c-4f0e-8a53-2d1c0f7c6a11",
    "status": "running",
    "began_at": "2026-03-01T12:00:00.000000Z",
    "ended_at": None,
    "done": 0,
    "total": 2,
    "problem": None,
    "report": None,
}
