"""Every page in both themes, full and empty: axe finds nothing, nothing is cut off, and pictures are made of each."""

import re

import pytest
from playwright.sync_api import ConsoleMessage

from headway.http.app_pages import ROUTES
from tests.web.conftest import Open, signed_in
from tests.web.looks import Theme, faults, faults_of, settled

pytestmark = pytest.mark.long

NAMES = {"course": "shell-and-git", "step": "one-folder-up"}
SECTIONS = ("appearance", "notifications", "security", "tokens", "data")
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
@pytest.mark.parametrize(("who", "theme"), [("learner", "light"), ("learner", "dark"), ("nobody", "dark")])
def test_every_page_is_accessible_and_fits(opened: Open, who: str, theme: Theme) -> None:
    context = opened(reduced_motion="reduce")
    if who == "learner":
        signed_in(context)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(told(one)))
    page.on("pageerror", lambda error: said.append(str(error)))
    assert faults_of(page, who, theme, addresses()) == {}
    assert [one for one in said if one] == []


def told(message: ConsoleMessage) -> str:
    """What a page says that it should not: a refusal by its policy, above all."""
    is_quiet = message.type not in ("error", "warning") or OF_THE_NETWORK in message.text
    return "" if is_quiet else message.text
