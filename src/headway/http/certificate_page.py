"""The public page of a certificate, which shows whether it is real."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Final

from litestar import get
from litestar.params import FromPath

from headway.certificates.facts import CertificateFacts, Issuer, day_text, plain, second
from headway.certificates.pdf import NAMELESS
from headway.http import etags
from headway.http.certificates import found
from headway.http.exchange import Asked, exchange_of
from headway.http.issuer import issuer_of
from headway.http.pages import ICON, MARK, html_reply
from headway.http.refusals import NotFound
from headway.http.reply import Header, Reply

_STYLE: Final = files("headway.http").joinpath("certificate.css").read_text("utf-8")
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The page's own style and nothing else: what a name could smuggle in would not run, load or send anything.
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", _POLICY.encode("ascii")),
    # The page is for those who were given its address, and names a person.
    (b"x-robots-tag", b"noindex"),
)


@get("/certificates/{certificate:str}", include_in_schema=False)
async def certificate_page(request: Asked, certificate: FromPath[str]) -> Reply:
    """The page; 404, as a page, where there is no such certificate."""
    try:
        facts = await found(request, certificate)
    except NotFound:
        return _missing()
    page = _page(facts, issuer_of(exchange_of(request)))
    return etags.public(request, page.encode(), b"text/html; charset=utf-8", _HEADERS)


def _missing() -> Reply:
    body = """<h1>There is no such certificate</h1>
<p>Nothing was issued under this address. Look for a mistake in it, or ask whoever gave it to you for a new one.
Whoever erases an account takes its certificates along.</p>"""
    return html_reply("There is no such certificate", body, 404)


def _page(facts: CertificateFacts, issuer: Issuer) -> str:
    name, title = _text(facts.learner_name or NAMELESS.capitalize()), _text(facts.course_title)
    mark = f'<path fill="none" stroke="currentColor" stroke-width="2.6" stroke-linecap="round" d="{MARK}"/>'
    revoked = facts.revoked_at is not None
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{"Revoked: " if revoked else ""}{name}, {title} · {_text(issuer.name)}</title>
<meta name="description" content="{_description(facts, issuer, name, title)}">
<link rel="icon" href="{ICON}">
<link rel="alternate" type="application/json" href="{escape(issuer.api(facts.id))}">
<style>{_STYLE}</style>
</head>
<body>
<header><a href="/"><svg viewBox="0 0 16 16" aria-hidden="true">{mark}</svg> {_text(issuer.name)}</a></header>
<main>
<article{' class="revoked"' if revoked else ""}>
{_state(facts)}
<div class="body">
<p class="said">This certifies that</p>
<h1 dir="auto">{name}</h1>
<p class="said">has completed the course</p>
<p class="course" dir="auto">{title}</p>
{_figures(facts)}
</div>
</article>
{_links(facts, issuer)}
<p class="hint">This page comes from {_text(issuer.name)} and shows how the certificate stands now.
Compare it with what you were given.</p>
<p class="hint printed">Verify it at {escape(issuer.page(facts.id))}</p>
</main>
</body>
</html>
"""


def _text(text: str) -> str:
    return escape(plain(text))


def _description(facts: CertificateFacts, issuer: Issuer, name: str, title: str) -> str:
    if facts.revoked_at is not None:
        return f"This certificate was revoked by {_text(issuer.name)}."
    return f"{_text(issuer.name)} certifies that {name} has completed the course {title}."


def _state(facts: CertificateFacts) -> str:
    if facts.revoked_at is None:
        return '<p class="state"><b>Valid certificate</b></p>'
    since = f'<time datetime="{second(facts.revoked_at)}">{day_text(facts.revoked_at)}</time>'
    reason = _text(facts.revoked_reason or "")
    return f'<p class="state"><b>Revoked</b> <span>on {since}: <span dir="auto">{reason}</span></span></p>'


def _figures(facts: CertificateFacts) -> str:
    run = f"<div><dt>Run</dt><dd>{facts.run}</dd></div>" if facts.run > 1 else ""
    return f"""<dl>
<div><dt>Score</dt><dd>{facts.score_text} %</dd></div>
<div><dt>Issued</dt><dd><time datetime="{second(facts.issued_at)}">{day_text(facts.issued_at)}</time></dd></div>
{run}<div><dt>Certificate</dt><dd class="id">{escape(facts.id)}</dd></div>
</dl>"""


def _links(facts: CertificateFacts, issuer: Issuer) -> str:
    address = escape(issuer.api(facts.id))
    credential = f'<li><a href="{address}/credential" download="certificate-{facts.id}.json">Signed credential</a></li>'
    told = "" if facts.revoked_at is not None else credential
    return f'<ul class="links"><li><a href="{address}/pdf">PDF to print</a></li>{told}</ul>'


handlers: Final = [certificate_page]
