"""The contract for reading: the OpenAPI document, a page made from it, and a page about each type of problem."""

import json
from typing import Any, Final

from litestar import Litestar, get
from litestar.params import FromPath

from headway.http import etags
from headway.http.docs_page import POLICY, contract_page, problem_page
from headway.http.exchange import Asked
from headway.http.problems import KINDS
from headway.http.refusals import NotFound
from headway.http.reply import Header, Reply

_POLICY: Final[Header] = (b"content-security-policy", POLICY.encode("ascii"))
_HTML: Final = b"text/html; charset=utf-8"


@get("/api/openapi.json", include_in_schema=False)
async def read_openapi(request: Asked) -> Reply:
    """The OpenAPI document."""
    state = request.app.state
    if "openapi" not in state:
        state["openapi"] = document_text(request.app).encode()
    return etags.public(request, state["openapi"])


@get("/api/docs", include_in_schema=False)
async def read_docs(request: Asked) -> Reply:
    """A page of all operations and shapes."""
    state = request.app.state
    if "docs" not in state:
        state["docs"] = contract_page(_document(request.app)).encode()
    return Reply(state["docs"], headers=(_POLICY,), media_type=_HTML)


@get("/problems/{code:str}", include_in_schema=False)
async def read_problem(code: FromPath[str]) -> Reply:
    """What a type of problem means: the page at the type's address."""
    kind = KINDS.get(code)
    if kind is None:
        raise NotFound("there is no problem of that type")
    return Reply(problem_page(code, kind).encode(), headers=(_POLICY,), media_type=_HTML)


def document_text(app: Litestar) -> str:
    """The OpenAPI document as it is committed and served."""
    return json.dumps(_document(app), indent=2, ensure_ascii=False) + "\n"


def _document(app: Litestar) -> dict[str, Any]:
    from headway.http.openapi import openapi_document  # noqa: PLC0415  # all examples: a server starts sooner so

    return openapi_document(app)


handlers: Final = [read_openapi, read_docs, read_problem]
