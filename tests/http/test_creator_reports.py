"""The report and the roster over HTTP: for the course's people alone, of the moment, and safe to open."""

from typing import Any

import httpx2
import pytest

from headway.http import who
from headway.ledger.publish import publish
from tests.http.server import Site
from tests.ledger.test_report import ONE

COURSE = "/creator/courses/report"
READS = ("report", "learners", "report.csv", "learners.csv")


class Class:
    """A creator with a course, one who is enrolled in it, and a guest who learns there too."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.teacher = site.person("teacher@example.org", "creator")
        publish(site.database, dict(ONE), now=who.now(), publisher=self.id_of(self.teacher))
        self.ada, self.guest = site.person("ada@example.org"), site.guest()
        assert self.ada.post("/courses/report/enrollment").is_success
        for one in (self.ada, self.guest):
            assert one.post("/courses/report/steps/a/completion", json={"score": 0.8, "duration_s": 65}).is_success

    @staticmethod
    def id_of(client: httpx2.Client) -> str:
        return str(client.get("/auth/me").json()["learner"]["id"])

    def read(self, what: str, **query: Any) -> Any:
        reply = self.teacher.get(f"{COURSE}/{what}", params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()


@pytest.fixture
def lesson(site: Site) -> Class:
    return Class(site)


def test_a_report_tells_of_enrolled_accounts_as_they_are_now(lesson: Class) -> None:
    report = lesson.read("report")
    assert (report["summary"]["enrolled"], report["last_active"]["day"], report["version"]) == (1, 1, 1)
    first = report["steps"][0]
    assert (first["id"], first["learners"], first["completed"], first["median_duration_s"]) == ("a", 1, 1, 65)
    assert lesson.teacher.get("/creator/courses").json()["items"][0]["enrolled"] == 1
    bea = lesson.site.person("bea@example.org")
    assert bea.post("/courses/report/enrollment").is_success
    assert bea.patch("/auth/me", json={"display_name": "Bea"}).is_success
    assert lesson.read("report")["summary"]["enrolled"] == 2
    assert lesson.ada.delete("/courses/report/enrollment").is_success
    assert lesson.read("report")["summary"]["enrolled"] == 1
    assert [one["display_name"] for one in lesson.read("learners")["items"]] == ["Bea"]


@pytest.mark.parametrize("what", READS)
def test_to_all_others_the_course_is_not_there(lesson: Class, what: str) -> None:
    another = lesson.site.person("other@example.org", "creator")
    for client, status in ((another, 404), (lesson.ada, 404), (lesson.guest, 404), (lesson.site.client(), 401)):
        assert client.get(f"{COURSE}/{what}").status_code == status
    assert another.get("/creator/courses").json()["items"] == []
    assert lesson.ada.get("/creator/courses").status_code == 403
    admin = lesson.site.person("admin@example.org", "admin")
    assert admin.get(f"{COURSE}/{what}").status_code == 200


@pytest.mark.parametrize("what", ["report", "learners", "report.csv"])
def test_what_has_not_changed_is_not_sent_again(lesson: Class, what: str) -> None:
    reply = lesson.teacher.get(f"{COURSE}/{what}")
    again = lesson.teacher.get(f"{COURSE}/{what}", headers={"if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert lesson.ada.post("/courses/report/steps/b/completion", json={"score": 0.5}).is_success
    changed = lesson.teacher.get(f"{COURSE}/{what}", headers={"if-none-match": reply.headers["etag"]})
    assert changed.status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [({"sort": "shoes"}, "sort"), ({"status": "gone"}, "status"), ({"q": "a", "sort": "score"}, "q")],
)
def test_what_a_roster_is_not_sorted_or_filtered_by_is_told(lesson: Class, query: dict[str, str], field: str) -> None:
    reply = lesson.teacher.get(f"{COURSE}/learners", params=query)
    assert reply.status_code == 422
    assert [one["field"] for one in reply.json()["errors"]] == [field]


def test_pages_of_a_roster_follow_each_other_in_one_order_alone(lesson: Class) -> None:
    for name in ("b", "c", "d"):
        assert lesson.site.person(f"{name}@example.org").post("/courses/report/enrollment").is_success
    page = lesson.read("learners", sort="-progress", limit=3)
    rest = lesson.read("learners", sort="-progress", limit=3, cursor=page["next_cursor"])
    shown = [one["learner"] for one in page["items"] + rest["items"]]
    assert (len(set(shown)), len(shown), rest["next_cursor"]) == (4, 4, None)
    for query in ({"sort": "progress"}, {"sort": "-score"}, {"sort": "-progress", "cursor": "x"}):
        asked = {"cursor": page["next_cursor"], **query}
        assert lesson.teacher.get(f"{COURSE}/learners", params=asked).status_code == 400


def test_one_learner_is_shown_with_all_days(lesson: Class) -> None:
    found = lesson.read(f"learners/{lesson.id_of(lesson.ada)}")
    assert (found["learner"]["status"], found["progress"]["course"]) == ("in_progress", "report")
    assert [one["steps_completed"] for one in found["history"]] == [1]
    assert lesson.teacher.get(f"{COURSE}/learners/{lesson.id_of(lesson.guest)}").status_code == 404


def test_tables_are_handed_out_as_files(lesson: Class) -> None:
    for what, lines in (("report.csv", 6), ("learners.csv", 2)):
        reply = lesson.teacher.get(f"{COURSE}/{what}")
        assert reply.headers["content-type"] == "text/csv; charset=utf-8"
        assert reply.headers["content-disposition"].startswith("attachment; filename=")
        assert len(reply.text.splitlines()) == lines
