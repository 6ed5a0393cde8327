"""Every list of the contract is read page by page in the same way, whatever it lists."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from headway.domain.achievements import Definition
from headway.domain.times import DAY, format_time
from headway.http import who
from headway.http.cursors import LIMIT, LIMIT_MAX, cut, write_cursor
from headway.http.refusals import CursorInvalid
from headway.ledger import importing
from headway.ledger.definitions import define
from headway.ledger.webhooks import make
from headway.settings import OidcProvider
from headway.store import webhooks
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_contract import made
from tests.http.test_events import event, send
from tests.ledger.essays import ESSAYS

DOCUMENT: dict[str, Any] = json.loads(made())
COURSES = ("first", "second")
WEBHOOK = str(uuid4())
# What stands in the paths of lists.
NAMED = {"course": "first", "webhook": WEBHOOK, "period": "all"}
# Of these courses alone there is something to be listed.
ELSEWHERE = {"list_submissions": {"course": ESSAYS["id"]}}
# What is promised whole is so until a limit is given.
WHOLE = {"list_achievements"}


def shape_of(reply: dict[str, Any]) -> dict[str, Any]:
    """What a reply holds by the contract; nothing where it is no JSON."""
    schema: dict[str, Any] = reply.get("content", {}).get("application/json", {}).get("schema", {})
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name] if name else schema
    return found


LISTS: dict[str, str] = {
    one["operationId"]: path
    for path, methods in DOCUMENT["paths"].items()
    for one in methods.values()
    if "items" in shape_of(one["responses"].get("200", {})).get("properties", {})
}
OPERATIONS = {one["operationId"]: one for methods in DOCUMENT["paths"].values() for one in methods.values()}


def manifest(name: str) -> dict[str, Any]:
    steps = [{"id": step, "kind": "exercise", "title": step, "topics": [name]} for step in ("one", "two")]
    modules = [{"id": "m", "title": "M", "steps": steps}]
    return {"id": name, "title": name, "certificate": True, "modules": modules}


class Lister:
    """An admin who has at least two of whatever is listed."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.root = site.person("root@example.org", "admin")
        self.root_id: str = self.root.get("/auth/me").json()["learner"]["id"]
        for one in (*map(manifest, COURSES), dict(ESSAYS)):
            site.publish(one)
        for name in ("bo", "cy"):
            self._learn(site.person(f"{name}@example.org"))
        self._learn(self.root)
        self.root.post(f"/courses/{COURSES[0]}/runs")
        self._keep_doors()
        self._administer()

    @staticmethod
    def _learn(client: httpx2.Client) -> None:
        then = format_time(who.now() - 10 * DAY)
        for course in COURSES:
            client.post(f"/courses/{course}/enrollment")
            forgotten = event(course=course, step="one", score=1, occurred_at=then)
            send(client, forgotten, event(course=course, step="two", score=1))
        client.post(f"/courses/{ESSAYS['id']}/steps/essay/attempts", json={"answer": "Because."})

    def _keep_doors(self) -> None:
        for name in ("Notebook", "Robot"):
            self.site.client().post("/auth/login", json={"email": "root@example.org", "password": PASSWORD})
            self.root.post("/auth/tokens", json={"name": name, "scopes": ["read"]})

    def _administer(self) -> None:
        database = self.site.database
        for n in range(LIMIT):
            define(database, Definition(f"site-{n}", "Steps", "Steps.", "practice", "steps", 1_000, 1, "gold"))
        for n in range(2):
            begun = importing.begin(database, 1, now=n)
            importing.end(database, begun["id"], ("done", 1), None, now=n)
        for webhook in (WEBHOOK, str(uuid4())):
            endpoint = {"id": webhook, "learner_id": self.root_id, "course_id": None, "created_at": 1}
            make(database, endpoint | {"url": "https://93.184.215.14/", "types": "", "secret": "plain:"})
            with database.transaction() as connection:
                webhooks.change(connection, webhook, active=False)
        told = {"webhook_id": WEBHOOK, "learner_id": self.root_id, "seq": 1, "n": 0, "message_id": "msg_1", "type": "x"}
        told |= {"at": 1, "took_ms": 1, "attempt": 1, "status": 204, "error": None}
        with database.transaction() as connection:
            for _ in range(2):
                webhooks.log(connection, told | {"id": str(uuid4())})

    def ask(self, name: str, **query: Any) -> httpx2.Response:
        """The answer to a list's operation."""
        path = LISTS[name].format_map(NAMED | ELSEWHERE.get(name, {}))
        return self.root.get(path.removeprefix("/api/v1"), params=query)

    def page(self, name: str, **query: Any) -> dict[str, Any]:
        reply = self.ask(name, **query)
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def walked(self, name: str, limit: int) -> Iterator[dict[str, Any]]:
        """All pages of a list."""
        cursor: dict[str, str] | None = {}
        while cursor is not None:
            page = self.page(name, limit=limit, **cursor)
            yield page
            cursor = page["next_cursor"] and {"cursor": page["next_cursor"]}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lister(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lister]:
    provider = OidcProvider(issuer="https://id.example.org", client_id="headway", title="Example")
    chosen: dict[str, Any] = {"oidc": {"two": provider, "one": provider}, "shipped_achievements": True}
    if request.param == "sqlite":
        with serving(f"sqlite:///{tmp_path_factory.mktemp('lists') / 'headway.db'}", **chosen) as site:
            yield Lister(site)
    else:
        with request.getfixturevalue("postgres").fresh() as url, serving(url, **chosen) as site:
            yield Lister(site)


