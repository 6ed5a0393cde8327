"""Streaks over HTTP: pauses made and ended, and a site's own rules."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.http.server import Site, serving
from tests.http.test_events import event, send

PAUSES = "/progress/streak/pauses"


def day(later: int = 0) -> str:
    return str(datetime.now(UTC).date() + timedelta(later))


def active(client: httpx2.Client, *days_ago: int) -> None:
    send(client, *(event(type="completed", step="for-1", occurred_at=f"{day(-n)}T00:00:00Z") for n in days_ago))


def test_a_pause_is_made_shown_and_ended(site: Site) -> None:
    ada = site.person("ada@example.org")
    reply = ada.post(PAUSES, json={"days": 5})
    assert (reply.status_code, {**reply.json(), "id": ""}) == (201, {"id": "", "from": day(), "to": day(4)})
    assert reply.headers["cache-control"] == "private, no-cache"
    assert ada.get("/progress/streak").json()["pauses"] == [reply.json()]
    overlapping = ada.post(PAUSES, json={"from": day(3), "days": 1})
    assert (overlapping.status_code, overlapping.json()["type"]) == (409, "/problems/pause-overlaps")
    for _ in range(2):
        assert ada.delete(f"{PAUSES}/{reply.json()['id']}").status_code == 204
    assert ada.get("/progress/streak").json()["pauses"] == []


def test_sent_again_it_is_one_pause(site: Site) -> None:
    ada, pause_id = site.person("ada@example.org"), str(uuid4())
    sent: dict[str, Any] = {"id": pause_id.upper(), "from": day(2), "days": 90}
    first, again = ada.post(PAUSES, json=sent), ada.post(PAUSES, json=sent)
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    assert first.json() == {"id": pause_id, "from": day(2), "to": day(91)}
    other = ada.post(PAUSES, json=sent | {"days": 1})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/id-reused")


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("garbage", 422),
        ("\uff12\uff10\uff12\uff16-11-21", 422),
        ("2026-02-30", 422),
        ("9999-12-31", 409),
        ("0001-01-01", 409),
    ],
)
def test_a_known_id_with_a_day_that_cannot_be_is_refused(sqlite_site: Site, first: str, status: int) -> None:
    ada, sent = sqlite_site.person("ada@example.org"), {"id": str(uuid4()), "days": 5}
    assert ada.post(PAUSES, json=sent).status_code == 201
    assert ada.post(PAUSES, json=sent | {"from": first}).status_code == status


def test_guests_pause_too_and_nobody_has_anything_to_pause(site: Site) -> None:
    guest = site.guest()
    made = guest.post(PAUSES, json={"days": 1})
    assert made.status_code == 201
    assert guest.delete(f"{PAUSES}/{made.json()['id']}").status_code == 204
    assert site.client().post(PAUSES, json={"days": 1}).status_code == 401
    assert site.client().delete(f"{PAUSES}/{made.json()['id']}").status_code == 401


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "days"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"days": "5"}, "days"),
        ({"days": 10**30}, "days"),
        ({"days": 5, "from": "2020-01-01"}, "from"),
        ({"days": 5, "from": "9999-12-31"}, "from"),
        ({"days": 5, "from": "tomorrow"}, "from"),
        ({"days": 5, "from": "\x00"}, "from"),
        ({"days": 5, "from": 5}, "from"),
        ({"days": 5, "id": "mine"}, "id"),
        ({"days": 5, "to": "2027-01-01"}, "to"),
    ],
)
def test_what_does_not_fit_names_its_field(sqlite_site: Site, sent: dict[str, Any], field: str) -> None:
    reply = sqlite_site.person("ada@example.org").post(PAUSES, json=sent)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("pause", ["none", "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b", "a%20b", "A" * 300])
def test_a_pause_that_is_not_there_is_not_found(site: Site, pause: str) -> None:
    assert site.person("ada@example.org").delete(f"{PAUSES}/{pause}").status_code == 404


def test_a_missed_day_spends_a_freeze_and_the_reply_tells_milestones(site: Site) -> None:
    ada = site.person("ada@example.org")
    active(ada, *range(8, 1, -1))
    reply = send(ada, event(type="completed", step="fizz", occurred_at=f"{day()}T00:00:00Z"))
    assert {"type": "streak_extended", "current": 8, "day": day()} in reply["changes"]
    found = ada.get("/progress/streak").json()
    assert (found["current"], found["freezes"], found["freezes_spent_on"]) == (8, 0, [day(-1)])
    assert found["milestones"][0] == {"days": 7, "reached_on": day(-2)}
    assert ada.get("/progress").json()["streak"]["current"] == 8
    assert ada.get("/progress/history?days=1").json()["days"][0]["streak"] == 8


def test_a_sites_own_rules_are_those_that_are_told_and_shown(database_url: str) -> None:
    with serving(database_url, freeze_days=2, freezes_max=1) as site:
        site.publish()
        for client in (site.person("ada@example.org"), site.client()):
            active(client, 3, 2)
            reply = send(client, event(type="completed", step="fizz", occurred_at=f"{day()}T00:00:00Z"))
            assert {"type": "streak_extended", "current": 3, "day": day()} in reply["changes"]
            found = client.get("/progress/streak").json()
            assert (found["current"], found["freezes_max"], found["next_freeze_in"]) == (3, 1, 1)
            assert client.get("/progress").json()["streak"]["current"] == 3
            assert client.get("/progress/history?days=1").json()["days"][0]["streak"] == 3
