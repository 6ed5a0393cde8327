"""What others called by one long word, or in Arabic: no page scrolls sideways for it, and it is read as written."""

import json
from typing import Any

import pytest
from playwright.sync_api import Route

from headway.demo.people import CREATOR_EMAIL
from tests.web.conftest import Open, signed_in
from tests.web.looks import faults, settled
from tests.web.test_looks import addresses

pytestmark = pytest.mark.long

WORD = "Rechtsschutzversicherungsgesellschaftsmitarbeiterinnen"
ARABIC = "مقدمة في البرمجة (3.11)!"
NAMING = ("title", "course_title", "display_name", "learner_name")
# An exclamation mark behind Arabic stands at its left.
MARK_AT = """() => {
  const text = document.querySelector("main h1").firstChild;
  const range = document.createRange();
  const at = (place) => {
    range.setStart(text, place);
    range.setEnd(text, place + 1);
    return range.getClientRects()[0];
  };
  const [first, mark] = [at(0), at(text.length - 1)];
  return { first: first.left, mark: mark.left, sameLine: first.top === mark.top };
}"""


def renamed(told: Any, name: str) -> Any:
    """What a server told, with another name for everything that somebody named."""
    if isinstance(told, list):
        return [renamed(one, name) for one in told]
    if not isinstance(told, dict):
        return told
    named = {key: name for key in NAMING if isinstance(told.get(key), str)}
    # Of topics there is one of each name.
    named |= {"topic": f"{name} {told['topic']}"} if isinstance(told.get("topic"), str) else {}
    return {key: named.get(key) or renamed(one, name) for key, one in told.items()}


def called(context: Any, name: str) -> Any:
    """The context, to which all that somebody named is called so."""

    def answer(route: Route) -> None:
        reply = route.fetch()
        if "json" not in reply.headers.get("content-type", ""):
            route.fulfill(response=reply)
            return
        headers = {key: value for key, value in reply.headers.items() if key != "content-length"}
        route.fulfill(response=reply, headers=headers, body=json.dumps(renamed(reply.json(), name)))

    context.route(lambda url: "/api/v1/" in url and "/stream" not in url, answer)
    return context


@pytest.mark.timeout(300)
def test_no_page_scrolls_sideways_for_a_long_word(opened: Open) -> None:
    wrong: dict[str, int] = {}
    for email in (None, CREATOR_EMAIL):
        context = opened(reduced_motion="reduce", viewport={"width": 390, "height": 844}, service_workers="block")
        page = called(signed_in(context, *([email] if email else [])), WORD).new_page()
        for address in addresses():
            if address.startswith("/teach") != (email is not None) or address.startswith(("/operate", "/sign", "/reg")):
                continue
            page.goto(address)
            settled(page)
            for width in (320, 390, 1440):
                page.set_viewport_size({"width": width, "height": 844})
                wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                wrong |= {f"{address} at {width}": wide} if wide > 0 else {}
            assert faults(page, "scrollable-region-focusable") == [], address
    assert wrong == {}


def test_a_title_in_arabic_is_read_from_the_right(opened: Open) -> None:
    context = opened(viewport={"width": 1440, "height": 844}, service_workers="block")
    page = called(signed_in(context), ARABIC).new_page()
    page.goto("/courses/shell-and-git")
    settled(page)
    found = page.evaluate(MARK_AT)
    assert found["sameLine"]
    assert found["mark"] < found["first"]
