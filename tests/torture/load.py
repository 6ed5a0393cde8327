"""Load that remembers: what was sent, what of it was acknowledged, and what must be sent again."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TypeAlias

from tests.torture.client import Client, Event, Guest, Lost, Reply, attempt

BATCH_MAX = 60
SHARE_OF_BATCHES = 0.25
RETRY_PATIENCE_S = 30.0
JOIN_PATIENCE_S = 40.0
PAUSE_S = 0.02


Owed: TypeAlias = list[tuple[Guest, list[Event]]]


class Tally:
    """All that was ever sent, by event id, and what became of it. Threads add to it: each its own keys."""

    def __init__(self, guests: Sequence[Guest]) -> None:
        self.guests = guests
        self.sent: dict[str, tuple[Guest, Event]] = {}
        self.acknowledged: set[str] = set()
        self.repeated: set[str] = set()
        self.statuses: Counter[int] = Counter()
        self.faults: list[str] = []

    def send(self, client: Client, guest: Guest, events: Sequence[Event]) -> bool:
        """Send events in one request and note the answer; whether they are acknowledged. Lost passes through."""
        self.sent |= {one["id"]: (guest, one) for one in events}
        client.token = guest.token
        reply = client.record(events)
        self.statuses[reply.status] += 1
        if reply.status == 200:
            self._note(events, reply)
        elif reply.status != 503:
            self.faults.append(str(reply))
        return reply.status == 200

    def _note(self, events: Sequence[Event], reply: Reply) -> None:
        results = reply.body["results"]
        if [one["id"] for one in results] != [one["id"] for one in events]:
            self.faults.append(f"the results are not those of the request: {reply}")
        for one in results:
            if one["status"] == "duplicate":
                self.repeated.add(one["id"])
            elif one["status"] != "recorded":
                self.faults.append(f"refused: {one}")
                continue
            self.acknowledged.add(one["id"])

    def unanswered(self) -> Owed:
        """What was sent and never acknowledged, a learner's events together, in requests of a fair size."""
        by_guest: dict[Guest, list[Event]] = {}
        for event_id in self.sent.keys() - self.acknowledged:
            guest, event = self.sent[event_id]
            by_guest.setdefault(guest, []).append(event)
        return [
            (guest, events[start : start + BATCH_MAX])
            for guest, events in by_guest.items()
            for start in range(0, len(events), BATCH_MAX)
        ]

    def send_the_rest(self, port: int) -> None:
        """Send again, with the same ids, what was never acknowledged, until all of it is."""
        until = time.monotonic() + RETRY_PATIENCE_S
        client = Client(port)
        while left := self.unanswered():
            assert time.monotonic() < until, f"{len(left)} requests are not acknowledged; statuses {self.statuses}"
            for guest, events in left:
                self.send(client, guest, events)
        client.close()

    def expected(self) -> Counter[tuple[str, str]]:
        """The attempts by learner and step that follow from what was sent."""
        return Counter((guest.id, event["step"]) for guest, event in self.sent.values())

    def keys(self, event_ids: set[str]) -> set[tuple[str, str]]:
        """(learner, event id) of some of the events."""
        return {(self.sent[one][0].id, one) for one in event_ids}


class Loader(threading.Thread):
    """One connection: first what is owed from before, then new events, singly and in batches, until told to stop."""

    def __init__(self, tally: Tally, port: int, rng: Random, owed: Owed, pace_s: float) -> None:
        super().__init__(daemon=True)
        self.tally, self.rng, self.owed, self.pace_s = tally, rng, owed, pace_s
        self.client = Client(port)
        self.stopping = threading.Event()
        self.lost: str | None = None

    def run(self) -> None:
        """Send until told to stop, or until the server is gone."""
        try:
            while not self.stopping.is_set():
                guest, events = self._next()
                if not self.tally.send(self.client, guest, events):
                    self.owed.append((guest, events))
                    time.sleep(PAUSE_S)
                time.sleep(self.pace_s)
        except Lost as error:
            self.lost = str(error)
        except Exception as error:
            self.tally.faults.append(repr(error))
            raise
        finally:
            self.client.close()

    def _next(self) -> tuple[Guest, list[Event]]:
        try:
            return self.owed.pop()
        except IndexError:
            # Half of it is for the first few learners: several connections meet on their rows.
            hot = self.tally.guests[: max(1, len(self.tally.guests) // 8)]
            guest = self.rng.choice(hot if self.rng.random() < 0.5 else self.tally.guests)
            size = self.rng.randint(2, BATCH_MAX) if self.rng.random() < SHARE_OF_BATCHES else 1
            return guest, [attempt(self.rng) for _ in range(size)]


@contextmanager
def load(tally: Tally, rng: Random, *ports: int, connections: int, pace_s: float = 0.0) -> Iterator[list[Loader]]:
    """Load the servers from several connections while the block runs; what is owed is sent first.

    With a pace each connection rests between its requests, and leaves the processors to what runs beside it.
    """
    owed = tally.unanswered()
    loaders = [
        Loader(tally, ports[number % len(ports)], Random(rng.getrandbits(64)), owed, pace_s)
        for number in range(connections)
    ]
    for one in loaders:
        one.start()
    try:
        yield loaders
    finally:
        for one in loaders:
            one.stopping.set()
        for one in loaders:
            one.join(JOIN_PATIENCE_S)
    assert not any(one.is_alive() for one in loaders), "a request was never answered"
    assert not tally.faults, tally.faults[:3]


def wait_for(count: int, tally: Tally, patience_s: float = 30.0) -> None:
    """Wait until so many events more are acknowledged."""
    goal, until = len(tally.acknowledged) + count, time.monotonic() + patience_s
    while len(tally.acknowledged) < goal:
        assert time.monotonic() < until, f"{len(tally.acknowledged)} of {goal} acknowledged; {tally.statuses}"
        time.sleep(0.005)
