"""Certificates over HTTP: page, JSON, PDF, credential, status, issuer. Whoever has the id reads; nobody else finds."""

import asyncio
import json
import threading
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from pypdf import PdfReader

from headway.domain.errors import Busy
from headway.http import certificates, services
from headway.http.services import Services
from headway.ledger.signing_keys import next_key, retire
from headway.settings import Settings
from headway.store import signing_keys
from tests.certificates.test_credential import check
from tests.certificates.test_verifier import CONTEXTS, judged
from tests.http.server import COURSE, Site, serving

ADDRESS = "https://learn.example.org"
SHORT: dict[str, Any] = {
    **COURSE,
    "certificate": True,
    "modules": [
        {
            "id": "loops",
            "title": "Loops",
            "complete_by": "steps",
            "steps": [{"id": "for-1", "kind": "lesson", "title": "For loops"}],
        }
    ],
}
REASON = "The final was <b>somebody else's</b>."
UNKNOWN = "0b5d7e9a-1c2d-4e3f-8a4b-5c6d7e8f9a0b"  # of no certificate; one made up anew names other tests in each worker


class Certified:
    """A site where Ada completed a course of its creator's."""

    def __init__(self, site: Site, name: str | None = "Ada Lovelace") -> None:
        self.site = site
        self.creator = site.person("creator@example.org", "creator")
        assert self.creator.put("/courses/python-basics", json=SHORT).status_code == 201
        self.ada = site.person("ada@example.org")
        if name is not None:
            self.ada.patch("/auth/me", json={"display_name": name})
        self.id = self.completed()
        self.anyone = site.client()

    def completed(self) -> str:
        reply = self.ada.post("/courses/python-basics/steps/for-1/completion", json={"score": 0.875})
        return next(str(one["certificate"]) for one in reply.json()["changes"] if one["type"] == "certificate_issued")

    def get(self, what: str = "", **headers: str) -> httpx2.Response:
        return self.anyone.get(f"/certificates/{self.id}{what}", headers=headers)

    def page(self, certificate_id: str | None = None) -> httpx2.Response:
        return self.anyone.get(f"{self.site.url}/certificates/{certificate_id or self.id}")

    def issuer(self) -> httpx2.Response:
        return self.anyone.get(f"{self.site.url}/issuer")

    def revoke(self, client: httpx2.Client, reason: Any = REASON) -> httpx2.Response:
        return client.post(f"/certificates/{self.id}/revocation", json={"reason": reason})


@pytest.fixture
def certified(database_url: str) -> Iterator[Certified]:
    with serving(database_url, public_url=ADDRESS + "/", issuer_name="Learn & Co") as site:
        yield Certified(site)


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[Certified]:
    with serving(sqlite_url, public_url=ADDRESS) as site:
        yield Certified(site)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Certified]:
    """One for all tests that leave the certificate as it is."""
    with serving(f"sqlite:///{tmp_path_factory.mktemp('shared') / 'headway.db'}", public_url=ADDRESS) as site:
        yield Certified(site)


def test_whoever_has_the_id_reads_what_it_certifies(certified: Certified) -> None:
    reply = certified.get()
    address = f"{ADDRESS}/api/v1/certificates/{certified.id}"
    told = reply.json()
    assert told == {
        "id": certified.id,
        "learner_name": "Ada Lovelace",
        "course": "python-basics",
        "title": "Python basics",
        "run": 1,
        "score_percent": 87.5,
        "issued_at": told["issued_at"],
        "revoked_at": None,
        "revoked_reason": None,
        "url": f"{ADDRESS}/certificates/{certified.id}",
        "pdf_url": f"{address}/pdf",
        "credential_url": f"{address}/credential",
    }
    assert reply.headers["access-control-allow-origin"] == "*"
    assert certified.ada.get("/certificates").json() == {"items": [told], "next_cursor": None}
    assert certified.anyone.get("/certificates").json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize("what", ["", "/pdf", "/credential", "/status"])
def test_an_id_may_be_typed_in_capitals(shared: Certified, what: str) -> None:
    reply = shared.anyone.get(f"/certificates/{shared.id.upper()}{what}")
    assert (reply.status_code, reply.content) == (200, shared.get(what).content)


