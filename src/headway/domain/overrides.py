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
    def lifts(self) -> bool:
        """Whether it says nothing itself, and takes the one before back."""
        return is_lifting(self.score, final=self.final, waived=self.waived)

    @property
    def is_score(self) -> bool:
        """Whether it gives the step a score: a waiver does not, nor does one that lifts."""
        return not (self.waived or self.lifts)


def is_lifting(score: int | None, *, final: bool, waived: bool) -> bool:
    """Whether a word lifts the one before: of nothing, and not final."""
    return not (score or final or waived)
