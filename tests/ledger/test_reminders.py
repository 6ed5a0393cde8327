"""Reminders: in everybody's own evening and on everybody's own Monday, once, whoever gives them and how often."""

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from headway.domain.streaks import STANDARD
from headway.domain.times import DAY, MINUTE
from headway.ledger.erase import erase
from headway.ledger.pausing import PauseWanted, pause
from headway.ledger.reminding import remind
from headway.store.notice_tables import notice, reminded
from tests.ledger.at_once import at_once
from tests.ledger.guests import guest_in, move
from tests.ledger.test_impact import counted
from tests.ledger.test_streaks import at, on
from tests.ledger.world import World, event, numbered

HOUR = 60 * MINUTE
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago"]
# A Sunday: `on` and `at` count from New Year 2026, at noon in UTC.
SUNDAY = 10
DAY_SUM = notice.metadata.tables["day_sum"]


def told(world: World, kind: str) -> dict[str, list[tuple[int, Any]]]:
    """When each learner was told of a kind, and what."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for row in sorted(world.rows_of("notice"), key=lambda row: row["at"]):
        if row["type"] == kind:
            found.setdefault(row["learner_id"], []).append((row["at"], json.loads(row["body"])))
    return found


def begin(world: World, now: int) -> None:
    """As a server that has run until now."""
    remind(world.database, STANDARD, now=now)


def sweeps(world: World, first: int, last: int, step: int = 10 * MINUTE) -> None:
    begin(world, first)
    for now in range(first + step, last, step):
        remind(world.database, STANDARD, now=now)


def local(moment: int, zone: str) -> datetime:
    return datetime.fromtimestamp(moment // 1_000_000, UTC).astimezone(ZoneInfo(zone))


def test_a_streak_at_risk_is_told_in_the_evening_of_everybodys_own_zone_once(world: World) -> None:
    zones = {world.learner(zone): zone for zone in ZONES for _ in range(2)}
    for one, zone in zones.items():
        noon = datetime(2026, 1, 10, 12, tzinfo=ZoneInfo(zone))
        for back in range(3):
            day = noon - timedelta(back)
            world.send(one, event(occurred_at=day.isoformat()), at=int(day.timestamp()) * 1_000_000)
    # Of each zone one is active on the day itself, at eight in the morning; then the day after is the one to fear for.
    early = list(zones)[::2]
    for one in early:
        day = datetime(2026, 1, 11, 8, tzinfo=ZoneInfo(zones[one]))
        world.send(one, event(occurred_at=day.isoformat()), at=int(day.timestamp()) * 1_000_000)
    sweeps(world, at(SUNDAY) - DAY, at(SUNDAY) + 2 * DAY, HOUR)
    found = told(world, "streak_at_risk")
    assert found.keys() == zones.keys()
    for one, zone in zones.items():
        ((moment, change),) = found[one]
        there = local(moment, zone)
        expected = date(2026, 1, 12) if one in early else date(2026, 1, 11)
        assert (there.date(), there.hour) == (expected, 19)
        assert change == {"type": "streak_at_risk", "current": 3 + (one in early), "day": str(expected)}
    world.assert_clean()


def test_two_processes_that_sweep_again_and_again_tell_each_learner_once(world: World) -> None:
    everybody = [world.learner() for _ in range(30)]
    for one in everybody:
        world.send(one, on(SUNDAY - 1), at=at(SUNDAY - 1))
    begin(world, at(SUNDAY) + 6 * HOUR)
    other = World(world.url)
    evening = at(SUNDAY) + 7 * HOUR + MINUTE
    given = at_once(*(lambda one=one: remind(one.database, STANDARD, now=evening) for one in (world, other) * 2))
    other.close()
    assert sum(given) == 30
    # One was killed before it could note how far it had come.
    with world.database.transaction() as connection:
        connection.execute(sa.update(reminded).values(up_to=evening - HOUR))
    assert remind(world.database, STANDARD, now=evening + MINUTE) == 0
    found = told(world, "streak_at_risk")
    assert {one: len(found[one]) for one in everybody} == dict.fromkeys(everybody, 1)


def test_nobody_is_told_of_what_is_not_to_be_feared(world: World) -> None:
    kept, rests, gone, known, moved = (world.learner() for _ in range(5))
    world.send(kept, *(on(day) for day in range(SUNDAY - 8, SUNDAY)), at=at(SUNDAY - 1))
    for one in (rests, gone, moved):
        world.send(one, on(SUNDAY - 1), at=at(SUNDAY - 1))
    world.send(world.learner(), on(SUNDAY - 2), at=at(SUNDAY - 2))
    imported = world.learner(kind="imported", external_id="oulad:7")
    world.send(imported, on(SUNDAY - 1), at=at(SUNDAY - 1))
    pause(world.database, world.catalog, PauseWanted(rests, numbered(77), None, 2), now=at(SUNDAY))
    assert erase(world.database, world.catalog, gone, now=at(SUNDAY)) is not None
    guest = guest_in(world, on(SUNDAY - 1))
    assert move(world, moved, guest, now=at(SUNDAY)) is not None
    sweeps(world, at(SUNDAY), at(SUNDAY) + 11 * HOUR, HOUR)
    assert [*told(world, "streak_at_risk")] == [moved]
    # The pause is over on Tuesday; and a server that was down for the evening tells nobody at night.
    remind(world.database, STANDARD, now=at(SUNDAY + 1) + 11 * HOUR + 40 * MINUTE)
    remind(world.database, STANDARD, now=at(SUNDAY + 2) + 8 * HOUR)
    assert [*told(world, "streak_at_risk")] == [moved, rests]
    assert known not in told(world, "weekly_summary")


def test_a_weeks_summary_comes_on_monday_morning_and_says_what_is_stored(world: World) -> None:
    chance = Random(7)
    zones = {world.learner(zone): zone for zone in ZONES}
    for one in zones:
        days = chance.sample(range(-4, SUNDAY + 1), 8)
        world.send(one, *(on(day, score=chance.random(), duration_s=60) for day in days), at=at(SUNDAY))
    rests, idle = world.learner(), world.learner()
    world.send(rests, on(SUNDAY), at=at(SUNDAY))
    world.send(idle, on(SUNDAY - 7), at=at(SUNDAY))
    pause(world.database, world.catalog, PauseWanted(rests, numbered(78), None, 3), now=at(SUNDAY))
    sweeps(world, at(SUNDAY) - 4 * HOUR, at(SUNDAY) + 36 * HOUR, HOUR)
    found = told(world, "weekly_summary")
    assert found.keys() == zones.keys()
    for one, zone in zones.items():
        ((moment, change),) = found[one]
        there = local(moment, zone)
        assert (there.date(), there.hour) == (date(2026, 1, 12), 8)
        assert (change["from"], change["to"]) == ("2026-01-05", "2026-01-11")
        for first, last, shown in (
            ("2026-01-05", "2026-01-11", change),
            ("2025-12-29", "2026-01-04", change["week_before"]),
        ):
            done = [row for row in world.rows(DAY_SUM, one) if first <= row["day"] <= last and row["activities"]]
            assert shown["active_days"] == len(done)
            assert shown["attempts"] == sum(row["attempts"] for row in done)
            assert shown["points"] == sum(row["points"] for row in done)
            assert shown["duration_s"] == sum(row["duration_ms"] for row in done) / 1000


@pytest.mark.parametrize("evening", [True, False])
def test_what_it_costs_does_not_grow_with_learners(world: World, *, evening: bool) -> None:
    due = at(SUNDAY + 1) + 7 * HOUR if evening else at(SUNDAY) + 20 * HOUR
    counts = []
    for number in (2, 40):
        for _ in range(number):
            world.send(world.learner(), on(SUNDAY), on(SUNDAY - 1), at=at(SUNDAY))
        with world.database.transaction() as connection:
            connection.execute(sa.delete(notice))
            connection.execute(sa.delete(reminded))
        begin(world, due - 5 * MINUTE)
        with counted(world) as statements:
            assert remind(world.database, STANDARD, now=due) == len(world.rows_of("notice")) >= number
        counts.append(len(statements))
    assert counts[0] == counts[1]
