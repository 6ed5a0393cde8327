"""Notifications over HTTP: the list, its pages, and what was read."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.http.server import COURSE, PASSWORD, Site
from tests.http.test_events import event

CERTIFIED = COURSE | {"certificate": True}
ALL = ["certificate_issued", "course_completed", "module_completed"]
READ = "/notifications/read"


def complete(client: httpx2.Client) -> None:
    """Complete the course: that is told in three notifications."""
    steps = [event(step=one, type="completed") for one in ("for-1", "fizz")]
    answer = event(step="quiz", type="attempted", response="a")
    assert client.post("/events", json={"events": [*steps, answer]}).json()["changes"]


def listed(client: httpx2.Client, **asked: Any) -> dict[str, Any]:
    reply = client.get("/notifications", params=asked)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def test_what_was_brought_about_is_listed_until_and_after_it_is_read(site: Site) -> None:
    site.publish(CERTIFIED)
    ada = site.guest()
    assert listed(ada) == listed(site.client()) == {"items": [], "unread": 0, "next_cursor": None}
    complete(ada)
    found = listed(ada)
    items = found["items"]
    assert ([one["type"] for one in items], found["unread"]) == (ALL, 3)
    assert [one["title"] for one in items] == ["Python basics", "Python basics", "Loops"]
    assert items[0]["change"]["certificate"] == ada.get("/certificates").json()["items"][0]["id"]
    first = listed(ada, limit=1)
    rest = listed(ada, limit=2, cursor=first["next_cursor"])
    assert first["items"] + rest["items"] == items
    assert rest["next_cursor"] is None
    assert ada.post(f"/notifications/{items[1]['id']}/read").status_code == 204
    assert [one["id"] for one in listed(ada, unread=True)["items"]] == [items[0]["id"], items[2]["id"]]
    stamped = listed(ada)["items"][1]["read_at"]
    assert ada.post(f"/notifications/{items[1]['id']}/read").status_code == 204
    assert ada.post(READ, json={"up_to": items[1]["id"].upper()}).json() == {"unread": 1}
    assert listed(ada)["items"][1]["read_at"] == stamped
    assert ada.post(READ).json() == {"unread": 0}
    assert all(one["read_at"] for one in listed(ada)["items"])


def test_a_list_that_did_not_change_is_not_sent_again(site: Site) -> None:
    site.publish(CERTIFIED)
    ada = site.person("ada@example.org")
    complete(ada)
    tag = ada.get("/notifications").headers["etag"]
    assert ada.get("/notifications", headers={"if-none-match": tag}).status_code == 304
    ada.post(READ)
    assert ada.get("/notifications", headers={"if-none-match": tag}).status_code == 200


def test_a_guest_who_signs_in_has_theirs_in_the_account(site: Site) -> None:
    site.publish(CERTIFIED)
    site.person("ada@example.org")
    browser = site.client()
    complete(browser)
    browser.post(f"/notifications/{listed(browser)['items'][2]['id']}/read")
    brought = listed(browser)
    assert brought["unread"] == 2
    reply = browser.post("/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
    assert reply.json()["merged"]["certificates"] == 1
    assert listed(browser) == brought


@pytest.mark.parametrize("sent", [{"up_to": 7}, {"upto": "x"}, [], "x"])
def test_what_does_not_fit_is_refused(sqlite_site: Site, sent: Any) -> None:
    assert sqlite_site.guest().post(READ, json=sent).status_code == 422


def test_what_is_not_there_is_not_found_and_nobody_has_read_anything(sqlite_site: Site) -> None:
    guest = sqlite_site.guest()
    for one in (str(uuid4()), "none", "a%00b", "x" * 300):
        assert guest.post(f"/notifications/{one}/read").status_code in (400, 404)
    assert guest.post(READ, json={"up_to": "none"}).status_code == 404
    assert sqlite_site.client().post(READ).status_code == 401
    assert guest.get("/notifications?cursor=WzEsWzEsMV1d").status_code in (200, 400)
    for cursor in ("WzEsWy0xLDFdXQ", "x", "WzEsWzEsMjE0NzQ4MzY0OF1d"):
        assert guest.get(f"/notifications?cursor={cursor}").status_code == 400
