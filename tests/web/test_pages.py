"""How the web app's document and files are served, and what they are made of."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from headway.http import app_pages
from headway.http.app_pages import BUILT, POLICY, ROUTES
from tests.http.server import Site, serving
from tests.web.conftest import sources

ROUTE = re.compile(r'^  "(/[^"]*)": \(\) => import', re.MULTILINE)
ADDRESS = re.compile(r"://|\b(?:https?|git|ssh)\b")
# What may be in the pages, and beside that what tools may be under, none of which is given on.
GIVEN_ON = {"MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "0BSD"}
OF_TOOLS = GIVEN_ON | {"MPL-2.0", "BlueOak-1.0.0", "Python-2.0", "(MIT OR CC0-1.0)"}
# Its package.json forgets to say so; its LICENSE is the MIT licence.
UNSAID = {"svelte-toolbelt"}


@pytest.fixture
def site(sqlite_url: str) -> Iterator[Site]:
    with serving(sqlite_url) as started:
        yield started


@contextmanager
def browser(site: Site) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=site.url) as client:
        yield client


def test_the_server_has_the_addresses_that_the_app_has() -> None:
    of_app = ROUTE.findall(sources("app", "src", "routes.ts").read_text())
    assert [re.sub(r"\{(\w+):str\}", r":\1", one) for one in ROUTES] == of_app


def test_every_address_of_the_app_opens_by_itself_and_others_are_not_there(site: Site, pages: None) -> None:
    with browser(site) as client:
        for route in ROUTES:
            got = client.get(re.sub(r"\{\w+:str\}", "some-name", route))
            assert got.status_code == 200, route
            assert got.headers["content-type"] == "text/html; charset=utf-8"
            assert got.headers["content-security-policy"] == POLICY
            assert got.headers["cache-control"] == "no-cache"
            assert '<div id="app"></div>' in got.text
        for path in ("/nowhere", "/courses/a/b", "/assets/nothing.js", "/assets/..%2fpages.py", "/api/v1/nowhere"):
            assert client.get(path).status_code == 404, path
        assert client.get("/", headers={"if-none-match": client.get("/").headers["etag"]}).status_code == 304


def test_no_script_is_written_into_the_document(pages: None) -> None:
    document = (BUILT / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", document)
    assert "unsafe" not in POLICY


def test_files_are_kept_for_good_where_their_names_change_and_come_compressed(site: Site, pages: None) -> None:
    (script,) = re.findall(r'type="module"[^>]*src="(/assets/[^"]+)"', (BUILT / "index.html").read_text())
    with browser(site) as client:
        for coding in ("br", "gzip"):
            got = client.get(script, headers={"accept-encoding": coding})
            assert got.headers["content-encoding"] == coding
            assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert got.headers["vary"] == "Accept-Encoding"
        plain = client.get(script, headers={"accept-encoding": "identity, gzip;q=0"})
        assert "content-encoding" not in plain.headers
        assert "immutable" not in client.get("/assets/theme.js").headers["cache-control"]


def test_the_first_load_of_a_learners_page_is_less_than_120_kilobytes_of_script(pages: None) -> None:
    # The whole of what every page shares, and the largest page beside it.
    sizes = {path.name: path.stat().st_size for path in (BUILT / "assets").glob("*.js.br")}
    shared = sum(size for name, size in sizes.items() if not name[0].isupper())
    assert shared + max(size for name, size in sizes.items() if name[0].isupper()) < 120_000


def test_a_server_without_built_pages_says_how_to_build_them(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_pages, "BUILT", tmp_path)
    with browser(site) as client:
        got = client.get("/")
        assert got.status_code == 200
        assert "make pages" in got.text
        assert client.get("/assets/theme.js").status_code == 404
        assert client.get("/health/ready").status_code == 200


def test_the_lock_of_npm_names_no_address() -> None:
    packages = json.loads(sources("package-lock.json").read_text())["packages"]
    assert len(packages) > 100
    for name, one in packages.items():
        resolved = str(one.get("resolved", ""))
        assert not ADDRESS.search(resolved), name
        assert "node_modules" not in name or one.get("link") or one["integrity"].startswith("sha512-"), name


def test_every_package_of_npm_has_a_licence_that_fits() -> None:
    packages = json.loads(sources("package-lock.json").read_text())["packages"]
    manifest = json.loads(sources("package.json").read_text())
    for path, one in packages.items():
        name = path.rpartition("node_modules/")[2]
        if not name or one.get("link") or "node_modules" not in path:
            continue
        allowed = OF_TOOLS if one.get("dev") else GIVEN_ON
        assert one.get("license") in allowed or name in UNSAID, f"{name}: {one.get('license')}"
    assert manifest["license"] == "Apache-2.0"
