"""What other pages embed: on a page of another site under a strict policy, and on one of the server's own."""

import re
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.house.tree import ROOT
from tests.web.conftest import Open, signed_in
from tests.web.door import Door
from tests.web.looks import SCREENSHOTS, faults, picture

pytestmark = pytest.mark.long

COURSE = "shell-and-git"
EXAMPLE = (ROOT / "docs/howto/embed.html").read_text()
ALL = ["name", "streak", "courses"]
# All that the page of docs/howto/embed.md has to allow.
POLICY = "default-src 'none'; script-src {server}; connect-src {server}; require-trusted-types-for 'script'"


class Elsewhere(ThreadingHTTPServer):
    """A site of somebody else's, with one page on it."""

    daemon_threads = True

    def __init__(self, server: str) -> None:
        self.page, self.policy = "", POLICY.format(server=server)
        super().__init__(("127.0.0.1", 0), partial(_OnePage, self))

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}/"


class _OnePage(BaseHTTPRequestHandler):
    def __init__(self, site: Elsewhere, *request: object) -> None:
        self.site = site
        super().__init__(*request)  # type: ignore[arg-type]  # as the server hands them over

    def do_GET(self) -> None:
        body = self.site.page.encode() if self.path == "/" else b""
        self.send_response(200 if body else 404)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-security-policy", self.site.policy)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the class above
        """Say nothing."""


@pytest.fixture
def elsewhere(door: Door) -> Iterator[Elsewhere]:
    with Elsewhere(door.url) as site:
        Thread(target=site.serve_forever, daemon=True).start()
        yield site
        site.shutdown()


def share(context: BrowserContext, shows: list[str]) -> str:
    """The token under which the context's account shares that."""
    told = context.request.put("/api/v1/progress/sharing", data={"shows": shows}).json()
    return str(told["url"]).rsplit("/", 1)[1]


def percent(context: BrowserContext) -> str:
    told = context.request.get(f"/api/v1/progress/courses/{COURSE}").json()
    return f"{int(told['percent'])} %"


def put_in(page: Page, html: str) -> None:
    """Embed on a page of the server's own."""
    page.evaluate("import('/embed.js')")
    page.evaluate("(html) => { document.querySelector('main').innerHTML = html; }", html)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_page_of_another_site_shows_what_is_shared(
    opened: Open, door: Door, elsewhere: Elsewhere, theme: str
) -> None:
    ada = signed_in(opened())
    token = share(ada, ALL)
    elsewhere.page = EXAMPLE.replace("https://learn.example.org", door.url).replace("TOKEN", token)
    elsewhere.page = elsewhere.page.replace("COURSE", COURSE)
    # Whoever reads it has no cookie there, and would send none.
    page = opened(color_scheme=theme).new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if "favicon" not in str(one.location) else None)
    page.goto(elsewhere.url)
    progress = page.locator("headway-progress")
    expect(progress.get_by_text(percent(ada), exact=True)).to_be_visible()
    expect(progress.get_by_role("link")).to_have_attribute("href", f"{door.url}/share/{token}")
    expect(page.locator("headway-streak").get_by_text(re.compile(r"^\d+ days?$"))).to_be_visible()
    assert faults(trusting(page, elsewhere)) == []
    picture(page, SCREENSHOTS / "embed", theme)
    assert said == []
    assert ada.request.delete("/api/v1/progress/sharing").status == 204
    page.reload()
    expect(progress.get_by_text("Nothing is shared here")).to_be_visible()


def trusting(page: Page, elsewhere: Elsewhere) -> Page:
    """The page once more without its policy, which lets nobody look at it by a script."""
    kept, elsewhere.policy = elsewhere.policy, "default-src * 'unsafe-inline' 'unsafe-eval'"
    other = page.context.new_page()
    other.goto(elsewhere.url)
    expect(other.get_by_role("progressbar")).to_be_visible()
    elsewhere.policy = kept
    return other


def test_elsewhere_nobody_sees_their_own_progress(opened: Open, door: Door, elsewhere: Elsewhere) -> None:
    reader = signed_in(opened())
    elsewhere.page = EXAMPLE.replace("https://learn.example.org", door.url).replace(' share="TOKEN"', "")
    page = reader.new_page()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/api/" in one.url else None)
    page.goto(elsewhere.url)
    link = page.locator("headway-progress").get_by_role("link", name="See your progress at")
    expect(link).to_have_attribute("href", re.compile(re.escape(door.url)))
    assert asked == []


