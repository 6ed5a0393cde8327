"""A course's report against a slow count of the ledgers, on random histories; and by many writers at once."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from headway.domain.events import enrollment_event, parse_event
from headway.domain.times import DAY, MINUTE, format_time
from headway.http.tokens import hash_of
from headway.ledger.accounts import register
from headway.ledger.directing import make_claim_code
from headway.ledger.erase import erase
from headway.ledger.merge import move_guest, move_imported
from headway.ledger.reset import ResetWanted, reset
from headway.ledger.retake import RunEmpty, RunWanted, TooManyRuns, start_run
from headway.ledger.submission import Submission
from headway.views.report import InForce, read_report
from tests.domain.manifests import course, module, step
from tests.ledger.facts import grade, override
from tests.ledger.guests import Guest, guest_in, move, session_of
from tests.ledger.slow_report import slow_report
from tests.ledger.world import NOON, World

EXERCISES: dict[str, Any] = {"kind": "exercise", "pass_mark": 60}
ONE = course(
    module("basics", step("a", **EXERCISES), step("b", **EXERCISES), step("c", **EXERCISES), complete_by="steps"),
    module("loops", step("d", **EXERCISES), step("e", **EXERCISES), requires=[]),
    id="report",
)
# `b` is renamed, `c` moves to the other module, `d` is gone, and there is a new one.
TWO = course(
    module("basics", step("a", **EXERCISES), step("bee", renamed_from=["b"], **EXERCISES)),
    module("loops", step("e", **EXERCISES), step("c", **EXERCISES), step("f", **EXERCISES), requires=[]),
    id="report",
)
VERSIONS = [ONE, TWO, {**ONE, "title": "Again"}]


class History:
    """Things that happen in a course, at random."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.now = NOON
        self.accounts: list[str] = []
        self.guests: list[Guest] = []
        self.published = 0
        self.publish()
        self.account()

    def step_on(self) -> None:
        """Let something happen, some time later."""
        self.now += self.random.randrange(1, 12 * 60) * MINUTE  # within the life of a guest's session
        doing: Callable[[], None] = self.random.choice(DOINGS).__get__(self)
        doing()

    def account(self) -> None:
        self.accounts.append(self.world.learner(display_name=f"Learner {len(self.accounts)}"))

    def guest(self) -> None:
        self.guests.append(guest_in(self.world))

    def publish(self) -> None:
        self.world.publish(VERSIONS[self.published % 3])
        self.published += 1

    def enroll(self) -> None:
        kind = self.random.choice(["enrolled", "enrolled", "left"])
        self._record(enrollment_event(str(uuid4()), kind, "report", self._time()))

    def learn(self) -> None:
        self._record(*(self._event() for _ in range(self.random.randrange(1, 4))))

    def move_a_guest(self) -> None:
        if self.guests and self.accounts:
            guest = self.guests.pop()
            move(self.world, self.random.choice(self.accounts), guest, now=self.now)

    def let_a_guest_register(self) -> None:
        if self.guests:
            guest = self.guests.pop()
            account = {"id": guest.id, "kind": "account", "email": f"{guest.id}@example.org", "password_hash": "x"}
            session = session_of(guest.id, f"{guest.id} registered", kind="account")
            register(
                self.world.database,
                account | {"display_name": "Grown", "created_at": self.now},
                session,
                guest_token_hash=guest.token_hash,
            )
            self.accounts.append(guest.id)

    def erase(self) -> None:
        if len(self.accounts) > 3:
            gone = self.accounts.pop(self.random.randrange(len(self.accounts)))
            erase(self.world.database, self.world.catalog, gone, now=self.now)

    def begin_anew(self) -> None:
        wanted = RunWanted(self.random.choice(self.accounts), "report", str(uuid4()))
        try:
            start_run(self.world.database, self.world.catalog, wanted, now=self.now)
        except (RunEmpty, TooManyRuns):
            return

    def grade(self) -> None:
        who = self.random.choice(self.accounts)
        # Of `d` nobody is graded, for there is none in some versions.
        attempts = [one for one in self.world.entries(who) if one.type == "attempted" and one.step_id != "d"]
        if attempts:
            grade(self.world, who, self.random.choice(attempts).event_id, 990_000, at=self.now)

    def reset(self) -> None:
        wanted = ResetWanted(self.random.choice(self.accounts), str(uuid4()), "report")
        reset(self.world.database, self.world.catalog, wanted, now=self.now)

    def override(self) -> None:
        score, final = self.random.choice([0, 0, 300_000, 650_000, 1_000_000]), self.random.random() < 0.3
        who, of = self.random.choice(self.accounts), self.random.choice(["a", "c", "e"])
        said = {"course": "report", "final": final, "waived": score == 1_000_000 and not final}
        override(self.world, who, of, score, at=self.now, **said)

    def _event(self) -> Any:
        sent = {
            "id": str(uuid4()),
            "type": self.random.choice(["attempted", "attempted", "attempted", "opened", "worked", "completed"]),
            "course": "report",
            "step": self.random.choice(["a", "b", "c", "d", "e", "bee", "f"]),
            "occurred_at": self._time(),
            "duration_s": self.random.choice([0, 7, 61.5, 240, 3000]),
        }
        if sent["type"] == "attempted":
            sent["score"] = self.random.choice([0, 0.2, 0.55, 0.6, 0.8, 1, 0.333333])
        return parse_event(sent)

    def _time(self) -> str:
        """Now or, as of what was done offline, some days ago."""
        return format_time(self.now - self.random.choice([0, 0, self.random.randrange(40 * DAY)]))

    def _record(self, *events: Any) -> None:
        who = self.random.choice([*self.accounts, *(one.id for one in self.guests)])
        self.world.submit(Submission(who, events, self.now))


