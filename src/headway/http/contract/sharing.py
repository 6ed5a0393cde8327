"""The operations of sharing progress with anybody."""

from collections.abc import Mapping
from typing import Final

from headway.http import sharing
from headway.http.contract.operation import Operation
from headway.views.sharing import SharedProgress

_TAG: Final = "Sharing"
_SETTINGS: Final = {
    "shared": True,
    "shows": ["name", "streak", "courses"],
    "url": "https://learn.example.org/share/4Wm0C7q1dT9xJ3bKfY2nUe8sRzLhVgAo",
    "badge_url": "https://learn.example.org/share/4Wm0C7q1dT9xJ3bKfY2nUe8sRzLhVgAo/badge.svg",
}
_SHARED: Final = {
    "name": "Ada",
    "streak": {"current": 12, "longest": 30},
    "points": None,
    "levels": None,
    "courses": [{"course": "python", "title": "Python", "status": "in_progress", "percent": 66.67}],
    "achievements": None,
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "read_share": Operation(tag=_TAG, gives={200: sharing.ShareSettings}, has_etag=True, given=_SETTINGS),
    "set_share": Operation(
        tag=_TAG,
        callers="account",
        takes=sharing.ShareAsked,
        gives={200: sharing.ShareSettings},
        sent={"shows": ["name", "streak", "courses"], "renew": False},
        given=_SETTINGS,
    ),
    "end_share": Operation(tag=_TAG, callers="account", gives={204: None}),
    "read_shared_progress": Operation(
        tag=_TAG, callers="public", gives={200: SharedProgress}, has_etag=True, given=_SHARED
    ),
}
