"""Leaderboards are what a plain sum of everybody's steps says, however far behind they are counted in."""

import random
from contextlib import suppress
from uuid import uuid4

import pytest
import sqlalchemy as sa

from headway.domain.errors import HeadwayError
from headway.domain.events import Event
from headway.domain.periods import PERIODS, Period
from headway.domain.times import format_time
from headway.ledger import accounts
from headway.ledger.boards import clear_ended, count_all_in, count_in, work_out
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.ledger.reset import ResetWanted, reset
from headway.ledger.retake import RunWanted, start_run
from headway.store import learners
from headway.store.boards import change_state
from headway.store.schema import board_move, learner
from headway.views.leaderboards import BoardQuery
from tests.domain.manifests import course, module, step
from tests.ledger.earning import defined, given
from tests.ledger.guests import guest_in, move, session_of
from tests.ledger.slow_boards import Stands, paged, served, slow_board
from tests.ledger.world import GRADER, HOUR, NOON, World, event

STRICT = course(
    module("first", step("read", kind="lesson"), step("solve", kind="exercise"), step("pick", grader=GRADER)),
    id="strict",
    evidence="graded",
)
STEPS = {"python": ["hello", "loops", "quiz", "graded"], "go": ["hello"], "strict": ["read", "solve", "pick"]}
NOW = NOON + HOUR


