"""How a page looks: whether it is there, what axe finds wrong, whether it fits, and pictures of it for who asks."""

import os
import re
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Final, Literal, TypeAlias

from playwright.sync_api import Page, expect

from tests.house.tree import ROOT
from tests.web.conftest import sources

Theme: TypeAlias = Literal["light", "dark"]

SCREENSHOTS: Final = ROOT / "screenshots"
WIDE: Final = 1440
PICTURED: Final = 390
# The narrowest is also what 400 % of 1280 is, and has to do without scrolling sideways.
NARROW: Final = (PICTURED, 320)
ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
AXE: Final = "axe-core/axe.min.js"
# The rules that depend on the theme.
OF_COLOR: Final = ("color-contrast", "link-in-text-block")


def settled(page: Page) -> None:
    """Wait until nothing is loading any more."""
    page.locator("main h1").first.wait_for(state="attached")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    loading = "[...document.images].filter((one) => !one.complete && one.loading !== 'lazy')"
    page.evaluate(f"Promise.all({loading}.map((one) => one.decode()))")


def faults(page: Page, *rules: str) -> list[str]:
    """What axe finds wrong, by all its rules or by some."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(sources("node_modules", *AXE.split("/")).read_text())
    only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
    found = page.evaluate("(only) => axe.run(document, {resultTypes: ['violations'], ...only})", only)
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def faults_of(page: Page, who: str, addresses: Iterable[str]) -> Mapping[str, list[str]]:
    """What is wrong with pages in either theme, by their addresses; their pictures lie in the folder of who looks."""
    found = {address: _faults_at(page, SCREENSHOTS / who, address) for address in addresses}
    return {address: wrong for address, wrong in found.items() if wrong}


def _faults_at(page: Page, folder: Path, address: str) -> list[str]:
    page.set_viewport_size({"width": WIDE, "height": 900})
    page.emulate_media(color_scheme="light")
    page.goto(address)
    settled(page)
    name = ID.sub("one", address).strip("/").replace("/", "-") or "today"
    found = faults(page)
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {one}" for one in faults(page, *OF_COLOR)]
    for width in NARROW:
        page.set_viewport_size({"width": width, "height": 844})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found += [f"{wide} pixels too wide for {width}"] if wide > 0 else []
    if "PICTURES" in os.environ:
        _pictures(page, folder, name)
    return found


def _pictures(page: Page, folder: Path, name: str) -> None:
    themes: tuple[Theme, ...] = ("light", "dark")
    for theme, width in product(themes, (WIDE, PICTURED)):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 900})
        picture(page, folder, f"{name}-{width}-{theme}")


def picture(page: Page, folder: Path, name: str) -> None:
    """A picture of the whole page, where PICTURES asks for them: they take a quarter of the time."""
    if "PICTURES" not in os.environ:
        return
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
