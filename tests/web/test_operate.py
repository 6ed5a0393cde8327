"""What an operator sees: how the server stands, an audit, what a backfill would change, and who may do what."""

import time

import pytest
from playwright.sync_api import BrowserContext, expect

from headway.cli.demo import PASSWORD
from headway.ledger.accounts import empower
from headway.store.database import Database
from tests.torture.server import Server
from tests.web.conftest import Open, signed_in
from tests.web.test_looks import SCREENSHOTS, faults, picture, settled

pytestmark = pytest.mark.long

EMAIL = "operator@headway.example"


@pytest.fixture
def operator(opened: Open, server: Server) -> BrowserContext:
    database = Database(server.database)
    empower(database, EMAIL, PASSWORD, "admin", now=time.time_ns() // 1000)
    database.close()
    return signed_in(opened(reduced_motion="reduce", viewport={"width": 1440, "height": 900}), EMAIL)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_an_operator_is_accessible_and_fits(operator: BrowserContext, theme: str) -> None:
    page = operator.new_page()
    page.emulate_media(color_scheme="light" if theme == "light" else "dark")
    for address in ("/operate", "/operate/learners"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        settled(page)
        name = address.strip("/").replace("/", "-")
        picture(page, SCREENSHOTS / "operator", f"{name}-1440-{theme}")
        assert faults(page) == []
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), width
        picture(page, SCREENSHOTS / "operator", f"{name}-320-{theme}")


def test_an_audit_runs_and_a_backfill_says_what_it_would_change(operator: BrowserContext) -> None:
    page = operator.new_page()
    page.goto("/operate")
    page.get_by_role("button", name="Start an audit").click()
    expect(page.get_by_text("Every figure is what the ledger says")).to_be_visible(timeout=60_000)
    page.get_by_role("region", name="Backfill").get_by_role("button", name="See what it would change").click()
    expect(page.get_by_role("region", name="Backfill").get_by_role("status")).to_be_visible(timeout=60_000)


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


def test_nobody_else_sees_it(opened: Open) -> None:
    page = signed_in(opened()).new_page()
    page.goto("/operate")
    expect(page.get_by_text("This is for admins")).to_be_visible()
