"""Pauses: made beforehand, ended early, kept in the ledger like everything else."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import uuid4

import pytest

from headway.domain.errors import IdentityGone, IdReused, Invalid
from headway.ledger.erase import erase
from headway.ledger.pausing import AHEAD_DAYS_MAX, DAYS_MAX, Made, PauseOverlaps, PauseWanted, UnknownPause
from headway.ledger.pausing import pause as make
from headway.ledger.pausing import resume as end
from headway.ledger.rebuild import rebuild
from headway.views.events import read_events
from headway.views.streak import read_streak
from headway.views.subject import Subject
from tests.ledger.guests import guest_in, move
from tests.ledger.test_streaks import at, on, streak_of, told
from tests.ledger.world import World, event, numbered

TODAY = date(2026, 1, 11)
NOW = at(10)


def pause(world: World, who: str, first: int | None = 0, days: int = 7, n: int | None = None, now: int = NOW) -> Made:
    """Pause from so many days after today."""
    first_on = None if first is None else str(TODAY + timedelta(first))
    pause_id = str(uuid4()) if n is None else numbered(n)
    return make(world.database, world.catalog, PauseWanted(who, pause_id, first_on, days), now=now)


def resume(world: World, who: str, pause_id: str, now: int = NOW) -> None:
    end(world.database, world.catalog, who, pause_id, now=now)


def shown(world: World, who: str) -> list[tuple[str, str]]:
    with world.database.read() as connection:
        return [(one.first_on, one.last_on) for one in read_streak(connection, Subject(who, "UTC"), NOW).pauses]


def test_a_pause_keeps_the_streak_and_its_freezes(world: World) -> None:
    ada = world.learner()
    world.send(ada, *map(on, range(3, 11)), at=NOW)
    made = pause(world, ada, 1, 7)
    assert made[1:] == ("2026-01-12", "2026-01-18", False)
    assert shown(world, ada) == [("2026-01-12", "2026-01-18")]
    found = streak_of(world, ada, 18)
    assert (found.current, found.freezes, found.spent_on) == (8, 1, [])
    assert told(world.send(ada, on(18), at=at(18))) == [("streak_extended", 9)]
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


@pytest.mark.parametrize("way", ["remembered", "read anew", "in one batch"])
def test_a_pause_from_before_the_first_active_day_is_known(world: World, way: str) -> None:
    ada = world.learner()
    pause(world, ada, 1, 4)
    if way == "in one batch":
        extended = told(world.send(ada, on(10), on(15), at=at(15)))
    else:
        world.send(ada, on(10), at=NOW)
        if way == "read anew":
            world.restart()
        extended = told(world.send(ada, on(15), at=at(15)))
    assert extended[-1] == ("streak_extended", 2)
    assert streak_of(world, ada, 15).current == 2
    world.assert_clean()


def test_a_day_that_has_passed_at_home_is_not_paused_from_further_west(world: World) -> None:
    ada = world.learner("Pacific/Kiritimati")  # where it is the 12th already, and the 11th was missed
    world.send(ada, on(8), on(9), at=NOW)
    world.run("UPDATE learner SET time_zone = 'Pacific/Pago_Pago' WHERE id = :id", id=ada)
    with pytest.raises(Invalid):
        pause(world, ada, 0, 1)
    assert pause(world, ada, None, 1).first_on == "2026-01-12"
    # What is a week old binds nobody to a zone.
    world.send(ada, on(10), at=NOW + 1)
    assert pause(world, ada, 9, 1, now=at(19)).first_on == "2026-01-20"
    world.assert_clean()


def test_a_pause_begins_today_where_nothing_else_is_said(world: World) -> None:
    here, there = world.learner(), world.learner("Pacific/Kiritimati")  # where it is the 12th already
    assert pause(world, here, None, 1)[1:3] == ("2026-01-11", "2026-01-11")
    assert pause(world, there, None, DAYS_MAX)[1:3] == ("2026-01-12", "2026-04-11")


def test_sent_again_it_is_the_same_pause(world: World) -> None:
    ada = world.learner()
    made = pause(world, ada, 1, 7, n=5)
    for first in (1, None):
        assert pause(world, ada, first, 7, n=5, now=NOW + 1) == made._replace(repeated=True)
    with pytest.raises(IdReused):
        pause(world, ada, 1, 8, n=5, now=NOW + 1)
    world.send(ada, event(6))
    with pytest.raises(IdReused):
        pause(world, ada, 20, 8, n=6)
    assert len(world.entries(ada)) == 2
    world.assert_clean()


def test_a_pause_that_was_ended_is_still_the_one_of_its_id(world: World) -> None:
    ada = world.learner()
    made = pause(world, ada, 0, 7, n=5)
    resume(world, ada, made.id, now=at(12))
    assert pause(world, ada, 0, 7, n=5, now=at(12)).repeated
    assert shown(world, ada) == [("2026-01-11", "2026-01-12")]


@pytest.mark.parametrize(
    ("first", "days", "field"),
    [(-1, 5, "from"), (AHEAD_DAYS_MAX + 1, 5, "from"), (0, 0, "days"), (0, DAYS_MAX + 1, "days"), (0, -3, "days")],
)
def test_a_pause_that_cannot_be_names_what_is_wrong(sqlite_world: World, first: int, days: int, field: str) -> None:
    ada = sqlite_world.learner()
    with pytest.raises(Invalid) as refusal:
        pause(sqlite_world, ada, first, days)
    assert refusal.value.field == field
    for text in ("soon", "2026-02-30", "", "2026-1-12", "9999-13-01"):
        with pytest.raises(Invalid):
            make(sqlite_world.database, sqlite_world.catalog, PauseWanted(ada, numbered(1), text, 5), now=NOW)
    assert sqlite_world.entries(ada) == []


def test_no_day_is_paused_twice(world: World) -> None:
    ada = world.learner()
    first = pause(world, ada, 2, 5)
    for start, days in ((0, 3), (2, 1), (6, 9), (0, 20)):
        with pytest.raises(PauseOverlaps):
            pause(world, ada, start, days)
    pause(world, ada, 0, 2)
    pause(world, ada, 7, 2)
    resume(world, ada, first.id)
    pause(world, ada, 3, 1)
    assert shown(world, ada) == [
        ("2026-01-11", "2026-01-12"),
        ("2026-01-14", "2026-01-14"),
        ("2026-01-18", "2026-01-19"),
    ]
    world.assert_clean()


def test_ended_early_it_ends_with_yesterday_and_called_off_it_never_was(world: World) -> None:
    ada = world.learner()
    running, coming = pause(world, ada, 0, 7), pause(world, ada, 30, 7)
    for _ in range(2):
        resume(world, ada, running.id, now=at(14))
        resume(world, ada, coming.id, now=at(14))
    assert shown(world, ada) == [("2026-01-11", "2026-01-14")]
    assert len(world.entries(ada)) == 4
    # What is over stays, whenever it is ended.
    resume(world, ada, running.id, now=at(300))
    assert len(world.entries(ada)) == 4
    world.assert_clean()


def test_days_after_a_pause_was_ended_count_again(world: World) -> None:
    ada = world.learner()
    world.send(ada, on(9), on(10), at=NOW)
    made = pause(world, ada, 1, 60)
    assert streak_of(world, ada, 40).current == 2
    resume(world, ada, made.id, now=at(15))
    assert (streak_of(world, ada, 15).current, streak_of(world, ada, 16).current) == (2, 0)


def test_a_pause_is_its_learners_own(world: World) -> None:
    ada, bob = world.learner(), world.learner()
    made = pause(world, ada)
    for pause_id in (made.id, str(uuid4())):
        with pytest.raises(UnknownPause):
            resume(world, bob, pause_id)
    assert pause(world, bob).repeated is False


def test_whoever_is_gone_pauses_nothing(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1))
    move(world, ada, guest, now=NOW)
    erase(world.database, world.catalog, ada, now=NOW)
    tries: list[Callable[[], object]] = []
    for who in (ada, guest.id, str(uuid4())):
        tries += [lambda who=who: pause(world, who), lambda who=who: resume(world, who, numbered(1))]  # type: ignore[misc]  # each its own
    for one in tries:
        with pytest.raises(IdentityGone):
            one()


def test_a_guests_pauses_move_with_it_and_can_be_ended_there(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1))
    pause(world, ada, 0, 5)
    made = pause(world, guest.id, 3, 7)
    move(world, ada, guest, now=NOW)
    assert shown(world, ada) == [("2026-01-11", "2026-01-15"), ("2026-01-14", "2026-01-20")]
    resume(world, ada, made.id, now=at(14))
    assert shown(world, ada)[1] == ("2026-01-14", "2026-01-14")
    world.assert_clean()


def test_pauses_are_in_the_learners_ledger_and_in_no_course(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1))
    made = pause(world, ada, 0, 2)
    resume(world, ada, made.id)
    with world.database.read() as connection:
        page = read_events(connection, world.catalog, Subject(ada, "UTC"))
    assert [(one.type, one.course, one.step) for one in page.items] == [
        ("resumed", None, None),
        ("paused", None, None),
        ("attempted", "python", "loops"),
    ]
    assert page.items[1].changes == [
        {"type": "streak_paused", "pause": made.id, "from": "2026-01-11", "to": "2026-01-12"}
    ]
    assert page.items[0].changes == [{"type": "streak_resumed", "pause": made.id, "to": "2026-01-10"}]
