"""Overrides: what people say that a step counts for."""

from typing import NamedTuple


class Override(NamedTuple):
    """A person's score for a step, in millionths; the latest by (time, event id) is in force."""

    at: int
    event_id: str
    score: int
    final: bool
    waived: bool

    @property
    def is_score(self) -> bool:
        """Whether it gives the step a score; a waiver does not, nor a 0 that is not final, which lifts overrides."""
        return not self.waived and (self.final or self.score > 0)
