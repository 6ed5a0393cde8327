"""What a server does by itself now and then: of all processes one does it, and nothing that is of use goes."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from headway.domain.achievements import parse_definition
from headway.domain.times import DAY
from headway.http import housekeeping, who
from headway.http.ending import beside
from headway.http.housekeeping import do_what_is_due, go_on_judging, keep_house
from headway.http.services import Services
from headway.ledger import backfill, impact, recount
from headway.ledger.definitions import define
from headway.ledger.guests import Cleared
from headway.settings import Settings
from headway.store.achievement_tables import achievement as earned
from headway.store.schema import (
    course,
    granted,
    learner,
    ledger,
    ledger_opened,
    password_reset,
    roster,
    security_event,
    session,
    throttle,
)
from tests.http.server import Site
from tests.http.test_events import counted, event, send

HOUR = 3_600_000_000


@pytest.fixture
def services(site: Site) -> Iterator[Services]:
    """Those of another process on the same database."""
    made = Services(Settings(database_url=site.database.url.render_as_string(hide_password=False)))
    yield made
    made.database.close()


def test_what_has_run_out_is_thrown_away(site: Site, services: Services) -> None:
    site.person("ada@example.org")
    now = who.now()
    account = sa.select(learner.c.id).scalar_subquery()
    with site.database.transaction() as connection:
        for number in range(3):
            at = now + (number - 1) * HOUR
            resets = {"token_hash": f"r{number}", "learner_id": account, "expires_at": at}
            connection.execute(sa.insert(password_reset).values(**resets))
            connection.execute(sa.insert(throttle).values(key=f"t{number}", count=1, ends_at=at))
        (row,) = connection.execute(sa.select(session)).mappings()
        other = {**row, "token_hash": "s", "id": "0b9f0f3e-5a44-4c6c-9d0e-2f3f0a4d7c11", "expires_at": now}
        connection.execute(sa.insert(session).values(**other))
        connection.execute(sa.update(security_event).values(at=now - 365 * DAY))
        newer = {"id": other["id"], "at": now - 364 * DAY, "kind": "signed-in"}
        connection.execute(sa.insert(security_event).values(**newer))
    do_what_is_due(services, now=now + 1)
    assert counted(site, password_reset) == 1
    assert counted(site, session) == 1
    assert counted(site, security_event) == 1
    with site.database.read() as connection:
        left = set(connection.execute(sa.select(throttle.c.key)).scalars())
    assert {key for key in left if key.startswith("t")} == {"t2"}


def test_guests_who_are_long_gone_are_cleared(site: Site, services: Services) -> None:
    gone, kept = site.guest(), site.guest()
    for one in (gone, kept):
        send(one, event())
    gone_id = gone.get("/auth/me").json()["learner"]["id"]
    long_ago = who.now() - 366 * DAY
    with site.database.transaction() as connection:
        connection.execute(sa.update(learner).where(learner.c.id == gone_id).values(created_at=long_ago))
        connection.execute(sa.update(session).where(session.c.learner_id == gone_id).values(last_used_at=long_ago))
    do_what_is_due(services, now=who.now())
    assert counted(site, learner) == 2  # who recorded today is no more gone than who reads
    with capture_logs() as log:
        do_what_is_due(services, now=who.now() + 366 * DAY)
    assert ({"guests": 2, "entries": 2}.items() <= log[-1].items(), counted(site, learner)) == (True, 0)
    assert gone.get("/auth/me").status_code == 401
    # Of a guest who was cleared nothing is owed: the next event makes another.
    assert site.client().post("/events", json={"events": [event()]}).status_code == 200


def test_of_all_processes_one_keeps_house(site: Site, services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def tidied(*_: Any, **__: Any) -> int:
        done.append("tidied")
        return 0

    def cleared(*_: Any) -> Cleared:
        done.append("cleared")
        return Cleared(0, 0)

    monkeypatch.setattr(housekeeping, "tidy", tidied)
    monkeypatch.setattr(housekeeping, "clear_guests", cleared)
    now = who.now()
    for at in (now, now + 1, now + HOUR - 1, now + HOUR, now + DAY):
        do_what_is_due(services, now=at)
    assert done == ["tidied", "cleared", "tidied", "tidied", "cleared"]


GATED: dict[str, Any] = {
    "id": "gated",
    "title": "Gated",
    "modules": [
        {"id": "one", "title": "One", "steps": [{"id": "a", "kind": "lesson", "title": "A"}]},
        {"id": "two", "title": "Two", "steps": [{"id": "b", "kind": "lesson", "title": "B"}]},
    ],
}


def _as_before_gates(site: Site) -> None:
    """As a database is that was migrated from before there were gates: nobody was judged or granted anything."""
    with site.database.transaction() as connection:
        connection.execute(sa.update(course).values(judged_version=0))
        connection.execute(sa.insert(ledger_opened).values(reason="test"))
        connection.execute(sa.delete(ledger).where(ledger.c.source == "server"))
        connection.execute(sa.delete(ledger_opened))
        connection.execute(sa.delete(granted))


def test_who_was_not_judged_by_the_version_in_force_is_judged(site: Site, services: Services) -> None:
    site.publish(GATED)
    guest = site.guest()
    send(guest, event("a", type="completed", course="gated"))
    _as_before_gates(site)
    assert send(guest, event("b", type="completed", course="gated"))["results"][0]["status"] == "refused"
    go_on_judging(services)
    assert send(guest, event("b", type="completed", course="gated"))["results"][0]["status"] == "recorded"
    modules = guest.get("/progress/courses/gated").json()["modules"]
    assert [one["status"] for one in modules] == ["completed", "completed"]


def _nobody_judged(site: Site) -> int:
    _as_before_gates(site)
    return 6


def _nobody_counted(site: Site) -> int:
    with site.database.transaction() as connection:
        connection.execute(sa.update(roster).values(version=0))
    return 3


def _nobody_given(site: Site) -> int:
    told = {"category": "practice", "metric": "steps", "threshold": 1, "points": 1, "tier": "bronze"}
    define(site.database, parse_definition("first", {"title": "First", "description": "A step."} | told))
    return 3


def _done(site: Site, table: sa.Table) -> int:
    """How many were granted, counted by the version in force, or given something."""
    wanted = sa.select(sa.func.count()).select_from(table)
    with site.database.read() as connection:
        return int(connection.execute(wanted.where(roster.c.version == 1) if table is roster else wanted).scalar_one())


WAITING = {
    "judging": (_nobody_judged, granted),
    "counting": (_nobody_counted, roster),
    "giving": (_nobody_given, earned),
}


@pytest.mark.parametrize("what", WAITING)
def test_a_server_that_stops_leaves_it_to_the_next_one(
    site: Site, services: Services, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    for module, portion in (
        (impact, "LEARNERS_A_PAGE"),
        (recount, "LEARNERS_A_TRANSACTION"),
        (backfill, "LEARNERS_A_PAGE"),
    ):
        monkeypatch.setattr(module, portion, 1)
    site.publish(GATED)
    for n in range(3):
        person = site.person(f"p{n}@example.org")
        send(person, event("a", type="completed", course="gated"))
        assert person.post("/courses/gated/enrollment").status_code == 201
    begin, table = WAITING[what]
    all_ = begin(site)
    services.stopping.set()
    go_on_judging(services)
    assert _done(site, table) == all_ // 3
    services.stopping.clear()
    go_on_judging(services)
    assert _done(site, table) == all_


def test_a_server_that_starts_judges_whoever_was_not(site: Site) -> None:
    site.publish(GATED)
    guest = site.guest()
    send(guest, event("a", type="completed", course="gated"))
    _as_before_gates(site)
    url = site.database.url.render_as_string(hide_password=False)
    services = Services(Settings(database_url=url))

    async def begin() -> None:
        async with beside(keep_house(services)):
            for _ in range(3000):
                if not counted(site, granted):
                    await asyncio.sleep(0.01)

    asyncio.run(begin())
    services.database.close()
    assert counted(site, granted) == 2
