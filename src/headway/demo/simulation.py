"""The demo's learners and all they did: made from a seed and a moment alone, so that it is the same every time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, NamedTuple

from headway.demo.content import Answers
from headway.demo.people import Person, learners, new_id
from headway.demo.sessions import Sitting, sittings
from headway.domain.course import Course
from headway.domain.events import Event, enrollment_event, parse_event
from headway.domain.times import SECOND, format_time
from headway.ledger.submission import Submission

LEARNERS: Final = 240
SENT_TWICE_CHANCE: Final = 0.004
WITHDRAWS_CHANCE: Final = 0.2


class SimulatedLearner(NamedTuple):
    """A simulated learner, and what they sent in the order in which it arrived."""

    person: Person
    created_at: int
    submissions: list[Submission]


def simulate(
    course: Course, answers: Answers, *, now: int, seed: int = 1, count: int = LEARNERS
) -> Iterator[SimulatedLearner]:
    """Learners and their events up to `now` (microseconds); the first is the one that a visitor may sign in as."""
    for person in learners(seed, count, now, len(course.steps)):
        chance = Random(f"{seed}/{person.id}")  # noqa: S311  # a play, and always the same one
        until = datetime.fromtimestamp(now / SECOND, UTC)
        done = list(sittings(person, course, answers, chance, until))
        if not done:
            continue
        begun = _micros(done[0].events[0][0] - timedelta(minutes=2))
        arrivals = _Arrivals(person, course.id, chance, now)
        if person.kind == "account":
            arrivals.enroll(begun + 40 * SECOND)
        arrivals.receive(done)
        if person.kind == "account" and _gives_up(person, course, chance):
            arrivals.withdraw()
        yield SimulatedLearner(person, begun, arrivals.submissions)


class _Arrivals:
    """What the server receives from a learner, and when: one event at a time, or many at once after being offline."""

    def __init__(self, person: Person, course_id: str, chance: Random, now: int) -> None:
        self.person = person
        self.course_id = course_id
        self.chance = chance
        self.now = now
        self.submissions: list[Submission] = []

    def receive(self, done: list[Sitting]) -> None:
        """Receive sittings in order; a late one arrives just before the next begins, and before what builds on it."""
        for sitting, following in zip(done, [*done[1:], None], strict=True):
            if not sitting.late:
                self._receive_live(sitting)
                continue
            online = following.events[0][0] if following else sitting.events[-1][0] + timedelta(days=1.5)
            pile = tuple(parse_event(sent) for _, sent in sitting.events)
            self._arrive(pile, _micros(online) - SECOND)

    def enroll(self, at: int) -> None:
        self._arrive((self._entry("enrolled", at),), at)

    def withdraw(self) -> None:
        """Leave the course some days after the last visit."""
        at = self.submissions[-1].received_at + round(self.chance.uniform(2, 15) * 86_400) * SECOND
        self._arrive((self._entry("left", at),), at)

    def _receive_live(self, sitting: Sitting) -> None:
        for moment, sent in sitting.events:
            event = parse_event(sent)
            at = _micros(moment) + self.chance.randrange(80_000, 900_000)
            self._arrive((event,), at)
            if self.chance.random() < SENT_TWICE_CHANCE:  # the answer was lost on the way, so the client asks again
                self._arrive((event,), at + 4 * SECOND)

    def _arrive(self, events: tuple[Event, ...], at: int) -> None:
        if at <= self.now:
            self.submissions.append(Submission(self.person.id, events, at))

    def _entry(self, kind: str, at: int) -> Event:
        return enrollment_event(new_id(self.chance), kind, self.course_id, format_time(at))


def _gives_up(person: Person, course: Course, chance: Random) -> bool:
    return person.stops_after < 0.5 * len(course.steps) and chance.random() < WITHDRAWS_CHANCE


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * SECOND)
