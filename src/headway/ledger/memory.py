"""What a writer remembers of the learners for whom it recorded last: what it need not read again.

It is relied on only where the last entry of the learner's ledger and the epoch, read under the learner's lock, are
those that it was remembered with: nobody else has moved the learner's sums since then.
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
# Some 50 MB of the usual mix, of steps alone 160. Whoever comes in turn must all fit, or nobody is remembered when
# they come again.
VALUES_MAX: Final = 150_000
VALUES_OF_LEARNER_MAX: Final = 2_000
# Who has not learned for so long starts anew; and who was erased leaves nothing here either.
AGE_MAX_S: Final = 600.0


class ModuleKey(NamedTuple):
    """A module of a course's version, within a run."""

    course: str
    version: int
    run: int
    module: str


class Remembered:
    """What is known of a learner as of a mark of their ledger; `totals` are what achievements ask of all sums.

    `sums` hold, for each of KINDS, (key, value) by the key as it is asked for, None where nothing is stored;
    `attendance` holds all days, `topics` what levels are judged by.
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
    """The learners that a writer remembers, those of the last transactions. Its writer's thread alone uses it."""

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        self._values_max = values_max
        self._size = 0
        # Size, when it was kept, and what; the last that was kept lies last.
        self._kept: OrderedDict[str, tuple[int, float, Remembered]] = OrderedDict()
        self._taken: dict[str, Remembered] = {}

    def begin(self) -> None:
        """Begin a transaction: what was taken for one that failed is forgotten, for it has been moved since."""
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
        """Remember what was taken as it is now: the transaction is committed."""
        now = time.monotonic()
        for learner_id, one in self._taken.items():
            size = one.size
            if size <= VALUES_OF_LEARNER_MAX:
                self._kept[learner_id] = size, now, one
                self._size += size
        self._taken = {}
        self.forget(now)

    def forget(self, now: float) -> None:
        """Forget whom it is too long ago or too much to remember; `now` by the monotonic clock, in seconds."""
        while self._kept:
            size, kept_at, _ = next(iter(self._kept.values()))
            if self._size <= self._values_max and now - kept_at < AGE_MAX_S:
                return
            self._kept.popitem(last=False)
            self._size -= size

    def __len__(self) -> int:
        return len(self._kept)
