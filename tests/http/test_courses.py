"""Courses over HTTP: published by creators, read by everybody without the answers, enrolled in by accounts."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from headway.http import who
from headway.http.course_shapes import Outline
from headway.store.schema import course, course_version, enrollment, ledger
from tests.http.server import COURSE, Site
from tests.http.test_events import counted

OTHER = {**COURSE, "id": "other"}
OUTLINE = "/courses/python-basics"


def with_steps(*steps: dict[str, Any]) -> dict[str, Any]:
    """The course `other` with these steps."""
    return {**OTHER, "modules": [{**COURSE["modules"][0], "steps": list(steps)}]}


def lesson(step_id: str, **fields: Any) -> dict[str, Any]:
    return {"id": step_id, "kind": "lesson", "title": step_id.title()} | fields


def test_an_outline_shows_everything_but_the_answers(site: Site) -> None:
    reply = site.client().get(OUTLINE)
    assert reply.status_code == 200
    shown = msgspec.convert(reply.json(), Outline)
    assert (shown.id, shown.version) == ("python-basics", 1)
    assert [one.id for one in shown.modules[0].steps] == ["for-1", "fizz", "quiz"]
    grader = shown.modules[0].steps[2].grader
    assert grader == {"type": "choice", "options": {"a": "0 1 2", "b": "1 2 3"}}
    assert '"answer"' not in reply.text
    assert "when_right" not in reply.text


def test_an_outline_is_sent_again_only_where_it_has_changed(site: Site) -> None:
    client = site.client()
    tag = client.get(OUTLINE).headers["etag"]
    for sent in (tag, f'"other", W/{tag}', "*"):
        again = client.get(OUTLINE, headers={"if-none-match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    site.publish({**COURSE, "title": "Python, the basics"})
    changed = client.get(OUTLINE, headers={"if-none-match": tag})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)


def test_the_catalog_is_paged(site: Site) -> None:
    for number in range(5):
        site.publish({**COURSE, "id": f"course-{number}"})
    client, found, cursor = site.client(), [], None
    for expected in (2, 2, 2):
        page = client.get("/courses", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        assert len(page["items"]) == expected
        found += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert (found, cursor) == ([*(f"course-{number}" for number in range(5)), "python-basics"], None)
    assert len(client.get("/courses").json()["items"]) == 6


NO_IMPACT: dict[str, Any] = {
    "summary": "completes 0, takes back 0, orphans 0",
    "steps_added": [],
    "steps_removed": [],
    "steps_renamed": [],
    "modules_added": [],
    "modules_removed": [],
    "modules_renamed": [],
    "gates_moved": [],
    "learners": 0,
    "gains": {
        "learners": 0,
        "modules_unlocked": 0,
        "modules_completed": 0,
        "courses_completed": 0,
        "certificates": 0,
        "first": [],
    },
    "would_lose": {
        "learners": 0,
        "modules_open": 0,
        "modules_completed": 0,
        "courses_completed": 0,
        "why_kept": "what was granted stays: a completion is never taken back, and what was open stays open",
        "first": [],
    },
    "orphaned": [],
}


def test_a_version_tells_what_it_does_to_learners_beforehand_and_afterwards(site: Site) -> None:
    creator = site.person("ada@example.org", "creator")
    one = {"id": "one", "title": "One", "steps": [lesson("a"), lesson("b")]}
    two = {"id": "two", "title": "Two", "requires": [], "steps": [lesson("c")]}
    manifest = {"id": "other", "title": "Other", "certificate": True, "complete_by": "steps", "modules": [one, two]}
    creator.put("/courses/other", json=manifest)
    learner = site.person("bob@example.org")
    learner.post("/courses/other/enrollment")
    for step in ("a", "c"):
        assert learner.post(f"/courses/other/steps/{step}/completion", json={}).status_code == 200
    # Without b the first module is done; the second is done already, and would wait for the first.
    without = {**one, "steps": [lesson("a")]}
    changed = {**manifest, "modules": [without, {**two, "requires": ["one"], "steps": [lesson("c"), lesson("d")]}]}
    dry = creator.put("/courses/other?dry_run=true", json=changed).json()
    assert learner.get("/progress/courses/other").json()["status"] == "in_progress"
    real = creator.put("/courses/other", json=changed).json()
    assert real == dry
    bob = learner.get("/auth/me").json()["learner"]["id"]
    impact = real["impact"]
    assert impact["summary"] == "completes 1, takes back 0, orphans 0"
    assert (impact["learners"], impact["steps_removed"], impact["orphaned"]) == (1, ["b"], [])
    assert impact["gates_moved"] == [{"module": "two", "before": [], "after": ["one"]}]
    assert impact["gains"]["first"] == [
        {
            "learner": bob,
            "modules_unlocked": [],
            "modules_completed": ["one"],
            "course_completed": True,
            "certificate": True,
        }
    ]
    assert impact["would_lose"]["first"] == [
        {"learner": bob, "modules_open": [], "modules_completed": ["two"], "course_completed": False}
    ]
    assert learner.get("/progress/courses/other").json()["status"] == "completed"


def test_publishing_a_new_course_a_new_version_and_the_same_again(site: Site) -> None:
    creator = site.person("ada@example.org", "creator")
    first = creator.put("/courses/other", json=with_steps(lesson("a"), lesson("b")))
    made = NO_IMPACT | {"steps_added": ["a", "b"], "modules_added": [COURSE["modules"][0]["id"]]}
    assert (first.status_code, first.json()) == (201, {"course": "other", "version": 1, "impact": made})
    changed = with_steps(lesson("c", renamed_from=["a"]), lesson("d"))
    steps = {"steps_added": ["d"], "steps_removed": ["b"], "steps_renamed": [{"before": "a", "after": "c"}]}
    impact = NO_IMPACT | steps
    dry = creator.put("/courses/other?dry_run=true", json=changed)
    assert (dry.status_code, dry.json()) == (200, {"course": "other", "version": 2, "impact": impact})
    assert creator.get("/courses/other").json()["version"] == 1
    second = creator.put("/courses/other", json=changed)
    assert (second.status_code, second.json()) == (200, dry.json())
    again = creator.put("/courses/other", json=changed)
    assert (again.status_code, again.json()) == (200, {"course": "other", "version": 2, "impact": NO_IMPACT})
    assert counted(site, course_version) == 3


def test_a_dry_run_of_a_new_course_makes_none(site: Site) -> None:
    creator = site.person("ada@example.org", "creator")
    reply = creator.put("/courses/other?dry_run=true", json=OTHER)
    assert (reply.status_code, reply.json()["version"]) == (200, 1)
    assert creator.get("/courses/other").status_code == 404
    assert counted(site, course) == 1


def test_of_eight_creators_who_publish_one_new_course_at_once_one_owns_it(site: Site) -> None:
    creators = [site.person(f"ada{number}@example.org", "creator") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(lambda one: one.put("/courses/other", json=OTHER).status_code, creators))
    assert statuses == [201, 404, 404, 404]


def test_who_may_publish(site: Site) -> None:
    owner, other = site.person("ada@example.org", "creator"), site.person("bob@example.org", "creator")
    admin, learner = site.person("eve@example.org", "admin"), site.person("joe@example.org")
    assert owner.put("/courses/other", json=OTHER).status_code == 201
    changed = {**OTHER, "title": "Changed"}
    for one, status in ((site.client(), 401), (site.guest(), 403), (learner, 403), (other, 404)):
        assert one.put("/courses/other", json=changed).status_code == status
    assert admin.put("/courses/other", json=changed).json()["version"] == 2
    assert owner.put("/courses/other", json={**OTHER, "title": "Mine still"}).json()["version"] == 3


def test_a_role_is_taken_away_at_once(site: Site) -> None:
    creator = site.person("ada@example.org", "creator")
    assert creator.put("/courses/other", json=OTHER).status_code == 201
    with site.database.transaction() as connection:
        connection.execute(sa.text("UPDATE learner SET roles = ''"))
    assert creator.put("/courses/other", json={**OTHER, "title": "Changed"}).status_code == 403


def test_a_faulty_manifest_names_each_fault_with_its_path(site: Site) -> None:
    faulty = deepcopy(OTHER)
    faulty["modules"][0]["steps"][0]["kind"] = "poem"
    faulty["modules"][0]["steps"][2]["grader"]["answer"] = "z"
    faulty["colour"] = "red"
    reply = site.person("ada@example.org", "creator").put("/courses/other", json=faulty)
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid-manifest")
    fields = {one["field"] for one in reply.json()["errors"]}
    assert fields == {"colour", "modules[0].steps[0].kind", "modules[0].steps[2].grader.answer"}
    assert counted(site, course) == 1


@pytest.mark.parametrize("sent", [{}, {**OTHER, "id": "another"}, {**OTHER, "id": 7}, {**OTHER, "id": None}])
def test_the_id_in_the_path_and_the_one_in_the_manifest_agree(sqlite_site: Site, sent: dict[str, Any]) -> None:
    reply = sqlite_site.person("ada@example.org", "creator").put("/courses/other", json=sent)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, ["id"])


@pytest.mark.parametrize("title", ["a\0b", "x" * 100_000, "", 7])
def test_a_title_that_no_database_holds_is_a_fault(site: Site, title: Any) -> None:
    reply = site.person("ada@example.org", "creator").put("/courses/other", json={**OTHER, "title": title})
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, ["title"])


def test_enrolling_counts_once_and_leaving_is_always_done(site: Site) -> None:
    learner = site.person("ada@example.org")
    path = f"{OUTLINE}/enrollment"
    assert learner.delete(path).status_code == 204
    first, again = learner.post(path), learner.post(path)
    assert (first.status_code, first.json()) == (201, {"course": "python-basics", "enrolled": True})
    assert (again.status_code, again.json()) == (200, first.json())
    assert counted(site, ledger) == 1
    assert [learner.delete(path).status_code for _ in range(2)] == [204, 204]
    assert learner.post(path).status_code == 201
    assert counted(site, ledger) == 3
    with site.database.read() as connection:
        assert list(connection.execute(sa.select(enrollment.c.enrolled)).scalars()) == [True]


def test_leaving_counts_though_the_servers_clock_was_set_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    learner = site.person("ada@example.org")
    learner.post(f"{OUTLINE}/enrollment")
    behind = who.now() - 600_000_000
    monkeypatch.setattr(who, "now", lambda: behind)
    assert learner.delete(f"{OUTLINE}/enrollment").status_code == 204
    with site.database.read() as connection:
        assert list(connection.execute(sa.select(enrollment.c.enrolled)).scalars()) == [False]


def test_accounts_enroll_and_nobody_else(site: Site) -> None:
    path = f"{OUTLINE}/enrollment"
    for method in ("POST", "DELETE"):
        assert site.client().request(method, path).status_code == 401
        assert site.guest().request(method, path).status_code == 403
        missing = site.person(f"{method}@example.org").request(method, "/courses/none/enrollment")
        assert (missing.status_code, missing.json()["type"]) == (404, "/problems/unknown-course")


def test_enrolling_sixteen_times_at_once_is_one_enrollment(site: Site) -> None:
    token = site.person("ada@example.org").cookies["headway_session"]

    def enroll(_: int) -> int:
        with site.client(token) as client:
            return client.post(f"{OUTLINE}/enrollment").status_code

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(enroll, range(16))) == [200] * 15 + [201]


def test_a_step_is_read_with_its_files_which_the_outline_names(site: Site) -> None:
    test = {"command": ["python", "-m", "pytest"], "report": "report.xml"}
    files = {"fizz.py": "def fizz(): ...\n", "tests/__init__.py": ""}
    step = {"id": "new", "kind": "exercise", "title": "New", "renamed_from": ["old"], "files": files, "test": test}
    site.publish({"id": "files", "title": "Files", "modules": [{"id": "m", "title": "M", "steps": [step]}]})
    with site.client() as client:
        named = client.get("/courses/files").json()["modules"][0]["steps"][0]
        shown = client.get("/courses/files/steps/old")
        assert client.get("/courses/files/steps/none").json()["type"] == "/problems/unknown-step"
        assert (
            client.get("/courses/files/steps/new", headers={"if-none-match": shown.headers["etag"]}).status_code == 304
        )
    told = {**test, "format": "junit", "timeout_s": 300}
    assert (named["files"], named["test"]) == (list(files), told)
    assert shown.json() == {**named, "version": 1, "files": files}
