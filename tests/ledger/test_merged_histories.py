"""Random histories of an account and its guests, moved at random moments, under ids that meet: one slow fold of all."""

from datetime import timedelta, timezone
from functools import partial
from typing import Any, NamedTuple

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
from headway.domain.streaks import STANDARD
from headway.domain.times import DAY
from headway.ledger.audit import audit
from headway.ledger.override import OverrideAsked, override
from headway.ledger.rebuild import rebuild
from headway.ledger.reminding import remind
from headway.ledger.retake import RunEmpty, Started
from headway.ledger.tidying import tidy
from headway.store.notice_tables import notice
from headway.store.schema import metadata
from tests.chance import UNSHRUNK
from tests.domain.slow_gates import SlowGrant
from tests.ledger.doings import BLANK, START, STEPS, fields_of, right, things_done
from tests.ledger.facts import begin_anew, reset
from tests.ledger.guests import Guest, guest_in, move
from tests.ledger.slow_achievements import given_all, met_by
from tests.ledger.slow_fold import Fact, micros, slow_fold
from tests.ledger.slow_learner import SlowLearner, Version, manifest_of
from tests.ledger.test_histories import TABLES, ZONES, assert_granted
from tests.ledger.versions import VERSIONS
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered, statuses

# Many histories, each on a database: on a busy machine they take minutes.
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

# Few, so that account and guests use the same ones.
IDS = st.integers(0, 4)


class Sent(NamedTuple):
    """An event as it was sent, None where the server made it, and the fact that it became for one identity."""

    event: Event | None
    fact: Fact


