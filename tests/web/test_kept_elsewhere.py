"""What a browser keeps is lost, shared, or met by a strange network: nothing is forgotten, or goes to somebody else."""

from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

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
    become_another(context)
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
    with page.expect_response("**/api/v1/events"):
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


def become_another(context: BrowserContext) -> None:
    """Have somebody else sign in, by pages of the server's own, which tell no other page of it."""
    assert context.request.post(LOGOUT).ok
    assert context.request.post(REGISTER, data=somebody()).ok


def test_a_page_that_is_told_of_a_sign_in_sends_nothing_before_it_knows_whose(opened: Open) -> None:
    context = opened()
    assert context.request.post(REGISTER, data=somebody()).ok
    page = context.new_page()
    page.goto(at(LESSON))
    button = page.get_by_role("button", name="I have read it")
    button.wait_for()
    become_another(context)
    page.route("**/auth/me", lambda route: route.abort())
    page.evaluate("new BroadcastChannel('headway-outbox').postMessage({ type: 'identity' })")
    page.wait_for_timeout(500)
    # By no click of a mouse: a page that is looked at again asks by itself.
    button.evaluate("(one) => one.click()")
    page.wait_for_timeout(1_500)
    expect(standing(page)).to_have_text("Saved on this device")
    assert events(context) == []


def test_a_page_that_is_told_late_who_is_here_tells_the_others(opened: Open) -> None:
    context = opened()
    assert context.request.post(REGISTER, data=somebody()).ok
    page = context.new_page()
    page.goto(at(LESSON))
    page.get_by_role("button", name="I have read it").wait_for()
    become_another(context)
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    other = context.new_page()
    other.route("**/auth/me", hold, times=1)
    other.goto(COURSE)
    other.wait_for_timeout(4_000)
    assert late
    with page.expect_request("**/auth/me"):
        late[0].continue_()


def test_what_somebody_else_left_keeps_nothing_waiting(opened: Open) -> None:
    context, left = unsent(opened)
    left.close()
    become_another(context)
    page = context.new_page()
    page.goto(at("where-am-i"))
    button = page.get_by_role("button", name="I have read it")
    button.wait_for()
    page.route("**/auth/me", lambda route: route.fulfill(status=500))
    with page.expect_response("**/api/v1/events"):
        button.evaluate("(one) => one.click()")
    assert [one["step"] for one in events(context)] == ["where-am-i"]


def test_the_way_back_leads_to_nobody_who_has_signed_out(opened: Open) -> None:
    context = opened()
    assert context.request.post(REGISTER, data=somebody()).ok
    page = context.new_page()
    for address in ("/settings/security", "/"):
        page.goto(address)
        page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_text("No account needed")).to_be_visible()
    for _ in range(2):
        page.go_back()
        page.wait_for_load_state("networkidle")
    expect(page.get_by_text("Nothing is recorded of you yet")).to_be_visible()
    expect(page.get_by_text("Change password")).to_have_count(0)
