"""The operations of leaderboards."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import leaderboards
from headway.http.contract.operation import Operation
from headway.views.leaderboards import Leaderboard

_TAG: Final = "Leaderboards"
_ADA: Final[dict[str, Any]] = {"rank": 1, "display_name": "Ada", "points": 45, "solved": 4, "is_me": False}
_ME: Final[dict[str, Any]] = {"rank": 2, "display_name": "night owl", "points": 30, "solved": 3, "is_me": True}
_BOARD: Final[dict[str, Any]] = {
    "period": "week",
    "course": "python-basics",
    "from": "2026-02-23",
    "to": "2026-03-01",
    "time_zone": "UTC",
    "items": [_ADA, _ME],
    "me": _ME,
    "next_cursor": None,
}
_UPDATE: Final[dict[str, Any]] = {
    "learner": "5b0c9a0e-8f43-4f0e-9b1c-6a6f1f6b2d10",
    "field": "site/all/points",
    "old": 40,
    "new": 45,
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "read_board": Operation(tag=_TAG, gives={200: Leaderboard}, has_etag=True, refuses=(503,), given=_BOARD),
    "rebuild_leaderboards": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: leaderboards.BoardsWorkedOut},
        given={"dry_run": False, "total": 240, "updated": 1, "unchanged": 239, "updates": [_UPDATE]},
    ),
}
