"""Reading progress over HTTP: who may, in which shape, and what is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlalchemy.engine import Engine

from headway.domain.times import format_time
from headway.http import who
from headway.http.app import create_app
from headway.http.cursors import write_cursor
from headway.settings import Settings
from headway.store import learners
from headway.store.database import Database
from headway.views.subject import Subject
from tests.domain.manifests import course
from tests.views.learning import Learning, counted, enrolled, event, long_course, uid

EMPTY_READS = (
    "/progress",
    "/progress/courses/python",
    "/progress/courses/python/modules/first",
    "/progress/streak",
    "/progress/history",
    "/progress/statistics",
    "/progress/sessions",
    "/progress/reviews",
    "/progress/skill-levels",
    "/progress/events",
)
ADA = Subject(uid("ada"), "Asia/Tokyo")
COURSE_READS = EMPTY_READS[1:3]


class Site:
    """A server, asked by whoever a token belongs to; what is recorded beside it, it sees."""

    def __init__(self, client: TestClient[Any], database: Database) -> None:
        self.client = client
        self.learning = Learning(database)

    def signed_in(self, name: str, **columns: Any) -> str:
        """The token of a new account."""
        learner_id = self.learning.learner(name, **columns).learner_id or ""
        session = who.session_row(learner_id, "account", f"token of {name}", who.now())
        with self.learning.database.transaction() as connection:
            learners.add_sessions(connection, session)
        return f"token of {name}"

    def get(self, path: str, token: str | None = None, **headers: str) -> Any:
        """The reply to a read."""
        asked = headers | ({"authorization": f"Bearer {token}"} if token else {})
        return self.client.get(f"/api/v1{path}", headers=asked)

    def refused(self, path: str, status: int, token: str | None = None) -> Any:
        """The problem that a read is refused with."""
        reply = self.get(path, token)
        assert reply.status_code == status, f"{path}: {reply.text[:300]}"
        assert reply.headers["content-type"] == "application/problem+json"
        return reply.json()


@pytest.fixture
def site(database_url: str) -> Iterator[Site]:
    database = Database(database_url)
    with TestClient(create_app(Settings(database_url=database_url, shipped_achievements=False))) as client:
        yield Site(client, database)
    database.close()


@pytest.fixture
def classroom(site: Site) -> Site:
    """Carol's course, with ada in it; root is an admin; bob is nobody in particular."""
    site.signed_in("root", roles="learner admin")
    site.signed_in("carol", roles="creator")
    site.signed_in("bob")
    site.learning.publish(course(), publisher=uid("carol"))
    site.learning.publish(course(id="java"))
    site.signed_in("ada", zone="Asia/Tokyo")
    return site


def learn(site: Site) -> None:
    site.learning.record(ADA, enrolled(), event("attempted", "first-1", score=0.9, response={"said": "ü"}))


def test_nobody_a_guest_and_a_new_account_read_as_empty_in_one_shape(classroom: Site) -> None:
    guest = classroom.client.post("/api/v1/auth/guest").json()["token"]
    for path in EMPTY_READS:
        replies = [classroom.get(path, token) for token in (None, guest, "token of bob")]
        assert [one.status_code for one in replies] == [200, 200, 200], path
        assert replies[0].json() == replies[1].json() == replies[2].json()


def test_each_reads_their_own(classroom: Site) -> None:
    learn(classroom)
    assert classroom.get("/progress", "token of ada").json()["attempts"] == 1
    assert classroom.get("/progress", "token of bob").json()["attempts"] == 0
    assert classroom.get("/progress").json()["attempts"] == 0
    read = classroom.get("/progress/courses/python", "token of ada").json()
    assert (read["status"], read["percent"], read["enrolled"]) == ("completed", 100, True)
    assert read["modules"][0] == classroom.get("/progress/courses/python/modules/first", "token of ada").json()
    assert classroom.get("/progress/streak", "token of ada").json()["time_zone"] == "Asia/Tokyo"
    items = classroom.get("/progress/events", "token of ada").json()["items"]
    answered, entered = (one for one in items if one["trust"] != "server")
    assert (answered["response"], entered["type"]) == ({"said": "ü"}, "enrolled")
    granted = {one["type"] for one in items if one["trust"] == "server"}
    assert granted == {"module_completed", "course_completed"}


def test_an_admin_reads_what_the_learner_reads(classroom: Site) -> None:
    learn(classroom)
    for path in EMPTY_READS:
        own = classroom.get(path, "token of ada").json()
        assert classroom.get(f"{path}?learner={uid('ada')}", "token of root").json() == own
        assert classroom.get(f"{path}?learner={uid('ada')}", "token of ada").json() == own


