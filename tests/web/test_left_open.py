"""A page that is left open: what it shows is of whoever is here now and of this day."""

from uuid import uuid4

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.web.conftest import Open
from tests.web.test_kept import LESSON, at, standing
from tests.web.test_kept_elsewhere import LOGOUT, REGISTER, become_another, somebody

pytestmark = pytest.mark.long

TELL = "new BroadcastChannel('headway-outbox').postMessage({ type: 'identity' })"
KEPT_OF = """(learner) => new Promise((done) => {
  const asked = indexedDB.open("headway");
  asked.onsuccess = () => {
    const found = asked.result.transaction("kept").objectStore("kept").getAllKeys();
    found.onsuccess = () => done(found.result.filter((key) => key.startsWith(learner)));
  };
})"""
# Nothing that was read is written before the page is left.
SLOW_TO_KEEP = """
const real = setTimeout;
window.setTimeout = (work, ms, ...given) => real(work, ms === 800 ? 600_000 : ms, ...given);
"""
# The answer to one look at the queue comes late, behind those to later ones.
LATE_ONCE = """
Object.defineProperty(IDBRequest.prototype, "onsuccess", {
  set(told) {
    const isLate = window.late && this.source?.name === "queue";
    if (isLate) window.late = false;
    this.addEventListener("success", (event) => (isLate ? setTimeout(told, 1500, event) : told(event)));
  },
});
"""


def account(opened: Open) -> tuple[BrowserContext, str]:
    """A browser with a new account, and whose it is."""
    context = opened()
    made = context.request.post(REGISTER, data=somebody())
    assert made.ok
    return context, str(made.json()["learner"]["id"])


def test_what_somebody_has_typed_is_gone_once_somebody_else_signs_in(opened: Open) -> None:
    context, _ = account(opened)
    page = context.new_page()
    page.goto("/settings/profile")
    page.get_by_label("Name on leaderboards").fill("Ada of the first account")
    become_another(context)
    page.evaluate(TELL)
    expect(page.get_by_label("Name on leaderboards")).to_have_value("")


def test_what_is_typed_stays_where_a_sign_in_ended_and_the_same_learner_comes_back(opened: Open) -> None:
    context, _ = account(opened)
    page = context.new_page()
    page.goto(at("where-am-i"))
    page.get_by_role("button", name="I have read it").wait_for()
    page.evaluate("document.querySelector('article').dataset.mark = 'same'")
    assert context.request.post(LOGOUT).ok
    with page.expect_response("**/progress/courses/*"):
        page.evaluate(TELL)
    expect(page.locator("article[data-mark]")).to_be_visible()


def test_what_was_read_of_somebody_is_not_shown_to_who_is_here_next_and_cannot_ask(opened: Open) -> None:
    context, _ = account(opened)
    assert context.request.post(f"/api/v1{at(LESSON)}/completion", data={"id": str(uuid4())}).ok
    page = context.new_page()
    page.goto("/courses")
    expect(page.get_by_role("heading", name="Yours")).to_be_visible()
    page.route("**/api/v1/progress", lambda route: route.abort())
    become_another(context)
    page.evaluate(TELL)
    expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    expect(page.get_by_role("heading", name="Yours")).to_have_count(0)


def test_nothing_that_was_read_is_kept_by_any_tab_of_who_signed_out(opened: Open) -> None:
    context, learner = account(opened)
    page = context.new_page()
    page.add_init_script(SLOW_TO_KEEP)
    page.goto("/courses")
    page.wait_for_load_state("networkidle")
    other = context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Your account").click()
    other.get_by_role("menuitem", name="Sign out").click()
    expect(other.get_by_text("No account needed")).to_be_visible()
    expect(page.get_by_role("link", name="Notifications")).to_have_count(0)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_timeout(500)
    assert page.evaluate(KEPT_OF, learner) == []


def test_a_look_at_the_queue_that_is_answered_late_overwrites_no_later_one(opened: Open) -> None:
    page = opened().new_page()
    page.add_init_script(LATE_ONCE)
    page.goto(at(LESSON))
    button = page.get_by_role("button", name="I have read it")
    button.wait_for()
    page.evaluate("window.late = true")
    with page.expect_response("**/api/v1/events"):
        button.click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    page.wait_for_timeout(2_500)
    assert page.evaluate("window.late") is False
    expect(standing(page)).to_have_text("Saved")


def test_today_is_the_day_that_it_is(opened: Open) -> None:
    page = opened(timezone_id="UTC").new_page()
    page.clock.set_fixed_time("2026-03-03T08:00:00Z")
    page.goto(at(LESSON))
    with page.expect_response("**/api/v1/events"):
        page.get_by_role("button", name="I have read it").click()
    page.goto("/")
    expect(page.get_by_text("Tuesday, March 3", exact=True)).to_be_visible()
    page.clock.set_fixed_time("2026-03-04T20:00:00Z")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.get_by_text("Wednesday, March 4", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Good evening")).to_be_visible()


def test_a_page_stays_where_its_first_answer_makes_a_guest_and_the_network_goes(opened: Open) -> None:
    page = opened().new_page()
    page.goto(at(LESSON))
    button = page.get_by_role("button", name="I have read it")
    button.wait_for()
    with page.expect_response("**/api/v1/events"):
        page.route("**/api/v1/progress/**", lambda route: route.abort())
        button.click()
    page.wait_for_timeout(1_500)
    expect(page.get_by_role("heading", name="What a shell is")).to_be_visible()
