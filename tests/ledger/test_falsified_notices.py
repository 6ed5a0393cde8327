"""What learners were told is held to what told them: an entry, a guest's, or as far as it can the day it is of."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.notices import id_apart
from headway.domain.recording import IMPORTED
from headway.domain.streaks import STANDARD
from headway.domain.times import DAY, MINUTE
from headway.ledger.audit import audit
from headway.ledger.delivering import take
from headway.ledger.faults import Fault
from headway.ledger.rebuild import rebuild
from headway.ledger.recompute import recompute
from headway.ledger.reminding import remind
from headway.ledger.submission import Submission
from headway.ledger.tidying import tidy
from headway.store import webhooks
from headway.store.notice_tables import notice
from tests.ledger.facts import reset
from tests.ledger.gates import GATES, through
from tests.ledger.guests import guest_in, move
from tests.ledger.test_impact import counted
from tests.ledger.test_streaks import at, on
from tests.ledger.world import HOUR, NOON, World, numbered

Told = dict[str, Any]
# A Sunday: `on` and `at` count from New Year 2026.
SUNDAY = 10
DERIVED = [column.name for column in notice.c if column.info.get("derived")]
OTHERS: dict[str, list[Any]] = {
    "id": [numbered(1), numbered(2)],
    "type": ["step_graded", "level_changed", ""],
    "subject": [
        "streak_at_risk/2026-01-01",
        "webhook_disabled:x:99",
        "anything",
        "",
        f"webhook_disabled:{'9' * 5_000}",
    ],
    "at": [1, NOON + 1],
}
# What tells nobody of what it was: a reminder's words say its day, and are nowhere else.
BODIES = ["nothing that is JSON", "{}", '{"type":"weekly_summary","to":"2026-13-13"}', '{"type":"streak_at_risk"}']
BODIES += ['{"a":' * 5_000 + "1" + "}" * 5_000]


def told(world: World, learner_id: str) -> list[Told]:
    return world.rows(notice, learner_id)


def change(world: World, learner_id: str, one: Told, **values: Any) -> None:
    key = {"learner_id": learner_id, "seq": one["seq"], "n": one["n"]}
    with world.database.transaction() as connection:
        connection.execute(sa.update(notice).where(*(notice.c[name] == key[name] for name in key)).values(**values))


def remove(world: World, learner_id: str, *gone: Told) -> None:
    with world.database.transaction() as connection:
        for one in gone:
            own = (notice.c.learner_id == learner_id) & (notice.c.seq == one["seq"]) & (notice.c.n == one["n"])
            connection.execute(sa.delete(notice).where(own))


def add(world: World, learner_id: str, one: Told, **values: Any) -> None:
    with world.database.transaction() as connection:
        connection.execute(sa.insert(notice).values({**one, "learner_id": learner_id, **values}))


def found(world: World) -> list[Fault]:
    return audit(world.database, world.catalog).faults


def mended(world: World) -> int:
    report = rebuild(world.database, world.catalog)
    assert report.broken == []
    world.assert_clean()
    return report.updated


def label(one: Told) -> str:
    return f"{one['seq']}/{one['n']}"


def reminded(world: World, due: int) -> None:
    """Have reminders given that are due then."""
    for now in (due - MINUTE, due):
        remind(world.database, STANDARD, now=now)


def told_in_every_way(world: World) -> tuple[str, str]:
    """An account that was told by its entries, by a guest's, reminded as a guest and itself, and of its webhook."""
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics"), *(on(day) for day in (SUNDAY - 1, SUNDAY - 2)), at=at(SUNDAY - 1))
    guest = guest_in(world, on(SUNDAY - 3), on(SUNDAY - 2))
    world.send(guest.id, *through("basics", "loops", start=50), at=at(SUNDAY - 2))
    reminded(world, at(SUNDAY - 1) + 7 * HOUR)
    assert move(world, ada, guest, now=at(SUNDAY - 1) + 8 * HOUR) is not None
    reminded(world, at(SUNDAY) + 7 * HOUR)
    reminded(world, at(SUNDAY) + 20 * HOUR)
    hook = {
        "id": numbered(70),
        "learner_id": ada,
        "url": "https://example.org",
        "types": "",
        "secret": "",
        "active": True,
    }
    with world.database.transaction() as connection:
        webhooks.add(connection, {**hook, "created_at": NOON, "failures": 0, "retry_at": 0})
    world.send(ada, *through("end", start=80), at=at(SUNDAY + 1))
    assert take(world.database, 1, now=at(SUNDAY + 1) + HOUR) == []
    change(world, ada, told(world, ada)[0], read_at=at(SUNDAY + 1))
    change(world, ada, told(world, ada)[-1], read_at=at(SUNDAY + 1))
    return ada, guest.id


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str, str]]:
    if request.param == "sqlite":
        world = World(f"sqlite:///{tmp_path_factory.mktemp('told') / 'world.db'}")
        yield world, *told_in_every_way(world.prepare())
        world.close()
        return
    with request.getfixturevalue("postgres").fresh() as url:
        world = World(url)
        yield world, *told_in_every_way(world.prepare())
        world.close()


