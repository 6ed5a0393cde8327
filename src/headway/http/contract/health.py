"""The operations of health."""

from collections.abc import Mapping
from typing import Any, Final

from headway.http import health
from headway.http.contract.operation import Operation

_TAG: Final = "Health"
_READY: Final[dict[str, Any]] = {
    "status": "ready",
    "database": "sqlite",
    "reachable": True,
    "revision": "0013",
    "newest_revision": "0013",
    "waiting_events": 0,
    "sqlite_version": "3.51.3",
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    "live": Operation(tag=_TAG, callers="public", gives={200: health.Live}, given={"status": "live"}),
    "ready": Operation(
        tag=_TAG,
        callers="public",
        gives={200: health.Ready, 503: health.Ready},
        given=_READY,
        given_apart={503: _READY | {"status": "not-ready", "reachable": False, "revision": None}},
    ),
}
