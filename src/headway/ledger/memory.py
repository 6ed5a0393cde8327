"""What a writer remembers of the learners for whom it recorded last, so that it need not be read again.

A memory is used only if the last entry of the learner's ledger and the epoch, read under the learner's lock, are those
that it was remembered with: then nobody else has moved the learner's sums since.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from headway.domain.achievements import Totals
from headway.domain.attendance import Attendance
from headway.ledger.topics import Topics
from headway.ledger.watched import Watched
from headway.store import sums
from headway.store.facts import Mark

KINDS: Final = (sums.STEPS, sums.DAYS, sums.TOPICS, sums.GRANTS, sums.STEP_DAYS)
STEPS: Final = KINDS.index(sums.STEPS)
# About 50 MB of the usual mix, 160 MB of steps alone. Learners who come in turn must all fit, or none is remembered
# when they come again.
VALUES_MAX: Final = 150_000
VALUES_OF_LEARNER_MAX: Final = 2_000
# A learner who was inactive for so long is read anew; and an erased learner leaves nothing here either.
AGE_MAX_S: Final = 600.0


class ModuleKey(NamedTuple):
    """A module of a course's version, within a run."""

    course: str
    version: int
    run: int
    module: str


class Remembered:
    """What is known of a learner as of a mark of their ledger; `totals` are those that achievements need.

    `sums` hold, for each of KINDS, (key, value) by the key as it is asked for, None where nothing is stored;
    `attendance` holds all active days, `topics` what levels are judged by.
    """

    __slots__ = ("attendance", "mark", "modules", "sums", "topics", "totals")

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
        self.sums: tuple[dict[Sequence[Any], tuple[Any, Any] | None], ...] = tuple({} for _ in KINDS)
        self.attendance: Attendance | None = None
        self.modules: dict[ModuleKey, Watched] = {}
        self.totals: Totals | None = None
        self.topics: Topics | None = None

    @property
    def size(self) -> int:
        """How many values it holds."""
        modules = sum(len(one.sums) for one in self.modules.values())
        days = len(self.attendance.active) if self.attendance else 0
        return sum(map(len, self.sums)) + modules + days + (self.topics.size if self.topics else 0)


class Memory:
    """The learners of a writer's last transactions. Only its writer's thread uses it."""

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        self._values_max = values_max
        self._size = 0
        # By learner: size, time kept, and what is remembered; the latest last.
        self._kept: OrderedDict[str, tuple[int, float, Remembered]] = OrderedDict()
        self._taken: dict[str, Remembered] = {}

    def begin(self) -> None:
        """Begin a transaction, and forget what a failed one had taken, because that was changed since."""
        self._taken = {}

    def take(self, learner_id: str, mark: Mark) -> Remembered:
        """What is known of a learner as of this mark: for this transaction to use, and to move."""
        size, _, found = self._kept.pop(learner_id, (0, 0.0, None))
        self._size -= size
        if found is None or found.mark != mark:
            found = Remembered(mark)
        self._taken[learner_id] = found
        return found

    def keep(self) -> None:
        """Remember what was taken as it is now, after the transaction was committed."""
        now = time.monotonic()
        for learner_id, one in self._taken.items():
            size = one.size
            if size <= VALUES_OF_LEARNER_MAX:
                self._kept[learner_id] = size, now, one
                self._size += size
        self._taken = {}
        self.forget(now)

    def forget(self, now: float) -> None:
        """Forget learners kept too long, or beyond the maximum size; `now` is of the monotonic clock, in seconds."""
        while self._kept:
            size, kept_at, _ = next(iter(self._kept.values()))
            if self._size <= self._values_max and now - kept_at < AGE_MAX_S:
                return
            self._kept.popitem(last=False)
            self._size -= size

    def __len__(self) -> int:
        return len(self._kept)
