"""What a page is told as it happens: it hears of it again after something else answered for the server."""

import uuid

import pytest
from playwright.sync_api import Response, expect

from headway.cli.demo import PASSWORD
from headway.demo.people import CREATOR_EMAIL
from tests.web.conftest import Open, signed_in
from tests.web.door import Door
from tests.web.looks import settled

pytestmark = pytest.mark.long


def test_a_page_hears_again_after_an_answer_that_was_no_stream(opened: Open, door: Door) -> None:
    creator, learner = signed_in(opened(), CREATOR_EMAIL), opened()
    told = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
    learner_id = learner.request.post("/api/v1/auth/register", data=told).json()["learner"]["id"]
    assert learner.request.post("/api/v1/courses/shell-and-git/enrollment").ok
    page = learner.new_page()
    with page.expect_response("**/api/v1/stream"):
        page.goto("/")
    settled(page)
    # As a proxy answers for a server that starts: a browser never asks again by itself then.
    with page.expect_response("**/api/v1/stream"):
        door.capture(True)
    with page.expect_response(_is_stream):
        door.capture(False)
    changed = {"step": "absolute-paths", "learner": learner_id, "score": 0.9, "reason": "It was the question's fault."}
    assert creator.request.post("/api/v1/creator/courses/shell-and-git/regrades", data=changed).ok
    expect(page.get_by_text("A decision about your score: Absolute or relative?")).to_be_visible()


def _is_stream(response: Response) -> bool:
    is_of_it = response.url.endswith("/api/v1/stream")
    return is_of_it and response.headers["content-type"].startswith("text/event-stream")
