"""Random histories of a few learners, whatever happens around them: the stored sums equal a slow and obvious fold."""

import json
from datetime import timedelta, timezone
from functools import partial
from typing import Any

import pytest
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
from headway.ledger.by_hand import NobodyThere
from headway.ledger.grade import GradeAsked, give_grade
from headway.ledger.override import OverrideAsked, override
from headway.ledger.rebuild import rebuild
from headway.ledger.retake import RunEmpty, Started
from headway.store.schema import metadata
from tests.chance import UNSHRUNK
from tests.ledger.doings import BLANK, START, STEPS, done_on_few_steps, fields_of, on_one_step, right, things_done
from tests.ledger.facts import begin_anew, reset
from tests.ledger.slow_achievements import given_all, met_by
from tests.ledger.slow_fold import Fact, as_graded, micros, slow_fold
from tests.ledger.slow_learner import SlowLearner, Version, certified, fitted, manifest_of
from tests.ledger.versions import VERSIONS
from tests.ledger.world import NOON, World, enrollment, event, numbered, statuses

# Many histories, each on a database: on a busy machine they take minutes.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ZONES = ["UTC", "America/New_York", "Pacific/Kiritimati"]
TABLES = ["step_sum", "day_sum", "topic_sum", "enrollment", "course_run", "granted", "certificate", "attempt_grade"]
TABLES += ["achievement", "progress_reset"]


