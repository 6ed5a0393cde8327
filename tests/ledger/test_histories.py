"""Random histories of a few learners, whatever happens around them: the stored sums equal a slow and obvious fold."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from headway.domain.events import Event
from headway.ledger.audit import audit
from headway.ledger.rebuild import rebuild
from headway.store.schema import metadata
from tests.domain.manifests import course, module, step
from tests.ledger.slow_fold import Fact, StepThen, slow_fold
from tests.ledger.world import GRADER, World, enrollment, event, numbered, statuses

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ZONES = ["UTC", "America/New_York", "Pacific/Kiritimati"]
STEPS = ["read", "solve", "graded"]
# Two versions of one course, published in turn: the second is worth more, under other topics, and passes later.
VERSIONS: list[dict[str, StepThen]] = [
    {
        "read": StepThen(5, (), 70, False, None),
        "solve": StepThen(10, ("loops",), 70, True, None),
        "graded": StepThen(10, ("lists",), 50, True, "b"),
    },
    {
        "read": StepThen(7, ("loops",), 70, True, None),
        "solve": StepThen(20, ("lists", "loops"), 80, True, None),
        "graded": StepThen(10, (), 50, True, "b"),
    },
]


def manifest(course_id: str, steps: dict[str, StepThen], version: int) -> dict[str, Any]:
    listed = [
        step(
            name,
            kind="exercise" if one.is_exercise else "lesson",
            points=one.points,
            topics=list(one.topics),
            pass_mark=one.pass_mark,
            **({"grader": GRADER} if one.answer else {}),
        )
        for name, one in steps.items()
    ]
    return course(module("first", *listed), id=course_id, title=f"Version {version}")


@st.composite
def things_done(draw: st.DrawFn) -> dict[str, Any]:
    """What a learner does, but for its id and course: at few places and times, so that they meet."""
    of = draw(st.sampled_from(STEPS))
    kind = draw(st.sampled_from(["attempted", "attempted", "completed", "opened", "worked"]))
    kind = "attempted" if of == "graded" and kind == "completed" else kind
    scored = of != "graded" and kind in ("attempted", "completed")
    hours = draw(st.integers(-60, 2) | st.sampled_from([-24, -8760]))
    return {
        "type": kind,
        "step": of,
        "at": START + timedelta(hours=hours),
        "offset_minutes": draw(st.sampled_from([0, 0, 345, -600])),
        "score": draw(st.sampled_from([None, 0, 0.7, 0.75, 79, 80, 1])) if scored else None,
        "response": draw(st.sampled_from("ab")) if of == "graded" and kind == "attempted" else None,
        "duration_s": draw(st.sampled_from([0, 1.5, 7200])),
        "hints": draw(st.integers(0, 1)),
    }


class Histories(RuleBasedStateMachine):
    """Each run has a course and learners of its own, in one database."""

    world: World
    runs = 0

    @initialize(zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2))
    def begin(self, zones: list[str]) -> None:
        Histories.runs += 1
        self.course = f"course-{Histories.runs}"
        self.zones = {self.world.learner(zone): zone for zone in zones}
        self.ids = list(self.zones)
        self.recorded: dict[str, dict[str, tuple[Fact, Event]]] = {one: {} for one in self.ids}
        self.clock = START
        self.version = 0
        self.publish()

    @rule()
    def publish(self) -> None:
        steps = VERSIONS[self.version % 2]
        self.version = self.world.publish(manifest(self.course, steps, self.version))

    @rule(who=st.integers(0, 1), done=st.lists(things_done(), min_size=1, max_size=4))
    def record(self, who: int, done: list[dict[str, Any]]) -> None:
        self.send(who, [self.made(who, n, one) for n, one in enumerate(done)])

    @rule(who=st.integers(0, 1), of=st.sampled_from(STEPS), days=st.integers(0, 9))
    def complete_on_some_day(self, who: int, of: str, days: int) -> None:
        right: dict[str, Any] = {"response": "b", "score": None} if of == "graded" else {"score": 1, "response": None}
        blank = {"type": "attempted", "step": of, "offset_minutes": 0, "duration_s": 0, "hints": 0}
        self.send(who, [self.made(who, 0, {**blank, **right, "at": START - timedelta(days=days)})])

    @rule(who=st.integers(0, 1), kind=st.sampled_from(["enrolled", "left"]), hours=st.integers(-3, 3))
    def enroll_or_leave(self, who: int, kind: str, hours: int) -> None:
        learner_id = self.ids[who % len(self.ids)]
        at = START + timedelta(hours=hours)
        number = len(self.recorded[learner_id])
        sent = enrollment(number, kind, self.course, round(at.timestamp()) * 1_000_000)
        blank = {"step": "", "score": None, "response": None, "duration_s": 0, "hints": 0, "offset_minutes": 0}
        fact = self.fact(learner_id, sent.id, {"type": kind, "at": at, **blank})
        self.send(who, [(fact._replace(then=None), sent)])

    @precondition(lambda self: any(self.recorded.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        learner_id = data.draw(st.sampled_from([one for one in self.ids if self.recorded[one]]))
        known = [sent for _, sent in self.recorded[learner_id].values()]
        again = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
        assert set(statuses(self.world.send(learner_id, *again, at=self.now()))) == {"duplicate"}

    @rule(who=st.integers(0, 1))
    def send_what_is_refused(self, who: int) -> None:
        learner_id = self.ids[who % len(self.ids)]
        bad = [event(900, of="nowhere", course=self.course), event(901, of="graded", score=1, course=self.course)]
        assert statuses(self.world.send(learner_id, *bad, at=self.now())) == ["unknown-step", "graded-step"]

    @rule()
    def restart_and_rebuild(self) -> None:
        self.world.restart()
        for one in self.ids:
            report = rebuild(self.world.database, self.world.catalog, learner_id=one)
            assert (report.updated, report.broken) == (0, [])

    @rule(who=st.integers(0, 1), table=st.sampled_from(["step_sum", "day_sum", "topic_sum", "enrollment"]))
    def lose_a_table_and_rebuild(self, who: int, table: str) -> None:
        learner_id = self.ids[who % len(self.ids)]
        self.world.run(f"DELETE FROM {table} WHERE learner_id = :id", id=learner_id)
        rebuild(self.world.database, self.world.catalog, learner_id=learner_id)

    @invariant()
    def stored_sums_equal_the_slow_fold(self) -> None:
        for learner_id, recorded in getattr(self, "recorded", {}).items():
            expected = slow_fold(fact for fact, _ in recorded.values())
            for table, rows in expected.items():
                assert self.world.rows(metadata.tables[table], learner_id) == rows

    @invariant()
    def audit_is_clean(self) -> None:
        for learner_id in getattr(self, "ids", []):
            report = audit(self.world.database, self.world.catalog, learner_id=learner_id)
            assert (report.faults, report.events) == ([], len(self.recorded[learner_id]))

    def made(self, who: int, n: int, done: dict[str, Any]) -> tuple[Fact, Event]:
        """An event of the next free id, and the fact that it is to become."""
        learner_id = self.ids[who % len(self.ids)]
        number = len(self.recorded[learner_id]) + n
        said = done["at"].astimezone(timezone(timedelta(minutes=done["offset_minutes"])))
        fields = {name: done[name] for name in ("score", "response", "duration_s", "hints") if done[name] is not None}
        sent = event(number, done["type"], done["step"], course=self.course, occurred_at=said.isoformat(), **fields)
        return self.fact(learner_id, numbered(number), done), sent

    def fact(self, learner_id: str, event_id: str, done: dict[str, Any]) -> Fact:
        then = VERSIONS[(self.version - 1) % 2].get(done["step"])
        return Fact(
            id=event_id,
            course=self.course,
            came_at=self.clock + timedelta(minutes=1),
            zone=self.zones[learner_id],
            version=self.version,
            then=then,
            **done,
        )

    def send(self, who: int, made: list[tuple[Fact, Event]]) -> None:
        learner_id = self.ids[who % len(self.ids)]
        receipt = self.world.send(learner_id, *(sent for _, sent in made), at=self.now())
        assert set(statuses(receipt)) == {"recorded"}
        self.recorded[learner_id] |= {sent.id: (fact, sent) for fact, sent in made}

    def now(self) -> int:
        """The server's clock, a minute later each time."""
        self.clock += timedelta(minutes=1)
        return round(self.clock.timestamp()) * 1_000_000


def machine_in(world: World) -> type[RuleBasedStateMachine]:
    return type("HistoriesHere", (Histories,), {"world": world})


def test_random_histories_on_sqlite_come_to_what_a_slow_fold_says(sqlite_world: World) -> None:
    run_state_machine_as_test(machine_in(sqlite_world), settings=settings(max_examples=40, stateful_step_count=12))
    sqlite_world.assert_clean()


def test_random_histories_on_postgresql_come_to_what_a_slow_fold_says(postgresql_world: World) -> None:
    run_state_machine_as_test(machine_in(postgresql_world), settings=settings(max_examples=10, stateful_step_count=12))
    postgresql_world.assert_clean()
