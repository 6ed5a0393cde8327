"""What a page of the web app offers is there as a whole, and does what it says."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.web.conftest import Open
from tests.web.test_kept import at
from tests.web.test_left_open import account

pytestmark = pytest.mark.long


def test_what_is_wrong_with_one_question_is_not_said_of_the_next(opened: Open) -> None:
    page = opened().new_page()
    page.route(re.compile("leaderboards/week"), missing)
    page.goto("/leaderboard")
    lacks = page.get_by_text("This server does not offer this yet")
    expect(lacks).to_be_visible()
    page.route(re.compile("leaderboards/month"), lambda route: None)
    page.get_by_role("tab", name="This month").click()
    expect(lacks).to_have_count(0)


def test_every_course_has_its_leaderboard_however_many_there_are(opened: Open) -> None:
    page = opened().new_page()

    def answer(route: Route) -> None:
        is_second = "cursor=more" in route.request.url
        first, second = {"id": "first", "title": "The first"}, {"id": "last", "title": "The last of many"}
        told: dict[str, Any] = {"items": [second if is_second else first], "next_cursor": None if is_second else "more"}
        route.fulfill(headers={"content-type": "application/json", "x-request-id": "1"}, json=told)

    page.route(re.compile(r"api/v1/courses\?"), answer)
    page.goto("/leaderboard")
    expect(page.get_by_label("Course").get_by_text("The last of many")).to_have_count(1)


def test_what_cannot_be_copied_is_said_to_be_so(opened: Open) -> None:
    context, _ = account(opened)
    page = context.new_page()
    page.goto("/settings/tokens")
    page.get_by_label("What it is for").fill("A script")
    page.get_by_role("button", name="Make a token").click()
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no')); }")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("cannot be copied")).to_be_visible()
    expect(page.get_by_text("cannot be reached")).to_have_count(0)


def test_a_link_to_an_achievement_leads_to_it(opened: Open) -> None:
    page = opened(viewport={"width": 500, "height": 600}).new_page()
    page.goto("/achievements")
    last = page.locator("li.card[id]").last
    place = str(last.get_attribute("id"))
    page.goto("/notifications")
    page.evaluate(
        "(to) => document.body.append(Object.assign(document.createElement('a'), {href: to, id: 'go'}))",
        f"/achievements#{place}",
    )
    page.evaluate("document.getElementById('go').click()")
    last.wait_for()
    page.wait_for_timeout(500)
    assert scrolled_to(page, place)


def test_a_grader_of_a_plugin_is_given_what_was_answered_as_json(opened: Open) -> None:
    page = opened().new_page()

    def other(route: Route) -> None:
        reply = route.fetch()
        told = reply.json()
        for module in told["modules"]:
            for step in module["steps"]:
                step["grader"] = step["grader"] and {"type": "pairs"}
        route.fulfill(response=reply, json=told)

    page.route("**/api/v1/courses/shell-and-git", other)
    page.goto(at("one-folder-up"))
    page.get_by_label("Your answer, as JSON or text").fill("[1, 2]")
    with page.expect_request("**/attempts") as sent:
        page.get_by_role("button", name="Check answer").click()
    assert json.loads(sent.value.post_data or "{}")["answer"] == [1, 2]


def missing(route: Route) -> None:
    problem = {"type": "/problems/not-found", "title": "Not found", "status": 404, "detail": "there is no such thing"}
    headers = {"content-type": "application/problem+json", "x-request-id": "1"}
    route.fulfill(status=404, headers=headers, json=problem)


def scrolled_to(page: Page, place: str) -> bool:
    told = page.evaluate("(id) => document.getElementById(id)?.getBoundingClientRect().top", place)
    return told is not None and 0 <= told < 600
