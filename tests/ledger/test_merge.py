"""A guest moves into an account: nothing is lost, doubled or left behind, whatever came before and comes after."""

from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.errors import IdentityGone
from headway.domain.times import format_time
from headway.ledger.audit import audit
from headway.ledger.merge import move_guest
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Receipt, Submission
from headway.store import learners
from headway.store.schema import learner
from tests.ledger.guests import LATER, answered, as_guest, guest_in, move, placed, session_of
from tests.ledger.world import HOUR, NOON, PYTHON, World, enrollment, event, numbered, statuses


def on_day(number: int, day: int, **fields: Any) -> Any:
    return event(number, occurred_at=format_time(NOON - day * 24 * HOUR), **fields)


def test_a_guests_sums_become_the_accounts_and_its_ledger_stays(world: World) -> None:
    ada, whole = world.learner(), world.learner()
    own = [event(1, score=0.5, duration_s=9), on_day(2, 3, score=1, of="essay")]
    brought = [event(11, score=0.9, hints=1), on_day(12, 1, kind="completed", of="hello"), event(13, kind="opened")]
    guest = guest_in(world, *brought)
    world.send(ada, *own)
    world.send(whole, *own, *brought)
    ledger = world.entries(guest.id)
    assert move(world, ada, guest) == (2, 3, 0)
    assert world.figures(ada) == world.figures(whole)
    assert world.figures(guest.id) == world.figures(world.learner())
    assert (world.entries(guest.id), len(world.entries(ada))) == (ledger, 2)
    assert placed(world, guest) == (ada, LATER, 2)
    world.assert_clean()


def test_a_completion_that_the_guest_made_earlier_takes_the_place_of_the_accounts(world: World) -> None:
    ada, whole = world.learner(), world.learner()
    early, late = on_day(1, 5, score=1), on_day(2, 1, score=1)
    for first, then in ((early, late), (late, early)):
        account, guest = world.learner(), guest_in(world, first)
        world.send(account, then)
        move(world, account, guest)
        world.send(whole, first, then)
        assert world.figures(account) == world.figures(whole)
    assert world.figures(ada) != world.figures(whole)
    world.assert_clean()


def test_what_courses_were_worth_then_counts(world: World) -> None:
    ada, whole = world.learner(), world.learner()
    guest = guest_in(world, event(1, score=1))
    world.send(whole, event(1, score=1))
    changed = {**PYTHON, "modules": [{**PYTHON["modules"][0], "steps": PYTHON["modules"][0]["steps"][1:]}]}
    changed["modules"][0]["steps"][0] = {**changed["modules"][0]["steps"][0], "points": 77, "topics": ["other"]}
    world.publish(changed)
    world.send(ada, event(2, score=1, occurred_at=format_time(NOON + 1000)))
    world.send(whole, event(2, score=1, occurred_at=format_time(NOON + 1000)))
    world.restart()
    move(world, ada, guest)
    assert world.figures(ada) == world.figures(whole)
    world.assert_clean()


def test_a_guest_that_recorded_nothing_is_simply_gone(world: World) -> None:
    ada, guest = world.learner(), guest_in(world)
    assert move(world, ada, guest) == (0, 0, 0)
    assert [row["id"] for row in world.rows_of("learner")] == [ada]
    assert world.count("session") == 0
    assert move(world, ada, guest) is None
    assert isinstance(answered(world, guest, event(1)), IdentityGone)
    world.assert_clean()


def test_moving_again_changes_nothing(world: World) -> None:
    ada, ben, guest = world.learner(), world.learner(), guest_in(world, event(1, score=1), event(2))
    move(world, ada, guest)
    before = {table: world.rows_of(table) for table in ("learner", "session", "ledger", "step_sum", "day_sum")}
    for account in (ada, ben):
        assert move(world, account, guest, LATER + HOUR) is None
    assert {table: world.rows_of(table) for table in before} == before
    world.assert_clean()