def test_nothing_of_the_learner_but_the_name_is_told(certified: Certified) -> None:
    me = certified.ada.get("/auth/me").json()["learner"]
    for reply in (certified.get(), certified.get("/credential"), certified.get("/status"), certified.page()):
        assert reply.status_code == 200
        assert me["id"] not in reply.text
        assert "ada@" not in reply.text


@pytest.mark.parametrize("what", ["", "/pdf", "/credential", "/status"])
@pytest.mark.parametrize("asked", [UNKNOWN, "x", "0" * 36, "%00", "..%2f", "A" * 300])
def test_one_that_is_not_there_is_404(shared: Certified, what: str, asked: str) -> None:
    reply = shared.anyone.get(f"/certificates/{asked}{what}")
    assert reply.status_code == (400 if asked == "%00" else 404)


def test_the_own_ones_are_paged(on_sqlite: Certified) -> None:
    for number in range(3):
        manifest = SHORT | {"id": f"more-{number}"}
        assert on_sqlite.creator.put(f"/courses/more-{number}", json=manifest).status_code == 201
        on_sqlite.ada.post(f"/courses/more-{number}/steps/for-1/completion")
    whole = on_sqlite.ada.get("/certificates").json()["items"]
    assert [one["course"] for one in whole] == ["more-2", "more-1", "more-0", "python-basics"]
    first = on_sqlite.ada.get("/certificates", params={"limit": 3}).json()
    rest = on_sqlite.ada.get("/certificates", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [*first["items"], *rest["items"]] == whole
    assert rest["next_cursor"] is None
    assert on_sqlite.ada.get("/certificates", params={"cursor": "x"}).status_code == 400


def test_the_credential_verifies_with_what_the_issuer_says_of_its_keys(certified: Certified) -> None:
    reply = certified.get("/credential")
    assert reply.headers["content-type"] == "application/vc"
    credential, issuer, status = reply.json(), certified.issuer(), certified.get("/status").json()
    assert issuer.headers["content-type"] == "application/ld+json"
    assert credential["issuer"]["name"] == "Learn & Co"
    assert (credential["issuer"]["id"], issuer.json()["id"]) == (f"{ADDRESS}/issuer", f"{ADDRESS}/issuer")
    assert credential["credentialStatus"]["statusListCredential"] == status["id"]
    check(credential, issuer.json())
    check(status, issuer.json())
    assert certified.get("/credential").content == reply.content


def test_a_verifier_that_others_wrote_takes_what_the_server_gives(certified: Certified) -> None:
    def documents() -> dict[str, Any]:
        given = [certified.issuer().json(), certified.get("/status").json()]
        return CONTEXTS | {one["id"]: one for one in given}

    credential = certified.get("/credential").json()
    before = {"documents": documents(), "credential": credential}
    assert certified.revoke(certified.creator).status_code == 200
    after = {"documents": documents(), "credential": credential}
    assert [one.is_taken for one in judged([before, after])] == [True, False]


def test_after_a_new_key_old_credentials_and_new_ones_verify(certified: Certified) -> None:
    old = certified.get("/credential").json()
    database = certified.site.database
    next_key(database, None, now=2_000_000_000_000_000)
    new = certified.get("/credential").json()
    assert new["proof"]["verificationMethod"] != old["proof"]["verificationMethod"]
    check(old, certified.issuer().json())
    check(new, certified.issuer().json())
    retire(database, old["proof"]["verificationMethod"].partition("#")[2], now=2_000_000_001_000_000)
    check(new, certified.issuer().json())
    with pytest.raises(AssertionError, match="speaks for nobody"):
        check(old, certified.issuer().json())


def test_many_who_ask_for_the_first_credential_at_once_get_the_same(certified: Certified) -> None:
    together, told = threading.Barrier(8), []

    def ask() -> None:
        together.wait()
        told.append(certified.get("/credential"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {reply.status_code for reply in told} == {200}
    assert len({reply.content for reply in told}) == 1
    with certified.site.database.read() as connection:
        assert len(signing_keys.listed(connection)) == 1


def test_a_sealed_key_signs_with_its_secret_and_says_what_is_wrong_without(sqlite_url: str) -> None:
    with serving(sqlite_url, public_url=ADDRESS, signing_secret="a secret that is long enough") as site:
        certified = Certified(site)
        certificate_id, given = certified.id, certified.get("/credential").json()
        check(given, certified.issuer().json())
    with serving(sqlite_url, public_url=ADDRESS, signing_secret="another secret of some length") as site:
        reply = site.client().get(f"/certificates/{certificate_id}/credential")
        assert (reply.status_code, reply.json()["type"]) == (503, "/problems/signing-key-sealed")
        assert "secret that" not in reply.text
        assert site.client().get(f"/certificates/{certificate_id}/pdf").status_code == 200
        check(given, site.client().get(f"{site.url}/issuer").json())


def test_no_credential_says_that_it_is_whoevers_a_header_names(sqlite_url: str) -> None:
    with serving(sqlite_url) as site:
        certified = Certified(site)
        for what in ("/credential", "/status"):
            reply = certified.get(what, host="elsewhere.example.org")
            assert (reply.status_code, reply.json()["type"]) == (503, "/problems/no-public-url")
        assert certified.anyone.get(f"{site.url}/issuer", headers={"host": "elsewhere.example.org"}).status_code == 503
        with site.database.read() as connection:
            assert signing_keys.listed(connection) == []
        # On this machine itself there is nothing to set up.
        check(certified.get("/credential").json(), certified.issuer().json())
        assert certified.issuer().json()["id"] == f"{site.url}/issuer"


def test_the_creator_revokes_and_everything_says_so(certified: Certified) -> None:
    credential = certified.get("/credential").json()
    reply = certified.revoke(certified.creator)
    assert reply.status_code == 200
    told = certified.get().json()
    assert reply.json() == told
    assert (told["revoked_reason"], told["revoked_at"] is not None) == (REASON, True)
    refused = certified.get("/credential")
    assert (refused.status_code, refused.json()["type"]) == (410, "/problems/certificate-revoked")
    status = certified.get("/status").json()
    check(status, certified.issuer().json())
    assert status["credentialSubject"]["encodedList"] != credential
    assert "REVOKED" in PdfReader(BytesIO(certified.get("/pdf").content)).pages[0].extract_text()
    page = certified.page().text
    assert "Revoked" in page
    assert "<b>somebody" not in page
    assert REASON in unescape(page)
    assert "/credential" not in page
    again = certified.revoke(certified.creator, "another reason")
    assert (again.status_code, again.json()) == (200, told)


def test_only_the_courses_creator_and_admins_revoke(certified: Certified) -> None:
    site, missing = certified.site, str(uuid4())
    others = [certified.ada, site.person("eve@example.org", "creator"), site.guest()]
    for client in others:
        theirs = certified.revoke(client)
        absent = client.post(f"/certificates/{missing}/revocation", json={"reason": REASON})
        assert (theirs.status_code, absent.status_code) == (404, 404)
        assert theirs.json() | {"request_id": ""} == absent.json() | {"request_id": ""}
    assert certified.revoke(site.client()).status_code == 401
    assert certified.get().json()["revoked_at"] is None
    assert certified.revoke(site.person("admin@example.org", "admin")).status_code == 200


@pytest.mark.parametrize("reason", [None, "", "  ", 1, "x" * 501, "a\nb", "a\x00b", ["x"]])
def test_a_reason_that_is_none_is_refused(shared: Certified, reason: Any) -> None:
    reply = shared.revoke(shared.creator, reason)
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["field"] == "reason"
    assert shared.get().json()["revoked_at"] is None


@pytest.mark.parametrize("what", ["", "/pdf", "/credential", "/status"])
def test_a_client_that_has_it_is_told_304_until_something_changes(on_sqlite: Certified, what: str) -> None:
    first = on_sqlite.get(what)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    again = on_sqlite.get(what, **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    on_sqlite.revoke(on_sqlite.creator)
    changed = on_sqlite.get(what, **{"if-none-match": tag})
    assert changed.status_code == (410 if what == "/credential" else 200)


def test_a_pdf_that_the_client_has_is_not_made_again(shared: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = shared.get("/pdf").headers["etag"]
    monkeypatch.setattr(certificates, "certificate_pdf", lambda *_: pytest.fail("made again"))
    assert shared.get("/pdf", **{"if-none-match": tag}).status_code == 304


def test_the_pdf_is_one_and_is_called_after_its_certificate(certified: Certified) -> None:
    reply = certified.get("/pdf")
    assert reply.headers["content-type"] == "application/pdf"
    assert certified.id in reply.headers["content-disposition"]
    told = PdfReader(BytesIO(reply.content)).pages[0].extract_text()
    assert "Ada Lovelace" in told
    assert f"{ADDRESS}/certificates/{certified.id}" in told
    assert certified.anyone.head(f"/certificates/{certified.id}/pdf").status_code == 200


def test_a_page_tells_it_and_runs_and_loads_nothing(certified: Certified) -> None:
    reply = certified.page()
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["x-robots-tag"] == "noindex"
    told = unescape(reply.text)
    for one in ("Ada Lovelace", "Python basics", "87.5 %", "Valid certificate", "Learn & Co", certified.id):
        assert one in told
    assert f'href="{ADDRESS}/api/v1/certificates/{certified.id}/pdf"' in told
    assert f'href="{ADDRESS}/api/v1/certificates/{certified.id}/credential"' in told
    assert "<script" not in told
    assert "src=" not in told


@pytest.mark.parametrize("asked", [UNKNOWN, "x", "%3Cscript%3E", "0" * 40])
def test_a_page_of_none_is_a_page_and_404(shared: Certified, asked: str) -> None:
    reply = shared.page(asked)
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such certificate" in reply.text
    assert "<script>" not in reply.text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '" onload="x', "&lt;b&gt;", "דוד", "山田 🚀"])
def test_any_name_is_text_on_the_page(shared: Certified, name: str) -> None:
    assert shared.ada.patch("/auth/me", json={"display_name": name}).status_code == 200
    page = shared.page().text
    assert "<script" not in page
    assert 'onload="' not in page
    assert name in unescape(page)
    assert shared.get("/pdf").status_code == 200
    assert shared.get("/credential").status_code == 200
    assert shared.get().json()["learner_name"] == name


def test_whoever_has_no_name_has_a_certificate_all_the_same(sqlite_url: str) -> None:
    with serving(sqlite_url, public_url=ADDRESS) as site:
        certified = Certified(site, None)
        assert "A learner without a name" in certified.page().text
        assert certified.get("/pdf").status_code == 200
        assert "identifier" not in certified.get("/credential").json()["credentialSubject"]
        assert certified.get().json()["learner_name"] is None


def test_after_erasing_nothing_of_it_is_found(certified: Certified) -> None:
    from tests.http.server import PASSWORD

    certified.get("/credential")
    reply = certified.ada.request("DELETE", "/auth/me", json={"password": PASSWORD})
    assert reply.status_code == 204, reply.text
    for what in ("", "/pdf", "/credential", "/status"):
        assert certified.get(what).status_code == 404
    assert certified.page().status_code == 404


def test_pages_are_made_in_threads_and_no_more_wait_than_may() -> None:
    async def ask() -> tuple[list[Any], int]:
        one = Services(Settings(database_url="sqlite:///none.db"))
        go, busy, at_once, most = threading.Event(), threading.Event(), [0], [0]

        def work() -> str:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            if most[0] == services.RENDERING_AT_ONCE:
                busy.set()
            go.wait(20)
            at_once[0] -= 1
            return "made"

        count = services.RENDERING_AT_ONCE + services.RENDERING_MAX + 3
        tasks = [asyncio.create_task(one.render(work)) for _ in range(count)]
        # The loop goes on meanwhile: it tells who is refused before anything is made.
        for task in tasks[-3:]:
            await asyncio.wait([task], timeout=20)
            assert task.done()
        assert await asyncio.to_thread(busy.wait, 20)  # a machine that is busy itself takes its time to start threads
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True), most[0]

    told, most = asyncio.run(ask())
    assert most == services.RENDERING_AT_ONCE
    assert sum(isinstance(one, Busy) for one in told) == 3
    assert told.count("made") == services.RENDERING_AT_ONCE + services.RENDERING_MAX


def test_the_contract_tells_what_each_gives(shared: Certified) -> None:
    document = json.loads(shared.anyone.get(f"{shared.site.url}/api/openapi.json").text)
    paths = document["paths"]
    kinds = {
        what: list(paths["/api/v1/certificates/{certificate}" + what]["get"]["responses"]["200"]["content"])
        for what in ("", "/pdf", "/credential", "/status")
    }
    for what, kind in kinds.items():
        assert shared.get(what).headers["content-type"] == kind[0]
