"""What a browser keeps breaks while a page is open: it is told as it is, and what was done is recorded all the same."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import Open
from tests.web.test_kept import LESSON, QUIZ, answer_quiz, at, events, standing
from tests.web.test_kept_elsewhere import unsent

pytestmark = pytest.mark.long

NEXT = "where-am-i"
UNREADABLE = {
    "broken": "void (IDBObjectStore.prototype.getAll = () => { throw new DOMException('lost', 'UnknownError'); })",
    "newer": """() => new Promise((done) => { const open = indexedDB.open("headway", 2);
    open.onsuccess = () => { open.result.close(); done(); }; })""",
}
CLOSED = "void (IDBDatabase.prototype.transaction = () => { throw new DOMException('closed', 'InvalidStateError'); })"
FULL = """() => { const { transaction } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (of, mode, ...more) {
if (mode === "readwrite") throw new DOMException("full", "QuotaExceededError");
return transaction.call(this, of, mode, ...more); }; }"""
COUNTING = """() => { window.counted = { open: 0, close: 0 };
for (const [of, name] of [[IDBFactory, "open"], [IDBDatabase, "close"]]) { const real = of.prototype[name];
of.prototype[name] = function (...given) { window.counted[name]++; return real.apply(this, given); }; } }"""
LOCKED = {"type": "/problems/locked", "title": "Locked", "status": 423, "detail": "The step is locked."}


def read_next(page: Page) -> None:
    """Read the next lesson, without another visit."""
    page.locator(f"a[href='{at(NEXT)}']").first.click()
    page.get_by_role("button", name="I have read it").click()


@pytest.mark.parametrize("how", UNREADABLE)
def test_what_cannot_be_read_any_more_is_not_called_saved(opened: Open, how: str) -> None:
    context, page = unsent(opened)
    page.evaluate(UNREADABLE[how])
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_timeout(1_500)
    expect(standing(page)).to_have_text("Saved on this device")
    standing(page).click()
    expect(page.get_by_text("Completed: What a shell is")).to_be_visible()
    assert events(context) == []


def test_what_could_never_be_read_is_not_called_saved(opened: Open) -> None:
    page = opened().new_page()
    page.add_init_script(UNREADABLE["broken"])
    page.goto(at(LESSON))
    page.get_by_role("button", name="I have read it").click()
    expect(standing(page)).to_have_text("Looking")
    standing(page).click()
    expect(page.get_by_text("close its other tabs of this site, and reload")).to_be_visible()


def test_a_database_that_stays_closed_is_left_alone(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(LESSON))
    page.get_by_role("button", name="I have read it").wait_for()
    page.evaluate(COUNTING)
    page.evaluate(CLOSED)
    page.get_by_role("button", name="I have read it").click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    page.wait_for_timeout(2_000)
    first: dict[str, int] = page.evaluate("({ ...counted })")
    assert first["close"] >= first["open"] > 0
    page.wait_for_timeout(5_000)
    assert page.evaluate("counted.open") - first["open"] <= 1
    assert [one["step"] for one in events(context)] == [LESSON]


def test_what_is_locked_and_cannot_be_kept_is_not_called_saved(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    page.get_by_label("/Users/ada", exact=True).wait_for()
    page.evaluate(FULL)

    def locked(route: Route) -> None:
        route.fulfill(status=423, json=LOCKED, content_type="application/problem+json")

    page.route("**/attempts", locked)
    answer_quiz(page)
    verdict: Any = page.locator(".verdict .title")
    expect(verdict).to_have_text("Not saved")
    expect(standing(page)).to_have_text("Not saved")
    page.unroute("**/attempts")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(standing(page)).to_have_text("Saved")
    assert [one["step"] for one in events(context)] == [QUIZ]


def test_what_is_recorded_is_told_so_beside_what_cannot_be_taken_off_the_device(opened: Open) -> None:
    context, page = unsent(opened)
    page.evaluate(FULL)
    page.unroute("**/api/v1/events")
    read_next(page)
    expect(page.get_by_text("Completed").first).to_be_visible()
    expect(standing(page)).to_have_text("Saved on this device")
    page.reload()
    expect(standing(page)).to_have_text("Saved")
    assert sorted(one["step"] for one in events(context)) == [LESSON, NEXT]
