"""The web app: one document for all its pages, which finds the page by the address, and the files that it loads."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from litestar import get
from litestar.params import FromPath

from headway.http import etags
from headway.http.exchange import Asked, exchange_of
from headway.http.issuer import FOR_ALL
from headway.http.pages import html_reply
from headway.http.refusals import NotFound
from headway.http.reply import Header, Reply

BUILT: Final = Path(__file__).with_name("built")
# The app's own addresses; a test holds them equal to those of web/app/src/routes.ts. All others are 404.
ROUTES: Final = (
    "/",
    "/courses",
    "/courses/{course:str}",
    "/courses/{course:str}/steps/{step:str}",
    "/streak",
    "/progress",
    "/achievements",
    "/leaderboard",
    "/certificates",
    "/notifications",
    "/settings",
    "/settings/{section:str}",
    "/teach",
    "/teach/publish",
    "/teach/{course:str}",
    "/teach/{course:str}/grading",
    "/teach/{course:str}/publish",
    "/teach/{course:str}/learners/{learner:str}",
    "/operate",
    "/operate/learners",
    "/operate/imports",
    "/unsent",
    "/sign-in",
    "/register",
)
# What a page shows first is requested together with its files, with the identity of whoever opens it.
READ_AT_ONCE: Final[Mapping[str, tuple[str, ...]]] = {
    "/": ("/progress", "/progress/streak"),
    "/courses/{course}": ("/courses/{course}", "/progress/courses/{course}"),
    "/courses/{course}/steps/{step}": ("/courses/{course}", "/progress/courses/{course}"),
    "/teach/{course}": ("/creator/courses/{course}/report",),
}
# Scripts, styles and data of this server alone, and none of them inline.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_POLICY: Final[Header] = (b"content-security-policy", POLICY.encode("ascii"))
_HTML: Final = b"text/html; charset=utf-8"
_TYPES: Final[Mapping[str, bytes]] = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".webmanifest": b"application/manifest+json",
}
# A file with the hash of its content in its name never changes; the others may with the next version.
_HASHED: Final = re.compile(r"-[\w-]{8}\.\w+")
_FOREVER: Final[Header] = (b"cache-control", b"public, max-age=31536000, immutable")
_A_WHILE: Final[Header] = (b"cache-control", b"public, max-age=3600")
# A page of any site may load it: it does not depend on who asks.
_EMBEDDED: Final[tuple[Header, ...]] = (FOR_ALL, (b"cross-origin-resource-policy", b"cross-origin"))
_CODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
_LINKS: Final = {
    ".css": '<link rel="stylesheet" crossorigin href="/{}">',
    ".js": '<link rel="modulepreload" crossorigin href="/{}">',
}
_READ: Final = '<link rel="preload" href="/api/v1{}" as="fetch" crossorigin>'
_PARAMETER: Final = re.compile(r"\{(\w+)(?::str)?\}")
_DEMO: Final = (b'<html lang="en">', b'<html lang="en" data-demo>')


class File(NamedTuple):
    """A file as it was built, and its compressed forms, where they are smaller."""

    media_type: bytes
    cache: Header
    plain: bytes
    coded: Mapping[str, bytes]


@get(list(ROUTES), include_in_schema=False)
async def app_page(request: Asked) -> Reply:
    """The document of the app; if the app was not built, a page that says how to build it."""
    template = request.scope["path_template"]
    document = _document(BUILT, _PARAMETER.sub(r":\1", template), demo=exchange_of(request).services.settings.demo)
    if document is None:
        return _not_built()
    return etags.public(request, _reading(document, template, request.path_params), _HTML, (_POLICY,))


@get("/assets/{name:str}", include_in_schema=False)
async def app_file(request: Asked, name: FromPath[str]) -> Reply:
    """A file that the app loads."""
    file = _files(BUILT).get(name)
    if file is None:
        raise NotFound("the app has no file of that name")
    return _sent(request, file)


@get("/worker.js", include_in_schema=False)
async def app_worker(request: Asked) -> Reply:
    """The service worker, which opens the pages without a network."""
    path = BUILT / "worker.js"
    if not path.is_file():
        raise NotFound("the web pages were not built")
    return etags.public(request, _read(path), _TYPES[".js"], (_POLICY,))


@get("/embed.js", include_in_schema=False)
async def embed_script(request: Asked) -> Reply:
    """The script of the elements that show progress on pages of other sites."""
    file = _embedded(BUILT)
    if file is None:
        raise NotFound("the web pages were not built")
    return _sent(request, file, _EMBEDDED)


def _sent(request: Asked, file: File, more: Iterable[Header] = ()) -> Reply:
    accepted = exchange_of(request).headers.get(b"accept-encoding", b"").decode("latin-1")
    asked = {one.split(";")[0].strip() for one in accepted.split(",") if "q=0" not in one.replace(" ", "")}
    headers: list[Header] = [file.cache, (b"vary", b"Accept-Encoding"), *more]
    for coding, body in file.coded.items():
        if coding in asked:
            return Reply(body, 200, [*headers, (b"content-encoding", coding.encode("ascii"))], file.media_type)
    return Reply(file.plain, 200, headers, file.media_type)


@cache
def _document(folder: Path, route: str, *, demo: bool) -> bytes | None:
    path = folder / "index.html"
    if not path.is_file():
        return None
    # A page's own files are fetched together with those of all pages, and not only once these have run.
    files = json.loads((folder / "files.json").read_bytes())[route]
    links = "".join(_LINKS[Path(name).suffix].format(name) for name in files)
    document = path.read_bytes().replace(b"</head>", links.encode() + b"</head>", 1)
    # The app offers strangers to sign in as the demo's own learner.
    return document.replace(*_DEMO, 1) if demo else document


def _reading(document: bytes, template: str, params: Mapping[str, Any]) -> bytes:
    # Quoted, nothing in an address can end the attribute that it stands in.
    quoted = {name: quote(str(value), safe="") for name, value in params.items()}
    links = "".join(_READ.format(path.format(**quoted)) for path in READ_AT_ONCE.get(template, ()))
    return document.replace(b"</head>", links.encode("ascii") + b"</head>", 1)


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _embedded(folder: Path) -> File | None:
    path = folder / "embed.js"
    return _file(path) if path.is_file() else None


@cache
def _files(folder: Path) -> Mapping[str, File]:
    """The files that the app loads, by name; they are kept in memory, since they are few."""
    assets = folder / "assets"
    paths = [path for path in assets.iterdir() if path.suffix in _TYPES] if assets.is_dir() else []
    return {path.name: _file(path) for path in paths}


def _file(path: Path) -> File:
    beside = ((coding, path.with_name(path.name + suffix)) for coding, suffix in _CODINGS)
    coded = {coding: one.read_bytes() for coding, one in beside if one.is_file()}
    cached = _FOREVER if _HASHED.search(path.name) else _A_WHILE
    return File(_TYPES[path.suffix], cached, path.read_bytes(), coded)


def _not_built() -> Reply:
    body = """<h1>Headway is running, without its web pages</h1>
<p>They were not built when it was installed. In a checkout, <code>make pages</code> builds them; then start the server
again. Everything else works: see the <a href="/api/docs">API reference</a>.</p>"""
    return html_reply("No web pages", body)


handlers: Final = [app_page, app_file, app_worker, embed_script]
