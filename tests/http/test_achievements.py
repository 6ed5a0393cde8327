"""Achievements and badges over HTTP: what a learner reads of them, their drawings, and what admins make of them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest
import time_machine

from headway.domain.achievements import CATEGORIES, TIERS
from headway.http.badge_art import drawings, name_of
from headway.ledger.definitions import shipped
from tests.http.server import Site, serving
from tests.http.test_events import event

STEPS: dict[str, Any] = {
    "title": "Two steps",
    "description": "Complete two steps.",
    "category": "first_steps",
    "metric": "steps",
    "threshold": 2,
    "points": 7,
    "tier": "silver",
}
NOTHING_TO_DO = {"total": 2, "updated": 0, "unchanged": 2, "broken": 0, "updates": []}
SECRET = STEPS | {"title": "A secret", "hidden": True}


@pytest.fixture
def shipping(database_url: str) -> Iterator[Site]:
    """A server with the achievements that come with Headway."""
    with serving(database_url, shipped_achievements=True) as started:
        started.publish()
        yield started


def by_id(client: httpx2.Client) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in client.get("/progress/achievements").json()["items"]}


def send(client: httpx2.Client, *events: dict[str, Any]) -> list[str]:
    """What was told as earned."""
    changes = client.post("/events", json={"events": [*events]}).json()["changes"]
    return [one["achievement"] for one in changes if one["type"] == "achievement_unlocked"]


def wait_for(client: httpx2.Client) -> None:
    """Wait until everybody was given what they meet."""
    until = time.monotonic() + 20
    while not client.get("/admin/achievements").json()["given"]:
        assert time.monotonic() < until, "nobody gives what was defined"
        time.sleep(0.02)


# At an hour of which no achievement tells.
@time_machine.travel(datetime.now(UTC).replace(hour=12))
def test_a_learner_sees_what_there_is_and_what_they_earned(shipping: Site) -> None:
    nobody, guest = shipping.client(), shipping.guest()
    assert len(by_id(nobody)) == len([one for one in shipped() if not one.hidden])
    told = send(guest, event(step="for-1", type="completed"))
    assert sorted(told) == ["first-course", "first-step"]
    found = by_id(guest)
    step, ten = found["first-step"], found["exercises-10"]
    assert (step["unlocked"], step["unlocked_at"] is not None, step["progress"]["percent"]) == (True, True, 100)
    assert step["image"] == "/api/v1/badges/first-steps-bronze.svg"
    assert (ten["unlocked"], ten["unlocked_at"]) == (False, None)
    assert ten["progress"] == {"value": 0, "target": 10, "percent": 0}
    send(guest, event(step="fizz", type="completed"))
    assert by_id(guest)["exercises-10"]["progress"] == {"value": 1, "target": 10, "percent": 10}
    overview = guest.get("/progress").json()
    assert overview["achievements"] == {"unlocked": 2, "total": len(shipped())}
    assert overview["points"] == 5 + 10 + 5 + 5
    (today,) = guest.get("/progress/history?days=1").json()["days"]
    assert (today["points"], today["achievements_unlocked"], today["cumulative"]["points"]) == (25, 2, 25)
    badges = guest.get("/progress/badges").json()
    assert [one["id"] for one in badges["earned"]] == ["first-course", "first-step"]
    assert len(badges["available"]) == len(found) - 2
    assert nobody.get("/progress").json()["achievements"] == {"unlocked": 0, "total": len(shipped())}


def test_hidden_ones_say_nothing_until_they_are_earned(site: Site) -> None:
    admin, guest = site.person("admin@example.org", "admin"), site.guest()
    assert admin.put("/admin/achievements/secret", json=SECRET).status_code == 201
    send(guest, event(step="for-1", type="completed"))
    reply = guest.get("/progress/achievements").json()
    assert (reply["items"], reply["hidden"]) == ([], 1)
    assert guest.get("/progress/badges").json() == {"earned": [], "available": []}
    assert guest.get("/progress").json()["achievements"] == {"unlocked": 0, "total": 1}
    assert send(guest, event(step="fizz", type="completed")) == ["secret"]
    (shown,) = by_id(guest).values()
    assert (shown["title"], shown["hidden"], shown["unlocked"]) == ("A secret", True, True)
    assert guest.get("/progress/achievements").json()["hidden"] == 0


def test_an_admin_makes_changes_and_retires_them(site: Site) -> None:
    admin, guest = site.person("admin@example.org", "admin"), site.guest()
    send(guest, event(step="for-1", type="completed"), event(step="fizz", type="completed"))
    assert by_id(guest) == {}
    dry = "/admin/backfill?dry_run=true"
    assert admin.put("/admin/achievements/two-steps", json=STEPS).status_code == 201
    wait_for(admin)
    assert by_id(guest)["two-steps"]["unlocked"]
    assert admin.post(dry).json() == {"dry_run": True, **NOTHING_TO_DO}
    again = admin.put("/admin/achievements/two-steps", json=STEPS | {"points": 900, "threshold": 9})
    assert (again.status_code, again.json()["points"], again.json()["origin"]) == (200, 900, "site")
    wait_for(admin)
    assert by_id(guest)["two-steps"] | {"unlocked_at": None, "image": ""} == {
        **{name: STEPS[name] for name in ("title", "description", "category", "points", "tier")},
        "id": "two-steps",
        "hidden": False,
        "unlocked": True,
        "unlocked_at": None,
        "progress": {"value": 2, "target": 9, "percent": 100},
        "image": "",
    }
    assert admin.delete("/admin/achievements/two-steps").status_code == 204
    assert [one["retired"] for one in admin.get("/admin/achievements").json()["items"]] == [True]
    assert guest.get("/progress").json()["achievements"] == {"unlocked": 1, "total": 1}
    assert site.guest().get("/progress").json()["achievements"] == {"unlocked": 0, "total": 0}


def test_a_dry_run_tells_what_the_backfill_then_does(site: Site) -> None:
    from headway.domain.achievements import Definition
    from headway.ledger.definitions import define

    admin, guest = site.person("admin@example.org", "admin"), site.guest()
    send(guest, event(step="for-1", type="completed"), event(step="fizz", type="completed"))
    define(site.database, Definition(id="two-steps", **STEPS))
    dry = admin.post("/admin/backfill?dry_run=true").json()
    (update,) = dry["updates"]
    assert (dry["total"], dry["updated"], dry["unchanged"]) == (2, 1, 1)
    assert (update["field"], update["old"], update["new"]) == ("achievements", 0, 1)
    assert update["achievements"] == ["two-steps"]
    assert not by_id(guest)["two-steps"]["unlocked"]
    assert admin.post("/admin/backfill").json() == dry | {"dry_run": False}
    assert by_id(guest)["two-steps"]["unlocked"]


@pytest.mark.parametrize(
    ("name", "changed", "field"),
    [
        ("two-steps", {"metric": "luck"}, "metric"),
        ("two-steps", {"tier": "wood"}, "tier"),
        ("two-steps", {"category": ""}, "category"),
        ("two-steps", {"threshold": 0}, "threshold"),
        ("two-steps", {"points": 10_001}, "points"),
        ("two-steps", {"title": "a\nb"}, "title"),
        ("two-steps", {"title": "a\0b"}, "title"),
        ("two-steps", {"more": 1}, "more"),
        ("Two_Steps", {}, "id"),
        ("a" * 65, {}, "id"),
    ],
)
def test_what_is_no_definition_is_refused_by_its_field(sqlite_site: Site, name: str, changed: Any, field: str) -> None:
    admin = sqlite_site.person("admin@example.org", "admin")
    reply = admin.put(f"/admin/achievements/{name}", json=STEPS | changed)
    assert reply.status_code == 422
    assert [one["field"] for one in reply.json()["errors"]] == [field]
    assert admin.get("/admin/achievements").json()["items"] == []


def test_every_badge_is_drawn_whole_and_safe_to_open(sqlite_site: Site) -> None:
    client = sqlite_site.client()
    names = [name_of(*of, locked=locked) for *of, locked in product(CATEGORIES, TIERS, (False, True))]
    assert sorted(drawings()) == sorted(names)
    reply = client.get("/badges/practice-gold.svg")
    for name in names:
        reply = client.get(f"/badges/{name}.svg")
        root = ET.fromstring(reply.content)
        assert (reply.status_code, root.tag) == (200, "{http://www.w3.org/2000/svg}svg")
        drawn = {one.tag.rpartition("}")[2] for one in root.iter()}
        assert drawn <= {"svg", "g", "path", "linearGradient", "stop"}
    assert reply.headers["content-type"] == "image/svg+xml"
    assert reply.headers["cache-control"] == "public, max-age=86400"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    again = client.get(f"/badges/{name}.svg", headers={"if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/badges/practice-gold.png").status_code == 404
    assert client.get("/badges/practice-gold").status_code == 404