def test_the_secret_is_dead_and_a_write_with_it_is_refused(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1))
    move(world, ada, guest)
    assert isinstance(answered(world, guest, event(2)), IdentityGone)
    assert isinstance(world.submit(Submission(guest.id, (event(2),), NOON))[0], IdentityGone)
    with world.database.read() as connection:
        assert learners.by_session(connection, guest.token_hash, NOON) is None
    assert (world.count("session"), world.count("ledger")) == (0, 1)


@pytest.mark.parametrize("no_guest", ["nobody's", "expired", "an account's", "a personal token"])
def test_a_token_that_opens_no_guest_moves_nothing(world: World, no_guest: str) -> None:
    ada, ben = world.learner(), world.learner(kind="guest" if no_guest == "expired" else "account")
    world.send(ben, event(1))
    kind = {"an account's": "account", "a personal token": "token"}.get(no_guest, "guest")
    session = session_of(ben, no_guest, LATER if no_guest == "expired" else LATER + 1, kind)
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session)
    token_hash = "0" * 64 if no_guest == "nobody's" else session["token_hash"]
    assert move_guest(world.database, world.catalog, ada, token_hash, now=LATER) is None
    assert (world.count("session"), len(world.rows_of("step_sum"))) == (1, 1)
    world.assert_clean()


@pytest.mark.parametrize("columns", [{"erased_at": NOON}, {"kind": "guest"}, {"kind": "imported"}, None])
def test_nothing_moves_into_what_is_no_living_account(world: World, columns: dict[str, Any] | None) -> None:
    guest = guest_in(world, event(1))
    account = numbered(1) if columns is None else world.learner(**columns)
    with pytest.raises(IdentityGone):
        move(world, account, guest)
    assert placed(world, guest) == (None, None, None)
    assert isinstance(answered(world, guest, event(2)), Receipt)


def test_whoever_asks_for_a_move_must_still_be_signed_in(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1))
    session = session_of(ada, "mine", kind="account")
    ask = (world.database, world.catalog, ada, guest.token_hash, session["token_hash"])
    with pytest.raises(IdentityGone):
        move_guest(*ask, now=LATER)
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session)
    assert move_guest(*ask, now=LATER) == (1, 1, 0)


def test_a_retry_of_what_was_first_sent_as_the_guest_counts_once(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1, score=0.5), enrollment(2))
    move(world, ada, guest)
    before = world.figures(ada)
    # At the very moment at which the guest's came, too: it is no lost answer of the account's own.
    for at in (NOON + HOUR, LATER):
        again = world.send(ada, event(1, score=0.5), enrollment(2), event(1, score=0.6), at=at)
        assert statuses(again) == ["duplicate", "duplicate", "id-reused"]
        assert [(one.key.step, one.sum.attempts) for one in again.steps] == [("loops", 1)]
        assert again.changes == []
    assert (world.figures(ada), world.entries(ada)) == (before, [])
    world.assert_clean()


def test_of_an_id_under_both_identities_the_accounts_counts_and_is_what_a_retry_is_compared_with(world: World) -> None:
    ada, alone = world.learner(), world.learner()
    guest = guest_in(world, event(1, score=1, of="essay"), event(2), event(3, of="essay"))
    for one in (ada, alone):
        world.send(one, event(1, score=0.25))
    assert move(world, ada, guest) == (2, 2, 0)
    world.send(alone, event(2), event(3, of="essay"))
    assert world.figures(ada) == world.figures(alone)
    again = world.send(ada, event(1, score=0.25), event(1, score=1, of="essay"), event(1, score=0.3), at=LATER)
    assert statuses(again) == ["duplicate", "id-reused", "id-reused"]
    assert [(one.key.step, one.sum.attempts) for one in again.steps] == [("loops", 2)]
    world.assert_clean()


