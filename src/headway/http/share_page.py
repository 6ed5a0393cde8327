"""The public page of a learner's progress, and its badge: without cookies, scripts or the e-mail address."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from litestar import get
from litestar.params import FromPath, FromQuery

from headway.certificates.facts import plain
from headway.domain.scores import cut
from headway.http import etags
from headway.http.badge_art import name_of
from headway.http.exchange import Asked
from headway.http.pages import ICON, MARK, html_reply
from headway.http.refusals import NotFound
from headway.http.reply import Header, Reply
from headway.http.share_art import BOOK, FLAME, drawn
from headway.http.sharing import NO_INDEX, shared
from headway.views.sharing import SharedAchievement, SharedCourse, SharedLevel, SharedProgress

_STYLE: Final = files("headway.http").joinpath("share.css").read_text("utf-8")
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The page's own style and the badges of this server: what a name could smuggle in would not run, load or send anything.
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", _POLICY.encode("ascii")),
    NO_INDEX,
)
# A badge that is embedded is loaded by many; five minutes old is good enough.
_BADGE_CACHE: Final[Header] = (b"cache-control", b"public, max-age=300")
_BADGE_HEADERS: Final[tuple[Header, ...]] = (
    NO_INDEX,
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"cross-origin-resource-policy", b"cross-origin"),
)
_NAMELESS: Final = "A learner"


@get("/share/{token:str}", include_in_schema=False)
async def share_page(request: Asked, token: FromPath[str]) -> Reply:
    """The page; 404, as a page, where nothing is shared."""
    try:
        found = await shared(request, token)
    except NotFound:
        return _missing()
    return etags.public(request, _page(found.progress).encode(), b"text/html; charset=utf-8", _HEADERS)


@get("/share/{token:str}/badge.svg", include_in_schema=False)
async def share_badge(request: Asked, token: FromPath[str], course: FromQuery[str | None] = None) -> Reply:
    """The badge: of the streak, or how much of a course is completed; 404 where the page does not show that."""
    found = (await shared(request, token)).progress
    svg = _streak_badge(found) if course is None else _course_badge(found, course)
    return etags.tagged(request, svg, _BADGE_CACHE, b"image/svg+xml", _BADGE_HEADERS)


def _streak_badge(found: SharedProgress) -> bytes:
    if found.streak is None:
        raise NotFound("this page does not show a streak; name a course that it shows as ?course=")
    return drawn(FLAME, "streak", _days(found.streak.current))


def _course_badge(found: SharedProgress, course: str) -> bytes:
    one = next((each for each in found.courses or () if each.course == course), None)
    if one is None:
        raise NotFound("this page does not show that course")
    return drawn(BOOK, _short(plain(one.title)), f"{cut(one.percent, 0):g} %")


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count:,} days"


def _short(title: str, longest: int = 40) -> str:
    return title if len(title) <= longest else title[: longest - 1].rstrip() + "…"


def _missing() -> Reply:
    body = """<h1>Nothing is shared here</h1>
<p>Look for a mistake in the address, or ask whoever gave it to you for a new one.
Whoever shared something here may have stopped doing so.</p>"""
    reply = html_reply("Nothing is shared here", body, 404)
    reply.headers = (*reply.headers, NO_INDEX)
    return reply


def _page(found: SharedProgress) -> str:
    name = _text(found.name or _NAMELESS)
    mark = f'<path fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" d="{MARK}"/>'
    parts = (_figures(found), _courses(found.courses), _levels(found.levels), _achievements(found.achievements))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{name} · Progress</title>
<link rel="icon" href="{ICON}">
<style>{_STYLE}</style>
</head>
<body>
<header><a href="/"><svg viewBox="0 0 16 16" aria-hidden="true">{mark}</svg> Headway</a></header>
<main>
<h1 dir="auto">{name}</h1>
<p class="said">shares this progress.</p>
{"".join(parts)}
</main>
</body>
</html>
"""


def _text(text: str) -> str:
    return escape(plain(text))


def _figures(found: SharedProgress) -> str:
    shown: list[tuple[str, str]] = []
    if found.streak is not None:
        shown.append(("Streak", _days(found.streak.current)))
        shown.append(("Longest streak", _days(found.streak.longest)))
    if found.points is not None:
        shown.append(("Points", f"{found.points:,}"))
    if not shown:
        return ""
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in shown)}</dl>"


def _section(title: str, items: Iterable[str] | None, empty: str, kind: str) -> str:
    """A section of the page; empty if it is not shared, with the text `empty` if there is nothing in it yet."""
    if items is None:
        return ""
    listed = "".join(f"<li>{one}</li>" for one in items)
    shown = f'<ul class="{kind}">{listed}</ul>' if listed else f'<p class="said">{empty}</p>'
    return f"<section><h2>{title}</h2>{shown}</section>"


def _courses(found: list[SharedCourse] | None) -> str:
    return _section("Courses", None if found is None else map(_course, found), "No course yet.", "courses")


def _course(one: SharedCourse) -> str:
    title, percent = _text(one.title), f"{cut(one.percent, 0):g}"
    said = "completed" if one.status == "completed" else f"{percent} %"
    bar = f'<progress max="100" value="{percent}" aria-label="{title}">{percent} %</progress>'
    # All steps are done, but the course is not completed: the score of a module is too low.
    short = '<p class="said">all steps done; score below the pass mark</p>'
    lacking = short if one.status != "completed" and one.percent == 100 else ""
    return f'<p><span dir="auto">{title}</span> <b>{said}</b></p>{bar}{lacking}'


def _levels(found: list[SharedLevel] | None) -> str:
    listed = None if found is None else (f'<span dir="auto">{_text(o.topic)}</span> <b>{o.level}</b>' for o in found)
    return _section("Levels", listed, "No level above beginner yet.", "levels")


def _achievements(found: list[SharedAchievement] | None) -> str:
    listed = None if found is None else map(_achievement, found)
    return _section("Achievements", listed, "No achievement yet.", "badges")


def _achievement(one: SharedAchievement) -> str:
    drawing = f"/api/v1/badges/{name_of(one.category, one.tier)}.svg"
    return f'<img src="{drawing}" alt="" width="56" height="56"><span dir="auto">{_text(one.title)}</span>'


handlers: Final = [share_page, share_badge]