def rest(page: dict[str, Any]) -> dict[str, Any]:
    """What a page says beside its items: of the whole list."""
    return {key: value for key, value in page.items() if key not in ("items", "next_cursor")}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_says_in_the_contract_how_it_is_read(name: str) -> None:
    asked = {one["name"]: one["schema"] for one in OPERATIONS[name].get("parameters", []) if one["in"] == "query"}
    assert "cursor" in asked
    bounds = tuple(asked["limit"].get(key) for key in ("minimum", "maximum", "default"))
    assert bounds == (1, LIMIT_MAX, None if name in WHOLE else LIMIT)
    assert {"items", "next_cursor"} <= {*shape_of(OPERATIONS[name]["responses"]["200"])["required"]}


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_one_are_the_whole_list(lister: Lister, name: str) -> None:
    whole = lister.page(name, limit=LIMIT_MAX)
    assert whole["next_cursor"] is None
    assert len(whole["items"]) > 1, "there must be something to list"
    pages = list(lister.walked(name, 1))
    assert [page["items"] for page in pages] == [[one] for one in whole["items"]]
    assert [rest(page) for page in pages] == [rest(whole)] * len(pages)


@pytest.mark.parametrize("name", LISTS)
def test_without_a_limit_it_is_fifty_or_all_where_all_is_promised(lister: Lister, name: str) -> None:
    whole, page = lister.page(name, limit=LIMIT_MAX), lister.page(name)
    shown = len(whole["items"]) if name in WHOLE else LIMIT
    assert page["items"] == whole["items"][:shown]
    assert (page["next_cursor"] is None) == (len(whole["items"]) <= shown)


def test_some_of_these_lists_are_longer_than_a_page(lister: Lister) -> None:
    for name in ("list_achievements", "list_definitions"):
        assert len(lister.page(name, limit=LIMIT_MAX)["items"]) > LIMIT


@pytest.mark.parametrize("name", LISTS)
def test_a_limit_that_is_none_is_422(lister: Lister, name: str) -> None:
    for limit in (0, LIMIT_MAX + 1, -1, "x", "", "1.5"):
        reply = lister.ask(name, limit=limit)
        assert (reply.status_code, [one["field"] for one in reply.json().get("errors", [])]) == (422, ["limit"]), limit


@pytest.mark.parametrize("name", LISTS)
def test_a_forged_cursor_is_400(lister: Lister, name: str) -> None:
    given = lister.page(name, limit=1)["next_cursor"]
    raw = bytearray(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
    raw[-3] ^= 1
    changed = urlsafe_b64encode(raw).decode().rstrip("=")
    for cursor in ("", "x", changed, f"{given}=", write_cursor({"a": 1}), write_cursor([None])):
        reply = lister.ask(name, cursor=cursor)
        assert (reply.status_code, reply.json()["type"]) == (400, "/problems/invalid-cursor"), cursor


@pytest.mark.parametrize("name", LISTS)
def test_a_parameter_that_a_list_does_not_have_is_passed_over(lister: Lister, name: str) -> None:
    assert lister.page(name, color="red") == lister.page(name)


def cut_of(found: list[str], limit: int | None, cursor: str | None = None) -> tuple[list[str], str | None]:
    return cut(found, lambda one: (one,), tuple[str], limit, cursor)


def test_whatever_comes_and_goes_between_two_pages_what_stays_is_told_once() -> None:
    first, cursor = cut_of(["a", "c", "e", "g"], 2)
    assert (first, cut_of(["a", "b", "e", "f", "g"], 2, cursor)[0]) == (["a", "c"], ["e", "f"])
    assert cut_of(["a", "c"], 2, cursor) == ([], None)


def test_a_list_is_told_in_the_order_of_its_places() -> None:
    assert cut_of(["b", "c", "a"], None) == (["a", "b", "c"], None)
    assert cut_of([], 1) == ([], None)


@pytest.mark.parametrize("name", ["\\u0000", "\\\\u0000", "ä\\", '"'])
def test_a_name_with_backslashes_is_a_place_like_any(name: str) -> None:
    _, cursor = cut_of([name, f"{name}~"], 1)
    assert cut_of([name, f"{name}~"], 1, cursor) == ([f"{name}~"], None)


def test_a_nul_is_no_place() -> None:
    with pytest.raises(CursorInvalid):
        cut_of([], 1, write_cursor(("\\\0",)))
