"""Personal access tokens: what they open, what they do not, and how they end."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from headway.domain.times import DAY
from headway.http import who
from headway.http.tokens import hash_of
from headway.ledger.tokens import TOKENS_MAX
from headway.store.schema import ledger, session
from tests.http.server import COURSE, Site
from tests.http.test_events import counted, event, send

READ, WRITE, CREATOR = ["read"], ["read", "write"], ["read", "write", "creator"]
MANIFEST = COURSE | {"id": "another-course"}


def made(person: httpx2.Client, scopes: list[str] = WRITE, **more: Any) -> dict[str, Any]:
    """A new token of somebody's."""
    reply = person.post("/auth/tokens", json={"name": "Notebook", "scopes": scopes, **more})
    assert reply.status_code == 201, reply.text
    found: dict[str, Any] = reply.json()
    return found


def listed(person: httpx2.Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("/auth/tokens").json()["items"]
    return found


def change(site: Site, token: dict[str, Any], **values: Any) -> None:
    with site.database.transaction() as connection:
        connection.execute(sa.update(session).where(session.c.id == token["id"]).values(**values))


def test_a_token_is_shown_once_and_kept_as_its_hash(site: Site) -> None:
    person = site.person("ada@example.org")
    token = made(person, expires_in_days=90)
    assert token["token"].startswith("hwp_")
    assert len(token["token"]) == 4 + 43
    assert (token["name"], token["scopes"], token["last_used_at"]) == ("Notebook", WRITE, None)
    assert token["created_at"] < token["expires_at"]
    secret = token.pop("token")
    assert listed(person) == [token]
    with site.database.read() as connection:
        rows = list(connection.execute(sa.select(session).where(session.c.kind == "token")).mappings())
    assert [one["token_hash"] for one in rows] == [hash_of(secret)]
    assert secret not in repr(rows)


def test_a_token_reads_and_records_as_its_account(site: Site) -> None:
    person = site.person("ada@example.org")
    client = site.client(made(person)["token"])
    assert client.get("/auth/me").json() == person.get("/auth/me").json()
    assert send(client, event())["results"][0]["status"] == "recorded"
    assert client.get("/progress").json()["attempts"] == person.get("/progress").json()["attempts"] == 1
    assert client.post("/courses/python-basics/steps/for-1/completion").is_success
    assert client.post("/courses/python-basics/enrollment").status_code == 201


def test_a_token_without_an_end_has_none_and_one_that_has_run_out_opens_nothing(site: Site) -> None:
    person = site.person("ada@example.org")
    lasting, ending = made(person), made(person, expires_in_days=1)
    assert lasting["expires_at"] is None
    change(site, ending, expires_at=who.now() - 1)
    client = site.client(ending["token"])
    assert client.get("/progress").status_code == 401
    assert client.post("/events", json={"events": [event()]}).status_code == 401
    assert [one["id"] for one in listed(person)] == [lasting["id"]]


def test_using_a_token_is_noted_and_prolongs_nothing(site: Site) -> None:
    person = site.person("ada@example.org")
    token = made(person, expires_in_days=2)
    site.client(token["token"]).get("/auth/me")
    used = listed(person)[0]
    assert used["last_used_at"] >= token["created_at"]
    assert used["expires_at"] == token["expires_at"]
    change(site, token, last_used_at=who.now() - 2 * DAY)
    send(site.client(token["token"]), event())
    assert listed(person)[0]["last_used_at"] >= used["last_used_at"]
    assert listed(person)[0]["expires_at"] == token["expires_at"]


READS = ["/progress", "/progress/courses/python-basics", "/progress/streak", "/progress/history", "/progress/events"]
WRITES = [
    ("POST", "/events", {"events": [event()]}),
    ("POST", "/courses/python-basics/steps/for-1/completion", {}),
    ("POST", "/courses/python-basics/steps/quiz/attempts", {"answer": "a"}),
    ("POST", "/courses/python-basics/enrollment", None),
    ("DELETE", "/courses/python-basics/enrollment", None),
]


def refused_for(reply: httpx2.Response, scope: str) -> None:
    """Check that a token was refused, and told which scope it lacks."""
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/insufficient-scope"), reply.text
    assert f'error="insufficient_scope", scope="{scope}"' in reply.headers["www-authenticate"]


@pytest.mark.parametrize("path", READS)
def test_reading_needs_the_scope_read(sqlite_site: Site, path: str) -> None:
    person = sqlite_site.person("ada@example.org")
    refused_for(sqlite_site.client(made(person, ["write"])["token"]).get(path), "read")
    assert sqlite_site.client(made(person, READ)["token"]).get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "sent"), WRITES)
def test_writing_needs_the_scope_write(sqlite_site: Site, method: str, path: str, sent: Any) -> None:
    person = sqlite_site.person("ada@example.org")
    client = sqlite_site.client(made(person, READ)["token"])
    # The second time the session is remembered.
    for _ in range(2):
        refused_for(client.request(method, path, json=sent), "write")
    assert counted(sqlite_site, ledger) == 0
    assert sqlite_site.client(made(person, ["write"])["token"]).request(method, path, json=sent).is_success


def test_publishing_needs_the_scope_creator(site: Site) -> None:
    person = site.person("ada@example.org", "creator")
    refused_for(site.client(made(person, WRITE)["token"]).put("/courses/another-course", json=MANIFEST), "creator")
    reply = site.client(made(person, CREATOR)["token"]).put("/courses/another-course", json=MANIFEST)
    assert reply.status_code == 201


def test_only_creators_make_tokens_for_creators(site: Site) -> None:
    asked = {"name": "Publisher", "scopes": CREATOR}
    reply = site.person("ada@example.org").post("/auth/tokens", json=asked)
    assert (reply.status_code, reply.json()["type"]) == (403, "/problems/forbidden")
    assert site.person("eve@example.org", "admin").post("/auth/tokens", json=asked).status_code == 201


