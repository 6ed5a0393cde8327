"""Moves beside writes, beside each other, beside rebuilds, and cut off in the middle."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from threading import Barrier
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import event as hooks
from sqlalchemy.exc import DBAPIError

from headway.domain.errors import IdentityGone
from headway.domain.events import Event
from headway.ledger.accounts import Merged, register
from headway.ledger.audit import audit
from headway.ledger.erase import erase
from headway.ledger.merge import move_guest
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Receipt
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import ledger
from tests.ledger.desk import Desk, desk
from tests.ledger.guests import LATER, Guest, guest_in, move, placed, session_of
from tests.ledger.test_lost_connections import Saboteur, sabotaged
from tests.ledger.world import World, event, statuses
from tests.postgres import Postgres

RACES = 200
AT_ONCE = 20
_serial = count(1)


def several(number: int) -> list[Event]:
    return [event(next(_serial), score=0.5) for _ in range(number)]


def sent_again_as_the_account(open_desk: Desk, reply: str, account: str, *events: Event) -> bool:
    """What a client does whose guest is gone; whether it had to."""
    outcome = open_desk.outcome(reply)
    if isinstance(outcome, Receipt):
        assert statuses(outcome) == ["recorded"] * len(events)
        return False
    assert isinstance(outcome, IdentityGone)
    open_desk.submit(f"{reply} again", account, *events)
    assert statuses(open_desk.receipt(f"{reply} again")) == ["recorded"] * len(events)
    return True


@pytest.mark.timeout(300)
def test_two_hundred_races_of_writes_against_moves_leave_no_orphan_and_no_double(world: World) -> None:
    refused = 0
    with desk(world) as open_desk, ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(RACES // AT_ONCE):
            cast = [(world.learner(), guest_in(world, *several(2))) for _ in range(AT_ONCE)]
            written = {account: several(3) for account, _ in cast}
            barrier = Barrier(AT_ONCE + 1)

            def run(account: str, guest: Guest, barrier: Barrier = barrier) -> Any:
                barrier.wait()
                return move(world, account, guest)

            moves = [pool.submit(run, *pair) for pair in cast]
            barrier.wait()
            for account, guest in cast:
                of_guest, more, own = written[account]
                open_desk.submit(f"{guest.id} 1", guest.id, of_guest, token_hash=guest.token_hash)
                open_desk.submit(f"{account} 2", account, own)
                open_desk.submit(f"{guest.id} 3", guest.id, more, token_hash=guest.token_hash)
            for (account, guest), moved in zip(cast, moves, strict=True):
                of_guest, more, own = written[account]
                assert moved.result() is not None
                refused += sent_again_as_the_account(open_desk, f"{guest.id} 1", account, of_guest)
                refused += sent_again_as_the_account(open_desk, f"{guest.id} 3", account, more)
                assert statuses(open_desk.receipt(f"{account} 2")) == ["recorded"]
            for account, guest in cast:
                held = [one.event_id for one in (*world.entries(account), *world.entries(guest.id))]
                assert len(held) == len(set(held)) == 5
                assert world.step(account)["attempts"] == 5
    assert 0 < refused < 2 * RACES, "no race at all"
    world.assert_clean()


def test_two_sign_ins_at_once_with_one_guest_move_it_once(world: World) -> None:
    for _ in range(20):
        accounts = [world.learner(), world.learner()]
        for pair in (accounts, accounts[:1] * 2):
            guest = guest_in(world, *several(2))
            with ThreadPoolExecutor(2) as pool:
                made = list(pool.map(lambda one, guest=guest: move(world, one, guest), pair))
            assert sorted(made, key=str) == [(1, 2, 0), None]
            assert placed(world, guest)[0] == pair[made.index(Merged(1, 2, 0))]
    world.assert_clean()


def test_guests_move_into_one_account_at_once(world: World) -> None:
    ada = world.learner()
    own, shared = several(1), several(1)
    world.send(ada, *own)
    guests = [guest_in(world, *several(2), *shared) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda one: move(world, ada, one), guests))
    assert sorted(one.events for one in made if one) == [2] * 7 + [3]
    assert len({placed(world, one)[1] for one in guests}) == 8
    assert world.step(ada)["attempts"] == 1 + 8 * 2 + 1
    world.assert_clean()


def test_a_guest_that_registers_while_it_writes_keeps_its_id_and_all(world: World) -> None:
    """The row itself turns into the account: a write with the guest's secret comes before, or is refused."""
    refused = 0
    with desk(world) as open_desk, ThreadPoolExecutor(1) as pool:
        for turn in range(60):
            guest, sent = guest_in(world, *several(1)), several(2)
            open_desk.submit(f"{guest.id} 0", guest.id, sent[0], token_hash=guest.token_hash)
            registered = pool.submit(grow, world, guest)
            if turn % 2:  # else it may never come before a write, on a machine where writing is quick
                registered.result()
            open_desk.submit(f"{guest.id} 1", guest.id, sent[1], token_hash=guest.token_hash)
            for n, one in enumerate(sent):
                refused += sent_again_as_the_account(open_desk, f"{guest.id} {n}", guest.id, one)
            registered.result()
            assert (len(world.entries(guest.id)), world.step(guest.id)["attempts"]) == (3, 3)
            assert placed(world, guest) == (None, None, None)
    assert refused
    world.assert_clean()


