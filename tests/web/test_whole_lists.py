"""What a page shows all of is read to its end, over however many pages it comes."""

import uuid

import pytest
from playwright.sync_api import BrowserContext, expect

from headway.demo.people import CREATOR_EMAIL
from headway.http.cursors import LIMIT_MAX
from tests.web.conftest import Open, signed_in

pytestmark = pytest.mark.long

TOPICS_A_STEP = 50
STEPS = [f"s{n}" for n in range(LIMIT_MAX // TOPICS_A_STEP + 1)]


def course_of_topics(creator: BrowserContext) -> str:
    """A course of more topics than a page of a list holds."""
    course = f"topics-{uuid.uuid4()}"
    steps = [
        {"id": one, "kind": "exercise", "title": one, "topics": [f"{one} {n}" for n in range(TOPICS_A_STEP)]}
        for one in STEPS
    ]
    manifest = {"id": course, "title": "Topics", "modules": [{"id": "m", "title": "M", "steps": steps}]}
    assert creator.request.put(f"/api/v1/courses/{course}", data=manifest).ok
    return course


def test_a_learner_of_many_topics_sees_the_level_of_each(opened: Open) -> None:
    course = course_of_topics(signed_in(opened(), CREATOR_EMAIL))
    learner = opened()
    for step in STEPS:
        path = f"/api/v1/courses/{course}/steps/{step}/completion"
        assert learner.request.post(path, data={"id": str(uuid.uuid4())}).ok
    page = learner.new_page()
    page.goto("/progress")
    expect(page.locator("ul.skills > li")).to_have_count(len(STEPS) * TOPICS_A_STEP)