class MergedHistories(RuleBasedStateMachine):
    """Each run has a course, an account and guests of its own, in one database."""

    world: World
    runs = 0

    @initialize(zones=st.lists(st.sampled_from(ZONES), min_size=4, max_size=4))
    def begin(self, zones: list[str]) -> None:
        MergedHistories.runs += 1
        self.course = f"merged-{MergedHistories.runs}"
        self.clock = START
        self.version = 0
        self.account = self.world.learner(zones[0])
        self.guests = [guest_in(self.world, zone=zone) for zone in zones[1:]]
        self.zones = dict(zip([self.account, *(one.id for one in self.guests)], zones, strict=True))
        self.learners = {one: SlowLearner() for one in self.zones}
        self.moved: list[Guest] = []
        self.serial = 1000
        # Of each ledger what lies in it, by event id; of the account what counts: whatever came first.
        self.ledgers: dict[str, dict[str, Sent]] = {one: {} for one in self.zones}
        self.counted: dict[str, Sent] = {}
        # Of what counted, and of what came late, the ids that resets cleared.
        self.cleared: dict[str, set[str]] = {one: set() for one in self.zones}
        self.earned: dict[str, set[str]] = {one: set() for one in self.zones}
        given_all(self.world)
        self.publish()

    @rule()
    def publish(self) -> None:
        before = self.now_in_force if self.version else None
        self.version = self.world.publish(manifest_of(self.course, VERSIONS[self.version % 2], self.version))
        for learner_id, one in self.learners.items():
            if learner_id in self.alive:
                one.move_on(before, self.now_in_force, self.version, NOON)
                self.note_earned(learner_id)

    @rule(who=st.integers(0, 3), done=st.lists(st.tuples(IDS, things_done()), min_size=1, max_size=4))
    def record(self, who: int, done: list[tuple[int, dict[str, Any]]]) -> None:
        learner_id = self.alive[who % len(self.alive)]
        for number, one in done:
            said = one["at"].astimezone(timezone(timedelta(minutes=one["offset_minutes"])))
            made = event(
                number, one["type"], one["step"], course=self.course, occurred_at=said.isoformat(), **fields_of(one)
            )
            self.send(learner_id, Sent(made, self.fact(learner_id, made.id, one)))

    @rule(who=st.integers(0, 3), numbers=st.permutations(range(5)), some=st.sets(st.sampled_from(STEPS), min_size=2))
    def complete(self, who: int, numbers: list[int], some: set[str]) -> None:
        """Get steps right, in order, under ids that others may use for other things."""
        learner_id = self.alive[who % len(self.alive)]
        for number, of in zip(numbers, sorted(some & self.now_in_force.steps.keys()), strict=False):
            one = right(of) | {"at": START - timedelta(minutes=number)}
            made = event(
                number, "attempted", of, course=self.course, occurred_at=one["at"].isoformat(), **fields_of(one)
            )
            self.send(learner_id, Sent(made, self.fact(learner_id, made.id, one)))

    @rule(who=st.integers(0, 3), number=IDS, kind=st.sampled_from(["enrolled", "left"]), hours=st.integers(-3, 3))
    def enroll_or_leave(self, who: int, number: int, kind: str, hours: int) -> None:
        learner_id = self.alive[who % len(self.alive)]
        at = START + timedelta(hours=hours)
        made = enrollment(100 + number, kind, self.course, micros(at))
        self.send(learner_id, Sent(made, self.fact(learner_id, made.id, {**BLANK, "type": kind, "step": "", "at": at})))

    @rule(who=st.integers(0, 3))
    def begin_anew(self, who: int) -> None:
        learner_id = self.alive[who % len(self.alive)]
        learner, at = self.learners[learner_id], self.now()
        run = learner.run + 1
        self.serial += 1
        begin = partial(begin_anew, self.world, learner_id, course=self.course, id=numbered(self.serial))
        if not learner.has_done_anything:
            with pytest.raises(RunEmpty):
                begin(at=at)
            return
        said = {**BLANK, "type": "run_started", "step": "", "at": self.clock}
        self.keep(learner_id, Sent(None, self.fact(learner_id, numbered(self.serial), said)._replace(run=run)))
        assert begin(at=at) == Started(self.course, run, at)
        self.note_earned(learner_id)

    @rule(
        who=st.integers(0, 3),
        of=st.sampled_from(STEPS),
        score=st.sampled_from([None, 0, 0.7, 0.85, 1]),
        final=st.booleans(),
    )
    def say_what_a_step_counts_for(self, who: int, of: str, score: float | None, final: bool) -> None:
        learner_id, waived = self.alive[who % len(self.alive)], score is None
        learner, at = self.learners[learner_id], self.now()
        if of not in self.now_in_force.steps or not learner.is_here:
            return
        self.serial += 1
        worth, final = 1 if score is None else score, final and not waived
        place = (self.course, learner_id, of, None if waived else round(worth * 10**6), final)
        asked = OverrideAsked(*place, "A reason.", None, numbered(self.serial))
        override(self.world.database, self.world.catalog, asked, now=at)
        said = {**BLANK, "type": "overridden", "step": of, "at": self.clock, "score": worth}
        fact = self.fact(learner_id, numbered(self.serial), said)._replace(final=final, waived=waived)
        self.keep(learner_id, Sent(None, fact))
        learner.conclude(self.now_in_force, self.version, fact.run, at)
        self.note_earned(learner_id)

    @precondition(lambda self: any(self.ledgers.values()))
    @rule(data=st.data())
    def send_again_as_whoever_it_belongs_to(self, data: st.DataObject) -> None:
        whose = data.draw(st.sampled_from([one for one, sent in self.ledgers.items() if sent]))
        again = data.draw(st.sampled_from(list(self.ledgers[whose].values())))
        if again.event is None:
            return
        learner_id = whose if whose in self.alive else self.account
        before = self.world.figures(learner_id)
        # Of several under one id the copy that counts is what a repeat is held against.
        expected = self.repeated(self.counts(learner_id)[again.event.id], again)
        assert statuses(self.world.send(learner_id, again.event, at=self.now())) == [expected]
        assert self.world.figures(learner_id) == before

    @precondition(lambda self: len(self.moved) < len(self.guests))
    @rule(n=st.integers(0, 2), hours=st.integers(-9, 9))
    def move_a_guest(self, n: int, hours: int) -> None:
        left = [one for one in self.guests if one not in self.moved]
        guest = left[n % len(left)]
        brought, theirs = self.ledgers[guest.id], self.learners[guest.id]
        new = {event_id: sent for event_id, sent in brought.items() if event_id not in self.counted}
        steps = {(sent.fact.run, sent.fact.step) for sent in brought.values() if sent.fact.then is not None}
        live = {event_id: sent for event_id, sent in new.items() if event_id not in self.cleared[guest.id]}
        sent_by_them = sum(sent.event is not None for sent in live.values())
        now = self.now() + hours * 3_600_000_000
        expected = (len(steps), sent_by_them, len(theirs.certificates))
        if not brought:
            expected = (0, 0, 0)
        assert move(self.world, self.account, guest, now) == expected
        assert move(self.world, self.account, guest, now) is None
        self.counted |= new
        self.moved.append(guest)
        self.cleared[self.account] |= new.keys() - live.keys()
        self.join(theirs, {event_id: sent.fact for event_id, sent in live.items()}, now)
        self.earned[self.account] |= self.earned[guest.id]
        self.earned[guest.id] = set()
        self.note_earned(self.account)

    def join(self, theirs: SlowLearner, new: dict[str, Fact], now: int) -> None:
        """Give the account what the guest was granted, the earliest of each, and what is due to both together."""
        account = self.learners[self.account]
        account.facts |= new
        account.certificates += theirs.certificates
        stored = {
            (row["run"], row["kind"], row["module_id"]): SlowGrant(row["score"], row["at"], row["version"])
            for row in self.world.rows(metadata.tables["granted"], self.account)
        }
        for run, of_run in theirs.runs.items():
            own = account.of_run(run).granted
            for key, grant in of_run.granted.items():
                both = [one for one in (own.get(key), grant) if one is not None]
                first = [one for one in both if one.at == min(one.at for one in both)]
                # Of two at one instant the id of the entry decides, which is nobody's choice.
                own[key] = first[0] if len(first) == 1 or stored[run, *key] not in first else stored[run, *key]
        runs = {one.run for one in new.values() if one.then is not None} | {
            run for run, of_run in theirs.runs.items() if of_run.granted
        }
        for run in sorted(runs):
            account.judge(self.now_in_force, self.version, run, now)
        theirs.runs.clear()
        theirs.certificates.clear()

    @rule(who=st.integers(0, 3), alone=st.booleans(), then=st.sets(st.sampled_from(STEPS)))
    def begin_from_nothing(self, who: int, alone: bool, then: set[str]) -> None:
        """What comes late from before adds nothing; what guests bring who are moved in later counts."""
        learner_id = self.alive[who % len(self.alive)]
        at = self.now()
        self.serial += 1
        expected = self.learners[learner_id].reset(at)
        cleared = reset(self.world, learner_id, self.course if alone else None, id=numbered(self.serial), at=at)
        assert cleared == expected.cleared
        self.cleared[learner_id] |= expected.ids
        if not alone:
            self.earned[learner_id] &= self.met_by(learner_id)
        self.clock += timedelta(minutes=10)
        for of in sorted(then & self.now_in_force.steps.keys()):
            self.serial += 1
            one = right(of) | {"at": self.clock}
            said = {"occurred_at": one["at"].isoformat(), **fields_of(one)}
            made = event(self.serial, "attempted", of, course=self.course, **said)
            self.send(learner_id, Sent(made, self.fact(learner_id, made.id, one)))

    @rule(days=st.integers(0, 3))
    def remind(self, days: int) -> None:
        """Whoever is due on a day, as if it were the first."""
        self.world.run("DELETE FROM reminded")
        first = self.now() + days * DAY
        for hour in range(0, 25, 4):
            remind(self.world.database, STANDARD, now=first + hour * HOUR)

    @rule(n=st.integers(0, 30))
    def let_old_notices_go(self, n: int) -> None:
        times = sorted(row["at"] for one in self.zones for row in self.world.rows(notice, one))
        if times:
            before = times[n % len(times)]
            tidy(self.world.database, now=NOON, events_before=0, sent_before=0, notices_before=before)

    @rule(alone=st.booleans())
    def restart_and_rebuild(self, alone: bool) -> None:
        self.world.restart()
        for one in [self.account] if alone else self.zones:
            report = rebuild(self.world.database, self.world.catalog, learner_id=one)
            assert (report.updated, report.broken) == (0, [])

    @rule(table=st.sampled_from(TABLES))
    def lose_a_table_and_rebuild(self, table: str) -> None:
        self.world.run(f"DELETE FROM {table} WHERE learner_id = :id", id=self.account)
        rebuild(self.world.database, self.world.catalog, learner_id=self.account)

    @invariant()
    def the_account_is_the_fold_of_all_that_counts(self) -> None:
        for learner_id in getattr(self, "ledgers", {}):
            facts = self.facts(learner_id)
            for table, rows in slow_fold(facts).items():
                assert self.world.rows(metadata.tables[table], learner_id) == rows

    @invariant()
    def grants_are_those_of_the_slow_model(self) -> None:
        for learner_id, learner in getattr(self, "learners", {}).items():
            assert_granted(self.world, learner_id, learner, self.course)

    @invariant()
    def what_was_met_once_is_earned(self) -> None:
        for learner_id, earned in getattr(self, "earned", {}).items():
            rows = self.world.rows(metadata.tables["achievement"], learner_id)
            assert {row["achievement_id"] for row in rows} == earned

    @invariant()
    def audit_is_clean(self) -> None:
        for learner_id in getattr(self, "ledgers", {}):
            report = audit(self.world.database, self.world.catalog, learner_id=learner_id)
            assert report.faults == []

    @property
    def now_in_force(self) -> Version:
        return VERSIONS[(self.version - 1) % 2]

    @property
    def alive(self) -> list[str]:
        gone = {one.id for one in self.moved}
        return [one for one in self.zones if one not in gone]

    def counts(self, learner_id: str) -> dict[str, Sent]:
        if learner_id == self.account:
            return self.counted
        return self.ledgers[learner_id] if learner_id in self.alive else {}

    def send(self, learner_id: str, sent: Sent) -> None:
        """Send an event, which is new, there already, or another under an id that is taken."""
        assert sent.event is not None
        known, learner = self.counts(learner_id).get(sent.event.id), self.learners[learner_id]
        new = learner.answer(self.now_in_force, sent.fact.step) if sent.fact.step else "recorded"
        is_late = learner.is_late(sent.fact) and new in ("recorded", "locked")
        new = "recorded" if is_late else new
        expected = new if known is None else self.repeated(known, sent)
        at = self.now()
        receipt = self.world.send(learner_id, sent.event, at=at)
        assert statuses(receipt) == [expected]
        if expected == "recorded" and is_late:
            self.cleared[learner_id].add(sent.fact.id)
            self.lay_down(learner_id, sent)
        elif expected == "recorded":
            self.keep(learner_id, sent)
            if sent.fact.step:
                learner.conclude(self.now_in_force, self.version, sent.fact.run, at)
            self.note_earned(learner_id)

    def note_earned(self, learner_id: str) -> None:
        """Whatever was met once, at the end of a request or of a move, is earned."""
        self.earned[learner_id] |= self.met_by(learner_id)

    def met_by(self, learner_id: str) -> set[str]:
        runs = self.learners[learner_id].runs.values()
        granted = ((kind, name) for run in runs for kind, name in run.granted)
        return met_by(self.facts(learner_id), granted)

    def facts(self, learner_id: str) -> list[Fact]:
        gone = self.cleared[learner_id]
        return [sent.fact for event_id, sent in self.counts(learner_id).items() if event_id not in gone]

    def keep(self, learner_id: str, sent: Sent) -> None:
        self.lay_down(learner_id, sent)
        self.learners[learner_id].count(self.now_in_force, sent.fact)

    def lay_down(self, learner_id: str, sent: Sent) -> None:
        self.ledgers[learner_id][sent.fact.id] = sent
        if learner_id == self.account:
            self.counted[sent.fact.id] = sent

    @staticmethod
    def repeated(known: Sent, sent: Sent) -> str:
        assert known.event is not None
        assert sent.event is not None
        return "duplicate" if known.event.body == sent.event.body else "id-reused"

    def fact(self, learner_id: str, event_id: str, done: dict[str, Any]) -> Fact:
        return Fact(
            id=event_id,
            course=self.course,
            came_at=self.clock + timedelta(minutes=1),
            zone=self.zones[learner_id],
            version=self.version,
            then=self.now_in_force.steps.get(done["step"]),
            run=self.learners[learner_id].run if done["step"] else 1,
            **done,
        )

    def now(self) -> int:
        self.clock += timedelta(minutes=1)
        return round(self.clock.timestamp()) * 1_000_000


def machine_in(world: World) -> type[RuleBasedStateMachine]:
    return type("MergedHistoriesHere", (MergedHistories,), {"world": world})


def often(examples: int) -> settings:
    return settings(max_examples=examples, stateful_step_count=14, phases=UNSHRUNK)


def test_random_merged_histories_on_sqlite_come_to_what_a_slow_fold_says(sqlite_world: World) -> None:
    run_state_machine_as_test(machine_in(sqlite_world), settings=often(40))
    sqlite_world.assert_clean()


def test_random_merged_histories_on_postgresql_come_to_what_a_slow_fold_says(postgresql_world: World) -> None:
    run_state_machine_as_test(machine_in(postgresql_world), settings=often(8))
    postgresql_world.assert_clean()