def test_all_ways_of_being_told_are_here_and_right(whole: tuple[World, str, str]) -> None:
    world, ada, guest = whole
    world.assert_clean()
    types = {(one["type"], one["n"] >= 1_000) for one in told(world, ada)}
    entries = {"module_completed", "module_unlocked", "course_completed", "certificate_issued"}
    assert {kind for kind, is_apart in types if not is_apart} == entries
    apart = {"module_completed", "module_unlocked", "streak_at_risk", "weekly_summary", "webhook_disabled"}
    assert {kind for kind, is_apart in types if is_apart} == apart
    assert told(world, guest) == []
    assert [one["type"] for one in told(world, ada)].count("streak_at_risk") == 2


@pytest.mark.parametrize("name", DERIVED[:-1])
def test_each_that_is_falsified_is_found_and_mended(whole: tuple[World, str, str], name: str) -> None:
    world, ada, _ = whole
    before = told(world, ada)
    for one in before:
        for value in OTHERS[name]:
            if name == "at" and one["n"] >= 1_000 and one["type"] in ("streak_at_risk", "weekly_summary"):
                continue  # a reminder is given when it is given: nothing else says when that was
            change(world, ada, one, **{name: value})
            true = one[name]
            if name == "id" and one["n"] >= 1_000 and one["type"] == "streak_at_risk":
                true = id_apart(ada, one["subject"])  # the guest may have been the one who was reminded, or the account
            assert found(world) == [("notice", ada, label(one), name, value, true)]
            assert mended(world) == 1
            change(world, ada, one, id=one["id"])
            assert told(world, ada) == before
    world.assert_clean()


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_words_that_are_falsified_are_found_and_mended_or_go(whole: tuple[World, str, str], body: str) -> None:
    world, ada, _ = whole
    before = told(world, ada)
    for one in before:
        change(world, ada, one, body=body)
        lost = one["type"] in ("streak_at_risk", "weekly_summary", "webhook_disabled")
        fault = ("*", "a row", None) if lost else ("body", body, one["body"])
        assert found(world) == [("notice", ada, label(one), *fault)]
        assert mended(world) == 1
        assert told(world, ada) == [other for other in before if not lost or other != one]
        if lost:
            add(world, ada, one)
    world.assert_clean()


def test_ids_that_were_exchanged_are_mended(whole: tuple[World, str, str]) -> None:
    world, ada, _ = whole
    before = told(world, ada)
    weekly = next(one for one in before if one["type"] == "weekly_summary")
    for one, other in ((before[0], before[1]), (before[0], before[-1]), (weekly, before[-1])):
        change(world, ada, one, id=numbered(1))
        change(world, ada, other, id=one["id"])
        change(world, ada, one, id=other["id"])
        assert {fault[2:4] for fault in found(world)} == {(label(one), "id"), (label(other), "id")}
        assert mended(world) == 1
        assert told(world, ada) == before


def test_a_copy_of_what_is_kept_goes(whole: tuple[World, str, str]) -> None:
    world, ada, _ = whole
    before = told(world, ada)
    for one in before:
        copy = {**one, "id": numbered(900), "n": one["n"] + 500}
        add(world, ada, copy)
        assert found(world) == [("notice", ada, label(copy), "*", "a row", None)]
        assert mended(world) == 1
        assert told(world, ada) == before


def test_of_two_alike_one_stays(whole: tuple[World, str, str]) -> None:
    world, ada, guest = whole
    before = told(world, ada)
    for one in (one for one in before if one["n"] >= 1_000):
        copy = {**one, "id": numbered(900), "n": one["n"] + 500}
        add(world, ada, copy)
        change(world, ada, one, id=numbered(901))
        assert [fault[2:4] for fault in found(world)] == [(label(one), "id"), (label(copy), "*")]
        assert mended(world) == 1
        change(world, ada, one, id=one["id"])
        assert told(world, ada) == before
    # Guests have no webhooks: none of them can have been told that one was given up.
    hook = before[-1]
    change(world, ada, hook, id=id_apart(guest, hook["subject"]))
    assert [fault[2:4] for fault in found(world)] == [(label(hook), "id")]
    assert mended(world) == 1
    assert told(world, ada) == before


@pytest.mark.parametrize("seq", [-1, 99])
def test_what_lies_behind_no_entry_goes(whole: tuple[World, str, str], seq: int) -> None:
    world, ada, _ = whole
    before = told(world, ada)
    for one in (one for one in before if one["n"] >= 1_000):
        change(world, ada, one, seq=seq)
        assert found(world) == [("notice", ada, f"{seq}/{one['n']}", "*", "a row", None)]
        assert mended(world) == 1
        add(world, ada, one)
    world.assert_clean()


