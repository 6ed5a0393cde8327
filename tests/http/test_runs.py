"""Retakes over HTTP: a course begun anew, each run read by its number."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx2
import pytest

from headway.store.schema import ledger
from tests.http.server import COURSE, Site
from tests.http.test_events import counted, event, send

RUNS = "/courses/python-basics/runs"
PROGRESS = "/progress/courses/python-basics"


def begun(site: Site, client: httpx2.Client | None = None) -> httpx2.Client:
    """A learner who has completed a step."""
    learner = client or site.person("ada@example.org")
    send(learner, event(type="completed", step="for-1"))
    return learner


def test_a_course_is_begun_anew(site: Site) -> None:
    learner = begun(site)
    first = learner.get(PROGRESS).json()
    reply = learner.post(RUNS)
    assert (reply.status_code, {**reply.json(), "started_at": ""}) == (
        201,
        {"course": "python-basics", "run": 2, "started_at": ""},
    )
    now = learner.get(PROGRESS).json()
    assert (now["run"], now["percent"], first["run"]) == (2, 0, 1)
    assert learner.get(PROGRESS, params={"run": 1}).json() == first
    loops = learner.get(f"{PROGRESS}/modules/loops", params={"run": 1}).json()
    assert loops == first["modules"][0]
    listed = learner.get(f"{PROGRESS}/runs").json()
    assert ([one["run"] for one in listed["items"]], listed["next_cursor"]) == ([2, 1], None)
    assert listed["items"][0]["started_at"] == reply.json()["started_at"]
    tag = learner.get(f"{PROGRESS}/runs").headers["etag"]
    assert learner.get(f"{PROGRESS}/runs", headers={"if-none-match": tag}).status_code == 304


def test_sent_again_it_is_the_same_run(site: Site) -> None:
    learner, sent = begun(site), {"id": str(uuid4())}
    first, again = learner.post(RUNS, json=sent), learner.post(RUNS, json=sent)
    assert ([first.status_code, again.status_code], again.json()) == ([201, 200], first.json())
    other = learner.post(RUNS, json={"id": str(uuid4())})
    assert (other.status_code, other.json()["type"]) == (409, "/problems/run-empty")
    assert counted(site, ledger) == 2


def test_of_eight_tries_at_once_one_begins_a_run(site: Site) -> None:
    token = begun(site).cookies["headway_session"]
    sent = {"id": str(uuid4())}

    def begin(_: int) -> int:
        with site.client(token) as client:
            return client.post(RUNS, json=sent).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(begin, range(8))) == [200] * 7 + [201]


def test_guests_may_and_nobody_has_anything_to_begin_anew(site: Site) -> None:
    assert site.client().post(RUNS).status_code == 401
    assert begun(site, site.guest()).post(RUNS).status_code == 201
    missing = begun(site).post("/courses/none/runs")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/unknown-course")


@pytest.mark.parametrize("sent", [{"id": "7"}, {"id": 7}, {"run": 2}, {"id": str(uuid4()), "course": "x"}])
def test_what_does_not_fit_names_its_field(sqlite_site: Site, sent: dict[str, object]) -> None:
    reply = begun(sqlite_site).post(RUNS, json=sent)
    field = next(name for name in sent if name != "id" or len(sent) == 1)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, [field])


@pytest.mark.parametrize("run", [0, 2, -1, 10**30])
def test_a_run_that_was_not_begun_is_not_there(site: Site, run: int) -> None:
    learner = begun(site)
    for path in (PROGRESS, f"{PROGRESS}/modules/loops"):
        reply = learner.get(path, params={"run": run})
        assert (reply.status_code, reply.json()["type"]) == (404, "/problems/unknown-run")


def test_a_creator_sees_the_runs_of_whoever_is_enrolled(site: Site) -> None:
    creator = site.person("eve@example.org", "creator")
    course = {**COURSE, "id": "other"}
    creator.put("/courses/other", json=course)
    learner = site.person("ada@example.org")
    learner.post("/courses/other/enrollment")
    send(learner, event(course="other", step="for-1", type="completed"))
    assert learner.post("/courses/other/runs").status_code == 201
    who = learner.get("/auth/me").json()["learner"]["id"]
    listed = creator.get("/progress/courses/other/runs", params={"learner": who})
    assert [one["run"] for one in listed.json()["items"]] == [2, 1]
    assert creator.get("/progress/courses/other", params={"learner": who, "run": 1}).json()["run"] == 1
    stranger = site.person("bob@example.org").get("/progress/courses/other/runs", params={"learner": who})
    assert stranger.status_code == 404
