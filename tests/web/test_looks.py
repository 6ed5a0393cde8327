"""Every page in both themes, full and empty: axe finds nothing, nothing is cut off, and pictures are made of each."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from headway.http.app_pages import ROUTES
from tests.house.tree import ROOT
from tests.web.conftest import Open, signed_in, sources

pytestmark = pytest.mark.long

SCREENSHOTS = ROOT / "screenshots"
NAMES = {"course": "shell-and-git", "step": "one-folder-up"}
SECTIONS = ("appearance", "security", "tokens", "data")
AXE = "axe-core/axe.min.js"
# What browsers say by themselves of replies that the page takes care of.
OF_THE_NETWORK = "Failed to load resource"


def addresses() -> list[str]:
    """One address for each of the app's routes."""
    named = (re.sub(r"\{(\w+):str\}", lambda found: NAMES.get(found[1], ""), route) for route in ROUTES)
    return [*(one for one in named if not one.endswith("/") or one == "/"), *(f"/settings/{one}" for one in SECTIONS)]


def settled(page: Page) -> None:
    """Wait until nothing is loading any more."""
    page.locator("main h1").first.wait_for(state="attached")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    loading = "[...document.images].filter((one) => !one.complete && one.loading !== 'lazy')"
    page.evaluate(f"Promise.all({loading}.map((one) => one.decode()))")


def faults(page: Page) -> list[str]:
    """What axe finds wrong."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(sources("node_modules", *AXE.split("/")).read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def picture(page: Page, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def test_a_button_without_a_name_is_found(opened: Open) -> None:
    page = opened().new_page()
    page.goto("/sign-in")
    settled(page)
    assert faults(page) == []
    page.evaluate("document.querySelector('.account').removeAttribute('aria-label')")
    assert any(one.startswith("button-name") for one in faults(page))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("who", "theme"), [("learner", "light"), ("learner", "dark"), ("nobody", "dark")])
def test_every_page_is_accessible_and_fits(opened: Open, who: str, theme: str) -> None:
    context = opened(color_scheme=theme, reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    if who == "learner":
        signed_in(context)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(told(one)))
    page.on("pageerror", lambda error: said.append(str(error)))
    wrong: dict[str, list[str]] = {}
    for address in addresses():
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        settled(page)
        name = address.strip("/").replace("/", "-") or "today"
        picture(page, SCREENSHOTS / who, f"{name}-1440-{theme}")
        found = faults(page)
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{wide} pixels too wide for {width}"] if wide > 0 else []
            if width == 390:
                picture(page, SCREENSHOTS / who, f"{name}-390-{theme}")
        if found:
            wrong[address] = found
    assert wrong == {}
    assert [one for one in said if one] == []


def told(message: ConsoleMessage) -> str:
    """What a page says that it should not: a refusal by its policy, above all."""
    is_quiet = message.type not in ("error", "warning") or OF_THE_NETWORK in message.text
    return "" if is_quiet else message.text
