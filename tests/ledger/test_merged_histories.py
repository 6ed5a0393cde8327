"""Random histories of an account and its guests, moved at random moments, under ids that meet: one slow fold of all."""

from datetime import timedelta, timezone
from typing import Any, NamedTuple

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
from tests.ledger.guests import Guest, guest_in, move
from tests.ledger.slow_fold import Fact, slow_fold
from tests.ledger.test_histories import START, VERSIONS, ZONES, manifest, things_done
from tests.ledger.world import World, enrollment, event, statuses

# Few, so that account and guests use the same ones.
IDS = st.integers(0, 4)


class Sent(NamedTuple):
    """An event as it was sent, and the fact that it became for one identity."""

    event: Event
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
        self.publish()
        self.account = self.world.learner(zones[0])
        self.guests = [guest_in(self.world, zone=zone) for zone in zones[1:]]
        self.zones = dict(zip([self.account, *(one.id for one in self.guests)], zones, strict=True))
        self.moved: list[Guest] = []
        # Of each ledger what lies in it, by event id; of the account what counts: whatever came first.
        self.ledgers: dict[str, dict[str, Sent]] = {one: {} for one in self.zones}
        self.counted: dict[str, Sent] = {}

    @rule()
    def publish(self) -> None:
        steps = VERSIONS[self.version % 2]
        self.version = self.world.publish(manifest(self.course, steps, self.version))

    @rule(who=st.integers(0, 3), done=st.lists(st.tuples(IDS, things_done()), min_size=1, max_size=4))
    def record(self, who: int, done: list[tuple[int, dict[str, Any]]]) -> None:
        learner_id = self.alive[who % len(self.alive)]
        for number, one in done:
            said = one["at"].astimezone(timezone(timedelta(minutes=one["offset_minutes"])))
            fields = {name: one[name] for name in ("score", "response", "duration_s", "hints") if one[name] is not None}
            made = event(number, one["type"], one["step"], course=self.course, occurred_at=said.isoformat(), **fields)
            self.send(learner_id, Sent(made, self.fact(learner_id, made.id, one)))

    @rule(who=st.integers(0, 3), number=IDS, kind=st.sampled_from(["enrolled", "left"]), hours=st.integers(-3, 3))
    def enroll_or_leave(self, who: int, number: int, kind: str, hours: int) -> None:
        learner_id = self.alive[who % len(self.alive)]
        at = START + timedelta(hours=hours)
        made = enrollment(100 + number, kind, self.course, round(at.timestamp()) * 1_000_000)
        blank = {"step": "", "score": None, "response": None, "duration_s": 0, "hints": 0, "offset_minutes": 0}
        fact = self.fact(learner_id, made.id, {"type": kind, "at": at, **blank})
        self.send(learner_id, Sent(made, fact._replace(then=None)))

    @precondition(lambda self: any(self.ledgers.values()))
    @rule(data=st.data())
    def send_again_as_whoever_it_belongs_to(self, data: st.DataObject) -> None:
        whose = data.draw(st.sampled_from([one for one, sent in self.ledgers.items() if sent]))
        again = data.draw(st.sampled_from(list(self.ledgers[whose].values())))
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
        brought = self.ledgers[guest.id]
        new = {event_id: sent for event_id, sent in brought.items() if event_id not in self.counted}
        steps = {sent.fact.step for sent in brought.values() if sent.fact.then is not None}
        now = self.now() + hours * 3_600_000_000
        assert move(self.world, self.account, guest, now) == (len(steps), len(new), 0)
        assert move(self.world, self.account, guest, now) is None
        self.counted |= new
        self.moved.append(guest)

    @rule(alone=st.booleans())
    def restart_and_rebuild(self, alone: bool) -> None:
        self.world.restart()
        for one in [self.account] if alone else self.zones:
            report = rebuild(self.world.database, self.world.catalog, learner_id=one)
            assert (report.updated, report.broken) == (0, [])

    @rule(table=st.sampled_from(["step_sum", "day_sum", "topic_sum", "enrollment"]))
    def lose_a_table_and_rebuild(self, table: str) -> None:
        self.world.run(f"DELETE FROM {table} WHERE learner_id = :id", id=self.account)
        rebuild(self.world.database, self.world.catalog, learner_id=self.account)

    @invariant()
    def the_account_is_the_fold_of_all_that_counts(self) -> None:
        for learner_id in getattr(self, "ledgers", {}):
            facts = [sent.fact for sent in self.counts(learner_id).values()]
            for table, rows in slow_fold(facts).items():
                assert self.world.rows(metadata.tables[table], learner_id) == rows

    @invariant()
    def audit_is_clean(self) -> None:
        for learner_id in getattr(self, "ledgers", {}):
            report = audit(self.world.database, self.world.catalog, learner_id=learner_id)
            assert report.faults == []

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
        known = self.counts(learner_id).get(sent.event.id)
        expected = "recorded" if known is None else self.repeated(known, sent)
        receipt = self.world.send(learner_id, sent.event, at=self.now())
        assert statuses(receipt) == [expected]
        if expected == "recorded":
            self.ledgers[learner_id][sent.event.id] = sent
            if learner_id == self.account:
                self.counted[sent.event.id] = sent

    @staticmethod
    def repeated(known: Sent, sent: Sent) -> str:
        return "duplicate" if known.event.body == sent.event.body else "id-reused"

    def fact(self, learner_id: str, event_id: str, done: dict[str, Any]) -> Fact:
        return Fact(
            id=event_id,
            course=self.course,
            came_at=self.clock + timedelta(minutes=1),
            zone=self.zones[learner_id],
            version=self.version,
            then=VERSIONS[(self.version - 1) % 2].get(done["step"]),
            **done,
        )

    def now(self) -> int:
        self.clock += timedelta(minutes=1)
        return round(self.clock.timestamp()) * 1_000_000


def machine_in(world: World) -> type[RuleBasedStateMachine]:
    return type("MergedHistoriesHere", (MergedHistories,), {"world": world})


def test_random_merged_histories_on_sqlite_come_to_what_a_slow_fold_says(sqlite_world: World) -> None:
    run_state_machine_as_test(machine_in(sqlite_world), settings=settings(max_examples=40, stateful_step_count=14))
    sqlite_world.assert_clean()


def test_random_merged_histories_on_postgresql_come_to_what_a_slow_fold_says(postgresql_world: World) -> None:
    run_state_machine_as_test(machine_in(postgresql_world), settings=settings(max_examples=8, stateful_step_count=14))
    postgresql_world.assert_clean()
