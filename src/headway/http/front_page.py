"""The front page as HTML: one document that brings all it needs, and runs no script."""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from headway import __version__
from headway.store.activity import Day
from headway.views.front import CourseShown, Front, Overview, StreakShown

_STYLE: Final = files("headway.http").joinpath("front.css").read_text("utf-8")
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The page's own style and nothing else: what a title could smuggle in would not run, load or send anything.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
MARK: Final = "M2 13V8M6 13V5M10 13V2M14 13V6"
ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='none'"
    f" stroke='%230b8573' stroke-width='2.6' stroke-linecap='round' d='{MARK}'/%3E%3C/svg%3E"
)
_LINKS: Final = (("/api/docs", "API reference"), ("/api/openapi.json", "OpenAPI document"), ("/health/ready", "Health"))
_CHART_HEIGHT: Final = 40


def page(front: Front, database: str) -> str:
    """The page. `database` is what the figures are kept in, as people call it."""
    demo = front.overview is not None
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headway{" demo" if demo else ""}</title>
<link rel="icon" href="{ICON}">
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1>{_mark()} Headway</h1>
<p class="lead">Headway keeps learner progress: what each learner attempted and completed, when, and how well. Every
figure follows from one record, and can be proved.</p>
<ul class="state"><li class="up">Running</li><li>Version {escape(__version__)}</li><li>{escape(database)}</li>\
{"<li>Demo: all learners are invented</li>" if demo else ""}</ul>
</header>
<main>
{_overview(front.overview) if front.overview else ""}
<section aria-labelledby="courses"><h2 id="courses">Courses</h2>
{_courses(front.courses, front.more)}
</section>
</main>
<footer><ul>{"".join(f'<li><a href="{path}">{name}</a></li>' for path, name in _LINKS)}</ul></footer>
</body>
</html>
"""


def _mark() -> str:
    path = f'<path fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" d="{MARK}"/>'
    return f'<svg viewBox="0 0 16 16" aria-hidden="true">{path}</svg>'


def _overview(one: Overview) -> str:
    totals = one.totals
    tiles = (
        ("Learners, guests and creators", totals.learners),
        ("Seen in 24 hours", totals.seen),
        ("Events", totals.events),
        ("Steps completed", totals.steps_completed),
    )
    return f"""<section aria-label="In figures"><dl class="tiles">\
{"".join(f'<div class="card">{_term(name, value)}</div>' for name, value in tiles)}</dl></section>
<div class="pair">
<section aria-labelledby="activity"><h2 id="activity">Active learners a day</h2>
<div class="card">{_chart(one.chart)}</div></section>
<section aria-labelledby="streaks"><h2 id="streaks">Longest current streaks</h2>
<div class="card">{_streaks(one.streaks)}</div></section>
</div>"""


def _term(name: str, value: int) -> str:
    return f"<dt>{escape(name)}</dt><dd>{value:,}</dd>"


def _chart(days: list[Day]) -> str:
    """A bar a day. Sizes are attributes of the drawing, for the page's policy takes no styles but its own."""
    most = max(day.learners for day in days)
    bars = []
    for place, day in enumerate(days):
        height = round(_CHART_HEIGHT * day.learners / most, 2) if most else 0
        said = f"{day.day}: {day.learners} active, {day.steps_completed} steps completed"
        bar = f'<rect x="{place + 0.12}" y="{_CHART_HEIGHT - height:g}" width=".76" height="{height:g}"/>'
        # The invisible bar makes a whole column answer to the pointer, however short its day was.
        whole = f'<rect x="{place}" y="0" width="1" height="{_CHART_HEIGHT}" fill="none" pointer-events="all"/>'
        bars.append(f"<g><title>{said}</title>{whole}{bar}</g>")
    label = f"Active learners on each of the last {len(days)} days; at most {most:,}"
    return f"""<svg class="chart" viewBox="0 0 {len(days)} {_CHART_HEIGHT}" preserveAspectRatio="none" role="img"\
 aria-label="{label}" fill="currentColor">{"".join(bars)}</svg>
<p class="ends"><span>{escape(days[0].day)}</span><span>up to {most:,} a day</span><span>today</span></p>"""


def _streaks(streaks: Iterable[StreakShown]) -> str:
    listed = "".join(f"<li><span>{escape(one.display_name)}</span><b>{one.days:,} days</b></li>" for one in streaks)
    return f'<ol class="streaks">{listed}</ol>' if listed else '<p class="soft">Nobody is on a streak just now.</p>'


def _courses(courses: list[CourseShown], more: bool) -> str:
    if not courses:
        return """<div class="card"><p>No course is published yet. A course is a YAML or JSON file; publish one with</p>
<pre><code>headway course publish FILE</code></pre></div>"""
    beyond = '<p class="soft">There are more; the API lists them all.</p>' if more else ""
    return f'<ul class="courses">{"".join(map(_course, courses))}</ul>{beyond}'


def _course(one: CourseShown) -> str:
    about = f"<p>{escape(one.description)}</p>" if one.description else ""
    counts = [("enrolled", one.enrolled)]
    if one.going_on is not None:
        counts += [("active this month", one.going_on.active), ("steps completed", one.going_on.steps_completed)]
    listed = "".join(f"<div>{_term(name, value)}</div>" for name, value in counts)
    size = f"{_counted(one.modules, 'module')}, {_counted(one.steps, 'step')}"
    return f"""<li class="card"><h3>{escape(one.title)}</h3>
<p class="size"><code>{escape(one.id)}</code><span>{size}</span></p>
{about}<dl>{listed}</dl></li>"""


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
