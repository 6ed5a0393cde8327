"""What a page is told as it happens, and what it reads after it could not be told."""

import uuid

import pytest
from playwright.sync_api import Page, Response, expect

from headway.cli.demo import PASSWORD
from headway.demo.people import CREATOR_EMAIL
from tests.web.conftest import Open, signed_in
from tests.web.door import Door
from tests.web.looks import settled

pytestmark = pytest.mark.long

SEEN = """(how) => {
  Object.defineProperty(document, "visibilityState", { value: how, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_hears_again_after_an_answer_that_was_no_stream(opened: Open, door: Door) -> None:
    page, learner_id = _followed(opened)
    # As a proxy answers for a server that starts: a browser never asks again by itself then.
    with page.expect_response("**/api/v1/stream"):
        door.capture(True)
    with page.expect_response(_is_stream):
        door.capture(False)
    _regrade(opened, learner_id)
    expect(page.get_by_text("A decision about your score: Absolute or relative?")).to_be_visible()


def test_a_page_that_is_looked_at_again_shows_what_came_meanwhile(opened: Open) -> None:
    page, learner_id = _followed(opened)
    page.evaluate(SEEN, "hidden")
    _regrade(opened, learner_id)
    page.evaluate(SEEN, "visible")
    expect(page.get_by_role("link", name="Notifications: ")).to_be_visible()


def _followed(opened: Open) -> tuple[Page, str]:
    """The first page of a new learner who is enrolled, once it hears what happens; and who that is."""
    context = opened()
    told = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
    learner_id = str(context.request.post("/api/v1/auth/register", data=told).json()["learner"]["id"])
    assert context.request.post("/api/v1/courses/shell-and-git/enrollment").ok
    page = context.new_page()
    with page.expect_response("**/api/v1/stream"):
        page.goto("/")
    settled(page)
    return page, learner_id


def _regrade(opened: Open, learner_id: str) -> None:
    """A decision about the learner's score, which they are told of."""
    changed = {"step": "absolute-paths", "learner": learner_id, "score": 0.9, "reason": "It was the question's fault."}
    creator = signed_in(opened(), CREATOR_EMAIL)
    assert creator.request.post("/api/v1/creator/courses/shell-and-git/regrades", data=changed).ok


def _is_stream(response: Response) -> bool:
    is_of_it = response.url.endswith("/api/v1/stream")
    return is_of_it and response.headers["content-type"].startswith("text/event-stream")