def test_two_guests_move_one_after_the_other(world: World) -> None:
    ada, whole = world.learner(), world.learner()
    first = guest_in(world, event(1, score=0.1), event(2, score=0.2))
    second = guest_in(world, event(2, score=0.9), event(3, score=0.3))
    world.send(ada, event(9, score=1))
    assert move(world, ada, first) == (1, 2, 0)
    world.send(ada, event(10, score=1))
    # A clock that is behind must not turn the order of moves round.
    assert move(world, ada, second, NOON) == (1, 1, 0)
    assert (placed(world, first), placed(world, second)) == ((ada, LATER, 1), (ada, LATER + 1, 2))
    world.send(whole, *(event(n, score=score) for n, score in ((9, 1), (1, 0.1), (2, 0.2), (10, 1), (3, 0.3))))
    assert world.figures(ada) == world.figures(whole)
    assert statuses(world.send(ada, event(2, score=0.2), event(2, score=0.9), event(3, score=0.3), at=LATER)) == (
        ["duplicate", "id-reused", "duplicate"]
    )
    world.assert_clean()


def test_what_is_recorded_after_a_move_is_told_as_the_whole_accounts(world: World) -> None:
    """The changes of entries follow from all that was there then: audit works them out again, moves and all."""
    ada, guest = world.learner(), guest_in(world, on_day(1, 2, score=1), on_day(2, 1, score=0.1))
    world.send(ada, on_day(3, 4, score=1))
    move(world, ada, guest)
    told = world.send(ada, event(4, score=0.5)).changes
    assert [(one["type"], one.get("current")) for one in told] == [("streak_extended", 3)]
    world.assert_clean()
    rebuild(world.database, world.catalog)
    assert world.entries(ada)[1].changes is not None
    world.assert_clean()


def test_a_learner_of_many_identities_is_audited_as_one(world: World) -> None:
    ada = world.learner()
    for n in range(5):
        world.send(ada, event(100 + n, score=0.5))
        move(world, ada, guest_in(world, event(n, score=n / 10), event(50, score=0.7)))
    report = audit(world.database, world.catalog, learner_id=ada)
    assert (report.faults, report.events) == ([], 15)
    assert world.step(ada)["events"] == 11
    assert audit(world.database, world.catalog).events == 15


def test_registering_is_no_move_and_the_account_may_take_in_others(world: World) -> None:
    ada, guest = guest_in(world, event(1)), guest_in(world, event(2))
    with world.database.transaction() as connection:
        learners.change(connection, ada.id, {"kind": "account"})
    assert move(world, ada.id, guest) == (1, 1, 0)
    assert world.submit(as_guest(ada, [event(1), event(2)]))[0] is not None
    assert world.step(ada.id)["events"] == 2
    world.assert_clean()


def test_a_rebuild_counts_what_guests_brought_into_what_one_transaction_takes(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    ids = sorted(world.learner() for _ in range(4))
    for one in ids:
        move(world, one, guest_in(world, *(event(n) for n in range(6))))
    monkeypatch.setattr("headway.ledger.rebuild.EVENTS_A_TRANSACTION", 7)
    portions: list[int] = []
    assert rebuild(world.database, world.catalog, progress=portions.append).unchanged == 8
    assert set(portions) == {1}  # guests have their events to be skipped


FALSE_PLACES: list[tuple[dict[str, Any], str]] = [
    ({"merged_at": None}, "merged_at"),
    ({"merged_after": None}, "merged_after"),
    ({"merged_after": 2}, "merged_after"),
    ({"merged_after": -1}, "merged_after"),
    ({"merged_into": None}, "merged_into"),
    ({"kind": "account"}, "kind"),
]


@pytest.mark.parametrize(("values", "column"), FALSE_PLACES)
def test_a_row_that_says_of_a_move_what_cannot_be_is_found(world: World, values: dict[str, Any], column: str) -> None:
    ada, guest = world.learner(), guest_in(world, event(1))
    world.send(ada, event(2))
    move(world, ada, guest)
    with world.database.transaction() as connection:
        learners.change(connection, guest.id, values)
    faults = [one for one in audit(world.database, world.catalog).faults if one.table == learner.name]
    assert [(one.learner, one.column) for one in faults] == [(guest.id, column)]
    assert guest.id in {one.learner for one in rebuild(world.database, world.catalog).broken}


def test_a_move_into_what_is_no_account_and_a_secret_that_lives_are_found(world: World) -> None:
    ada, guest, other = world.learner(), guest_in(world, event(1)), guest_in(world)
    move(world, ada, guest)
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session_of(guest.id, "again"))
        learners.change(connection, guest.id, {"merged_into": other.id})
    found = {(one.table, one.learner, one.column) for one in audit(world.database, world.catalog).faults}
    assert {("learner", guest.id, "merged_into"), ("session", guest.id, "learner_id")} <= found