def grow(world: World, guest: Guest) -> Merged | None:
    """Register as a guest."""
    account = {"id": guest.id, "kind": "account", "email": f"{guest.id}@example.org", "password_hash": "x"}
    session = session_of(guest.id, f"session of {guest.id}", kind="account")
    return register(world.database, account | {"created_at": LATER}, session, guest_token_hash=guest.token_hash)


def test_a_guest_that_registers_here_and_signs_in_there_becomes_one_of_both(world: World) -> None:
    ada, outcomes = world.learner(), []
    for _ in range(60):
        guest = guest_in(world, *several(2))
        with ThreadPoolExecutor(2) as pool:
            growing, moving = pool.submit(grow, world, guest), pool.submit(move, world, ada, guest)
            moved = moving.result() is not None
            assert isinstance(growing.exception(), IdentityGone) == moved
        assert placed(world, guest)[0] == (ada if moved else None)
        outcomes.append(moved)
    assert world.rows_of("session") == [one for one in world.rows_of("session") if one["kind"] == "account"]
    assert len(world.rows_of("session")) == outcomes.count(False)
    world.assert_clean()


def test_moves_rebuilds_audits_and_writes_at_once(world: World) -> None:
    accounts = [world.learner() for _ in range(4)]
    casts = [(account, guest_in(world, *several(3))) for account in accounts for _ in range(6)]
    other = Database(world.url)

    def rebuilt(_: int) -> tuple[int, int]:
        report = rebuild(other, Catalog())
        return report.updated, report.found

    with desk(world) as open_desk, ThreadPoolExecutor(4) as pool:
        rebuilds = [pool.submit(rebuilt, n) for n in range(4)]
        audits = [pool.submit(audit, other, Catalog()) for _ in range(4)]
        moves = [pool.submit(move, world, *cast) for cast in casts]
        for n, (account, _) in enumerate(casts):
            open_desk.submit(f"{n}", account, *several(1))
        assert [one.result() for one in moves] == [(1, 3, 0)] * len(casts)
        assert [one.result() for one in rebuilds] == [(0, 0)] * 4
        assert [one.result().faults for one in audits] == [[]] * 4
        assert all(statuses(open_desk.receipt(f"{n}")) == ["recorded"] for n in range(len(casts)))
    other.close()
    assert [world.step(one)["attempts"] for one in accounts] == [6 * 4] * 4
    world.assert_clean()