class Play:
    """Learners who do things at random, while boards are counted in now and then."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.zone = self.chance.choice(["UTC", "Asia/Tokyo", "America/Los_Angeles"])
        world.publish(STRICT)
        given(world, defined("three", "steps", 3, points=700), defined("tries", "attempts", 2, points=1))
        with world.database.transaction() as connection:
            change_state(connection, time_zone=self.zone)
        self.accounts = [world.learner(display_name=f"Ada {n}") for n in range(6)]
        self.guests = [guest_in(world) for _ in range(3)]

    def act(self) -> None:
        """Do something."""
        seldom = [self.hide, self.move, self.grow, self.rename, self.again, self.reset, self.erase]
        self.chance.choice([*[self.learn] * 12, *[self.count] * 4, *seldom])()

    def learn(self) -> None:
        who = self.chance.choice([*self.accounts, *(one.id for one in self.guests)])
        self.world.send(who, *(self._event() for _ in range(self.chance.randint(1, 4))), at=NOW)

    def _event(self) -> Event:
        of = self.chance.choice(list(STEPS))
        at = NOW - self.chance.choice([0, 3, 9, 20, 26, 50, 170, 700, 2000]) * HOUR - self.chance.randrange(HOUR)
        which = self.chance.choice(STEPS[of])
        sent = {"course": of, "of": which, "occurred_at": format_time(at)}
        if which in ("graded", "pick"):
            return event(**sent, response=self.chance.choice("ab"))
        return event(**sent, kind=self.chance.choice(["completed", "attempted"]), score=self.chance.choice([50, 90]))

    def count(self) -> None:
        count_in(self.world.database, now=NOW, limit=self.chance.choice([1, 2, 50]))
        clear_ended(self.world.database, now=NOW)

    def hide(self) -> None:
        who = self.chance.choice(self.accounts)
        session = session_of(who, f"{who} {uuid4()}", kind="account")
        with self.world.database.transaction() as connection:
            learners.add_sessions(connection, session)
        said = {"leaderboard_opt_out": self.chance.random() < 0.5}
        accounts.change_profile(self.world.database, session["token_hash"], said, now=NOW)

    def rename(self) -> None:
        with self.world.database.transaction() as connection:
            mine = learner.c.id == self.chance.choice(self.accounts)
            connection.execute(sa.update(learner).where(mine).values(leaderboard_alias=f"alias {self.chance.random()}"))

    def move(self) -> None:
        if self.guests:
            move(self.world, self.chance.choice(self.accounts), self.guests.pop())

    def grow(self) -> None:
        if not self.guests:
            return
        guest = self.guests.pop()
        account = {"id": guest.id, "kind": "account", "email": f"{guest.id}@example.org", "password_hash": "x"}
        session = session_of(guest.id, f"{guest.id} now", kind="account")
        accounts.register(
            self.world.database,
            account | {"created_at": NOW},
            session,
            guest_token_hash=guest.token_hash,
            catalog=self.world.catalog,
        )
        self.accounts.append(guest.id)

    def again(self) -> None:
        who = self.chance.choice(self.accounts)
        held = [one for one in self.world.rows_of("course_run") if one["learner_id"] == who]
        if held:
            of = self.chance.choice(held)["course_id"]
            # Where nothing was done in the run that would be left, there is no other.
            with suppress(HeadwayError):
                start_run(self.world.database, self.world.catalog, RunWanted(who, of, str(uuid4())), now=NOW)

    def reset(self) -> None:
        of = self.chance.choice([None, *STEPS])
        who = self.chance.choice([*self.accounts, *(one.id for one in self.guests)])
        reset(self.world.database, self.world.catalog, ResetWanted(who, str(uuid4()), of), now=NOW)

    def erase(self) -> None:
        if len(self.accounts) > 4:
            who = self.accounts.pop(self.chance.randrange(len(self.accounts)))
            erase(self.world.database, self.world.catalog, who, now=NOW)

    def check(self) -> None:
        """All that is served is what a plain sum says."""
        for kind in PERIODS:
            for of in (None, *STEPS):
                slow = slow_board(self.world, kind, of, NOW, self.zone)
                assert paged(self.world, kind, of, NOW, self.chance.choice([1, 2, 3, 50])) == [
                    one._replace(learner_id="") for one in slow
                ]
                self._check_around(kind, of, slow)

    def _check_around(self, kind: Period, of: str | None, slow: list[Stands]) -> None:
        for me in self.accounts:
            limit = self.chance.choice([1, 2, 3, 5])
            board, begins = served(self.world, BoardQuery(kind, of, True, None, limit), NOW, me)
            at = next((n for n, one in enumerate(slow) if one.learner_id == me), None)
            assert begins is None
            if at is None:
                assert (board.me, board.items) == (None, [])
                continue
            above = (limit - 1) // 2
            near = slow[max(0, at - above) : at + limit - above]
            assert [(one.rank, one.points, one.is_me) for one in board.items] == [
                (one.rank, one.points, one.learner_id == me) for one in near
            ]
            assert board.me is not None
            assert (board.me.rank, board.me.solved) == (slow[at].rank, slow[at].solved)


@pytest.mark.parametrize("seed", range(2))
def test_boards_are_what_a_plain_sum_says(world: World, seed: int) -> None:
    play = Play(world, seed)
    for _ in range(8):
        for _ in range(6):
            play.act()
        play.check()
        world.assert_clean()
    count_all_in(world.database, now=NOW)
    assert world.count(board_move.name) == 0
    play.check()
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_boards_that_are_worked_out_anew_leave_out_who_was_erased(world: World) -> None:
    gone, stays = (world.learner(display_name=name) for name in ("Ada", "Bo"))
    for one in (gone, stays):
        world.send(one, event(of="hello", kind="completed"), at=NOW)
    count_all_in(world.database, now=NOW)
    erase(world.database, world.catalog, gone, now=NOW)
    for dry_run in (True, False):
        assert work_out(world.database, world.catalog, now=NOW, dry_run=dry_run).updated == 0
        world.assert_clean()


@pytest.mark.parametrize("counted_in", [False, True])
def test_who_opts_out_is_gone_at_once_and_back_at_once(world: World, counted_in: bool) -> None:
    people = [world.learner(display_name=name) for name in ("Ada", "Bo", "Cy")]
    for one in people:
        world.send(one, event(of="hello", kind="completed"), at=NOW)
    count_all_in(world.database, now=NOW)
    session = session_of(people[1], "token", kind="account")
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session)
    for is_out in (True, False):
        accounts.change_profile(world.database, session["token_hash"], {"leaderboard_opt_out": is_out}, now=NOW)
        if counted_in:
            count_all_in(world.database, now=NOW)
        board, _ = served(world, BoardQuery("all", None, False, None, 5), NOW, people[1])
        assert {one.display_name for one in board.items} == {"Ada", "Cy"} | (set() if is_out else {"Bo"})
        assert (board.me is None) == is_out
