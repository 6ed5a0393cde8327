"""A creator's and an operator's pages by keys: the focus is seen, has a name, and is not lost by what was done."""

import time
import uuid

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from headway.cli.demo import PASSWORD
from headway.ledger.accounts import empower
from headway.store.database import Database
from tests.torture.server import Server
from tests.web.conftest import Open, signed_in
from tests.web.looks import settled
from tests.web.test_looks import FOCUSED

pytestmark = pytest.mark.long

EMAIL = "keys@headway.example"
PAGES = ("/teach/shell-and-git", "/teach/shell-and-git/publish", "/operate", "/operate/imports")
NAMELESS = """() => {
  const one = document.activeElement;
  const own = one.matches("div") ? "" : one.textContent;
  const name = one.ariaLabel || one.labels?.[0]?.textContent || own;
  return name.trim() ? "" : one.outerHTML.slice(0, 120);
}"""
WHERE = """() => {
  const one = document.activeElement;
  return `${one.closest("header, nav, main").tagName} ${one.getAttribute("href") ?? "button"}`;
}"""
WORK = {
    "id": "s",
    "kind": "assignment",
    "title": "Essay",
    "grader": {"type": "manual"},
}


@pytest.fixture
def desk(opened: Open, server: Server) -> BrowserContext:
    """The browser of one who creates and operates, as narrow as 400 % makes it."""
    database = Database(server.database)
    for role in ("creator", "admin"):
        empower(database, EMAIL, PASSWORD, role, now=time.time_ns() // 1000)
    database.close()
    return signed_in(opened(reduced_motion="reduce", viewport={"width": 320, "height": 640}), EMAIL)


def test_every_place_of_the_keys_is_seen_and_has_a_name(desk: BrowserContext) -> None:
    page = desk.new_page()
    for address in PAGES:
        page.goto(address)
        settled(page)
        # Behind what all pages have.
        page.locator("main").focus()
        places = 0
        page.keyboard.press("Tab")
        while places < 40 and (found := page.evaluate(FOCUSED)) is not None:
            assert found == "", f"{address}: {found}"
            assert page.evaluate(NAMELESS) == "", address
            page.keyboard.press("Tab")
            places += 1
        assert places > 4, address


@pytest.mark.parametrize(
    ("width", "way"),
    [
        (320, ["HEADER /", "HEADER /unsent", "HEADER /notifications", "HEADER button", "MAIN /courses", "NAV /"]),
        (1440, ["HEADER /", "NAV /", "NAV /courses", "NAV /progress", "NAV /achievements", "NAV /leaderboard"]),
    ],
)
def test_keys_go_the_way_that_eyes_do(opened: Open, width: int, way: list[str]) -> None:
    page = signed_in(opened(viewport={"width": width, "height": 640})).new_page()
    page.goto("/certificates")
    settled(page)
    page.keyboard.press("Tab")
    found = []
    for _ in way:
        page.keyboard.press("Tab")
        found.append(page.evaluate(WHERE))
    assert found == way


def pressed(page: Page, name: str) -> None:
    """Go to a button, and press it by a key."""
    page.get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")


def test_sorting_a_roster_leaves_the_focus_on_its_column(desk: BrowserContext) -> None:
    page = desk.new_page()
    page.goto("/teach/shell-and-git")
    settled(page)
    button = page.get_by_role("button", name="Progress", exact=True)
    with page.expect_response(lambda one: "sort=progress" in one.url):
        pressed(page, "Progress")
    expect(page.get_by_role("columnheader", name="Progress", exact=True)).to_have_attribute("aria-sort", "ascending")
    expect(page.locator("table[aria-busy=true]")).to_have_count(0)
    expect(button).to_be_focused()


def _lost(route: Route) -> None:
    """What the server does, and nobody is told of."""
    route.fetch()
    route.abort()


def test_who_grades_goes_on_with_the_next_and_ends_where_it_is_said_that_nothing_waits(desk: BrowserContext) -> None:
    course = f"essays-{uuid.uuid4()}"
    steps = [{**WORK, "id": name, "title": f"Essay {name}"} for name in ("one", "two")]
    manifest = {"id": course, "title": "Essays", "modules": [{"id": "m", "title": "M", "steps": steps}]}
    assert desk.request.put(f"/api/v1/courses/{course}", data=manifest).ok
    assert desk.request.post(f"/api/v1/courses/{course}/enrollment").ok
    for place, step in enumerate(steps):
        handed_in = {"type": "attempted", "course": course, "step": step["id"], "response": "Thus."}
        event = {"id": str(uuid.uuid4()), "occurred_at": f"2026-03-01T12:0{place}:00Z", **handed_in}
        assert desk.request.post("/api/v1/events", data={"events": [event]}).ok
    page = desk.new_page()
    page.goto(f"/teach/{course}/grading")
    # Who teaches is told nothing of what learners are told: here they are one.
    page.route("**/stream", lambda route: route.abort())
    page.route("**/grades", _lost)
    page.get_by_label("Score, 0 to 100").first.fill("70")
    page.get_by_label("Score, 0 to 100").first.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    # It was recorded; what is given now is another grade.
    page.unroute("**/grades", _lost)
    for title, behind in (("Essay one", "Essay two"), ("Essay two", "Nothing waits")):
        card = page.get_by_role("article", name=title)
        card.get_by_label("Score, 0 to 100").fill("80")
        card.get_by_label("Score, 0 to 100").press("Enter")
        expect(card).to_have_count(0)
        expect(page.locator(":focus")).to_contain_text(behind)
    graded = desk.request.get(f"/api/v1/creator/courses/{course}/submissions?status=graded").json()["items"]
    assert [one["score"] for one in graded] == [0.8, 0.8]


def test_whose_score_is_changed_is_told_of_what_by_its_title(desk: BrowserContext, opened: Open) -> None:
    learner = opened()
    told = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
    learner_id = learner.request.post("/api/v1/auth/register", data=told).json()["learner"]["id"]
    assert learner.request.post("/api/v1/courses/shell-and-git/enrollment").ok
    page = learner.new_page()
    with page.expect_response("**/api/v1/stream"):
        page.goto("/")
    settled(page)
    changed = {"step": "absolute-paths", "learner": learner_id, "score": 0.9, "reason": "It was the question's fault."}
    assert desk.request.post("/api/v1/creator/courses/shell-and-git/regrades", data=changed).ok
    expect(page.get_by_text("A decision about your score: Absolute or relative?")).to_be_visible()


def test_what_has_the_focus_and_goes_hands_it_to_what_was_around(desk: BrowserContext) -> None:
    page = desk.new_page()
    page.goto("/settings/security")
    settled(page)
    button = page.locator("main form button").first
    button.focus()
    button.evaluate("one => one.remove()")
    expect(page.locator("main :focus, main:focus")).to_have_count(1)


def test_a_version_that_was_published_by_keys_is_read_on_from_what_it_did(desk: BrowserContext) -> None:
    course = f"keys-{uuid.uuid4()}"
    steps = [{"id": name, "kind": "lesson", "title": name} for name in ("s", "gone")]
    first = {"id": course, "title": "T", "modules": [{"id": "m", "title": "M", "complete_by": "steps", "steps": steps}]}
    assert desk.request.put(f"/api/v1/courses/{course}", data=first).ok
    done = {"id": str(uuid.uuid4()), "type": "completed", "course": course, "step": "s"}
    sent = {"events": [{**done, "occurred_at": "2026-03-01T12:00:00Z"}]}
    assert desk.request.post("/api/v1/events", data=sent).ok
    page = desk.new_page()
    page.goto(f"/teach/{course}/publish")
    after = {"id": "n", "title": "N", "requires": ["m"], "steps": [{"id": "t", "kind": "lesson", "title": "T"}]}
    module = {"id": "m", "title": "M", "complete_by": "steps", "steps": steps[:1]}
    page.get_by_label("Manifest").fill(page.evaluate("JSON.stringify", {**first, "modules": [module, after]}))
    pressed(page, "See what it does")
    expect(page.get_by_text("opens after m")).to_be_visible()
    expect(page.get_by_role("button", name="See what it does")).to_be_focused()
    assert page.get_by_role("term").filter(has_text="Modules added").count() == 1
    page.get_by_text("Who gains what").click()
    expect(page.get_by_role("cell", name="unlocked: n; completed: m")).to_be_visible()
    pressed(page, "Publish")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Published as version 2.")).to_be_visible()
    expect(page.locator(":focus")).to_contain_text("What it did")
