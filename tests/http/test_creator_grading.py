"""Grading by hand over HTTP: what waits is seen by the course's people alone, graded, and told to the learner."""

import json
import uuid
from typing import Any

import httpx2
import pytest

from headway.http import who
from headway.http.cursors import write_cursor
from headway.ledger.erase import erase
from headway.ledger.publish import publish
from headway.store.catalog import Catalog
from headway.store.schema import ledger
from tests.http.server import Site
from tests.http.test_events import counted, event, send
from tests.ledger.essays import ESSAYS

COURSE = "/creator/courses/essays"
ESSAY = "/courses/essays/steps/essay/attempts"
UNKNOWN = str(uuid.uuid4())


class Class:
    """A creator with the course `essays`, and a learner in it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.teacher = site.person("teacher@example.org", "creator")
        self.teacher_id = self.id_of(self.teacher)
        publish(site.database, dict(ESSAYS), now=who.now(), publisher=self.teacher_id)
        self.ada = site.person("ada@example.org")
        self.ada_id = self.id_of(self.ada)

    @staticmethod
    def id_of(client: httpx2.Client) -> str:
        return str(client.get("/auth/me").json()["learner"]["id"])

    def hand_in(self, answer: Any = "Because.", client: httpx2.Client | None = None) -> str:
        """The id of an essay that waits."""
        attempt = str(uuid.uuid4())
        reply = (client or self.ada).post(ESSAY, json={"id": attempt, "answer": answer})
        assert reply.status_code == 200, reply.text
        return attempt

    def waiting(self, **query: Any) -> Any:
        reply = self.teacher.get(f"{COURSE}/submissions", params=query)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def grade(self, attempt: str, score: Any = 0.8, **fields: Any) -> Any:
        sent = {"learner": self.ada_id, "attempt": attempt, "score": score, **fields}
        reply = self.teacher.post(f"{COURSE}/grades", json=sent)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def regrade(self, query: str = "", **sent: Any) -> Any:
        reply = self.teacher.post(f"{COURSE}/regrades{query}", json={"reason": "The key was wrong.", **sent})
        assert reply.status_code == 200, reply.text
        return reply.json()


@pytest.fixture
def school(site: Site) -> Class:
    return Class(site)


def test_what_is_handed_in_waits_and_its_grade_is_told(school: Class) -> None:
    reply = school.ada.post(ESSAY, json={"answer": "Because."}).json()
    assert reply["attempt"] == {"score": None, "passed": False, "feedback": "Handed in: it waits for a grade."}
    assert (reply["progress"]["status"], reply["progress"]["attempts"]) == ("submitted", 1)
    (one,) = school.waiting()["items"]
    assert one["learner"] == {"id": school.ada_id, "display_name": None}
    assert (one["step"], one["response"], one["attempts"], one["score"]) == ("essay", "Because.", 1, None)
    assert school.waiting()["guides"] == {"essay": "Names both locks."}
    given = school.grade(one["attempt"], 60, feedback="Which locks?")
    assert (given["result"]["status"], given["progress"]["status"]) == ("recorded", "in_progress")
    assert (given["progress"]["best_score"], "why" in given) == (0.6, False)
    assert given["changes"][0] == {
        "type": "step_graded",
        "course": "essays",
        "step": "essay",
        "score": 0.6,
        "attempt": one["attempt"],
        "feedback": "Which locks?",
    }
    assert school.waiting()["items"] == []
    (graded,) = school.waiting(status="graded")["items"]
    assert (graded["score"], graded["feedback"], graded["graded_by"]["id"]) == (0.6, "Which locks?", school.teacher_id)


def test_the_learner_reads_the_feedback(school: Class) -> None:
    attempt = school.hand_in()
    school.grade(attempt, 0.6, feedback="Which locks?")
    events = school.ada.get("/progress/events").json()["items"]
    assert (events[0]["type"], events[0]["score"], events[0]["feedback"]) == ("graded", 0.6, "Which locks?")
    assert (events[0]["attempt"], events[0]["by"]["id"]) == (attempt, school.teacher_id)
    assert events[0]["changes"][0]["type"] == "step_graded"
    assert "by" not in events[1]
    for path in ("/progress/courses/essays", "/progress/courses/essays/modules/first"):
        found = school.ada.get(path).json()
        step = (found["modules"][0] if "modules" in found else found)["steps"][0]
        assert (step["status"], step["feedback"], step["best_score"]) == ("in_progress", "Which locks?", 0.6)
    school.grade(school.hand_in(), 0.9, feedback="Right.")
    found = school.ada.get("/progress/courses/essays").json()
    assert (found["modules"][0]["steps"][0]["feedback"], found["modules"][0]["steps"][1]["feedback"]) == (
        "Right.",
        None,
    )


def test_a_lower_grade_is_kept_out_and_says_so(school: Class) -> None:
    attempt = school.hand_in()
    school.grade(attempt, 0.8)
    before = counted(school.site, ledger)
    lower = school.grade(attempt, 0.5)
    assert (lower["result"]["status"], lower["progress"]["best_score"]) == ("kept", 0.8)
    assert "final: true" in lower["why"]
    assert (lower["changes"], counted(school.site, ledger)) == ([], before)


def test_a_grade_with_an_id_counts_once(school: Class) -> None:
    attempt, grade_id = school.hand_in(), str(uuid.uuid4())
    told = [school.grade(attempt, 0.5, id=grade_id)["result"] for _ in range(2)]
    assert told == [{"id": grade_id, "status": "recorded"}, {"id": grade_id, "status": "duplicate"}]
    sent = {"learner": school.ada_id, "attempt": attempt, "score": 0.9, "id": grade_id}
    assert school.teacher.post(f"{COURSE}/grades", json=sent).json()["type"] == "/problems/id-reused"


def test_submissions_are_paged_and_filtered_the_oldest_first(school: Class) -> None:
    ben = school.site.guest()
    times = [f"2026-03-0{day}T12:00:00Z" for day in (3, 1, 2, 4)]
    for client, at in zip((school.ada, ben, school.ada, ben), times, strict=True):
        send(client, event(course="essays", step="essay", response=at, occurred_at=at))
    seen: list[str] = []
    page = school.waiting(limit=3)
    while True:
        seen += [one["response"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        page = school.waiting(limit=3, cursor=page["next_cursor"])
    assert seen == sorted(times)
    hers = school.waiting(learner=school.ada_id)["items"]
    assert [one["response"] for one in hers] == [times[2], times[0]]
    school.grade(hers[0]["attempt"])
    assert [len(school.waiting(status=one)["items"]) for one in ("waiting", "graded", "all")] == [3, 1, 4]
    assert len(school.waiting(step="essay")["items"]) == 3
    assert school.waiting(step="sketch")["items"] == school.waiting(learner=UNKNOWN)["items"] == []
    assert school.teacher.get(f"{COURSE}/submissions?step=nowhere").status_code == 404
    assert school.teacher.get(f"{COURSE}/submissions?status=some").status_code == 422
    assert school.teacher.get(f"{COURSE}/submissions?cursor=x").status_code == 400


def test_submissions_have_an_etag(school: Class) -> None:
    school.hand_in()
    tag = school.teacher.get(f"{COURSE}/submissions").headers["etag"]
    again = school.teacher.get(f"{COURSE}/submissions", headers={"if-none-match": tag})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")


def test_a_guest_who_signs_in_is_graded_as_the_account(school: Class) -> None:
    browser = school.site.client()
    attempt = school.hand_in(client=browser)
    guest_id = school.id_of(browser)
    signing_in = {"email": "ada@example.org", "password": "correct horse battery"}
    assert browser.post("/auth/login", json=signing_in).json()["merged"]["events"] == 1
    (one,) = school.waiting()["items"]
    assert (one["learner"]["id"], one["attempt"]) == (school.ada_id, attempt)
    sent = {"learner": guest_id, "attempt": attempt, "score": 1}
    assert school.teacher.post(f"{COURSE}/grades", json=sent).json()["progress"]["completed"] is True
    assert [one["status"] for one in school.ada.get("/progress/courses/essays").json()["modules"][0]["steps"]] == [
        *("completed", "open"),
    ]


def test_a_repeated_attempt_is_told_the_grade_that_it_has_by_now(school: Class) -> None:
    attempt = school.hand_in()
    school.grade(attempt, 0.8, feedback="Good.")
    again = school.ada.post(ESSAY, json={"id": attempt, "answer": "Because."}).json()
    assert again["result"]["status"] == "duplicate"
    assert again["attempt"] == {"score": 0.8, "passed": True, "feedback": "Good."}


def test_a_client_scores_and_completes_nothing_that_waits_for_a_person(school: Class) -> None:
    sent = [event(course="essays", step="essay", score=1, response="Because.")]
    sent += [event(course="essays", step="essay", type="completed")]
    refused = send(school.ada, *sent)["results"]
    assert [one["problem"]["type"] for one in refused] == ["/problems/graded-step"] * 2
    assert school.ada.post("/courses/essays/steps/essay/completion").status_code == 409
    assert school.ada.post(ESSAY, json={"answer": "  "}).status_code == 422
    assert school.waiting(status="all")["items"] == []


def test_a_waiver_and_an_override_are_told_with_their_reason(school: Class) -> None:
    school.ada.post("/courses/essays/steps/pick/attempts", json={"answer": "a"})
    dry = school.regrade("?dry_run=true", step="pick", learner=school.ada_id, score=0.9)
    assert (dry["dry_run"], dry["total"], dry["updated"]) == (True, 1, 1)
    done = school.regrade(step="pick", learner=school.ada_id, score=0.9)
    assert (done["updates"], done["dry_run"]) == (dry["updates"], False)
    assert {"learner": school.ada_id, "run": 1, "field": "score", "old": 0.0, "new": 0.9} in done["updates"]
    waived = school.regrade(step="essay", learner=school.ada_id, waive=True)
    assert {one["field"]: one["new"] for one in waived["updates"]}["module_completed"] == "first"
    events = school.ada.get("/progress/events").json()["items"]
    said = [one for one in events if one["type"] == "overridden"]
    assert [(one["reason"], one["waived"], one["final"]) for one in said] == [
        *(("The key was wrong.", True, False), ("The key was wrong.", False, False)),
    ]
    assert said[0]["by"]["id"] == school.teacher_id
    lower = school.regrade(step="pick", learner=school.ada_id, score=0.1, final=True)
    assert {one["field"]: one["old"] for one in lower["updates"]} == {"score": 0.9, "best_score": 0.9}


def test_a_regrade_tells_whose_result_changes(school: Class) -> None:
    attempt = str(uuid.uuid4())
    school.ada.post("/courses/essays/steps/pick/attempts", json={"id": attempt, "answer": "a"})
    ben = school.site.guest()
    ben.post("/courses/essays/steps/pick/attempts", json={"answer": "b"})
    manifest = dict(ESSAYS)
    first = {**manifest["modules"][0]}
    pick = {**first["steps"][1], "grader": {**first["steps"][1]["grader"], "answer": "a", "when_right": "Yes."}}
    first["steps"] = [first["steps"][0], pick]
    publish(school.site.database, manifest | {"modules": [first, *manifest["modules"][1:]]}, now=who.now())
    tried = school.regrade("?dry_run=true", step="pick")
    assert (tried["total"], tried["updated"], tried["unchanged"], tried["left_out"]) == (2, 1, 1, 0)
    assert [(one["score"], one["instead"]) for one in tried["kept"]] == [(1.0, 0.0)]
    assert "Nothing sinks" in tried["note"]
    assert {**school.regrade(step="pick"), "dry_run": True} == tried
    again = school.regrade(step="pick")
    assert (again["updated"], again["updates"]) == (0, [])
    entry = school.ada.get("/progress/events").json()["items"][0]
    assert (entry["type"], entry["reason"], entry["feedback"]) == ("graded", "The key was wrong.", "Yes.")
    # Sent again, the attempt is told what it is worth by now.
    resent = school.ada.post("/courses/essays/steps/pick/attempts", json={"id": attempt, "answer": "a"}).json()
    assert (resent["result"]["status"], resent["progress"]["best_score"]) == ("duplicate", 1.0)
    assert resent["attempt"] == {"score": 1.0, "passed": True, "feedback": "Yes."}
    assert school.waiting(status="all")["items"] == []


def test_external_ids_name_learners(school: Class) -> None:
    with school.site.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE learner SET external_id = 'oulad:7' WHERE email = 'ada@example.org'")
    attempt = school.hand_in()
    sent = {"learner": "oulad:7", "attempt": attempt, "score": 1}
    assert school.teacher.post(f"{COURSE}/grades", json=sent).status_code == 200
    assert school.regrade(step="pick", learner="oulad:7", waive=True)["updated"] == 1
    assert len(school.waiting(learner="oulad:7", status="all")["items"]) == 1


UNFIT: list[tuple[str, dict[str, Any], str]] = [
    ("grades", {"score": None}, "score"),
    ("grades", {"score": "good"}, "score"),
    ("grades", {"attempt": "none"}, "attempt"),
    ("grades", {"attempt": 7}, "attempt"),
    ("grades", {"feedback": "x" * 5001}, "feedback"),
    ("grades", {"feedback": "a\0b"}, "feedback"),
    ("grades", {"feedback": "a\x1b[2J"}, "feedback"),
    ("grades", {"feedback": 7}, "feedback"),
    ("grades", {"id": "none"}, "id"),
    ("grades", {"color": "red"}, "color"),
    ("grades", {"learner": ""}, "learner"),
    ("regrades", {"reason": " "}, "reason"),
    ("regrades", {"reason": "x" * 1001}, "reason"),
    ("regrades", {"reason": "a\0b"}, "reason"),
    ("regrades", {"reason": None}, "reason"),
    ("regrades", {"waive": True}, "learner"),
    ("regrades", {"final": True}, "learner"),
    ("regrades", {"score": 1}, "learner"),
    ("regrades", {"id": UNKNOWN}, "learner"),
    ("regrades", {"learner": "ADA"}, "score"),
    ("regrades", {"learner": "ADA", "score": None}, "score"),
    ("regrades", {"learner": "ADA", "waive": True, "score": 1}, "waive"),
    ("regrades", {"learner": "ADA", "waive": True, "final": True}, "waive"),
    ("regrades", {"learner": "ADA", "waive": 1}, "waive"),
]


def test_what_does_not_fit_is_422_and_names_its_field(school: Class) -> None:
    attempt = school.hand_in()
    right: dict[str, dict[str, Any]] = {
        "grades": {"learner": school.ada_id, "attempt": attempt, "score": 1},
        "regrades": {"step": "pick", "reason": "Was ill."},
    }
    before = counted(school.site, ledger)
    for path, change, field in UNFIT:
        sent = right[path] | {name: school.ada_id if value == "ADA" else value for name, value in change.items()}
        reply = school.teacher.post(f"{COURSE}/{path}", json=sent)
        assert reply.status_code == 422, (change, reply.text)
        assert [one["field"] for one in reply.json()["errors"]] == [field], (change, reply.text)
    assert counted(school.site, ledger) == before


def test_text_that_no_database_holds_is_refused_wherever_it_stands(school: Class) -> None:
    attempt, before = school.hand_in(), counted(school.site, ledger)
    grade = {"learner": school.ada_id, "attempt": attempt, "score": 1, "feedback": "?", "id": UNKNOWN}
    word = {"step": "pick", "learner": school.ada_id, "score": 1, "reason": "?", "id": UNKNOWN}
    for path, sent in (("grades", grade), ("regrades", word)):
        for name, value in sent.items():
            for odd in ("\\u0000", "\\ud800", "\\udfff\\ud83d"):
                body = json.dumps(sent | {name: f"{value}#"}).replace("#", odd)
                reply = school.teacher.post(
                    f"{COURSE}/{path}", content=body, headers={"content-type": "application/json"}
                )
                assert 400 <= reply.status_code < 500, (path, name, odd, reply.text)
    assert counted(school.site, ledger) == before


def test_forged_cursors_and_filters_are_refused_or_find_nothing(school: Class) -> None:
    school.hand_in()
    forged: list[Any] = [[2**63, UNKNOWN, UNKNOWN], [-1, UNKNOWN, UNKNOWN], [1, "x", UNKNOWN], [1, UNKNOWN, "é"]]
    for at, attempt, learner in [*forged, [1, UNKNOWN + "0", UNKNOWN]]:
        cursor = write_cursor({"at": at, "attempt": attempt, "learner": learner})
        assert school.teacher.get(f"{COURSE}/submissions", params={"cursor": cursor}).status_code == 400
    for query in ("step=%00", "step=" + "a" * 300, "limit=0", "limit=201", "limit=x"):
        assert 400 <= school.teacher.get(f"{COURSE}/submissions?{query}").status_code < 500
    assert school.teacher.get(f"{COURSE}/submissions?learner=%00").status_code == 400
    for whom in ("%F0%9F%98%80", "a" * 400, "'"):
        assert school.teacher.get(f"{COURSE}/submissions?learner={whom}").json()["items"] == []


def test_the_guide_and_others_answers_are_for_whoever_grades_alone(school: Class) -> None:
    school.hand_in("Mine and nobody else's.")
    other = school.site.person("ben@example.org")
    hers = [school.ada.post(ESSAY, json={"answer": "Because."})]
    school.grade(school.hand_in(), 0.9)
    paths = ["/courses/essays", "/progress/courses/essays", "/progress/events", f"{COURSE}/submissions"]
    hers += [school.ada.get(path) for path in paths]
    theirs = [other.get(path) for path in (*paths, f"/progress/events?learner={school.ada_id}")]
    assert not [one.url for one in (*hers, *theirs) if "Names both locks" in one.text]
    assert not [one.url for one in theirs if "Mine and nobody" in one.text]
    assert [one.status_code for one in (hers[-1], *theirs[-2:])] == [404, 404, 404]


def test_whoever_is_erased_is_in_no_list_any_more(school: Class) -> None:
    school.grade(school.hand_in(), 0.8, feedback="zwitscher")
    school.hand_in()
    erase(school.site.database, Catalog(), school.ada_id, now=who.now())
    assert school.waiting(status="all") == {"items": [], "next_cursor": None, "guides": {}}
    sent = {"learner": school.ada_id, "attempt": UNKNOWN, "score": 1}
    assert school.teacher.post(f"{COURSE}/grades", json=sent).status_code == 404


def test_what_is_not_there_or_not_ones_own_reads_the_same(school: Class) -> None:
    attempt = school.hand_in()
    stranger = school.id_of(school.site.person("ben@example.org"))
    other = school.site.person("other@example.org", "creator")
    asked: dict[str, dict[str, Any]] = {
        "grades": {"attempt": attempt, "score": 1},
        "regrades": {"step": "pick", "reason": "Was ill.", "waive": True},
    }
    for path, sent in asked.items():
        told = [school.teacher.post(f"{COURSE}/{path}", json=sent | {"learner": one}) for one in (UNKNOWN, stranger)]
        assert [one.status_code for one in told] == [404, 404]
        assert told[0].json()["detail"] == told[1].json()["detail"]
        mine = other.post(f"{COURSE}/{path}", json=sent | {"learner": school.ada_id})
        none = other.post(f"/creator/courses/nowhere/{path}", json=sent | {"learner": school.ada_id})
        assert [one.status_code for one in (mine, none)] == [404, 404]
        assert mine.json()["detail"] == none.json()["detail"]
    sent = {"step": "essay", "reason": "?"}
    assert school.teacher.post(f"{COURSE}/regrades", json=sent).json()["type"] == "/problems/no-grader"
    sent = {"step": "nowhere", "reason": "?"}
    assert school.teacher.post(f"{COURSE}/regrades", json=sent).json()["type"] == "/problems/unknown-step"
    for course, status in (("%00", 400), ("a" * 300, 404), ("essays%00", 400), ("essays%0a", 404)):
        assert school.teacher.get(f"/creator/courses/{course}/submissions").status_code == status


def test_a_step_that_is_not_there_is_told_alike_whoever_is_named(school: Class) -> None:
    """Else it would show which ids and external ids there are on the site."""
    with school.site.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE learner SET external_id = 'oulad:7' WHERE email = 'ada@example.org'")
    stranger = school.id_of(school.site.person("ben@example.org"))
    for whom in (school.ada_id, stranger, UNKNOWN, "oulad:7", "oulad:8"):
        sent = {"step": "nowhere", "reason": "?", "learner": whom, "score": 1}
        listed = school.teacher.get(f"{COURSE}/submissions", params={"step": "nowhere", "learner": whom})
        for reply in (listed, school.teacher.post(f"{COURSE}/regrades", json=sent)):
            assert (reply.status_code, reply.json()["type"]) == (404, "/problems/unknown-step")


def test_whoever_graded_and_was_erased_is_nobody_to_those_who_were_graded(school: Class) -> None:
    school.grade(school.hand_in(), 0.8, feedback="Good.")
    erase(school.site.database, Catalog(), school.teacher_id, now=who.now())
    entry = school.ada.get("/progress/events").json()["items"][0]
    assert (entry["type"], entry["feedback"], entry["by"]) == ("graded", "Good.", None)
    assert school.teacher_id not in school.ada.get("/progress/events").text


def test_an_essay_in_any_script_is_shown_as_it_was_sent(school: Class) -> None:
    answer = {"text": "می‌خواهم 👩‍💻\n\tund zurück", "list": [1, 2.5, None]}
    attempt = school.hand_in(answer)
    assert school.waiting()["items"][0]["response"] == answer
    said = "خوب‌تر 👩‍💻\nzweite Zeile"
    assert school.grade(attempt, 1, feedback=said)["changes"][0]["feedback"] == said
