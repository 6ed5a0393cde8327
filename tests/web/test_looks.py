"""Every page in both themes, full and empty: axe finds nothing, and nothing is cut off."""

import re

import pytest
from playwright.sync_api import ConsoleMessage, expect

from headway.http.app_pages import ROUTES
from tests.web.conftest import Open, signed_in
from tests.web.looks import faults, faults_of, settled

pytestmark = pytest.mark.long

NAMES = {"course": "shell-and-git", "step": "one-folder-up"}
SECTIONS = ("appearance", "notifications", "security", "tokens", "data")
# What is wrong with how the element that has the focus shows; null where none has.
FOCUSED = """() => {
  const one = document.activeElement;
  if (one === document.body) return null;
  const box = one.getBoundingClientRect();
  const name = `${one.tagName} ${one.textContent.trim().slice(0, 40)}`;
  if (box.bottom <= 0 || box.top >= innerHeight) return `${name} is out of sight`;
  const above = document.elementFromPoint(box.left + Math.min(box.width / 2, 20), box.top + box.height / 2);
  if (above && !one.contains(above) && !above.contains(one)) return `${name} is under ${above.tagName}`;
  const ring = getComputedStyle(one.matches("input[type=radio]") ? one.closest("label") : one);
  return ring.outlineStyle === "none" ? `${name} has no outline` : "";
}"""
# What browsers say by themselves of replies that the page takes care of.
OF_THE_NETWORK = "Failed to load resource"


def addresses() -> list[str]:
    """One address for each of the app's routes."""
    named = (re.sub(r"\{(\w+):str\}", lambda found: NAMES.get(found[1], ""), route) for route in ROUTES)
    return [*(one for one in named if not one.endswith("/") or one == "/"), *(f"/settings/{one}" for one in SECTIONS)]


def test_a_button_without_a_name_is_found(opened: Open) -> None:
    page = opened().new_page()
    page.goto("/sign-in")
    settled(page)
    assert faults(page) == []
    page.evaluate("document.querySelector('.account').removeAttribute('aria-label')")
    assert any(one.startswith("button-name") for one in faults(page))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("who", ["learner", "nobody"])
def test_every_page_is_accessible_and_fits(opened: Open, who: str) -> None:
    context = opened(reduced_motion="reduce")
    if who == "learner":
        signed_in(context)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(told(one)))
    page.on("pageerror", lambda error: said.append(str(error)))
    assert faults_of(page, who, addresses()) == {}
    assert [one for one in said if one] == []


def told(message: ConsoleMessage) -> str:
    """What a page says that it should not: a refusal by its policy, above all."""
    is_quiet = message.type not in ("error", "warning") or OF_THE_NETWORK in message.text
    return "" if is_quiet else message.text


def test_what_has_the_focus_is_seen_wherever_one_tabs_to(opened: Open) -> None:
    context = signed_in(opened(reduced_motion="reduce", viewport={"width": 320, "height": 640}))
    page = context.new_page()
    for address in ("/", "/courses/shell-and-git", "/notifications"):
        page.goto(address)
        settled(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        places = 1
        while (found := page.evaluate(FOCUSED)) is not None:
            assert found == "", f"{address}: {found}"
            page.keyboard.press("Tab")
            places += 1
        assert places > 10, address


def test_what_opens_takes_the_focus_and_gives_it_back(opened: Open) -> None:
    page = signed_in(opened()).new_page()
    page.goto("/settings/data")
    settled(page)
    account = page.get_by_role("button", name="Your account")
    account.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitem", name="Streak")).to_be_focused()
    page.keyboard.press("Escape")
    expect(account).to_be_focused()
    reset = page.get_by_role("button", name="Reset progress")
    for leaving in ("Enter", "Escape"):
        reset.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press(leaving)
        expect(reset).to_be_focused()