class Histories(RuleBasedStateMachine):
    """Each run has a course and learners of its own, in one database."""

    world: World
    runs = 0

    @initialize(zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=2), kind=st.sampled_from([0, 2]))
    def begin(self, zones: list[str], kind: int) -> None:
        Histories.runs += 1
        self.course = f"course-{Histories.runs}"
        self.zones = {self.world.learner(zone): zone for zone in zones}
        self.ids = list(self.zones)
        self.learners = {one: SlowLearner() for one in self.ids}
        self.sent: dict[str, list[Event]] = {one: [] for one in self.ids}
        self.entries = dict.fromkeys(self.ids, 0)
        self.serial = 0
        self.clock = START
        self.kinds: list[int] = []
        # Entries that count no more, and resets.
        self.gone = dict.fromkeys(self.ids, 0)
        self.seen: dict[str, list[dict[str, Any]]] = {one: [] for one in self.ids}
        self.earned: dict[str, set[str]] = {one: set() for one in self.ids}
        given_all(self.world)
        self.put_in_force(kind)

    @rule(kind=st.sampled_from([0, 1, 1, 2, 2]))
    def publish(self, kind: int) -> None:
        before = self.now_in_force
        were_open = {one: learner.open_modules(before) for one, learner in self.learners.items()}
        self.put_in_force(kind)
        for one, learner in self.learners.items():
            learner.move_on(before, self.now_in_force, self.version, NOON)
            still_there = were_open[one] & self.now_in_force.course.modules.keys()
            assert not learner.has_begun or still_there <= learner.open_modules(self.now_in_force)

    def put_in_force(self, kind: int) -> None:
        self.kinds.append(kind)
        self.version = self.world.publish(manifest_of(self.course, VERSIONS[kind], len(self.kinds)))
        assert self.version == len(self.kinds)

    @rule(who=st.integers(0, 1), done=st.lists(things_done(), min_size=1, max_size=4) | done_on_few_steps())
    def record(self, who: int, done: list[dict[str, Any]]) -> None:
        self.send(who, [self.made(who, one) for one in done])

    @rule(who=st.integers(0, 1), of=st.sampled_from([*STEPS, *STEPS[:4]]), days=st.integers(0, 9))
    def complete_on_some_day(self, who: int, of: str, days: int) -> None:
        self.send(who, [self.made(who, right(of) | {"at": START - timedelta(days=days)})])

    @rule(who=st.integers(0, 1), data=st.data())
    def do_all_in_one_request(self, who: int, data: st.DataObject) -> None:
        """What was done offline: a module, and what it opens."""
        steps = data.draw(st.permutations(sorted(self.now_in_force.steps)))
        done = [right(of) | {"at": START - timedelta(minutes=60 - n)} for n, of in enumerate(steps)]
        self.send(who, [self.made(who, one) for one in done])

    @rule(who=st.integers(0, 1), kind=st.sampled_from(["enrolled", "left"]), hours=st.integers(-3, 3))
    def enroll_or_leave(self, who: int, kind: str, hours: int) -> None:
        learner_id = self.ids[who % len(self.ids)]
        at = START + timedelta(hours=hours)
        self.serial += 1
        sent = enrollment(self.serial, kind, self.course, micros(at))
        self.send(who, [(self.fact(learner_id, sent.id, {**BLANK, "type": kind, "step": "", "at": at}), sent)])

    @precondition(lambda self: any(self.sent.values()))
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        learner_id = data.draw(st.sampled_from([one for one in self.ids if self.sent[one]]))
        again = data.draw(st.lists(st.sampled_from(self.sent[learner_id]), min_size=1, max_size=3))
        assert set(statuses(self.world.send(learner_id, *again, at=self.now()))) == {"duplicate"}

    @rule(who=st.integers(0, 1))
    def send_what_is_refused(self, who: int) -> None:
        learner_id = self.ids[who % len(self.ids)]
        bad = [event(9000, of="nowhere", course=self.course), event(9001, of="graded", score=1, course=self.course)]
        assert statuses(self.world.send(learner_id, *bad, at=self.now())) == ["unknown-step", "graded-step"]

    @rule(
        who=st.integers(0, 1),
        data=st.data(),
        scores=st.lists(st.sampled_from([0, 0.5, 0.75, 0.8, 1, 1]), min_size=1, max_size=3),
        hours=st.integers(-60, 2),
    )
    def hand_in_and_have_some_graded(self, who: int, data: st.DataObject, scores: list[float], hours: int) -> None:
        """Of the run that the learner is in, for no other is judged by whatever was published since."""
        learner_id, essay = self.ids[who % len(self.ids)], self.now_in_force.steps.get("essay")
        if essay is not None and essay.by_hand:
            self.send(who, [self.made(who, right("essay") | {"at": START + timedelta(hours=hours)})])
        for score in scores if self.handed_in(learner_id) else ():
            self.grade(learner_id, data.draw(st.sampled_from(self.handed_in(learner_id))), score)

    def grade(self, learner_id: str, attempt: Fact, score: float) -> None:
        at = self.now()
        self.serial += 1
        asked = GradeAsked(self.course, learner_id, attempt.id, round(score * 10**6), "", None, numbered(self.serial))
        given = give_grade(self.world.database, self.world.catalog, asked, now=at)
        became = "recorded" if attempt.score is None or score > attempt.score else "kept"
        became = "duplicate" if score == attempt.score else became
        assert given.receipt.results[0].status == became
        if became == "recorded":
            said = {**BLANK, "type": "graded", "step": attempt.step, "at": self.clock, "score": score}
            made = self.fact(learner_id, numbered(self.serial), said, run=attempt.run, attempt=attempt.id)
            self.take_in(learner_id, made, at)

    @rule(
        who=st.integers(0, 1),
        words=st.lists(
            st.tuples(st.sampled_from(STEPS), st.sampled_from([None, 0, 0.7, 0.85, 1]), st.booleans()),
            min_size=1,
            max_size=6,
        ),
    )
    def say_what_steps_count_for(self, who: int, words: list[tuple[str, float | None, bool]]) -> None:
        for of, score, final in words:
            if of in self.now_in_force.steps:
                self.say(self.ids[who % len(self.ids)], of, score, final=final and score is not None)

    def say(self, learner_id: str, of: str, score: float | None, *, final: bool) -> None:
        at, waived, worth = self.now(), score is None, 1 if score is None else score
        self.serial += 1
        place = (self.course, learner_id, of, None if waived else round(worth * 10**6), final)
        asked = OverrideAsked(*place, "A reason.", None, numbered(self.serial))
        if not self.learners[learner_id].is_here:
            with pytest.raises(NobodyThere):
                override(self.world.database, self.world.catalog, asked, now=at)
            self.send(
                self.ids.index(learner_id), [self.made(self.ids.index(learner_id), right("read") | {"at": START})]
            )
            return
        tried = override(self.world.database, self.world.catalog, asked, now=at, dry_run=True)
        assert override(self.world.database, self.world.catalog, asked, now=at) == tried
        said = {**BLANK, "type": "overridden", "step": of, "at": self.clock, "score": worth}
        self.take_in(learner_id, self.fact(learner_id, numbered(self.serial), said, final=final, waived=waived), at)

    @rule(who=st.integers(0, 1))
    def begin_anew(self, who: int) -> None:
        learner_id = self.ids[who % len(self.ids)]
        learner, at = self.learners[learner_id], self.now()
        run = learner.run + 1
        self.serial += 1
        begin = partial(begin_anew, self.world, learner_id, course=self.course, id=numbered(self.serial))
        if not learner.has_done_anything:
            with pytest.raises(RunEmpty):
                begin(at=at)
            return
        said = {**BLANK, "type": "run_started", "step": "", "at": self.clock}
        learner.count(self.now_in_force, self.fact(learner_id, numbered(self.serial), said, run=run))
        assert begin(at=at) == Started(self.course, run, at)
        assert begin(at=self.now()) == Started(self.course, run, at, repeated=True)

    @rule(
        who=st.integers(0, 1),
        alone=st.booleans(),
        then=st.lists(st.sampled_from(STEPS), max_size=6),
        late=things_done(),
    )
    def begin_from_nothing(self, who: int, alone: bool, then: list[str], late: dict[str, Any]) -> None:
        """And do some of it anew, while something comes late from before."""
        learner_id = self.ids[who % len(self.ids)]
        learner, at = self.learners[learner_id], self.now()
        self.serial += 1
        again = partial(reset, self.world, learner_id, self.course if alone else None, id=numbered(self.serial))
        expected = learner.reset(at)
        assert again(at=at) == expected.cleared
        self.gone[learner_id] += expected.entries + 1
        self.seen[learner_id] = []
        if not alone:
            kept = self.earned[learner_id] & self.met_by(learner_id)
            self.gone[learner_id] += len(self.earned[learner_id] - kept)
            self.earned[learner_id] = kept
        before = self.world.figures(learner_id)
        self.send(who, [self.made(who, late | {"at": START - timedelta(days=1)})])
        assert again(at=self.now()) == expected.cleared
        rows = json.loads(self.world.figures(learner_id))
        assert {**rows, "progress_reset": None} == {**json.loads(before), "progress_reset": None}
        self.clock += timedelta(minutes=10)
        self.send(who, [self.made(who, right(of) | {"at": self.clock}) for of in then])

    @rule()
    def restart_and_rebuild(self) -> None:
        self.world.restart()
        for one in self.ids:
            report = rebuild(self.world.database, self.world.catalog, learner_id=one)
            assert (report.updated, report.broken) == (0, [])

    @rule(who=st.integers(0, 1), table=st.sampled_from(TABLES))
    def lose_a_table_and_rebuild(self, who: int, table: str) -> None:
        learner_id = self.ids[who % len(self.ids)]
        self.world.run(f"DELETE FROM {table} WHERE learner_id = :id", id=learner_id)
        rebuild(self.world.database, self.world.catalog, learner_id=learner_id)

    @invariant()
    def stored_sums_equal_the_slow_fold(self) -> None:
        for learner_id, learner in getattr(self, "learners", {}).items():
            for table, rows in slow_fold(learner.facts.values()).items():
                assert self.world.rows(metadata.tables[table], learner_id) == rows

    @invariant()
    def grants_are_those_of_the_slow_model(self) -> None:
        for learner_id, learner in getattr(self, "learners", {}).items():
            assert_granted(self.world, learner_id, learner, self.course)

    @invariant()
    def nothing_that_was_granted_is_taken_back(self) -> None:
        """Whatever was recorded, said, published or rebuilt since."""
        for learner_id, seen in getattr(self, "seen", {}).items():
            rows = self.world.rows(metadata.tables["granted"], learner_id)
            assert all(row in rows for row in seen)
            self.seen[learner_id] = rows

    @invariant()
    def audit_is_clean(self) -> None:
        for learner_id in getattr(self, "ids", []):
            report = audit(self.world.database, self.world.catalog, learner_id=learner_id)
            granted = sum(len(run.granted) for run in self.learners[learner_id].runs.values())
            given = granted + len(self.earned_by(learner_id))
            assert (report.faults, report.events) == (
                [],
                len(self.learners[learner_id].facts) + given + self.gone[learner_id],
            )

    def earned_by(self, learner_id: str) -> set[str]:
        """Whatever was met once: looked at after each request, for what is met within one and not at its end is not."""
        self.earned[learner_id] |= self.met_by(learner_id)
        rows = self.world.rows(metadata.tables["achievement"], learner_id)
        assert {row["achievement_id"] for row in rows} == self.earned[learner_id]
        return self.earned[learner_id]

    def met_by(self, learner_id: str) -> set[str]:
        learner = self.learners[learner_id]
        granted = ((kind, name) for run in learner.runs.values() for kind, name in run.granted)
        return met_by(learner.facts.values(), granted)

    @property
    def now_in_force(self) -> Version:
        return VERSIONS[self.kinds[-1]]

    def handed_in(self, learner_id: str) -> list[Fact]:
        """What a person grades or has graded, on steps that there still are."""
        learner = self.learners[learner_id]
        attempts = [one for one in as_graded(learner.facts.values()) if one.type == "attempted"]
        in_force = [one for one in attempts if one.run == learner.run and one.step in self.now_in_force.steps]
        return [one for one in in_force if one.then is not None and one.then.by_hand]

    def made(self, who: int, done: dict[str, Any]) -> tuple[Fact, Event]:
        """An event of the next free id, and the fact that it is to become."""
        learner_id, done = self.ids[who % len(self.ids)], fitted(done, self.now_in_force)
        self.serial += 1
        said = done["at"].astimezone(timezone(timedelta(minutes=done["offset_minutes"])))
        sent = event(
            self.serial, done["type"], done["step"], course=self.course, occurred_at=said.isoformat(), **fields_of(done)
        )
        return self.fact(learner_id, sent.id, done), sent

    def fact(self, learner_id: str, event_id: str, done: dict[str, Any], **more: Any) -> Fact:
        return Fact(
            id=event_id,
            course=self.course,
            came_at=self.clock + timedelta(minutes=1),
            zone=self.zones[learner_id],
            version=self.version,
            then=self.now_in_force.steps.get(done["step"]),
            **{"run": self.learners[learner_id].run if done["step"] else 1, **more},
            **done,
        )

    def send(self, who: int, made: list[tuple[Fact, Event]]) -> None:
        learner_id = self.ids[who % len(self.ids)]
        learner, at = self.learners[learner_id], self.now()
        expected = dict[int, str]()
        for n in sorted(range(len(made)), key=lambda n: made[n][0].at):
            fact, sent = made[n]
            expected[n] = learner.answer(self.now_in_force, fact.step) if fact.step else "recorded"
            if learner.is_late(fact) and expected[n] in ("recorded", "locked"):
                expected[n] = "recorded"
                self.sent[learner_id].append(sent)
                self.gone[learner_id] += 1
            elif expected[n] == "recorded":
                learner.count(self.now_in_force, fact)
                self.sent[learner_id].append(sent)
        if any(made[n][0].step for n, status in expected.items() if status == "recorded"):
            learner.conclude(self.now_in_force, self.version, learner.run, at)
        receipt = self.world.send(learner_id, *(sent for _, sent in made), at=at)
        assert statuses(receipt) == [expected[n] for n in range(len(made))]

    def take_in(self, learner_id: str, made: Fact, at: int) -> None:
        """Count what the server itself recorded."""
        self.learners[learner_id].count(self.now_in_force, made)
        if made.then is not None:
            self.learners[learner_id].conclude(self.now_in_force, self.version, made.run, at)

    def now(self) -> int:
        """The server's clock, a minute later each time."""
        self.clock += timedelta(minutes=1)
        return micros(self.clock)


