"""The operations of health."""

from collections.abc import Mapping
from typing import Final

from headway.http import health
from headway.http.contract.operation import Operation

_TAG: Final = "Health"

OPERATIONS: Final[Mapping[str, Operation]] = {
    "live": Operation(tag=_TAG, callers="public", gives={200: health.Live}),
    "ready": Operation(tag=_TAG, callers="public", gives={200: health.Ready, 503: health.Ready}),
}