def test_a_notice_that_is_gone_is_missed_behind_one_that_is_kept(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.submit(Submission(ada, tuple(through("basics")), NOON, source=IMPORTED))
    world.send(ada, *through("loops", start=20), at=NOON + HOUR)
    reset(world, ada, "go", at=NOON + 2 * HOUR)
    world.send(ada, *through("end", start=40), at=NOON + 3 * HOUR)
    before = told(world, ada)
    assert [one["type"] for one in before] == [
        *("module_completed", "module_unlocked", "module_completed", "course_completed", "certificate_issued")
    ]
    world.assert_clean()
    for gone in (before[2:3], before[-1:], before[2:]):
        remove(world, ada, *gone)
        assert found(world) == [("notice", ada, label(one), "*", None, "a row") for one in gone]
        dry = recompute(world.database, world.catalog, now=lambda: NOON, dry_run=True)
        assert [(one.field, one.key) for one in dry.updates] == [("notice.*", label(one)) for one in gone]
        assert mended(world) == 1
        assert told(world, ada) == before


def test_what_may_have_gone_with_its_time_is_not_missed(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics"), at=NOON)
    # Of another server, whose clock is behind.
    world.send(ada, *through("loops", start=20), at=NOON - HOUR)
    world.send(ada, *through("end", start=40), at=NOON + HOUR)
    whole = told(world, ada)
    for before in (NOON - HOUR, NOON, NOON + 1, NOON + HOUR + 1):
        tidy(world.database, now=NOON, events_before=0, sent_before=0, notices_before=before)
        assert told(world, ada) == [one for one in whole if one["at"] >= before]
        world.assert_clean()
        # They go a portion at a time: of those of one time some may still be there.
        oldest = [one for one in told(world, ada) if one["at"] == min(each["at"] for each in told(world, ada))]
        for one in oldest:
            remove(world, ada, one)
            world.assert_clean()
            add(world, ada, one)
    assert rebuild(world.database, world.catalog).updated == 0
    assert told(world, ada) == []


MADE_UP: dict[str, dict[str, Any]] = {
    "of an entry that there is not": {"seq": 99},
    "of what its entry does not tell": {"n": 7},
    "of what was just done, and seen done": {"seq": 1},
    "before the first": {"n": -1},
    "behind an entry, of nothing": {"n": 1_000},
    "behind an entry that there is not": {"seq": 99, "n": 1_000},
}


@pytest.mark.parametrize("where", MADE_UP.values(), ids=MADE_UP)
def test_a_notice_that_nothing_tells_is_found_and_goes(world: World, where: dict[str, Any]) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, *through("basics"))
    before = told(world, ada)
    made_up = {**before[0], "id": numbered(1), **where}
    add(world, ada, made_up)
    assert found(world) == [("notice", ada, label(made_up), "*", "a row", None)]
    assert mended(world) == 1
    assert told(world, ada) == before


def test_of_history_a_reset_and_whoever_was_moved_nothing_is_told(world: World) -> None:
    world.publish(GATES)
    ada, bob = world.learner(), world.learner()
    world.submit(Submission(ada, tuple(through("basics")), NOON, source=IMPORTED))
    world.send(bob, *through("basics"))
    guest = guest_in(world, *through("basics"))
    was = told(world, guest.id)
    assert move(world, world.learner(), guest) is not None
    reset(world, bob)
    last = world.entries(bob)[-1]
    add(world, guest.id, was[0])
    add(world, bob, was[0], seq=last.seq, n=0, id=numbered(2))
    for one in world.entries(ada):
        if one.type in ("module_completed", "module_unlocked"):
            add(world, ada, was[0], seq=one.seq, n=0, id=numbered(one.seq))
    assert {(one, true) for _, one, *_, true in found(world)} == {(one, None) for one in (ada, bob, guest.id)}
    assert rebuild(world.database, world.catalog).updated == 3
    assert (told(world, ada), len(told(world, bob)), told(world, guest.id)) == ([], 2, [])
    world.assert_clean()


@pytest.mark.parametrize("work", [audit, rebuild])
def test_what_it_costs_does_not_grow_with_what_was_told(world: World, work: Callable[..., object]) -> None:
    world.publish(GATES)
    ada, bob = world.learner(), world.learner()
    world.send(ada, *through("basics"))
    world.send(bob, *through("basics", "loops", "end"))
    for day in range(SUNDAY, SUNDAY + 20):
        world.send(bob, on(day), at=at(day))
        reminded(world, at(day) + DAY + 7 * HOUR)
    assert len(told(world, bob)) > 4 * len(told(world, ada))
    counts = []
    for one in (ada, bob):
        with counted(world) as statements:
            work(world.database, world.catalog, learner_id=one)
        counts.append(len(statements))
    assert counts[0] == counts[1]
