"""What the pages for people share: each is one document with all that it needs, and runs no script."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from headway.http.reply import Header, Reply

MARK: Final = "M2 13V8M6 13V5M10 13V2M14 13V6"
ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='none'"
    f" stroke='%230b8573' stroke-width='2.6' stroke-linecap='round' d='{MARK}'/%3E%3C/svg%3E"
)
_STYLE: Final = files("headway.http").joinpath("pages.css").read_text("utf-8")
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The page's own style, and forms that go to this server alone: what a name could smuggle in would not run or load.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"cache-control", b"no-store"),
)


def html_reply(title: str, body: str, status: int = 200) -> Reply:
    """A page. The body is HTML; the title is text."""
    return Reply(_page(title, body).encode(), status, _HEADERS, b"text/html; charset=utf-8")


def settled_reply(title: str, said: str, status: int = 200) -> Reply:
    """The page that a mailed link ends at, with a link to the settings. Title and `said` are text."""
    said = f'<p>{escape(said)}</p>\n<p><a href="/settings/notifications">All settings</a></p>'
    return html_reply(title, f"<h1>{escape(title)}</h1>\n{said}", status)


def broken_link_reply(advice: str) -> Reply:
    """The page for a mailed link whose token is not known."""
    return settled_reply("This link is not whole", advice, 404)


def _page(title: str, body: str) -> str:
    mark = f'<path fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" d="{MARK}"/>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · Headway</title>
<link rel="icon" href="{ICON}">
<style>{_STYLE}</style>
</head>
<body>
<header><a href="/"><svg viewBox="0 0 16 16" aria-hidden="true">{mark}</svg> Headway</a></header>
<main>
{body}
</main>
</body>
</html>
"""
