"""What a browser keeps is lost, shared, or met by a strange network: nothing is forgotten, or goes to somebody else."""

from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.web.conftest import Open
from tests.web.door import Door
from tests.web.test_kept import COURSE, LESSON, at, events, read_lesson, standing

pytestmark = pytest.mark.long

REGISTER, LOGOUT = "/api/v1/auth/register", "/api/v1/auth/logout"


def somebody() -> dict[str, str]:
    return {"email": f"{uuid4().hex}@example.org", "password": "one-step-at-a-time"}


def unsent(opened: Open) -> tuple[BrowserContext, Page]:
    """Somebody's page, which did something while nothing could be sent, and is still there."""
    context = opened()
    assert context.request.post(REGISTER, data=somebody()).ok
    page = context.new_page()
    page.goto(at(LESSON))
    page.route("**/api/v1/events", lambda route: route.abort())
    page.get_by_role("button", name="I have read it").click()
    expect(standing(page)).to_have_text("Saved on this device")
    return context, page


@pytest.mark.parametrize("is_told", [False, True])
def test_a_page_that_is_left_open_sends_nothing_as_whoever_signed_in_meanwhile(opened: Open, is_told: bool) -> None:
    context, page = unsent(opened)
    # By pages of the server's own, which tell no other page of it.
    assert context.request.post(LOGOUT).ok
    assert context.request.post(REGISTER, data=somebody()).ok
    page.unroute("**/api/v1/events")
    if is_told:
        context.new_page().goto(COURSE)
    else:
        page.evaluate("dispatchEvent(new Event('online'))")
    standing(page).click()
    expect(page.get_by_role("heading", name="Made by somebody else")).to_be_visible()
    assert events(context) == []


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_database_that_the_browser_closed_keeps_nothing_from_being_recorded(
    opened: Open, door: Door, is_gone: bool
) -> None:
    context = opened()
    page = context.new_page()
    read_lesson(page, LESSON)
    expect(standing(page)).to_have_text("Saved")
    if is_gone:
        page.evaluate("() => { IDBDatabase.prototype.transaction = () => { throw new DOMException('lost'); }; }")
    else:
        forget = {"origin": door.url, "storageTypes": "indexeddb"}
        context.new_cdp_session(page).send("Storage.clearDataForOrigin", forget)
    page.locator(f"a[href='{at('where-am-i')}']").first.click()
    page.get_by_role("button", name="I have read it").click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    expect(standing(page)).to_have_text("Saved")
    assert sorted(one["step"] for one in events(context)) == [LESSON, "where-am-i"]


def test_an_answer_of_nothing_is_none(opened: Open) -> None:
    context = opened()
    assert context.request.post(REGISTER, data=somebody()).ok
    page = context.new_page()
    page.goto(COURSE)
    expect(page.get_by_role("heading", name="Meet the shell")).to_be_visible()
    page.wait_for_timeout(1_000)  # until it is kept
    page.route("**/api/v1/**", lambda route: route.fulfill(status=204))
    page.reload()
    expect(page.get_by_role("heading", name="Meet the shell")).to_be_visible()