DOINGS: list[Any] = [
    *[History.learn] * 12,
    *[History.enroll] * 4,
    *[History.account, History.guest] * 2,
    *[History.publish, History.move_a_guest, History.let_a_guest_register, History.erase],
    *[History.begin_anew, History.grade, History.reset],
    *[History.override] * 4,
]


def report_now(world: World, now: int, course_id: str = "report") -> tuple[InForce, dict[str, Any]]:
    with world.database.read() as connection:
        in_force = InForce(*world.catalog.in_force(connection, [course_id])[course_id])
        told = msgspec.to_builtins(read_report(connection, in_force, now))
    return in_force, told


def assert_as_counted(world: World, now: int) -> None:
    in_force, told = report_now(world, now)
    true = slow_report(world, in_force.course, now)
    assert {name: told[name] for name in true} == true
    rates = [value for step in told["steps"] for name, value in step.items() if name.endswith("_percent") and value]
    assert all(0 <= rate <= 100 for rate in rates)


@pytest.mark.parametrize("seed", range(4))
def test_the_report_is_what_a_slow_count_of_the_ledgers_says(world: World, seed: int) -> None:
    history = History(world, seed)
    for turn in range(120):
        history.step_on()
        if turn % 20 == 19:
            assert_as_counted(world, history.now)
    world.assert_clean()


def test_of_nobody_the_report_is_empty_in_its_full_shape(world: World) -> None:
    world.publish(ONE)
    _, told = report_now(world, NOON)
    assert told["summary"] == {
        "enrolled": 0,
        "completed": 0,
        "average_percent": None,
        "median_percent": None,
        "average_score_percent": None,
    }
    assert [one["pass_rate_percent"] for one in told["steps"]] == [None] * 5
    assert (told["at_risk"], told["cohorts"]) == ([], [])


@pytest.mark.parametrize("by_code", [False, True])
def test_who_was_imported_and_is_linked_counts_once(world: World, by_code: bool) -> None:
    history = History(world, 1)
    imported = world.learner(kind="imported", external_id="school:1")
    ada, early = history.accounts[0], format_time(NOON)
    for one, of in ((imported, "a"), (ada, "e")):
        done = parse_event(
            {"id": str(uuid4()), "type": "completed", "course": "report", "step": of, "occurred_at": early}
        )
        world.send(one, enrollment_event(str(uuid4()), "enrolled", "report", early), done, at=NOON)
    assert report_now(world, NOON)[1]["summary"]["enrolled"] == 2
    if by_code:
        token = hash_of(make_claim_code(world.database, imported, now=NOON).code)
        assert move_guest(world.database, world.catalog, ada, token, now=NOON) is not None
    else:
        assert move_imported(world.database, world.catalog, ada, imported, now=NOON) is not None
    assert report_now(world, NOON)[1]["summary"]["enrolled"] == 1
    assert_as_counted(world, NOON)
    world.assert_clean()
