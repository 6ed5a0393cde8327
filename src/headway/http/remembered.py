"""Sessions seen a moment ago, so that a write need not ask the database who sends it.

Only writes use it: their transaction looks at the session again, under the learner's lock.
"""

from collections import OrderedDict
from time import monotonic
from typing import NamedTuple

KEPT_S = 60.0
KEPT_MAX = 50_000


class Session(NamedTuple):
    """Whose session it is; `kind` is guest or account. `scopes` limit a personal token; None is everything."""

    token_hash: str
    kind: str
    learner_id: str
    scopes: frozenset[str] | None = None


class Remembered:
    """Sessions by token, since a hash would cost more; each for a minute. For the event loop's thread alone."""

    def __init__(self, kept_s: float = KEPT_S, kept_max: int = KEPT_MAX) -> None:
        self._kept_s = kept_s
        self._kept_max = kept_max
        self._kept: OrderedDict[str, tuple[float, Session]] = OrderedDict()

    def find(self, token: str) -> Session | None:
        """The session, if it was seen of late."""
        found = self._kept.get(token)
        if found is None:
            return None
        if found[0] < monotonic():
            del self._kept[token]
            return None
        return found[1]

    def keep(self, token: str, session: Session) -> None:
        """Remember a session that the database was just seen to hold; those seen first make room."""
        self.forget(token)
        now = monotonic()
        self._kept[token] = (now + self._kept_s, session)
        while len(self._kept) > self._kept_max or next(iter(self._kept.values()))[0] < now:
            self._kept.popitem(last=False)

    def forget(self, token: str) -> None:
        """Forget a session that has ended."""
        self._kept.pop(token, None)
