"""A writer at work, and what it answers."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition
from typing import Any

from headway.domain.events import Event
from headway.ledger.submission import Receipt, Submission
from headway.ledger.writer import Outcome, Waiting, Writer
from tests.ledger.world import HOUR, NOON, World

PATIENCE_S = 20


class Desk:
    """Hands submissions to a writer, and keeps the outcomes by their replies, in the order of the answers."""

    def __init__(self, world: World) -> None:
        self.writer = Writer(world.database, world.catalog, self._answered)
        self.outcomes: dict[str, Outcome] = {}
        self._arrived = Condition()

    def _answered(self, pairs: Sequence[tuple[Waiting, Outcome]]) -> None:
        with self._arrived:
            for waiting, outcome in pairs:
                reply = str(waiting.reply)
                assert reply not in self.outcomes, "answered twice"
                self.outcomes[reply] = outcome
            self._arrived.notify_all()

    def submit(self, reply: str, learner_id: str, *events: Event, **fields: Any) -> None:
        self.writer.submit(Submission(learner_id, events, **{"received_at": NOON + HOUR, **fields}), reply)

    def outcome(self, reply: str) -> Outcome:
        """The answer to a submission, as soon as it is there."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: reply in self.outcomes, PATIENCE_S), f"no answer to {reply}"
            return self.outcomes[reply]

    def receipt(self, reply: str) -> Receipt:
        found = self.outcome(reply)
        assert isinstance(found, Receipt), found
        return found


@contextmanager
def desk(world: World) -> Iterator[Desk]:
    """A desk with its writer begun, and stopped afterwards."""
    found = Desk(world)
    found.writer.start()
    try:
        yield found
    finally:
        found.writer.stop()
