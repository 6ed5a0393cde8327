"""What a first visit loads: all of it is named in the document, so that nothing waits for a script to ask for it."""

import re
from urllib.parse import urlsplit

import pytest

from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL
from tests.torture.server import Server
from tests.web.conftest import Open, signed_in
from tests.web.looks import settled

pytestmark = pytest.mark.long

API = "/api/v1"
ME = f"{API}/auth/me"
COURSE = f"{API}/courses/shell-and-git"
PROGRESS = f"{API}/progress"
REPORT = f"{API}/creator/courses/shell-and-git/report"
ROSTER = f"{API}/creator/courses/shell-and-git/learners"
BEHIND = {f"{API}/notifications", f"{API}/stream"}


@pytest.mark.parametrize(
    ("who", "address", "shown"),
    [
        (LEARNER_EMAIL, "/", [PROGRESS, f"{PROGRESS}/streak"]),
        (LEARNER_EMAIL, "/courses/shell-and-git", [COURSE, f"{PROGRESS}/courses/shell-and-git"]),
        (LEARNER_EMAIL, "/courses/shell-and-git/steps/one-folder-up", [COURSE, f"{PROGRESS}/courses/shell-and-git"]),
        (CREATOR_EMAIL, "/teach/shell-and-git", [REPORT]),
    ],
)
def test_the_document_names_all_that_its_page_runs_and_shows_first(
    opened: Open, who: str, address: str, shown: list[str]
) -> None:
    page = signed_in(opened(service_workers="block"), who).new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(urlsplit(one.url).path))
    document = page.goto(address)
    assert document is not None
    settled(page)
    named = set(re.findall(r'(?:src|href)="(/assets/[^"]+\.(?:js|css))"', document.text()))
    assert {one for one in asked if one.endswith((".js", ".css"))} == named
    # Asked before any script has run, and not again by the scripts.
    run = min(place for place, one in enumerate(asked) if one.endswith(".svg"))
    for one in [ME, *shown]:
        assert asked.count(one) == 1
        assert asked.index(one) < run
    if address.startswith("/teach"):
        page.get_by_role("table").last.wait_for()
        assert asked.count(ROSTER) == 1


def test_what_nobody_waits_for_comes_behind_what_is_shown(opened: Open) -> None:
    page = signed_in(opened()).new_page()
    asked: list[str] = []
    page.context.on("request", lambda one: asked.append(urlsplit(one.url).path))
    page.goto("/")
    page.evaluate("navigator.serviceWorker.ready")
    settled(page)
    first = min(asked.index(one) for one in (*BEHIND, "/worker.js"))
    read = {one for one in asked if one.startswith(API) and "/badges/" not in one} - BEHIND
    assert read > {PROGRESS, f"{PROGRESS}/achievements"}
    assert max(asked.index(one) for one in read) < first


def test_what_an_address_names_ends_nothing_in_the_document(server: Server, opened: Open) -> None:
    got = opened().request.get("/courses/%22%3E%3Cscript%3E%26%7B")
    assert 'href="/api/v1/courses/%22%3E%3Cscript%3E%26%7B"' in got.text()