@pytest.mark.parametrize("scopes", [READ, CREATOR])
def test_a_token_opens_nothing_of_identity(sqlite_site: Site, scopes: list[str]) -> None:
    person = sqlite_site.person("ada@example.org", "creator")
    token = made(person, scopes)
    client = sqlite_site.client(token["token"])
    calls = [
        ("GET", "/auth/tokens", None),
        ("POST", "/auth/tokens", {"name": "more", "scopes": scopes}),
        ("DELETE", f"/auth/tokens/{token['id']}", None),
        ("PATCH", "/auth/me", {"display_name": "Eve"}),
        ("POST", "/auth/register", {"email": "eve@example.org", "password": "a long one of hers"}),
        ("POST", "/auth/login", {"email": "ada@example.org", "password": "correct horse battery"}),
        ("POST", "/auth/logout", None),
        ("POST", "/auth/guest", None),
    ]
    for method, path, sent in calls:
        refused_for(client.request(method, path, json=sent), "")
    assert client.get("/auth/me").json()["kind"] == "account"
    assert [one["id"] for one in listed(person)] == [token["id"]]


@pytest.mark.parametrize("path", ["//api/v1/auth/tokens", "/api//v1/auth/tokens/", "/api/v1//auth///tokens"])
def test_no_spelling_of_a_path_opens_identity_to_a_token(sqlite_site: Site, path: str) -> None:
    client = sqlite_site.client(made(sqlite_site.person("ada@example.org"))["token"])
    refused_for(client.get(f"{sqlite_site.url}{path}"), "")


def test_revoking_ends_a_token_at_once_for_reads_and_for_writes_that_are_remembered(site: Site) -> None:
    person = site.person("ada@example.org")
    token = made(person)
    client = site.client(token["token"])
    send(client, event())
    assert person.delete(f"/auth/tokens/{token['id']}").status_code == 204
    reply = client.post("/events", json={"events": [event()]})
    assert (reply.status_code, counted(site, ledger)) == (401, 1)
    assert client.get("/progress").status_code == 401
    assert listed(person) == []
    assert person.delete(f"/auth/tokens/{token['id']}").status_code == 404


def test_anothers_token_reads_like_one_that_is_not_there(site: Site) -> None:
    token = made(site.person("ada@example.org"))
    eve = site.person("eve@example.org")
    replies = [eve.delete(f"/auth/tokens/{one}") for one in (token["id"], token["id"][::-1], "none", "0" * 36)]
    assert {(one.status_code, one.json()["detail"]) for one in replies} == {(404, "there is no such token")}
    assert site.client(token["token"]).get("/progress").status_code == 200


def test_nobody_and_guests_have_no_tokens(site: Site) -> None:
    asked = {"name": "Notebook", "scopes": READ}
    for client, status in ((site.client(), 401), (site.guest(), 403)):
        assert client.get("/auth/tokens").status_code == status
        assert client.post("/auth/tokens", json=asked).status_code == status
        assert client.delete("/auth/tokens/none").status_code == status


def test_an_account_has_fifty_tokens_at_most_and_those_that_ran_out_make_room(sqlite_site: Site) -> None:
    person = sqlite_site.person("ada@example.org")
    tokens = [made(person) for _ in range(TOKENS_MAX)]
    asked = {"name": "Notebook", "scopes": READ}
    reply = person.post("/auth/tokens", json=asked)
    assert (reply.status_code, reply.json()["type"]) == (409, "/problems/too-many-tokens")
    assert sqlite_site.person("eve@example.org").post("/auth/tokens", json=asked).status_code == 201
    change(sqlite_site, tokens[0], expires_at=who.now() - 1)
    assert person.post("/auth/tokens", json=asked).status_code == 201
    assert len(listed(person)) == TOKENS_MAX


def test_nobody_gets_past_the_limit_by_asking_many_times_at_once(site: Site) -> None:
    person = site.person("ada@example.org")
    secret = person.cookies["headway_session"]
    for _ in range(TOKENS_MAX - 3):
        made(person)

    def ask(_: int) -> int:
        with site.client(secret) as client:
            return client.post("/auth/tokens", json={"name": "one more", "scopes": READ}).status_code

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(ask, range(16))) == [201] * 3 + [409] * 13
    assert len(listed(person)) == TOKENS_MAX


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "", "scopes": READ},
        {"name": "  ", "scopes": READ},
        {"name": "a\u0000b", "scopes": READ},
        {"name": "x" * 201, "scopes": READ},
        {"name": "x", "scopes": []},
        {"name": "x", "scopes": ["admin"]},
        {"name": "x", "scopes": "read"},
        {"name": "x", "scopes": READ, "expires_in_days": 0},
        {"name": "x", "scopes": READ, "expires_in_days": 3_651},
        {"name": "x", "scopes": READ, "expires_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_a_token_that_cannot_be_made_is_told_by_its_fields(sqlite_site: Site, asked: dict[str, Any]) -> None:
    reply = sqlite_site.person("ada@example.org").post("/auth/tokens", json=asked)
    assert (reply.status_code, reply.json()["type"]) == (422, "/problems/invalid"), reply.text


def test_another_site_makes_and_revokes_no_tokens(sqlite_site: Site) -> None:
    person = sqlite_site.person("ada@example.org")
    token = made(person)
    foreign = {"sec-fetch-site": "cross-site"}
    assert person.post("/auth/tokens", json={"name": "x", "scopes": READ}, headers=foreign).status_code == 403
    assert person.delete(f"/auth/tokens/{token['id']}", headers=foreign).status_code == 403
    assert len(listed(person)) == 1
