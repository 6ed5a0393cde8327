"""Beginning from nothing by API: what is told, what is sent again, what comes late, and who may not."""

from uuid import uuid4

from tests.http.server import PASSWORD, Site
from tests.http.test_events import event, send

RESET = "/progress/reset"


def test_a_reset_tells_what_it_cleared_and_what_comes_late_says_so(site: Site) -> None:
    ada, late = site.person("ada@example.org"), event(type="completed", step="for-1")
    send(ada, event(type="completed", step="for-1", occurred_at="2026-03-01T09:00:00Z"))
    reset_id = str(uuid4())
    reply = ada.post(RESET, json={"id": reset_id.upper(), "course": "python-basics"})
    assert reply.status_code == 200, reply.text
    assert reply.json() == {"cleared": {"steps": 1, "attempts": 0, "sessions": 0, "days": 1}}
    assert ada.post(RESET, json={"id": reset_id, "course": "python-basics"}).json() == reply.json()
    other = ada.post(RESET, json={"id": reset_id})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/id-reused")
    assert ada.post(RESET).json() == {"cleared": {"steps": 0, "attempts": 0, "sessions": 0, "days": 0}}
    (result,) = send(ada, late | {"occurred_at": "2026-03-02T09:00:00Z"})["results"]
    assert (result["status"], result["flags"]) == ("recorded", ["before-reset"])
    overview = ada.get("/progress").json()
    assert (overview["steps_completed"], overview["streak"]["longest"], overview["points"]) == (0, 0, 0)
    kinds = [one["type"] for one in ada.get("/progress/events").json()["items"]]
    assert kinds[:3] == ["completed", "reset", "reset"]


def test_what_cannot_be_is_refused_and_changes_nothing(site: Site) -> None:
    ada = site.person("ada@example.org")
    send(ada, event(type="completed", step="for-1"))
    before = ada.get("/progress").json()
    for sent, status, kind in (
        ({"course": "nowhere"}, 404, "unknown-course"),
        ({"course": "x\0"}, 404, "unknown-course"),
        ({"course": ""}, 422, "invalid"),
        ({"id": "no"}, 422, "invalid"),
        ({"all": True}, 422, "invalid"),
    ):
        reply = ada.post(RESET, json=sent)
        assert (reply.status_code, reply.json()["type"]) == (status, f"/problems/{kind}"), sent
    assert site.client().post(RESET).status_code == 401
    assert ada.get("/progress").json() == before


def test_a_guest_may_and_signing_in_brings_nothing_back(site: Site) -> None:
    guest = site.client()
    send(guest, event(type="completed", step="for-1"))
    assert guest.post(RESET).json()["cleared"]["steps"] == 1
    guest.post("/auth/register", json={"email": "ada@example.org", "password": PASSWORD})
    assert guest.get("/progress").json()["steps_completed"] == 0
