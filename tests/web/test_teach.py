"""What a creator sees: every page in both themes, exact colors, a roster that stands where the report fails."""

import json
import re
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import BrowserContext, expect

from headway.demo.people import CREATOR_EMAIL
from headway.domain.events import enrollment_event, parse_event
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.publish import publish
from headway.ledger.submission import Submission
from headway.store.catalog import Catalog
from headway.store.database import Database
from tests.torture.server import Server
from tests.web.conftest import Open, signed_in
from tests.web.looks import faults_of

pytestmark = pytest.mark.long

COURSE = "shell-and-git"
# Passed attempts of how many; of the last but one 69.995 %.
PASS_RATES = {"red": (399, 1000), "amber": (400, 1000), "still-amber": (1402, 2003), "green": (700, 1000)}
MODULE = {"id": "m", "title": "M", "steps": [{"id": "s", "kind": "lesson", "title": "S"}]}

# The texts of elements that do not hold what is in them.
CUT = "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
COVERED = """one => {
  const box = one.getBoundingClientRect();
  return !one.contains(document.elementFromPoint(box.left + 2, box.top + box.height / 2));
}"""


@pytest.fixture
def creator(opened: Open) -> BrowserContext:
    context = opened(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    return signed_in(context, CREATOR_EMAIL)


def first_learner(context: BrowserContext) -> str:
    got = context.request.get(f"/api/v1/creator/courses/{COURSE}/learners?limit=1")
    learner: str = got.json()["items"][0]["learner"]
    return learner


@pytest.mark.timeout(300)
def test_every_page_of_a_creator_is_accessible_and_fits(creator: BrowserContext) -> None:
    base = f"/teach/{COURSE}"
    own = [base, f"{base}/grading", f"{base}/publish", f"{base}/learners/{first_learner(creator)}"]
    assert faults_of(creator.new_page(), "creator", ["/teach", "/teach/publish", *own]) == {}


def course_of_rates(context: BrowserContext) -> str:
    """A course whose steps were passed so often."""
    course = f"rates-{uuid.uuid4()}"
    steps = [{"id": name, "kind": "exercise", "title": name, "pass_mark": 50} for name in PASS_RATES]
    manifest = {"id": course, "title": "Rates", "modules": [{"id": "m", "title": "M", "steps": steps}]}
    assert context.request.put(f"/api/v1/courses/{course}", data=manifest).ok
    assert context.request.post(f"/api/v1/courses/{course}/enrollment").ok
    sent = [
        {
            "id": str(uuid.uuid4()),
            "type": "attempted",
            "course": course,
            "step": name,
            "occurred_at": "2026-03-01T12:00:00Z",
            "score": int(n < passed),
        }
        for name, (passed, attempts) in PASS_RATES.items()
        for n in range(attempts)
    ]
    for at in range(0, len(sent), 500):
        got = context.request.post("/api/v1/events", data={"events": sent[at : at + 500]})
        assert got.ok, got.text()
    return course


def test_a_heatmap_has_the_color_of_the_rate_and_says_it(creator: BrowserContext) -> None:
    page = creator.new_page()
    page.goto(f"/teach/{course_of_rates(creator)}")
    shown = {"red": ("low", "39 %"), "amber": ("middle", "40 %"), "still-amber": ("middle", "69 %")}
    for name, (level, rate) in {**shown, "green": ("high", "70 %")}.items():
        cell = page.get_by_role("listitem").filter(has=page.get_by_text(name, exact=True))
        expect(cell).to_contain_class(level)
        expect(cell).to_contain_text(rate)


def test_a_score_short_of_its_mark_is_never_told_as_the_mark(creator: BrowserContext) -> None:
    course = f"marks-{uuid.uuid4()}"
    step = {"id": "s", "kind": "exercise", "title": "S"}
    modules = [
        {"id": "short", "title": "Short", "steps": [step]},
        {"id": "done", "title": "Done", "pass_mark": 79.5, "requires": [], "steps": [step | {"id": "d"}]},
    ]
    api = creator.request
    assert api.put(f"/api/v1/courses/{course}", data={"id": course, "title": "Marks", "modules": modules}).ok
    for name, score in (("s", 0.79995), ("d", 0.796)):
        assert api.post(f"/api/v1/courses/{course}/steps/{name}/completion", data={"score": score}).ok
    page = creator.new_page()
    page.goto(f"/courses/{course}")
    shown = page.locator("summary", has=page.get_by_role("heading"))
    expect(shown.filter(has_text="Short")).to_contain_text("79 % 1 % to go")
    expect(shown.filter(has_text="Done")).to_contain_text("79.6 % Completed")
    expect(page.get_by_text("79 % of 80 % in Short")).to_be_visible()


def test_a_score_that_was_kept_says_so_where_less_comes_together_now(creator: BrowserContext) -> None:
    course, api, page = f"kept-{uuid.uuid4()}", creator.request, creator.new_page()
    steps = [{"id": name, "kind": "exercise", "title": name.upper()} for name in ("s", "t")]
    said = page.get_by_text("The score stays what it was when the module was completed.")
    for given in (steps[:1], steps):
        modules = [{"id": "m", "title": "M", "steps": given}]
        assert api.put(f"/api/v1/courses/{course}", data={"id": course, "title": "Kept", "modules": modules}).ok
        assert api.post(f"/api/v1/courses/{course}/steps/s/completion", data={"score": 1}).ok
        page.goto(f"/courses/{course}")
        expect(page.get_by_text("How the score is made")).to_have_count(1)
        page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
        expect(page.get_by_role("cell", name="100 %").last).to_be_visible()
        expect(said).to_have_count(0 if given == steps[:1] else 1)
    expect(said).to_contain_text("By what counts now it would be 50 %.")


@contextmanager
def broken_report(server: Server) -> Iterator[None]:
    """A database whose counters of steps are not there."""
    path = server.database.removeprefix("sqlite:///")

    def run(statement: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()

    run("ALTER TABLE step_counter RENAME TO gone")
    try:
        yield
    finally:
        run("ALTER TABLE gone RENAME TO step_counter")


def test_the_roster_stands_where_the_report_fails(creator: BrowserContext, server: Server) -> None:
    page = creator.new_page()
    with broken_report(server):
        page.goto(f"/teach/{COURSE}")
        expect(page.get_by_text("The report could not be made")).to_be_visible()
        expect(page.get_by_role("region", name="All learners").get_by_role("row")).not_to_have_count(0)


def enroll(creator: BrowserContext, server: Server, course: str, people: Mapping[str, str | None]) -> None:
    """A course of the creator's with these learners, by their ids."""
    database = Database(server.database)
    own = creator.request.get("/api/v1/auth/me").json()["learner"]["id"]
    publish(database, {"id": course, "title": "A course", "modules": [MODULE]}, now=0, publisher=own)
    rows = [{"id": one, "kind": "account", "display_name": name} for one, name in people.items()]
    add_learners(database, [{**one, "time_zone": "UTC", "created_at": 0} for one in rows])
    events = [enrollment_event(str(uuid.uuid4()), "enrolled", course, "2026-03-01T12:00:00Z") for _ in people]
    submissions = [Submission(one, (event,), 1) for one, event in zip(people, events, strict=True)]
    assert not any(isinstance(one, Exception) for one in record_all(database, Catalog(), submissions))
    database.close()


def test_learners_who_gave_no_name_are_told_apart(creator: BrowserContext, server: Server) -> None:
    ids = [str(uuid.uuid4()) for _ in range(2)]
    names = {f"Learner {one[:8]}" for one in ids}
    enroll(creator, server, "nameless", dict.fromkeys(ids))
    page = creator.new_page()
    page.goto("/teach/nameless")
    listed = page.get_by_role("region", name="All learners").locator("tbody th a")
    expect(listed).to_have_count(2)
    assert {*listed.all_inner_texts()} == names
    listed.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("|".join(names)))
    table = creator.request.get("/api/v1/creator/courses/nameless/learners.csv").text()
    assert {line.split(",")[0] for line in table.splitlines()[1:]} == {*ids}


def test_a_roster_of_many_holds_few_rows_and_stays_where_it_was_scrolled_to(
    creator: BrowserContext, server: Server
) -> None:
    learners = 420
    enroll(creator, server, "many", {str(uuid.UUID(int=n)): f"Ada {n:04}" for n in range(learners)})
    page = creator.new_page()
    page.goto("/teach/many")
    box = page.get_by_role("region", name="All learners")
    expect(box.get_by_text("Ada 0000")).to_be_visible()
    found: list[str] = []
    while not found or found[-1] != f"Ada {learners - 1:04}":
        shown = box.locator("tbody th a").all_inner_texts()
        assert 5 < len(shown) < 60
        assert not found or shown[0] <= found[-1] <= shown[-1], "rows are left out"
        found += [one for one in shown if not found or one > found[-1]]
        box.evaluate("box => new Promise((done) => { box.scrollTop += 350; requestAnimationFrame(done); })")
    assert found == [f"Ada {n:04}" for n in range(learners)]
    place = box.evaluate("box => box.scrollTop")
    with page.expect_response(lambda one: "cursor=" in one.url):
        page.evaluate("dispatchEvent(new Event('online'))")
    expect(box.get_by_text(found[-1])).to_be_visible()
    assert box.evaluate("box => box.scrollTop") == place


def test_on_a_phone_a_roster_keeps_the_names_and_who_is_at_risk_in_sight(creator: BrowserContext) -> None:
    page = creator.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"/teach/{COURSE}")
    box = page.get_by_role("region", name="All learners")
    expect(box.locator("tbody th a").first).to_be_visible()
    assert box.locator("tbody :is(td, .cut)").evaluate_all(CUT) == []
    box.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    edge = box.evaluate("box => box.getBoundingClientRect().left")
    assert box.locator("tbody th a").first.evaluate("one => one.getBoundingClientRect().left") >= edge
    # What has the focus is not under what stays.
    box.get_by_role("button", name="Status").focus()
    assert box.get_by_role("button", name="Status").evaluate(COVERED) is False


