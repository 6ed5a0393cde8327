"""The contract as a page that needs nothing from elsewhere: no script, no style, no font."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from html import escape
from typing import Any, Final

from headway.http.problems import KINDS, ProblemKind

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
details { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem; margin: .4rem 0 }
summary { padding: .4rem .7rem; cursor: pointer }
details > div { padding: 0 .9rem .7rem }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
code { overflow-wrap: anywhere }
a { color: inherit }
.gist { opacity: .75 }
pre { overflow-x: auto; padding: .6rem; background: color-mix(in srgb, currentColor 8%, transparent) }
.method { display: inline-block; min-width: 4.8rem; font-weight: 700 }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left; vertical-align: top }
"""
_STYLE_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode()
# The page's own style and nothing else.
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# What to do about a problem, as HTML: by its status, and for some by their code.
_ADVICE: Final = {
    400: "The request has to be mended before it is sent again.",
    401: "Sign in, and send it again.",
    403: "Who asked may not do this, with what they asked by: sending it again changes nothing.",
    404: "It is not there, or it is not for whoever asked to see.",
    405: "The header <code>Allow</code> lists the methods that the path knows.",
    409: "It does not go with what is there. Sending the same again changes nothing.",
    410: "It was taken back, and is not given out any more.",
    413: "Send less at a time.",
    415: "Send JSON, as <code>application/json</code>.",
    422: "Its <code>errors</code> name the fields that do not fit. Mend them before it is sent again.",
    423: "It opens once the modules that it requires are completed. Keep what you have, and send it again then.",
    429: "Wait for as many seconds as <code>Retry-After</code> says, and send it again.",
    500: "Nothing that you sent is wrong. The operator finds it in the log, by its <code>request_id</code>.",
    503: "Nothing was refused. Keep what you have to send, and send it again after <code>Retry-After</code> seconds.",
}
_ADVICE_OF: Final = {
    "device-sign-in": "Its <code>error</code> says whether to ask again, or to begin anew.",
    "sign-in-refused": "Try to sign in once more, or in another way.",
    "wrong-credentials": "Look for a mistake in both, or have the password set anew.",
    "wrong-password": "Look for a mistake in it.",
    "id-reused": "Make each event an id of its own. What was recorded under this one stays as it is.",
    "graded-step": "Send the learner's answer as <code>response</code>, without a score.",
    "no-public-url": "Its operator has to set <code>public_url</code>.",
}


def contract_page(document: dict[str, Any]) -> str:
    """All operations, shapes and problems of an OpenAPI document."""
    return _page("Headway's API", "".join(_contract(document)))


def problem_page(code: str, kind: ProblemKind) -> str:
    """What one type of problem means, and what to do about it."""
    advice = f"{_ADVICE_OF.get(code) or _ADVICE[kind.status]} The problem's <code>detail</code> says more."
    status = f"Status {kind.status}, <code>/problems/{escape(code)}</code>."
    again = '<a href="/api/docs">The API</a> has all problems that there are.'
    return _page(kind.title, f"<h1>{escape(kind.title)}</h1><p>{advice}</p><p>{status} {again}</p>")


def _page(title: str, body: str) -> str:
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>'


def _contract(document: dict[str, Any]) -> Iterator[str]:
    info = document["info"]
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_prose(info['description'])}</p>"
    yield '<p><a href="/">This server</a> · <a href="/api/openapi.json">The OpenAPI document</a></p>'
    tags = dict.fromkeys(one["tags"][0] for path in document["paths"].values() for one in path.values())
    for tag in tags:
        yield f"<h2>{escape(tag)}</h2>"
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                if operation["tags"] == [tag]:
                    yield from _operation(path, method, operation)
    yield "<h2>Shapes</h2>"
    for name, schema in document["components"]["schemas"].items():
        yield f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        yield f"<div>{_json(schema)}</div></details>"
    yield "<h2>Problems</h2><table>"
    for code, kind in KINDS.items():
        yield f"<tr><td>{kind.status}</td><td><code>/problems/{code}</code></td><td>{escape(kind.title)}</td></tr>"
    yield "</table>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f'<details id="{escape(operation["operationId"])}"><summary><span class="method">{method.upper()}</span> '
    yield f'<code>{escape(path)}</code> <span class="gist">{_prose(operation["summary"])}</span></summary><div>'
    for one in operation.get("parameters", ()):
        yield f"<p><code>{escape(one['name'])}</code> ({one['in']}): {escape(_told(one['schema']))}</p>"
    body = operation.get("requestBody")
    if body:
        yield f"<p>Takes</p>{_content(body)}"
    for status, reply in operation["responses"].items():
        if "content" in reply:
            yield f"<p>{status}</p>{_content(reply)}"
    bare = [status for status, reply in operation["responses"].items() if "content" not in reply]
    done, refused = [one for one in bare if one < "300"], [one for one in bare if one >= "300"]
    yield f"<p>{', '.join(done)}</p>" if done else ""
    yield f"<p>Also: {', '.join(refused)}</p></div></details>"


def _content(holder: dict[str, Any]) -> str:
    content = next(iter(holder["content"].values()))
    name = content["schema"].get("$ref", "").rpartition("/")[2]
    example = _json(content["example"]) if "example" in content else ""
    return f'<p><a href="#{escape(name)}"><code>{escape(name)}</code></a></p>{example}'


def _prose(text: str) -> str:
    """Text with `code` in it."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def _told(schema: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in schema.items())


def _json(value: Any) -> str:
    return f"<pre>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"
