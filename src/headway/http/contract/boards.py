"""The operations of leaderboards."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import leaderboards, outlook
from headway.http.contract.operation import Operation
from headway.views.leaderboards import Leaderboard
from headway.views.peers import Peers

_TAG, _PROGRESS = "Leaderboards", "Progress"
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
_SOON: Final[dict[str, Any]] = {
    "kind": "level",
    "target": "loops",
    "expected_on": "2026-03-12",
    "low_on": "2026-03-09",
    "high_on": "2026-03-23",
    "level": "advanced",
}
_UNSAID: Final[dict[str, Any]] = {
    "kind": "course",
    "target": "python-basics",
    "reason": "not enough to say: nothing of this on 3 days of the last four weeks",
}
_PEERS: Final[dict[str, Any]] = {
    "period": "month",
    "course": None,
    "from": "2026-03-01",
    "to": "2026-03-31",
    "points": 30,
    "solved": 3,
    "others": 240,
    "ahead_of_percent": 62.5,
    "reason": None,
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "read_predictions": Operation(
        tag=_PROGRESS,
        gives={200: outlook.Predictions},
        has_etag=True,
        refuses=(404,),
        given={"items": [_SOON, _UNSAID], "next_cursor": None},
    ),
    "read_peers": Operation(tag=_PROGRESS, gives={200: Peers}, has_etag=True, refuses=(404, 503), given=_PEERS),
    "read_board": Operation(tag=_TAG, gives={200: Leaderboard}, has_etag=True, refuses=(503,), given=_BOARD),
    "rebuild_leaderboards": Operation(
        tag=_TAG,
        callers="admin",
        gives={200: leaderboards.BoardsWorkedOut},
        given={"dry_run": False, "total": 240, "updated": 1, "unchanged": 239, "updates": [_UPDATE], "cached": 8},
    ),
}
