"""What each operation takes, gives and refuses: the part of the contract that the handlers' signatures do not say.

A subject a file; what they share is `operation.py`.
"""

from collections.abc import Mapping
from typing import Final

from headway.http.contract import (
    administration,
    boards,
    certifying,
    courses,
    health,
    hooks,
    identity,
    notifying,
    reading,
    recording,
    reports,
    sharing,
    teaching,
)
from headway.http.contract.operation import Operation

__all__ = ["OPERATIONS", "Operation"]

OPERATIONS: Final[Mapping[str, Operation]] = {
    **recording.OPERATIONS,
    **reading.OPERATIONS,
    **boards.OPERATIONS,
    **notifying.OPERATIONS,
    **hooks.OPERATIONS,
    **identity.OPERATIONS,
    **courses.OPERATIONS,
    **certifying.OPERATIONS,
    **teaching.OPERATIONS,
    **reports.OPERATIONS,
    **sharing.OPERATIONS,
    **administration.OPERATIONS,
    **health.OPERATIONS,
}
