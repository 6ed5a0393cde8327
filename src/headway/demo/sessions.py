"""How one learner goes through the course, sitting by sitting: what is opened, answered, retried and left."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from headway.demo.answering import right_answer, wrong_answer
from headway.demo.content import Answers
from headway.demo.people import Person, new_id
from headway.domain.course import Course, Step
from headway.domain.times import zone

TRIES_MAX: Final = 5
_SECONDS_A_WORD: Final = 0.35


class Sitting(NamedTuple):
    """The events of one sitting as a client sends them, each with its moment; `late` ones had no network."""

    events: list[tuple[datetime, dict[str, Any]]]
    late: bool


@dataclass(slots=True)
class _Study:
    """A learner's way through the course."""

    person: Person
    course: Course
    answers: Answers
    chance: Random
    ahead: list[Step]
    passed: list[Step] = field(default_factory=list)
    at: datetime = field(init=False)
    sent: list[tuple[datetime, dict[str, Any]]] = field(init=False)

    def sitting(self, start: datetime) -> list[tuple[datetime, dict[str, Any]]]:
        """Sit down for some steps, or for practice where nothing is left."""
        # In UTC: where clocks are turned back, local time goes through an hour twice.
        self.at, self.sent = start.astimezone(UTC), []
        wanted = max(1, round(self.chance.gauss(self.person.habit.steps, self.person.habit.steps / 3)))
        while wanted and self.ahead and not self.finished:
            if not self._take(self.ahead[0]):
                break
            self.passed.append(self.ahead.pop(0))
            wanted -= 1
            self._pause(5, 60)
        if not self.sent:
            self._practice()
        return self.sent

    @property
    def finished(self) -> bool:
        return not self.ahead or len(self.passed) >= self.person.stops_after

    def _take(self, step: Step) -> bool:
        """Work on a step until it is passed (True) or given up for today."""
        self._send("opened", step)
        if step.grader is not None:
            return self._answer(step)
        if step.kind == "assignment":
            return self._do(step)
        took = self._pause(0.7 * _reading_s(step), 2.2 * _reading_s(step))
        self._send("completed", step, duration_s=took)
        return True

    def _answer(self, step: Step) -> bool:
        skill = self.person.habit.skill - (0.15 if step.kind == "assessment" else 0)
        for tried in range(TRIES_MAX):
            took = self._pause(15, 150)
            right = self.chance.random() < skill + 0.2 * tried  # the feedback helps
            answer = (right_answer if right else wrong_answer)(step, self.answers.samples, self.chance)
            hints = self.chance.choice((0, 0, 1)) if tried else 0
            self._send("attempted", step, response=answer, duration_s=took, **({"hints": hints} if hints else {}))
            if right:
                return True
            if self.chance.random() < 0.25:
                return False
        return False

    def _do(self, step: Step) -> bool:
        """Do an assignment away from the page: send the time spent and then the score; True if it is passed."""
        for _ in range(self.chance.choice((1, 1, 2))):
            self._send("worked", step, duration_s=self._pause(400, 1600))
        parts = self.answers.parts[step.id]
        done = sum(self.chance.random() < self.person.habit.skill + 0.2 for _ in range(parts))
        self._send("attempted", step, score=self._score(done, parts), duration_s=self._pause(60, 400))
        return done * 1_000_000 >= step.pass_mark * parts

    def _score(self, done: int, parts: int) -> Any:
        """A score in the form that the learner's client sends: raw of max, percent, or percent as text."""
        if self.person.client == "web":
            return {"raw": done, "max": parts}
        percent = 100 * done // parts
        # A percentage of 1 would be read as a full score; no share of four or five parts comes to that.
        return percent if self.person.client == "terminal" else str(percent)

    def _practice(self) -> None:
        questions = [step for step in self.passed if step.grader is not None]
        for step in self.chance.sample(questions, min(len(questions), self.chance.choice((1, 1, 2)))):
            right = self.chance.random() < self.person.habit.skill + 0.15
            answer = (right_answer if right else wrong_answer)(step, self.answers.samples, self.chance)
            self._send("attempted", step, response=answer, duration_s=self._pause(10, 60))

    def _pause(self, low: float, high: float) -> int:
        """Let time pass; returns the whole seconds of it."""
        seconds = round(self.chance.triangular(low, high, low + (high - low) / 4))
        self.at += timedelta(seconds=seconds, milliseconds=self.chance.randrange(1000))
        return seconds

    def _send(self, kind: str, step: Step, **more: Any) -> None:
        sent = {"id": new_id(self.chance), "type": kind, "course": self.course.id, "step": step.id}
        self.sent.append((self.at, {**sent, "occurred_at": self._said(self.at), **more}))

    def _said(self, moment: datetime) -> str:
        """The moment as the client sends it: in UTC from the web, local with its offset from terminal and editor."""
        if self.person.client == "web":
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return moment.astimezone(zone(self.person.zone)).isoformat(timespec="seconds")


def sittings(person: Person, course: Course, answers: Answers, chance: Random, until: datetime) -> Iterator[Sitting]:
    """A learner's sittings, in order, from their first day to the moment given."""
    study = _Study(person, course, answers, chance, list(_path(person, course)))
    day = person.started_on
    while True:
        start = _sits_down(person, day, chance)
        if start >= until or day > until.astimezone(start.tzinfo).date():
            return
        first = day == person.started_on
        if (first or chance.random() < _eagerness(person, day)) and _has_a_reason(study, chance):
            events = [one for one in study.sitting(start) if one[0] < until]
            if events:
                yield Sitting(events, late=not first and chance.random() < person.habit.offline)
        day += timedelta(days=1)


def _path(person: Person, course: Course) -> Sequence[Step]:
    """The steps in the order in which this learner takes them, which respects what each module requires."""
    order = list(course.modules)
    if person.git_first:
        order[2:5] = [order[3], order[4], order[2]]
    return [step for module in order for step in module.steps]


def _sits_down(person: Person, day: date, chance: Random) -> datetime:
    hour = min(23.4, max(0.2, chance.gauss(person.habit.hour, person.habit.spread)))
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone(person.zone))
    return midnight + timedelta(seconds=round(hour * 3600))


def _eagerness(person: Person, day: date) -> float:
    return person.habit.weekend if day.weekday() >= 5 else person.habit.weekday


def _has_a_reason(study: _Study, chance: Random) -> bool:
    return not study.finished or (bool(study.passed) and chance.random() < study.person.habit.practice)


def _reading_s(step: Step) -> float:
    return len((step.body or "").split()) * _SECONDS_A_WORD
