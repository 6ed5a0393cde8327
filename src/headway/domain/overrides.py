"""What people said that a step counts for."""

from typing import NamedTuple


class Override(NamedTuple):
    """What a person said that a step counts for, in millionths; the latest by (time, event id) is in force."""

    at: int
    event_id: str
    score: int
    final: bool
    waived: bool

    @property
    def is_score(self) -> bool:
        """Whether it gives the step a score: a waiver does not, nor does one of nothing, which lifts the one before."""
        return not self.waived and (self.final or self.score > 0)