def assert_granted(world: World, learner_id: str, learner: SlowLearner, course_id: str) -> None:
    """What is stored as granted is what the slow model granted."""
    rows = world.rows(metadata.tables["granted"], learner_id)
    assert [{name: row[name] for name in row if name != "event_id"} for row in rows] == learner.granted_rows(course_id)
    assert certified(world.rows(metadata.tables["certificate"], learner_id)) == learner.certificate_rows()


def machine_in(world: World) -> type[Histories]:
    return type("HistoriesHere", (Histories,), {"world": world})


def often(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=12, phases=UNSHRUNK)


def test_what_meets_on_a_step_a_day_and_a_topic_comes_to_what_a_slow_fold_says(world: World) -> None:
    """One history in which every figure adds up from unequal parts, earlier and later, within requests and across."""
    machine = machine_in(world)()
    machine.begin(["UTC"], 2)
    for steps in (("read", "essay"), ("graded", "read"), ("solve", "extra")):
        for hours in (-3, -1, -5, -2):
            machine.record(0, [one for of in steps for one in on_one_step(of, hours)])
            machine.stored_sums_equal_the_slow_fold()
        for score in (0.8, 1, 0.9):
            machine.say(machine.ids[0], steps[0], score, final=True)
            for one in machine.handed_in(machine.ids[0]):
                machine.grade(machine.ids[0], one, score)
            machine.stored_sums_equal_the_slow_fold()
    machine.restart_and_rebuild()
    machine.stored_sums_equal_the_slow_fold()
    machine.audit_is_clean()


def test_random_histories_on_sqlite_come_to_what_a_slow_fold_says(sqlite_world: World) -> None:
    run_state_machine_as_test(machine_in(sqlite_world), settings=often(40))
    sqlite_world.assert_clean()


def test_random_histories_on_postgresql_come_to_what_a_slow_fold_says(postgresql_world: World) -> None:
    run_state_machine_as_test(machine_in(postgresql_world), settings=often(10))
    postgresql_world.assert_clean()
