"""What a learner does in a browser is recorded once, whatever happens to the tab, the network or the server."""

import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.torture.server import Server
from tests.web.conftest import Open
from tests.web.door import Door

pytestmark = pytest.mark.long

COURSE = "/courses/shell-and-git"
QUIZ, LESSON = "one-folder-up", "what-a-shell-is"
FIRST_MODULE = 5


def at(step: str) -> str:
    return f"{COURSE}/steps/{step}"


def events(context: BrowserContext) -> list[dict[str, Any]]:
    """What the server has recorded of who the context is, but for what it granted by itself."""
    got = context.request.get("/api/v1/progress/events?limit=100").json()
    return [one for one in got["items"] if one["type"] in ("attempted", "completed")]


def standing(page: Page) -> Any:
    return page.locator("a.save")


def answer_quiz(page: Page, option: str = "/Users/ada") -> None:
    page.get_by_label(option, exact=True).check()
    page.get_by_role("button", name=re.compile("Check answer|Try again")).click()


def read_lesson(page: Page, step: str) -> None:
    page.goto(at(step))
    page.get_by_role("button", name="I have read it").click()


def works_offline(page: Page) -> None:
    """Wait until the pages are kept, so that they open without a network."""
    page.evaluate("navigator.serviceWorker.ready.then(() => caches.match('/')).then((kept) => kept.text())")