@pytest.mark.parametrize(
    ("shows", "html", "said"),
    [
        (["name"], f'<headway-progress course="{COURSE}" share="TOKEN">', "This course is not shared here."),
        (["name"], '<headway-streak share="TOKEN">', "The streak is not shared here."),
        (ALL, '<headway-progress course="none" share="TOKEN">', "This course is not shared here."),
        (ALL, '<headway-streak share="?">', "This is no address of a shared page."),
        (ALL, '<headway-progress course="no-such-course">', "There is no such course."),
        (ALL, "<headway-progress>", "Name the course"),
    ],
)
def test_what_cannot_be_shown_is_said(opened: Open, shows: list[str], html: str, said: str) -> None:
    context = signed_in(opened())
    page = context.new_page()
    page.goto("/courses")
    put_in(page, html.replace("TOKEN", share(context, shows)))
    expect(page.get_by_text(said)).to_be_visible()


def test_the_readers_own_progress_is_shown_and_shown_anew(opened: Open) -> None:
    context = opened()
    page = context.new_page()
    page.goto("/courses")
    put_in(page, f'<headway-progress course="{COURSE}"></headway-progress><headway-streak></headway-streak>')
    expect(page.get_by_text("Not begun yet")).to_be_visible()
    expect(page.get_by_text("No streak yet")).to_be_visible()
    done = context.request.post(f"/api/v1/courses/{COURSE}/steps/what-a-shell-is/completion", data={})
    assert done.ok
    page.evaluate("for (const one of document.querySelectorAll('headway-progress, headway-streak')) one.refresh()")
    expect(page.get_by_text(re.compile(r"^1 of \d+ steps done\.$"))).to_be_visible()
    expect(page.get_by_text("1 day", exact=True)).to_be_visible()
    assert percent(context) != "0 %"
    expect(page.get_by_text(percent(context), exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("status", "said"),
    [("completed", "Completed."), ("in-progress", "All steps done; score below the pass mark.")],
)
def test_a_card_says_that_a_course_is_completed_where_it_is(opened: Open, status: str, said: str) -> None:
    context = signed_in(opened())
    token = share(context, ALL)

    def own(route: Route) -> None:
        told = route.fetch().json()
        for module in told["modules"]:
            module["steps"] = [one | {"completed": True} for one in module["steps"]]
        route.fulfill(json=told | {"status": status, "percent": 100.0})

    def shared(route: Route) -> None:
        told = route.fetch().json()
        told["courses"] = [one | {"status": status, "percent": 100.0} for one in told["courses"]]
        route.fulfill(json=told)

    context.route(f"**/api/v1/progress/courses/{COURSE}", own)
    context.route(f"**/api/v1/share/{token}", shared)
    page = context.new_page()
    page.goto("/courses")
    put_in(page, f'<headway-progress course="{COURSE}"></headway-progress>')
    expect(page.get_by_text(said, exact=True)).to_be_visible()
    put_in(page, f'<headway-progress course="{COURSE}" share="{token}"></headway-progress>')
    expect(
        page.get_by_text(re.compile(r"^Shared by" if status == "completed" else f"^{re.escape(said)} Shared by"))
    ).to_be_visible()


def test_without_a_network_it_keeps_what_it_showed_and_asks_again_by_itself(opened: Open) -> None:
    context = signed_in(opened())
    page = context.new_page()
    page.goto("/courses")
    put_in(page, f'<headway-progress course="{COURSE}"></headway-progress>')
    shown = page.get_by_text(percent(context), exact=True)
    expect(shown).to_be_visible()
    context.set_offline(True)
    page.evaluate("document.querySelector('headway-progress').refresh()")
    expect(page.get_by_text("it cannot be refreshed right now")).to_be_visible()
    expect(shown).to_be_visible()
    page.evaluate("document.querySelector('main').append(document.createElement('headway-streak'))")
    expect(page.get_by_text("Progress cannot be loaded right now.")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("headway-streak").get_by_text(re.compile(r"^\d+ days?$"))).to_be_visible()
    expect(page.get_by_text("it cannot be refreshed right now")).to_have_count(0)


def test_the_script_is_kept_for_an_hour_and_small(opened: Open) -> None:
    reply = opened().request.get("/embed.js", headers={"accept-encoding": "br"})
    assert reply.headers["cache-control"] == "public, max-age=3600"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert (reply.headers["content-encoding"], reply.headers["content-type"]) == (
        "br",
        "text/javascript; charset=utf-8",
    )
    assert int(reply.headers["content-length"]) < 4_000