def test_an_event_recorded_again_behind_a_move_is_found(world: World) -> None:
    """What a write that passed a move by would leave: it counted twice."""
    ada, guest = world.learner(), guest_in(world, event(1, score=1))
    world.send(ada, event(2))
    move(world, ada, guest)
    with world.opened() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO ledger SELECT :ada, 2, event_id, body, received_at, clock_skew, time_zone, source,"
                " version, type, course_id, run, step_id, at, day, trust, score, passed, duration_ms, hints, changes,"
                " streak_rules"
                " FROM ledger WHERE learner_id = :guest"
            ),
            {"ada": ada, "guest": guest.id},
        )
    (fault,) = audit(world.database, world.catalog).faults
    assert (fault.table, fault.learner, fault.key, fault.column) == ("ledger", ada, "2", "event_id")


@pytest.mark.parametrize("whose", ["account", "guest"])
@pytest.mark.parametrize("table", ["step_sum", "day_sum", "topic_sum", "enrollment", "brought"])
def test_falsified_sums_of_accounts_and_their_guests_are_found_and_mended(world: World, table: str, whose: str) -> None:
    ada, guest = world.learner(), guest_in(world, event(1, score=0.5), enrollment(3))
    other = guest_in(world, event(5, score=1), enrollment(6))
    world.send(ada, event(2, score=0.9), enrollment(4, "left"))
    move(world, ada, guest)
    names = ("step_sum", "day_sum", "topic_sum", "enrollment", "brought", "ledger")
    before = {name: world.rows_of(name) for name in names}
    if whose == "account":
        world.run(f"DELETE FROM {table} WHERE learner_id = :id", id=ada)
    else:
        whence = ada if table == "brought" else other.id
        world.run(f"UPDATE {table} SET learner_id = :id WHERE learner_id = :other", id=guest.id, other=whence)
    assert {(one.table, one.column) for one in audit(world.database, world.catalog).faults} == {(table, "*")}
    mended = rebuild(world.database, world.catalog)
    assert (mended.updated, mended.broken) == (1 if whose == "account" else 2, [])
    assert {name: world.rows_of(name) for name in before} == before
    world.assert_clean()


@pytest.mark.parametrize("column", ["score", "day", "changes", "trust"])
def test_falsified_entries_of_a_moved_guest_are_found_and_mended(world: World, column: str) -> None:
    ada, guest = world.learner(), guest_in(world, on_day(1, 1, score=1), event(2, score=1))
    move(world, ada, guest)
    before = world.rows_of("ledger")
    with world.opened() as connection:
        value = {"score": "5", "day": "'2020-01-01'", "changes": "'[]'", "trust": "'graded'"}[column]
        connection.execute(sa.text(f"UPDATE ledger SET {column} = {value} WHERE seq = 2"))
    faults = audit(world.database, world.catalog).faults
    assert [(one.table, one.learner, one.key, one.column) for one in faults] == [("ledger", guest.id, "2", column)]
    for alone in (None, ada):
        assert rebuild(world.database, world.catalog, learner_id=alone).updated == (1 if alone is None else 0)
    assert world.rows_of("ledger") == before
    world.assert_clean()


def test_a_broken_ledger_of_a_moved_guest_is_told_and_keeps_the_account_as_it_is(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1, score=1), event(2))
    move(world, ada, guest)
    before = world.figures(ada)
    with world.opened() as connection:
        connection.execute(sa.text("UPDATE ledger SET body = '{}' WHERE seq = 1"))
    broken = rebuild(world.database, world.catalog).broken
    assert [(one.table, one.learner, one.key) for one in broken] == [("ledger", guest.id, "1")]
    assert world.figures(ada) == before
