"""Sharing: a page of progress that its owner makes, changes and revokes, for whoever has its address."""

from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import httpx2
import pytest

from headway.ledger.erase import erase
from headway.store.catalog import Catalog
from tests.http.server import Site
from tests.http.test_events import event, send

SHARING = "/progress/sharing"
ALL = ["name", "streak", "points", "levels", "courses", "achievements"]
EMAIL = "ada.secret@example.org"


def learner(site: Site) -> httpx2.Client:
    ada = site.person(EMAIL)
    ada.patch("/auth/me", json={"display_name": 'Ada <b>&" L.'})
    send(ada, event(type="completed", step="for-1"))
    return ada


def put(ada: httpx2.Client, **sent: Any) -> dict[str, Any]:
    reply = ada.put(SHARING, json={"shows": ALL, **sent})
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "private, no-cache"
    found: dict[str, Any] = reply.json()
    return found


def paths(site: Site, shared: dict[str, Any]) -> tuple[str, str, str]:
    """Where JSON, page and badge are."""
    token = shared["url"].rsplit("/", 1)[1]
    return f"{site.url}/api/v1/share/{token}", f"{site.url}/share/{token}", f"{site.url}/share/{token}/badge.svg"


def test_nothing_is_shared_until_its_owner_says_so(site: Site) -> None:
    ada = learner(site)
    nothing = {"shared": False, "shows": [], "url": None, "badge_url": None}
    assert ada.get(SHARING).json() == site.client().get(SHARING).json() == nothing
    shared = put(ada, shows=["streak", "streak"])
    assert ada.get(SHARING).json() == shared
    assert (shared["shared"], shared["shows"]) == (True, ["streak"])
    assert len(shared["url"].rsplit("/", 1)[1]) == 32
    assert shared["badge_url"] == f"{shared['url']}/badge.svg"


def test_it_shows_what_was_chosen_and_nothing_else(site: Site) -> None:
    ada, anybody = learner(site), site.client()
    told, page, badge = paths(site, put(ada))
    progress = anybody.get(told).json()
    assert progress["name"] == 'Ada <b>&" L.'
    assert (progress["streak"], progress["points"]) == ({"current": 1, "longest": 1}, 5)
    assert [(one["course"], one["percent"]) for one in progress["courses"]] == [("python-basics", 33.33)]
    shown = anybody.get(page).text
    for word in ('Ada <b>&" L.', "Python basics", "33 %", "Longest streak", "No level above beginner yet."):
        assert word in unescape(shown)
    assert "<b>&" not in shown
    put(ada, shows=["streak"])
    progress = anybody.get(told).json()
    assert progress.pop("streak") == {"current": 1, "longest": 1}
    assert set(progress.values()) == {None}
    less = anybody.get(page).text
    assert not any(word in less for word in ("Ada", "Python", "Points", "Courses", "Levels", "Achievements"))
    assert anybody.get(badge, params={"course": "python-basics"}).status_code == 404
    put(ada, shows=["courses"])
    assert anybody.get(badge).status_code == 404


def test_a_course_whose_steps_are_all_done_says_that_its_score_is_what_it_lacks(sqlite_site: Site) -> None:
    step = {"id": "a", "kind": "exercise", "title": "A"}
    sqlite_site.publish({"id": "short", "title": "Short", "modules": [{"id": "m", "title": "M", "steps": [step]}]})
    ada = sqlite_site.person(EMAIL)
    page = paths(sqlite_site, put(ada, shows=["courses"]))[1]
    said = "all steps done; score below the pass mark"
    for score, lacks in ((0.75, True), (1, False)):
        send(ada, event(course="short", step="a", type="attempted", score=score))
        shown = sqlite_site.client().get(page).text
        assert ("100 %" in shown, said in shown, "<b>completed</b>" in shown) == (True, lacks, not lacks)


@pytest.mark.parametrize("which", [0, 1, 2])
def test_whoever_looks_gets_no_cookie_and_no_address_and_search_engines_nothing(site: Site, which: int) -> None:
    ada, anybody = learner(site), site.client()
    path = paths(site, put(ada))[which]
    reply = anybody.get(path)
    assert reply.status_code == 200
    assert "set-cookie" not in reply.headers
    assert reply.headers["x-robots-tag"] == "noindex"
    assert EMAIL not in reply.text
    assert "<script" not in reply.text
    assert anybody.get(path, headers={"if-none-match": reply.headers["etag"]}).status_code == 304
    policy = reply.headers.get("content-security-policy", "default-src 'none'")
    assert "default-src 'none'" in policy
    # The address is all that it takes: no link tells it to another site.
    assert reply.headers["referrer-policy"] == "same-origin"