def test_on_a_phone_all_of_a_small_table_is_seen_at_once(creator: BrowserContext) -> None:
    page = creator.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    for address, tables in ((f"/teach/{COURSE}", 2), (f"/teach/{COURSE}/learners/{first_learner(creator)}", 1)):
        page.goto(address)
        expect(page.locator(".fits")).to_have_count(tables)
        assert page.locator(".fits").evaluate_all(CUT) == []


def test_a_course_that_nobody_is_enrolled_in_says_what_to_do(creator: BrowserContext) -> None:
    course = f"bare-{uuid.uuid4()}"
    manifest = {"id": course, "title": "Bare", "modules": [MODULE]}
    assert creator.request.put(f"/api/v1/courses/{course}", data=manifest).ok
    page = creator.new_page()
    page.goto(f"/teach/{course}")
    expect(page.get_by_role("link", name="Open the course's page")).to_have_attribute("href", f"/courses/{course}")
    expect(page.get_by_text("No learner fits")).to_have_count(0)
    page.goto(f"/teach/{course}/grading")
    expect(page).to_have_title("Bare · Grading · Headway")
    expect(page.get_by_text("Nothing waits")).to_be_visible()
    page.get_by_label("Show").select_option("Graded")
    expect(page.get_by_text("Nothing is graded yet")).to_be_visible()
    expect(page.get_by_text("waits")).to_have_count(0)


