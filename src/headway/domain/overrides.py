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
    def lifts(self) -> bool:
        """Whether it only cancels the override before it."""
        return is_lifting(self.score, final=self.final, waived=self.waived)

    @property
    def is_score(self) -> bool:
        """Whether it gives the step a score; a waiver does not, nor an override that lifts the one before."""
        return not (self.waived or self.lifts)


def is_lifting(score: int | None, *, final: bool, waived: bool) -> bool:
    """Whether an override only cancels the one before it: a score of 0 that is neither final nor a waiver."""
    return not (score or final or waived)