def test_a_learner_known_only_from_an_import_reads_as_empty(classroom: Site) -> None:
    classroom.learning.learner("i", kind="imported", external_id="oulad:11391")
    for path in EMPTY_READS:
        found = classroom.get(f"{path}?learner=oulad:11391", "token of root")
        assert found.json() == classroom.get(path).json()


@pytest.mark.parametrize("asking", ["carol", "bob", None])
def test_who_may_not_see_a_learner_is_told_as_if_there_were_none(classroom: Site, asking: str | None) -> None:
    learn(classroom)
    token = f"token of {asking}" if asking else None
    named = (uid("ada"), uid("x"), "oulad:1", "%0A", "")
    for path in EMPTY_READS:
        if asking == "carol" and path in COURSE_READS:  # this she may see
            continue
        told = [classroom.refused(f"{path}?learner={name}", 404, token) for name in named]
        assert len({str(one | {"request_id": ""}) for one in told}) == 1
        assert told[0]["type"] == "/problems/not-found"


def test_a_creator_reads_those_enrolled_in_an_own_course(classroom: Site) -> None:
    for path in COURSE_READS:
        classroom.refused(f"{path}?learner={uid('ada')}", 404, "token of carol")
    learn(classroom)
    for path in COURSE_READS:
        asked = f"{path}?learner={uid('ada')}"
        assert classroom.get(asked, "token of carol").json() == classroom.get(path, "token of ada").json()
        classroom.refused(asked.replace("python", "java"), 404, "token of carol")


def test_a_reply_that_the_client_has_is_not_sent_again(classroom: Site) -> None:
    tags = {}
    for path in EMPTY_READS:
        first = classroom.get(path, "token of ada")
        tags[path] = {"if-none-match": first.headers["etag"]}
        again = classroom.get(path, "token of ada", **tags[path])
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        assert first.headers["cache-control"] == again.headers["cache-control"] == "private, no-cache"
    learn(classroom)
    now = who.now()
    classroom.learning.record(ADA, event("attempted", "first-1", format_time(now)), received_at=now)
    for path in EMPTY_READS:
        # The step has no topics, and what was done today is due no earlier than tomorrow.
        status = 304 if path in ("/progress/skill-levels", "/progress/reviews") else 200
        assert classroom.get(path, "token of ada", **tags[path]).status_code == status


def test_what_is_not_there_is_404(classroom: Site) -> None:
    for path, kind in [
        ("/progress/courses/nothing", "unknown-course"),
        ("/progress/courses/%0A", "unknown-course"),
        ("/progress/courses/nothing/modules/first", "unknown-course"),
        ("/progress/courses/python/modules/nothing", "unknown-module"),
        ("/progress/courses/python/modules/%0A", "unknown-module"),
    ]:
        assert classroom.refused(path, 404, "token of ada")["type"] == f"/problems/{kind}"


def test_a_parameter_that_does_not_fit_is_422_by_its_name(classroom: Site) -> None:
    for path, field in [
        ("/progress/history?days=0", "days"),
        ("/progress/history?days=3661", "days"),
        ("/progress/history?days=many", "days"),
        (f"/progress/history?days={10**40}", "days"),
        ("/progress/history?days=3&from=2026-01-01", "days"),
        ("/progress/history?from=2026-01-02&to=2026-01-01", "from"),
        ("/progress/history?from=2000-01-01&to=2026-01-01", "from"),
        ("/progress/history?from=%0A", "from"),
        ("/progress/history?to=soon", "to"),
        ("/progress/streak?days=0", "days"),
        ("/progress/streak?days=", "days"),
        ("/progress/statistics?period=year", "period"),
        ("/progress/statistics?period=", "period"),
        ("/progress/sessions?from=2020-01-01", "from"),
        ("/progress/sessions?to=soon", "to"),
        ("/progress/sessions?limit=0", "limit"),
        ("/progress/events?limit=0", "limit"),
        ("/progress/events?limit=201", "limit"),
        ("/progress/events?limit=x", "limit"),
    ]:
        problem = classroom.refused(path, 422, "token of ada")
        assert [one["field"] for one in problem["errors"]] == [field]


NUMBERS: tuple[object, ...] = (0, -5, 2**63, 2**70, "1", None, 1.5, True, [])
NO_PLACES: dict[str, list[object]] = {
    "events": [
        *((number, {}) for number in NUMBERS),
        *((1, {"a": number}) for number in NUMBERS),
        *((), (1,), (1, []), (1, {}, {}), 1, {}),
    ],
    "sessions": [*((number,) for number in NUMBERS if not isinstance(number, int)), (True,), (), (1, 1), 1, {}],
}