def test_the_badge_is_a_drawing_to_be_embedded_and_kept_shortly(site: Site) -> None:
    ada, anybody = learner(site), site.client()
    _, _, badge = paths(site, put(ada))
    of_streak, of_course = anybody.get(badge), anybody.get(badge, params={"course": "python-basics"})
    for reply, said in ((of_streak, "streak: 1 day"), (of_course, "Python basics: 33 %")):
        assert (reply.status_code, reply.headers["content-type"]) == (200, "image/svg+xml")
        assert reply.headers["cache-control"] == "public, max-age=300"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
        drawing = ET.fromstring(reply.content)
        assert drawing.attrib["aria-label"] == said
    assert anybody.get(badge, params={"course": "nothing"}).status_code == 404


def test_revoked_or_renewed_nothing_is_found_under_the_old_address(site: Site) -> None:
    ada, anybody = learner(site), site.client()
    first = put(ada)
    second = put(ada, renew=True)
    assert first["url"] != second["url"]
    assert put(ada)["url"] == second["url"]
    assert {anybody.get(one).status_code for one in paths(site, first)} == {404}
    assert {anybody.get(one).status_code for one in paths(site, second)} == {200}
    for _ in range(2):
        assert ada.delete(SHARING).status_code == 204
    for one in paths(site, second):
        reply = anybody.get(one)
        assert (reply.status_code, "set-cookie" in reply.headers) == (404, False)
    assert "Nothing is shared here" in anybody.get(paths(site, second)[1]).text
    assert put(ada)["url"] not in (first["url"], second["url"])


def test_who_is_erased_shares_nothing(site: Site) -> None:
    ada = learner(site)
    found = paths(site, put(ada))
    learner_id = ada.get("/auth/me").json()["learner"]["id"]
    assert erase(site.database, Catalog(), learner_id, now=2_000_000_000_000_000) is not None
    assert {site.client().get(one).status_code for one in found} == {404}


@pytest.mark.parametrize("token", ["x", "..%2f..", "a" * 5000, "é" * 20, "0adef3d3d05e49959ba6b84754d29379"])
def test_an_address_that_is_none_is_404(sqlite_site: Site, token: str) -> None:
    anybody = sqlite_site.client()
    for path in (f"/api/v1/share/{token}", f"/share/{token}", f"/share/{token}/badge.svg"):
        assert anybody.get(f"{sqlite_site.url}{path}").status_code == 404


@pytest.mark.parametrize(
    "sent", [{}, {"shows": []}, {"shows": ["email"]}, {"shows": ALL, "more": 1}, {"shows": "name"}]
)
def test_what_is_not_to_be_shared_is_refused(site: Site, sent: dict[str, Any]) -> None:
    ada = learner(site)
    assert ada.put(SHARING, json=sent).status_code == 422
    assert ada.get(SHARING).json()["shared"] is False


def test_a_guest_shares_nothing(site: Site) -> None:
    guest = site.client()
    send(guest, event(type="completed", step="for-1"))
    assert guest.put(SHARING, json={"shows": ALL}).status_code == 403


def test_a_page_of_any_site_may_read_what_is_shared_and_nothing_else(sqlite_site: Site) -> None:
    ada = learner(sqlite_site)
    told, page, badge = paths(sqlite_site, put(ada))
    origin = {"origin": "https://elsewhere.example"}
    unchanged = {"if-none-match": ada.get(told).headers["etag"]}
    for url, more in ((told, {}), (told, unchanged), (f"{told[:-1]}!", {})):
        headers = sqlite_site.client().get(url, headers=origin | more).headers
        assert headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in headers
    own = (SHARING, "/progress", "/progress/streak", "/progress/courses/python-basics", "/auth/me", "/courses")
    for url in (page, badge, *own):
        assert "access-control-allow-origin" not in ada.get(url, headers=origin).headers
