"""The contract: what is committed is what is served, complete, and true of the server."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headway.domain.errors import HeadwayError
from headway.http.app import all_routes
from headway.http.contract import OPERATIONS, Operation
from headway.http.docs import document_text
from headway.http.problems import KINDS
from tests.http.server import Site

COMMITTED = Path(__file__).parents[2] / "contract" / "openapi.json"
# What commands refuse, and what a started server never does: no reply has these.
NOT_OF_HTTP = {
    "error",
    "invalid-database-url",
    "encoding-unfit",
    "schema-too-new",
    "invalid-settings",
    "cannot-serve",
    "misused",
    "import-failed",
    "import-stopped",
    "invalid-track",
    "file-there",
    "not-ready",
    "unknown-key",
    "backup-unusable",
    "not-empty",
    "audit-stopped",
    "audit-broken",
    "no-result",
}
WITH_EXAMPLES = [name for name, one in OPERATIONS.items() if one.given is not None]
WITH_BODIES = [name for name, one in OPERATIONS.items() if one.takes is not None]


def made() -> str:
    return document_text(all_routes())


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["operationId"]: one for path in document["paths"].values() for one in path.values()}


def test_what_is_committed_is_what_the_routes_say() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == made(), "`make contract` writes it anew"


def test_what_is_served_is_what_is_committed(sqlite_site: Site) -> None:
    client = sqlite_site.client()
    reply = client.get(f"{sqlite_site.url}/api/openapi.json")
    assert reply.text == COMMITTED.read_text(encoding="utf-8")
    again = client.get(f"{sqlite_site.url}/api/openapi.json", headers={"if-none-match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_entry_of_the_contract_is_an_operation_and_says_what_it_does() -> None:
    found = operations(json.loads(made()))
    assert found.keys() == OPERATIONS.keys()
    assert all(one["summary"].endswith(".") for one in found.values())


def test_every_refusal_is_a_problem() -> None:
    document = json.loads(made())
    for one in operations(document).values():
        for status, reply in one["responses"].items():
            if int(status) >= 400 and one["operationId"] != "ready":
                assert reply == {"$ref": f"#/components/responses/{status}"}
    for reply in document["components"]["responses"].values():
        assert list(reply["content"]) == ["application/problem+json"]


def test_every_reference_leads_somewhere() -> None:
    text = made()
    document = json.loads(text)
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', text)):
        found: Any = document
        for part in reference.split("/"):
            found = found[part]


def test_every_error_that_http_can_meet_has_a_status() -> None:
    def below(kind: type[HeadwayError]) -> set[str]:
        return {kind.code} | {code for one in kind.__subclasses__() for code in below(one)}

    assert below(HeadwayError) - NOT_OF_HTTP <= KINDS.keys()


def test_every_reply_in_json_has_an_example() -> None:
    replies = [
        (name, kind, content)
        for name, one in operations(json.loads(made())).items()
        for status, reply in one["responses"].items()
        for kind, content in reply.get("content", {}).items()
        # Pages, tables, drawings and streams are texts.
        if status.startswith("2") and content["schema"].get("type") != "string"
    ]
    assert {"application/json", "application/vc"} <= {kind for _, kind, _ in replies}
    assert [(name, kind) for name, kind, content in replies if "example" not in content] == []


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_an_example_of_a_reply_has_the_shape_that_it_is_an_example_of(name: str) -> None:
    one: Operation = OPERATIONS[name]
    for status, shape in one.gives.items():
        if shape is not None:
            assert msgspec.to_builtins(msgspec.convert(one.example(status), shape)) == one.example(status)


@pytest.mark.parametrize("name", WITH_BODIES)
def test_an_example_of_a_body_has_the_shape_that_it_is_an_example_of(name: str) -> None:
    one: Operation = OPERATIONS[name]
    assert one.sent is not None
    assert msgspec.to_builtins(msgspec.convert(one.sent, one.takes)) == one.sent


def test_the_page_of_the_contract_names_every_operation_and_loads_nothing(sqlite_site: Site) -> None:
    reply = sqlite_site.client().get(f"{sqlite_site.url}/api/docs")
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert all(f'id="{name}"' in reply.text for name in OPERATIONS)
    assert not re.findall(r"<script|<link|<img|url\(|@import|src=", reply.text)
    assert "default-src 'none'" in reply.headers["content-security-policy"]


def test_the_type_of_a_problem_is_an_address(sqlite_site: Site) -> None:
    client = sqlite_site.client()
    for code, kind in KINDS.items():
        reply = client.get(f"{sqlite_site.url}/problems/{code}")
        assert reply.status_code == 200
        assert kind.title in unescape(reply.text)
        assert re.search(r"<h1>.+</h1><p>[A-Z].+\. The problem's", reply.text), f"{code} says what to do"


def test_who_goes_to_an_address_that_there_is_not_reads_a_page_and_a_program_a_problem(sqlite_site: Site) -> None:
    client, html = sqlite_site.client(), {"Accept": "text/html,*/*"}
    page = client.get(f"{sqlite_site.url}/nowhere", headers=html)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert 'href="/"' in page.text
    for path, headers in (("/nowhere", {}), ("/api/v1/nowhere", html)):
        assert client.get(f"{sqlite_site.url}{path}", headers=headers).json()["type"] == "/problems/not-found"


def test_a_problem_that_there_is_not_has_no_page(sqlite_site: Site) -> None:
    assert sqlite_site.client().get(f"{sqlite_site.url}/problems/none").status_code == 404
