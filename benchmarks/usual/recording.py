"""What the opponent does with an event: look whether it is known, insert it, read and move its two rows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from benchmarks.usual.models import DayProgress, Event, StepProgress
from benchmarks.usual.schemas import ChangeOut, EventIn, EventsOut, ResultOut, StepOut

# The pass mark of each step, by course and step.
Marks = Mapping[tuple[str, str], float]


def record_events(session: Session, learner_id: UUID, events: list[EventIn], marks: Marks) -> EventsOut:
    """Record the events of one learner, whose row the session has locked."""
    recorder = _Recorder(session, learner_id, marks)
    results = [recorder.record(sent) for sent in events]
    steps = [StepOut.model_validate(step) for step in recorder.touched.values()]
    return EventsOut(results=results, steps=steps, changes=recorder.changes)


class _Recorder:
    def __init__(self, session: Session, learner_id: UUID, marks: Marks) -> None:
        self.session = session
        self.learner_id = learner_id
        self.marks = marks
        self.received_at = datetime.now(UTC)
        self.touched: dict[tuple[str, str], StepProgress] = {}
        self.changes: list[ChangeOut] = []

    def record(self, sent: EventIn) -> ResultOut:
        mark = self.marks.get((sent.course, sent.step))
        if mark is None:
            return ResultOut(id=sent.id, status="refused", problem="unknown-step")
        known = self.session.get(Event, sent.id)
        if known is not None:
            return self._known(known, sent)
        at = min(sent.occurred_at, self.received_at)
        self.session.add(Event(learner_id=self.learner_id, received_at=self.received_at, **sent.model_dump()))
        self._move(sent, at, mark)
        self.session.flush()
        return ResultOut(id=sent.id, status="recorded")

    def _known(self, known: Event, sent: EventIn) -> ResultOut:
        same = known.learner_id == self.learner_id and all(
            getattr(known, name) == value for name, value in sent.model_dump().items()
        )
        if same:
            return ResultOut(id=sent.id, status="duplicate")
        return ResultOut(id=sent.id, status="refused", problem="id-reused")

    def _move(self, sent: EventIn, at: datetime, mark: float) -> None:
        step, day = self._step(sent, at), self._day(at)
        if sent.type == "attempted":
            step.attempts += 1
            day.attempts += 1
        if sent.score is not None:
            step.best_score = sent.score if step.best_score is None else max(step.best_score, sent.score)
            step.latest_score = sent.score
            day.score_total += sent.score
        passed = sent.type == "attempted" and sent.score is not None and sent.score >= mark
        if step.completed_at is None and (passed or sent.type == "completed"):
            step.completed_at = at
            day.steps_completed += 1
            self.changes.append(ChangeOut(course=sent.course, step=sent.step))
        step.updated_at = self.received_at

    def _step(self, sent: EventIn, at: datetime) -> StepProgress:
        key = (sent.course, sent.step)
        step = self.touched.get(key) or self.session.get(StepProgress, (self.learner_id, *key))
        if step is None:
            step = StepProgress(
                learner_id=self.learner_id, course=sent.course, step=sent.step, attempts=0, updated_at=at
            )
            self.session.add(step)
        self.touched[key] = step
        return step

    def _day(self, at: datetime) -> DayProgress:
        day = self.session.get(DayProgress, (self.learner_id, at.date()))
        if day is None:
            day = DayProgress(learner_id=self.learner_id, day=at.date(), attempts=0, steps_completed=0, score_total=0.0)
            self.session.add(day)
        return day