def test_how_many_more_are_at_risk_is_how_many_come(creator: BrowserContext, server: Server) -> None:
    people = [str(uuid.UUID(int=9000 + n)) for n in range(9)]
    enroll(creator, server, "quiet", dict.fromkeys(people))
    sent = {"type": "opened", "course": "quiet", "step": "s", "occurred_at": "2026-03-01T12:00:00Z"}
    looked = [Submission(one, (parse_event(sent | {"id": str(uuid.uuid4())}),), 1) for one in people]
    with closing(Database(server.database)) as database:
        assert not any(isinstance(one, Exception) for one in record_all(database, Catalog(), looked))
    page = creator.new_page()
    page.goto("/teach/quiet")
    listed = page.locator("section", has=page.get_by_role("heading", name="Learners at risk")).get_by_role("listitem")
    expect(listed).to_have_count(6)
    page.get_by_role("button", name="Show 3 more").click()
    expect(listed).to_have_count(9)


@pytest.mark.parametrize(
    ("now", "said"), [("2026-03-02T18:59:40Z", "23 hours ago"), ("2026-03-03T01:00:00Z", "2 days ago")]
)
def test_how_long_ago_is_never_more_than_it_was_and_a_day_is_one_of_the_calendar(
    creator: BrowserContext, now: str, said: str
) -> None:
    course, api = f"ago-{uuid.uuid4()}", creator.request
    assert api.put(f"/api/v1/courses/{course}", data={"id": course, "title": "Ago", "modules": [MODULE]}).ok
    assert api.post(f"/api/v1/courses/{course}/enrollment").ok
    event = {"id": str(uuid.uuid4()), "type": "completed", "course": course, "step": "s"}
    sent = api.post("/api/v1/events", data={"events": [event | {"occurred_at": "2026-03-01T19:00:00Z"}]})
    assert sent.ok, sent.text()
    page = creator.new_page()
    page.clock.set_fixed_time(now)
    page.goto(f"/teach/{course}")
    expect(page.get_by_role("cell", name=said)).to_be_visible()


def test_a_version_is_seen_before_it_is_published(creator: BrowserContext) -> None:
    course = f"new-{uuid.uuid4()}"
    page = creator.new_page()
    page.goto("/teach/publish")
    manifest = page.get_by_label("Manifest")
    manifest.fill("{")
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_text("This is no JSON")).to_be_visible()
    modules: list[dict[str, object]] = []
    manifest.fill(json.dumps({"id": course, "title": "T", "modules": modules}))
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_text("modules", exact=True)).to_be_visible()
    modules.append({"id": "m", "title": "M", "steps": [{"id": "s", "kind": "lesson", "title": "S"}]})
    manifest.fill(json.dumps({"id": course, "title": "T", "modules": modules}))
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    assert creator.request.get(f"/api/v1/courses/{course}").status == 404
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_text("Published as version 1.")).to_be_visible()
    assert creator.request.get(f"/api/v1/courses/{course}").ok
