"""What an operator sees: how the server stands, audits, backfills, imports, and who may do what."""

import json
import time

import pytest
from playwright.sync_api import APIResponse, BrowserContext, FilePayload, Locator, Page, Route, expect

from headway.cli.demo import PASSWORD
from headway.domain.times import SECOND
from headway.ledger import auditing, importing
from headway.ledger.accounts import empower
from headway.store.database import Database
from tests.torture.server import Server
from tests.web.conftest import Open, signed_in
from tests.web.looks import faults_of

pytestmark = pytest.mark.long

EMAIL = "operator@headway.example"
OF_SEVEN = [
    {"exercise_id": "loops", "score": 85, "timestamp": "2024-03-01"},
    {"exercise_id": "loops", "is_correct": True},
    {"exercise_id": "loops", "score": "none", "timestamp": "2024-03-02"},
]


@pytest.fixture
def operator(opened: Open, server: Server) -> BrowserContext:
    database = Database(server.database)
    empower(database, EMAIL, PASSWORD, "admin", now=time.time_ns() // 1000)
    database.close()
    return signed_in(opened(reduced_motion="reduce", viewport={"width": 1440, "height": 900}), EMAIL)


@pytest.mark.timeout(300)
def test_every_page_of_an_operator_is_accessible_and_fits(operator: BrowserContext) -> None:
    addresses = ("/operate", "/operate/learners", "/operate/imports")
    assert faults_of(operator.new_page(), "operator", addresses) == {}


def test_an_audit_runs_and_a_backfill_says_what_it_would_change(operator: BrowserContext) -> None:
    page = operator.new_page()
    page.goto("/operate")
    page.get_by_role("button", name="Start an audit").click()
    expect(page.get_by_text("Every figure is what the ledger says")).to_be_visible(timeout=60_000)
    page.get_by_role("region", name="Backfill").get_by_role("button", name="See what it would change").click()
    expect(page.get_by_role("region", name="Backfill").get_by_role("status")).to_be_visible(timeout=60_000)


def test_who_starts_an_audit_at_once_sees_it(operator: BrowserContext) -> None:
    page = operator.new_page()
    before: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/admin/system", lambda route: before.append((route, route.fetch())))
    page.goto("/operate")
    page.get_by_role("button", name="Start an audit").click()
    audited = page.get_by_text("Every figure is what the ledger says")
    expect(audited).to_be_visible(timeout=60_000)
    # What was asked before it began is answered now, and knows nothing of it.
    for route, response in before:
        route.fulfill(response=response)
    expect(page.get_by_role("term").first).to_be_visible()
    expect(audited).to_be_visible()


def test_an_audit_whose_process_ended_is_told_so_and_another_can_be_started(
    operator: BrowserContext, server: Server
) -> None:
    database = Database(server.database)
    auditing.begin(database, now=time.time_ns() // 1000 - auditing.LOST_AFTER - SECOND)
    database.close()
    page = operator.new_page()
    page.goto("/operate")
    expect(page.get_by_text("The audit broke off")).to_be_visible()
    page.get_by_role("button", name="Start an audit").click()
    expect(page.get_by_text("Every figure is what the ledger says")).to_be_visible(timeout=60_000)


def test_roles_are_given_and_shown(operator: BrowserContext) -> None:
    page = operator.new_page()
    page.goto("/operate/learners")
    page.get_by_label("Name, address or id").fill(EMAIL)
    page.get_by_label("Name, address or id").press("Enter")
    group = page.get_by_role("group", name=f"Roles of {EMAIL}")
    expect(group.get_by_label("Admin")).to_be_checked()
    group.get_by_label("Creator").check()
    group.get_by_role("button", name="Save roles").click()
    expect(page.get_by_text("Roles saved.")).to_be_visible()
    me = operator.request.get("/api/v1/auth/me").json()
    assert set(me["learner"]["roles"]) == {"admin", "creator"}


def file(name: str, content: object) -> FilePayload:
    return {"name": name, "mimeType": "application/json", "buffer": json.dumps(content).encode()}


def figure(page: Page, name: str) -> Locator:
    """A figure of the report that is shown."""
    return page.locator("dl > div").filter(has=page.get_by_text(name, exact=True)).locator("dd").first


def test_files_are_tried_then_imported_and_it_is_told_what_became_of_them(operator: BrowserContext) -> None:
    page = operator.new_page()
    page.goto("/operate/imports")
    expect(page.get_by_text("Nothing was imported yet")).to_be_visible()
    chosen, tried = page.get_by_label("Files"), page.get_by_role("button", name="See what it would do")
    chosen.set_input_files([file("attempts 7.json", [])])
    expect(page.get_by_role("listitem").filter(has_text="attempts 7.json")).to_contain_text("hyphens")
    expect(tried).to_be_disabled()
    chosen.set_input_files([file("attempts_user_7.json", OF_SEVEN), file("streaks.json", {"7": 9})])
    tried.click()
    expect(page.get_by_role("heading", name="What it would come to")).to_be_visible()
    for name, count in {"Read": 4, "To be recorded": 2, "Streaks kept": 1, "Refused": 1, "Doubted": 1}.items():
        expect(figure(page, name)).to_have_text(str(count))
    refused = page.get_by_role("region", name="Refused").get_by_role("row").last
    expect(refused).to_contain_text("attempts_user_7.json")
    # The file is all one line.
    expect(page.get_by_role("region", name="Refused").get_by_role("columnheader").nth(2)).to_have_text("Record")
    expect(refused.get_by_role("cell").nth(2)).to_have_text("3")
    assert operator.request.get("/api/v1/progress?learner=user_7").json()["attempts"] == 0
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("heading", name="What it came to")).to_be_visible()
    expect(figure(page, "Recorded")).to_have_text("2")
    assert operator.request.get("/api/v1/progress?learner=user_7").json()["attempts"] == 2
    # The address names it; what files were called is known to nobody but who sent them.
    page.reload()
    expect(figure(page, "Recorded")).to_have_text("2")
    expect(page.get_by_role("region", name="Refused").get_by_role("row").last).to_contain_text("File 1")
    past = page.get_by_role("region", name="Imports so far", exact=True).get_by_role("row")
    expect(past.nth(2)).to_contain_text("Trial")
    past.nth(2).get_by_role("button").press("Enter")
    expect(figure(page, "To be recorded")).to_have_text("2")
    # The button is gone: what it shows has the focus.
    expect(page.locator(":focus")).to_contain_text("What it would come to")


def test_an_import_under_way_is_followed_to_its_end(operator: BrowserContext, server: Server) -> None:
    database = Database(server.database)
    now = time.time_ns() // 1000
    begun = importing.begin(database, 1000, now=now)["id"]
    importing.note(database, begun, 250, now=now)
    page = operator.new_page()
    page.goto("/operate/imports")
    expect(page.get_by_role("progressbar", name="How far the import is")).to_have_attribute("aria-valuenow", "25")
    page.get_by_label("Files").set_input_files([file("attempts_8.json", OF_SEVEN)])
    expect(page.get_by_role("button", name="See what it would do")).to_be_disabled()
    importing.end(database, begun, ("stopped", 250), None, now=now + 1)
    database.close()
    expect(page.get_by_text("What was recorded before stays.")).to_be_visible()
    expect(page.get_by_role("button", name="See what it would do")).to_be_enabled()


def test_nobody_else_sees_it(opened: Open) -> None:
    page = signed_in(opened()).new_page()
    page.goto("/operate")
    expect(page.get_by_text("This is for admins")).to_be_visible()
