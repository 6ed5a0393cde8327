"""Many who record in one course at once, come, leave, begin anew and are moved, while it is published and rebuilt."""

from random import Random
from uuid import uuid4

from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.times import DAY, SECOND, format_time
from headway.ledger.commit import commit
from headway.ledger.merge import move_guest
from headway.ledger.publish import publish
from headway.ledger.rebuild import rebuild
from headway.ledger.reset import ResetWanted, reset
from headway.ledger.submission import Submission
from headway.store.catalog import Catalog
from headway.store.database import Database
from tests.ledger.at_once import at_once
from tests.ledger.guests import guest_in
from tests.ledger.test_report import VERSIONS, assert_as_counted
from tests.ledger.world import NOON, World

LEARNERS = 8
TURNS = 25
LATER = NOON + 40 * DAY


class Server:
    """A process of its own, as far as the database can tell: connections, catalog, and a random course of things."""

    def __init__(self, world: World, number: int, people: list[str]) -> None:
        self.database = Database(world.url)
        self.catalog = Catalog()
        self.random = Random(number)
        self.people = people
        self.guests = [guest_in(world, *self.learned(3)) for _ in range(3)]
        self.now = LATER

    def run(self) -> None:
        for turn in range(TURNS):
            self.now += SECOND
            chosen = sorted(self.random.sample(self.people, 3))
            commit(self.database, self.catalog, [Submission(one, tuple(self.done()), self.now) for one in chosen])
            if turn % 8 == 3:
                wanted = ResetWanted(chosen[0], str(uuid4()), "report")
                reset(self.database, self.catalog, wanted, now=self.now)
            if turn % 9 == 5:
                guest = self.guests.pop()
                move_guest(self.database, self.catalog, chosen[1], guest.token_hash, now=self.now)
        self.database.close()

    def done(self) -> list[Event]:
        """What one request brings: some events, now and then coming or leaving."""
        kind = self.random.choice(["enrolled", "enrolled", "left"])
        moves = [enrollment_event(str(uuid4()), kind, "report", format_time(self.now))]
        return self.learned(2) + (moves if self.random.random() < 0.2 else [])

    def learned(self, count: int) -> list[Event]:
        return [parse_event(self.attempt()) for _ in range(count)]

    def attempt(self) -> dict[str, object]:
        step = self.random.choice(["a", "b", "c", "e"])
        sent = {"id": str(uuid4()), "type": "attempted", "course": "report", "step": step, "duration_s": 30}
        return sent | {"score": self.random.randrange(101) / 100, "occurred_at": format_time(NOON)}


def test_counters_are_right_whoever_records_at_once(world: World) -> None:
    world.publish(VERSIONS[0])
    people = [world.learner(display_name=f"Learner {n}") for n in range(LEARNERS)]
    for one in people:
        world.send(one, enrollment_event(str(uuid4()), "enrolled", "report", format_time(NOON)))
    servers = [Server(world, number, people) for number in range(3)]

    def operate() -> None:
        other = Database(world.url)
        for number in (1, 2, 1):
            publish(other, dict(VERSIONS[number]), now=LATER)
            rebuild(other, Catalog())
        other.close()

    at_once(operate, *(server.run for server in servers))
    world.restart()
    world.assert_clean()
    assert_as_counted(world, LATER + DAY)
