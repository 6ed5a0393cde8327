"""What is on every reply, what is in the log, and what never is."""

import io
import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
import structlog
from litestar import Litestar, get

from headway.http.app import all_routes
from headway.http.logs import configure_logs
from headway.http.problems import EXCEPTION_HANDLERS
from headway.http.tokens import hash_of
from tests.http.server import PASSWORD, Site, serving
from tests.http.test_events import event


@pytest.mark.parametrize("path", ["/", "/health/live", "/nothing", "/api/v1/courses", "/api/v1/progress", "/api/docs"])
def test_every_reply_carries_an_id_and_the_headers_of_safety(sqlite_site: Site, path: str) -> None:
    reply = sqlite_site.client().get(f"{sqlite_site.url}{path}")
    assert re.fullmatch(r"[0-9a-f]{16}", reply.headers["x-request-id"])
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["x-frame-options"] == "DENY"
    assert reply.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/api/docs", "/problems/locked"])
def test_a_page_runs_nothing_loads_nothing_and_stands_in_no_frame(sqlite_site: Site, path: str) -> None:
    reply = sqlite_site.client().get(f"{sqlite_site.url}{path}")
    rules = dict(one.strip().split(" ", 1) for one in reply.headers["content-security-policy"].split(";"))
    assert {rules[name] for name in ("default-src", "base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    (style,) = re.findall(r"<style>(.*?)</style>", reply.text, re.DOTALL)
    assert rules["style-src"] == f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'"
    assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", reply.text)


@pytest.mark.parametrize(
    ("settings", "proto", "told"),
    [
        ({}, "https", False),
        ({"trusted_proxies": "127.0.0.1"}, "https", True),
        ({"trusted_proxies": "127.0.0.1"}, "http", False),
        ({"trusted_proxies": "10.0.0.0/8"}, "https", False),
        ({"https": True}, "http", True),
    ],
)
def test_behind_https_browsers_are_told_to_use_nothing_else(
    sqlite_url: str, settings: dict[str, Any], proto: str, told: bool
) -> None:
    with serving(sqlite_url, **settings) as site:
        reply = site.client(**{"x-forwarded-proto": proto}).get(f"{site.url}/health/live")
    assert reply.headers.get("strict-transport-security") == ("max-age=31536000" if told else None)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-1.2_3", True), ("a" * 64, True), ("a" * 65, False), ("a b", False), ("<script>", False), ("", False)],
)
def test_a_sane_request_id_is_kept(sqlite_site: Site, sent: str, kept: bool) -> None:
    reply = sqlite_site.client().get("/nothing", headers={"x-request-id": sent})
    assert (reply.headers["x-request-id"] == sent) is kept
    assert reply.json()["request_id"] == reply.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/auth/me", "/progress", "/progress/streak", "/progress/events"])
def test_what_is_personal_is_kept_by_no_proxy(sqlite_site: Site, path: str) -> None:
    assert sqlite_site.guest().get(path).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("path", ["me", "sessions", "tokens", "security-events"])
def test_what_is_somebodys_is_kept_as_theirs_alone(sqlite_site: Site, path: str) -> None:
    reply = sqlite_site.person("ada@example.org").get(f"/auth/{path}")
    assert (reply.headers["cache-control"], reply.headers["vary"]) == ("private, no-cache", "Cookie, Authorization")


def test_a_problem_is_kept_by_no_cache(sqlite_site: Site) -> None:
    client = sqlite_site.client("dead")
    for reply in (
        client.get("/progress"),
        client.get("/progress/events?limit=0"),
        client.patch("/auth/me", json={}),
        client.post("/events", content=b"{"),
        sqlite_site.client().get("/progress/courses/none"),
    ):
        assert (reply.is_client_error, reply.headers["cache-control"]) == (True, "no-store"), reply.url


def test_what_is_made_for_one_is_kept_by_no_proxy(sqlite_site: Site) -> None:
    client = sqlite_site.client()
    for reply in (
        client.post("/events", json={"events": [event()]}),
        client.post("/auth/guest"),
        client.post("/auth/register", json={"email": "ada@example.org", "password": PASSWORD}),
        client.post("/courses/python-basics/enrollment"),
    ):
        assert reply.headers["cache-control"] == "private, no-cache", reply.url


@pytest.mark.parametrize("path", ["/health/live", "/api/v1/courses/python-basics", "/api/v1/progress", "/nothing"])
def test_head_is_get_without_the_body(sqlite_site: Site, path: str) -> None:
    client = sqlite_site.client()
    head, got = (client.request(method, f"{sqlite_site.url}{path}") for method in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert client.get(f"{sqlite_site.url}/health/live").json() == {"status": "live"}


@get("/broken", include_in_schema=False)
async def broken() -> None:
    raise ZeroDivisionError("the secret insides")


def logged(level: str, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Where the log of this process goes from now on."""
    log = io.StringIO()
    monkeypatch.setattr("sys.stderr", log)
    configure_logs(level)
    return log


@pytest.fixture(autouse=True)
def _restore_logs() -> Any:
    yield
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_defect_is_500_told_without_its_insides_and_logged_with_them(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = logged("info", monkeypatch)
    routes = Litestar([broken], exception_handlers=EXCEPTION_HANDLERS, openapi_config=None, logging_config=None)
    with serving(sqlite_url, routes) as site:
        reply = site.client().get(f"{site.url}/broken")
    assert (reply.status_code, reply.json()["type"]) == (500, "/problems/internal")
    assert "insides" not in reply.text
    request_id = reply.headers["x-request-id"]
    defect = next(one for one in lines(log) if one["event"] == "defect")
    assert (defect["request_id"], defect["level"]) == (request_id, "error")
    assert "ZeroDivisionError: the secret insides" in defect["exception"]


def test_what_fails_is_logged_and_what_works_is_not(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged("info", monkeypatch)
    with serving(sqlite_url) as site:
        client = site.guest()
        client.get("/auth/me")
        reply = client.get("/courses/none")
    told = [one for one in lines(log) if one["event"] == "request"]
    assert [(one["path"], one["status"]) for one in told] == [("/api/v1/courses/none", 404)]
    assert told[0]["request_id"] == reply.headers["x-request-id"]
    assert told[0]["level"] == "info"


def test_at_debug_every_request_is_logged_and_no_secret_is(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged("debug", monkeypatch)
    with serving(sqlite_url, log_level="debug") as site:
        ada = site.person("ada@example.org")
        ada.get("/auth/me", params={"token": "in-the-query"})
        ada.post("/auth/login", json={"email": "ada@example.org", "password": "a wrong one"})
        guest = site.client().post("/auth/guest").json()["token"]
        learner_id = ada.get("/auth/me").json()["learner"]["id"]
    told = [one for one in lines(log) if one["event"] == "request"]
    assert [one["status"] for one in told] == [201, 200, 401, 201, 200]
    assert told[-1]["learner"] == learner_id
    session = ada.cookies["headway_session"]
    for secret in (PASSWORD, "a wrong one", guest, hash_of(guest), session, hash_of(session), "in-the-query"):
        assert secret not in log.getvalue()


def test_no_path_that_holds_a_token_is_written_as_it_was(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {route.path for route in all_routes().routes if "{token:" in route.path}
    paths = [re.sub(r"\{\w+:\w+\}", "S3CRET", one) for one in named if "/auth/tokens/" not in one]
    assert len(paths) >= 5
    log = logged("debug", monkeypatch)
    with serving(sqlite_url, log_level="debug") as site:
        for path in (*paths, "/unsubscribe/S3CRET", "/share/S3CRET/none", "//confirm-email//S3CRET"):
            site.client().get(f"{site.url}{path}")
    told = [one["path"] for one in lines(log) if one["event"] == "request"]
    assert (len(told), "S3CRET" in log.getvalue()) == (len(paths) + 3, False)
    assert "/confirm-email/…" in told


def test_what_is_named_like_a_secret_is_never_written(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged("info", monkeypatch)
    structlog.get_logger().info("tried", password="p1", session_token="t1", cookies=["c1"], email="ada@example.org")
    line = lines(log)[0]
    assert (line["password"], line["session_token"], line["cookies"]) == ("…", "…", "…")
    assert line["email"] == "ada@example.org"


def test_on_a_terminal_a_defect_is_told_without_what_variables_held(monkeypatch: pytest.MonkeyPatch) -> None:
    log = logged("info", monkeypatch)
    monkeypatch.setattr(log, "isatty", lambda: True)
    configure_logs("info")

    def sign_in(password: str) -> None:
        raise ZeroDivisionError(len(password))

    try:
        sign_in(PASSWORD)
    except ZeroDivisionError as error:
        structlog.get_logger().error("defect", exc_info=error)
    assert "ZeroDivisionError" in log.getvalue()
    assert PASSWORD not in log.getvalue()


def test_the_server_says_whether_it_is_ready(site: Site) -> None:
    client = site.client()
    assert client.get(f"{site.url}/health/live").json() == {"status": "live"}
    ready = client.get(f"{site.url}/health/ready")
    told = ready.json()
    assert (ready.status_code, told["status"], told["reachable"], told["waiting_events"]) == (200, "ready", True, 0)
    assert told["revision"] == told["newest_revision"]
    assert ("sqlite_version" in told) is (told["database"] == "sqlite")


def test_an_older_database_is_not_ready(site: Site) -> None:
    with site.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    ready = site.client().get(f"{site.url}/health/ready")
    assert (ready.status_code, ready.json()["status"]) == (503, "not-ready")