class Failing:
    """The database gives up at one of the statements of a transaction that writes."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.seen: list[str] = []

    def strike(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        self.seen.append(statement)
        if len(self.seen) == self.at:
            raise sqlite3.OperationalError("disk I/O error")


@contextmanager
def failing(world: World, at: int) -> Iterator[Failing]:
    found = Failing(at)
    hooks.listen(world.database.writers, "before_cursor_execute", found.strike)
    try:
        yield found
    finally:
        hooks.remove(world.database.writers, "before_cursor_execute", found.strike)


def test_a_database_that_fails_at_any_statement_of_a_move_leaves_all_as_it_was(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1, score=1), event(2))
    world.send(ada, event(3, score=0.1))
    like_ada, like_guest = world.learner(), guest_in(world, event(1, score=1), event(2))
    world.send(like_ada, event(3, score=0.1))
    world.restart()
    with failing(world, 0) as calm:
        move(world, like_ada, like_guest)
    world.restart()
    assert (calm.seen[0][:5], calm.seen[-1], len(calm.seen) > 15) == ("BEGIN", "COMMIT", True)
    tables = ("learner", "session", "ledger", "step_sum", "day_sum", "topic_sum", "enrollment")
    before = {table: world.rows_of(table) for table in tables}
    for at, statement in enumerate(calm.seen, 1):
        with failing(world, at) as found, pytest.raises((DBAPIError, sqlite3.OperationalError)):
            move(world, ada, guest)
        assert found.seen[at - 1][:40] == statement[:40]
        assert {table: world.rows_of(table) for table in tables} == before, statement
        world.catalog = Catalog()
    assert move(world, ada, guest) == (1, 2, 0)
    assert world.step(ada)["attempts"] == 3
    world.assert_clean()


CUTS = [
    "FOR NO KEY UPDATE",
    "INSERT INTO step_sum (",
    "DELETE FROM day_sum",
    "UPDATE learner SET merged_into",
    "COMMIT",
]


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("statement", CUTS)
def test_a_connection_lost_in_a_move_changes_neither_it_nor_its_answer(
    postgresql_world: World, postgres: Postgres, statement: str, answered: bool
) -> None:
    world = postgresql_world
    ada, guest = world.learner(), guest_in(world, event(1, score=1), event(2))
    world.send(ada, event(2), event(3))
    when = "after_cursor_execute" if answered else "before_cursor_execute"
    with sabotaged(world, when, Saboteur(postgres.url("postgres"), statement)):
        assert move(world, ada, guest) == (1, 1, 0)
    assert world.step(ada)["attempts"] == 3
    assert placed(world, guest) == (ada, LATER, 2)
    world.assert_clean()


def test_a_move_cut_off_and_then_made_by_another_sign_in_is_told_by_that_one_alone(
    postgresql_world: World, postgres: Postgres
) -> None:
    world = postgresql_world
    ada, guest = world.learner(), guest_in(world, event(1))
    others: list[Any] = []

    class Overtaken(Saboteur):
        def strike(self, *args: Any) -> None:
            due = self.left and self.statement in args[2]
            try:
                super().strike(*args)
            finally:
                if due:
                    others.append(move_guest(other, Catalog(), ada, guest.token_hash, now=LATER + 1))

    other = Database(world.url)
    with sabotaged(world, "before_cursor_execute", Overtaken(postgres.url("postgres"), "COMMIT")):
        assert move(world, ada, guest) is None
    other.close()
    assert others == [(1, 1, 0)]
    world.assert_clean()


def test_an_account_that_is_erased_beside_a_rebuild_of_its_guest_blocks_nobody(postgresql_world: World) -> None:
    """A rebuild locks a page of learners in order of id, the guest before the account: so must an erasure."""
    world = postgresql_world
    ada, guest = world.learner(id="ffffffff-ffff-4fff-8fff-ffffffffffff"), guest_in(world, event(1))
    move(world, ada, guest)
    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as connection:
            learners.lock(connection, [guest.id])
            erasing = pool.submit(erase, world.database, world.catalog, ada, now=LATER)
            wait_for_lock(world)
            assert ada in learners.lock(connection, [ada], wait=False)
        assert erasing.result() is not None
    assert world.count("learner") == 1
    world.assert_clean()


def test_a_move_waits_for_a_write_that_is_under_way_and_takes_it_along(postgresql_world: World) -> None:
    world = postgresql_world
    ada, guest = world.learner(), guest_in(world, event(1))
    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as connection:
            learners.lock(connection, [guest.id])
            moving = pool.submit(move, world, ada, guest)
            wait_for_lock(world)
            row = dict(connection.execute(sa.select(ledger).where(ledger.c.learner_id == guest.id)).mappings().one())
            connection.execute(sa.insert(ledger).values({**row, "seq": 2, "event_id": event(2).id}))
        assert moving.result() == (1, 2, 0)
    assert world.step(ada)["events"] == 2


def wait_for_lock(world: World) -> None:
    with psycopg.connect(world.url, autocommit=True) as looking:
        for _ in range(2_000):
            held = looking.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone()
            if held is not None and held[0]:
                return
    raise AssertionError("nobody waited")