@pytest.mark.parametrize("name", NO_PLACES)
def test_a_forged_cursor_is_400(classroom: Site, name: str) -> None:
    """It is made as the server makes them, around a place that it gives nobody; or it is none at all."""
    learn(classroom)
    for place in NO_PLACES[name]:
        problem = classroom.refused(f"/progress/{name}?cursor={write_cursor(place)}", 400, "token of ada")
        assert problem["type"] == "/problems/invalid-cursor", place
    for cursor in ("", "x", "%00", "%C3%A9", "W" * 5_000):
        classroom.refused(f"/progress/{name}?cursor={cursor}", 400, "token of ada")


def test_events_come_in_pages_to_their_end(classroom: Site) -> None:
    sent = [event("opened", "first-1") for _ in range(7)]
    classroom.learning.record(ADA, *sent)
    found: list[str] = []
    path = "/progress/events?limit=3"
    while True:
        page = classroom.get(path, "token of ada").json()
        found += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        path = f"/progress/events?limit=3&cursor={page['next_cursor']}"
    assert found == [one.id for one in reversed(sent)]


def test_events_of_one_step_are_asked_for_by_its_name(classroom: Site) -> None:
    learn(classroom)
    of_step = classroom.get("/progress/events?course=python&step=first-1", "token of ada").json()["items"]
    assert of_step
    assert {(one["course"], one["step"]) for one in of_step} == {("python", "first-1")}
    whole = classroom.get("/progress/events?course=python", "token of ada").json()["items"]
    assert len(whole) > len(of_step)
    stepless = classroom.refused("/progress/events?step=first-1", 422, "token of ada")
    assert [one["field"] for one in stepless["errors"]] == ["course"]
    for query, kind in [
        ("course=rust", "course"),
        ("course=%0A", "course"),
        ("course=", "course"),
        ("course=python&step=loops", "step"),
        ("course=python&step=%0A", "step"),
        ("course=python&step=", "step"),
    ]:
        problem = classroom.refused(f"/progress/events?{query}", 404, "token of ada")
        assert problem["type"] == f"/problems/unknown-{kind}"


def test_sessions_come_in_pages_to_their_end(classroom: Site) -> None:
    times = [f"2026-03-{day:02}T10:00:00Z" for day in range(1, 8)]
    classroom.learning.record(ADA, *(event("attempted", "first-1", at, score=1) for at in times))
    found: list[str] = []
    first = path = "/progress/sessions?from=2026-03-01&to=2026-03-31&limit=3"
    while path:
        page = classroom.get(path, "token of ada").json()
        found += [one["started_at"][:10] for one in page["items"]]
        path = page["next_cursor"] and f"{first}&cursor={page['next_cursor']}"
    assert found == [at[:10] for at in reversed(times)]


def test_statistics_are_of_the_period_that_is_asked_for(classroom: Site) -> None:
    learn(classroom)
    whole = classroom.get("/progress/statistics?period=all", "token of ada").json()
    assert (whole["period"], whole["from"], whole["attempts"], whole["median_percent"]) == ("all", "2026-03-10", 1, 90)
    week = classroom.get("/progress/statistics", "token of ada").json()
    assert (week["period"], week["attempts"], len(week["trend"])) == ("week", 0, 7)


def test_history_takes_a_range_and_a_number_of_days(classroom: Site) -> None:
    learn(classroom)
    ranged = classroom.get("/progress/history?from=2026-03-09&to=2026-03-11", "token of ada").json()["days"]
    assert [(one["day"], one["attempts"]) for one in ranged] == [
        ("2026-03-09", 0),
        ("2026-03-10", 1),
        ("2026-03-11", 0),
    ]
    assert len(classroom.get("/progress/history?days=400", "token of ada").json()["days"]) == 400
    assert len(classroom.get("/progress/history", "token of ada").json()["days"]) == 30


def test_a_course_is_read_in_at_most_four_statements(site: Site) -> None:
    site.learning.publish(long_course(200))
    token = site.signed_in("ada")
    site.learning.record(ADA, *(event("completed", f"s{n}") for n in range(200)))
    for expected in (4, 3):  # the first reads the course, the second knows it
        with counted(Engine) as found:
            assert site.get("/progress/courses/python", token).json()["percent"] == 100
        assert len([one for one in found if not one.startswith(("BEGIN", "COMMIT"))]) == expected