def test_what_is_done_on_a_page_without_https_is_recorded(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    # Browsers have neither on a page of http:// but on this machine.
    page.add_init_script("delete Crypto.prototype.randomUUID; delete Navigator.prototype.locks")
    page.goto(at(LESSON))
    page.get_by_role("button", name="I have read it").click()
    expect(page.get_by_text("Completed").first).to_be_visible()
    expect(standing(page)).to_have_text("Saved")
    assert [one["step"] for one in events(context)] == [LESSON]


def test_solved_as_a_guest_in_a_tab_that_is_closed_at_once(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    answer_quiz(page)
    page.close()
    again = context.new_page()
    again.goto(at(QUIZ))
    expect(standing(again)).to_have_text("Saved")
    expect(again.get_by_text("1 attempt, best 100 %")).to_be_visible()
    assert [(one["step"], one["score"]) for one in events(context)] == [(QUIZ, 1.0)]


def test_a_guest_learns_on_the_day_that_it_is_where_they_are(opened: Open) -> None:
    # One of the two has another day than UTC, whenever this runs.
    zone = "Pacific/Kiritimati" if datetime.now(UTC).hour >= 10 else "Pacific/Pago_Pago"
    context = opened(timezone_id=zone)
    page = context.new_page()
    read_lesson(page, LESSON)
    expect(standing(page)).to_have_text("Saved")
    page.goto("/streak")
    expect(page.get_by_text(zone)).to_be_visible()
    told = context.request.get("/api/v1/progress/streak").json()
    today = datetime.now(ZoneInfo(zone)).date().isoformat()
    assert (told["time_zone"], told["last_active_on"], told["active_today"]) == (zone, today, True)
    assert context.request.get("/api/v1/auth/me").json()["kind"] == "guest"


def test_an_answer_is_kept_of_a_tab_that_is_closed_before_it_can_do_more(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    page.get_by_label("/Users/ada", exact=True).check()
    # A slow device: between the answer and the end of the tab the page hears nothing of what is written.
    with page.expect_console_message(lambda said: said.text == "answered"):
        page.get_by_role("button", name="Check answer").evaluate(
            """(button) => setTimeout(() => { button.click(); console.log("answered");
            for (const end = Date.now() + 10000; Date.now() < end; ); })"""
        )
    page.close()
    again = context.new_page()
    again.goto(at(QUIZ))
    expect(again.get_by_text("1 attempt, best 100 %")).to_be_visible()
    expect(standing(again)).to_have_text("Saved")
    assert [(one["step"], one["score"]) for one in events(context)] == [(QUIZ, 1.0)]


def test_five_solved_offline_are_recorded_once_each_after_a_reload(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(COURSE)
    expect(page.get_by_role("heading", name="Meet the shell")).to_be_visible()
    works_offline(page)
    context.set_offline(True)
    for step in (LESSON, "where-am-i"):
        read_lesson(page, step)
        expect(page.get_by_text("Saved on this device").first).to_be_visible()
    page.goto(at(QUIZ))
    answer_quiz(page)
    expect(page.get_by_text("as soon as the server has it")).to_be_visible()
    answer_quiz(page, "/Users/ada/notes")
    expect(standing(page)).to_have_text("Saved on this device (4)")
    page.goto(at("list-everything"))
    page.get_by_label("Your answer").fill("ls -la")
    page.get_by_role("button", name="Check answer").click()
    expect(standing(page)).to_have_text("Saved on this device (5)")
    page.reload()
    expect(standing(page)).to_have_text("Saved on this device (5)")
    assert events(context) == []
    context.set_offline(False)
    expect(standing(page)).to_have_text("Saved")
    assert sorted(one["step"] for one in events(context)) == sorted(
        [LESSON, "where-am-i", QUIZ, QUIZ, "list-everything"]
    )


def test_a_server_killed_between_recording_and_answering_counts_once(opened: Open, door: Door, server: Server) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    door.lose_the_answer_to("/api/v1/courses/shell-and-git/steps/one-folder-up/attempts")
    answer_quiz(page)
    expect(page.get_by_text("as soon as the server has it")).to_be_visible()
    assert door.lost.wait(10)
    expect(standing(page)).to_have_text("Saved on this device")
    server.start()
    page.goto("/unsent")
    expect(standing(page)).to_have_text("Saved")
    # Whoever was nobody lost the guest's cookie with the answer: sent again as nobody, it makes another guest.
    assert [one["step"] for one in events(context)] == [QUIZ]
    door.lose_the_answer_to("/api/v1/events")
    read_lesson(page, LESSON)
    expect(standing(page)).to_have_text("Saved on this device")
    assert door.lost.wait(10)
    server.start()
    page.reload()
    expect(standing(page)).to_have_text("Saved")
    assert [one["step"] for one in events(context)] == [LESSON, QUIZ]


def test_progress_is_there_in_a_new_browser_before_anything_is_shown(opened: Open) -> None:
    email = f"{uuid4().hex}@example.org"
    account = {"email": email, "password": "one-step-at-a-time"}
    first = opened()
    assert first.request.post("/api/v1/auth/register", data=account).ok
    page = first.new_page()
    read_lesson(page, LESSON)
    expect(page.get_by_text("Completed")).to_be_visible()
    other = opened().new_page()
    # What a browser takes for an address elsewhere leads nowhere.
    other.goto("/sign-in?next=/%5Cexample.org")
    other.get_by_label("Email address").fill(email)
    other.get_by_label("Password").fill(account["password"])
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(other.get_by_role("status").filter(has_text="Welcome")).to_be_visible()
    expect(other).to_have_url(re.compile("/$"))
    other.goto(COURSE)
    dots = other.get_by_role("img", name=re.compile("of 5 steps"))
    dots.first.wait_for()
    # The first time that there are dots, they are the server's.
    assert dots.first.get_attribute("aria-label") == "1 of 5 steps"


def test_registering_after_solving_as_a_guest_moves_what_was_done(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    answer_quiz(page)
    expect(page.get_by_text("Right", exact=True)).to_be_visible()
    assert [one["name"] for one in context.cookies()] == ["headway_guest"]
    page.goto("/register")
    expect(page.get_by_text("What you have done as a guest comes along.")).to_be_visible()
    page.get_by_label("Email address").fill(f"{uuid4().hex}@example.org")
    page.get_by_label("Password").fill("one-step-at-a-time")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("Your guest progress")).to_be_visible()
    assert [one["name"] for one in context.cookies()] == ["headway_session"]
    assert [one["step"] for one in events(context)] == [QUIZ]


def test_two_tabs_at_once_share_one_outbox(opened: Open) -> None:
    context = opened()
    one, other = context.new_page(), context.new_page()
    one.goto(at(LESSON))
    other.goto(at(QUIZ))
    for page in (one, other):
        works_offline(page)
    expect(one.get_by_role("button", name="I have read it")).to_be_visible()
    context.set_offline(True)
    one.get_by_role("button", name="I have read it").click()
    answer_quiz(other)
    expect(standing(one)).to_have_text("Saved on this device (2)")
    expect(standing(other)).to_have_text("Saved on this device (2)")
    context.set_offline(False)
    expect(standing(one)).to_have_text("Saved")
    expect(standing(other)).to_have_text("Saved")
    assert sorted(one["step"] for one in events(context)) == sorted([LESSON, QUIZ])
    # One guest, whichever tab was first: the cookie is that of all that was recorded.
    assert len([one for one in context.cookies() if one["name"] == "headway_guest"]) == 1


def test_a_score_that_is_not_all_is_never_told_as_all_of_it(opened: Open) -> None:
    page = opened().new_page()
    told: Any = {"score": 0.996, "passed": True, "feedback": ""}

    def nearly(route: Route) -> None:
        answered = route.fetch()
        route.fulfill(response=answered, json=answered.json() | {"attempt": told})

    page.route("**/attempts", nearly)
    page.goto(at(QUIZ))
    answer_quiz(page)
    expect(page.get_by_text("Partly right: 99 %")).to_be_visible()


def test_a_step_shows_its_attempts_however_much_was_done_since(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    answer_quiz(page)
    expect(page.get_by_role("region", name="Your attempts").get_by_role("cell", name="Passed")).to_have_count(1)
    when = datetime.now(UTC).isoformat()
    later = [
        {"id": str(uuid4()), "type": "opened", "course": "shell-and-git", "step": LESSON, "occurred_at": when}
        for _ in range(100)
    ]
    sent = context.request.post("/api/v1/events", data={"events": later})
    assert sent.ok, sent.text()
    page.reload()
    expect(page.get_by_role("region", name="Your attempts").get_by_role("cell", name="Passed")).to_have_count(1)


@pytest.mark.parametrize("path", ["/courses/%E0%A4%A", "/courses/%"])
def test_an_address_that_is_none_says_so(opened: Open, path: str) -> None:
    page = opened().new_page()
    page.goto(path)
    expect(page.get_by_text("There is no such page").first).to_be_visible()


def test_what_is_refused_leaves_the_queue_and_is_shown_with_its_reason(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(LESSON))
    works_offline(page)
    context.set_offline(True)
    page.get_by_role("button", name="I have read it").click()
    expect(standing(page)).to_have_text("Saved on this device")
    # Somebody else used the id: in another tab, with another step.
    made = page.evaluate(
        """() => new Promise((done) => { const open = indexedDB.open("headway");
        open.onsuccess = () => { const all = open.result.transaction("queue").objectStore("queue").getAll();
        all.onsuccess = () => done(all.result[0].event); }; })"""
    )
    context.set_offline(False)
    expect(standing(page)).to_have_text("Saved")
    assert [one["id"] for one in events(context)] == [made["id"]]
    spoiled = {"event": {**made, "step": QUIZ}, "identity": None, "made_at": made["occurred_at"], "title": "Spoiled"}
    page.evaluate(
        """(item) => new Promise((done) => { const open = indexedDB.open("headway");
        open.onsuccess = () => { const transaction = open.result.transaction("queue", "readwrite");
        transaction.objectStore("queue").add(item); transaction.oncomplete = done; }; })""",
        json.loads(json.dumps(spoiled)),
    )
    page.goto("/unsent")
    expect(page.get_by_role("heading", name="Could not be recorded")).to_be_visible()
    expect(page.get_by_text("The event id was used for other content")).to_be_visible()
    page.get_by_role("button", name="Take off the list").click()
    expect(page.get_by_text("Everything is saved")).to_be_visible()


def test_a_page_of_somebody_elses_network_is_no_answer(opened: Open, door: Door) -> None:
    context = opened()
    page = context.new_page()
    page.goto(at(QUIZ))
    page.get_by_label("/Users/ada", exact=True).check()
    door.capture(True)
    try:
        page.get_by_role("button", name="Check answer").click()
        expect(page.get_by_text("The server cannot be reached")).to_be_visible()
        expect(standing(page)).to_have_text("Saved on this device")
    finally:
        door.capture(False)
    # By itself: nobody reloads, or says that the network is back.
    expect(standing(page)).to_have_text("Saved", timeout=20_000)
    assert [one["step"] for one in events(context)] == [QUIZ]


def test_what_one_learner_left_unsent_is_never_sent_as_another(opened: Open) -> None:
    context = opened()
    accounts = [{"email": f"{uuid4().hex}@example.org", "password": "one-step-at-a-time"} for _ in range(2)]
    assert context.request.post("/api/v1/auth/register", data=accounts[0]).ok
    page = context.new_page()
    page.goto(at(LESSON))
    works_offline(page)
    context.set_offline(True)
    page.get_by_role("button", name="I have read it").click()
    expect(standing(page)).to_have_text("Saved on this device")
    page.close()
    context.clear_cookies()
    context.set_offline(False)
    assert context.request.post("/api/v1/auth/register", data=accounts[1]).ok
    other = context.new_page()
    other.goto("/unsent")
    expect(other.get_by_role("heading", name="Made by somebody else")).to_be_visible()
    read_lesson(other, "where-am-i")
    other.goto("/unsent")
    expect(other.get_by_text("Completed: What a shell is")).to_be_visible()
    expect(other.get_by_text("Completed: Where am I?")).to_have_count(0)
    assert [one["step"] for one in events(context)] == ["where-am-i"]
    assert context.request.post("/api/v1/auth/logout").ok
    other.goto("/sign-in")
    other.get_by_label("Email address").fill(accounts[0]["email"])
    other.get_by_label("Password").fill(accounts[0]["password"])
    other.get_by_role("button", name="Sign in", exact=True).click()
    expect(standing(other)).to_have_text("Saved")
    assert [one["step"] for one in events(context)] == [LESSON]


def test_a_device_without_room_says_that_nothing_is_saved(opened: Open, door: Door) -> None:
    context = opened()
    page = context.new_page()
    # Before the first visit: later on the browser would still remember how much room there was.
    context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": door.url, "quotaSize": 1})
    page.goto(at(LESSON))
    page.get_by_role("button", name="I have read it").wait_for()
    context.set_offline(True)
    page.get_by_role("button", name="I have read it").click()
    expect(standing(page)).to_have_text("Not saved")
    expect(page.get_by_text("this device has no room left").first).to_be_visible()
    context.set_offline(False)
    expect(standing(page)).to_have_text("Saved")
    assert [one["step"] for one in events(context)] == [LESSON]
