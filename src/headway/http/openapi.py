"""The OpenAPI 3.1 document: from the routes, the handlers' signatures and docstrings, and `contract/`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.routes import ASGIRoute, HTTPRoute

from headway import __version__
from headway.http.contract import OPERATIONS, Operation
from headway.http.problems import KINDS, Problem
from headway.http.sent_shapes import EventSent

_REF: Final = "#/components/schemas/{name}"
_DESCRIPTION: Final = (
    "Headway keeps learner progress: events in, progress out, nothing lost. Scores are 0 to 1, `*_percent` 0 to 100,"
    " durations end in `_s`, times are RFC 3339 and given in UTC, a day is `YYYY-MM-DD`. Errors are RFC 9457 problems."
    " An event sent twice under one id counts once; a reply means committed."
)
_SECURITY: Final[dict[str, Any]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a guest or of a session, or a personal access token.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "headway_session",
        "description": "Set by registering and signing in; `__Host-headway_session` behind HTTPS.",
    },
    "guest": {
        "type": "apiKey",
        "in": "cookie",
        "name": "headway_guest",
        "description": "Set by a nobody's first write; `__Host-headway_guest` behind HTTPS.",
    },
}
_CALLERS: Final[dict[str, list[dict[str, list[str]]]]] = {
    "public": [],
    "anyone": [{}, {"bearer": []}, {"session": []}, {"guest": []}],
    "learner": [{"bearer": []}, {"session": []}, {"guest": []}],
    "account": [{"bearer": []}, {"session": []}],
    "creator": [{"bearer": []}, {"session": []}],
    "admin": [{"session": []}],
}


class _Route(NamedTuple):
    path: str
    method: str
    handler: BaseRouteHandler
    operation: Operation


def openapi_document(app: Litestar) -> dict[str, Any]:
    """The document, in an order that is always the same."""
    routes = sorted(_routes(app), key=lambda one: (one.path, one.method))
    schemas = _Schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for one in routes:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Headway",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY,
            "schemas": schemas.components,
            "responses": {str(status): _problem(status) for status in sorted({kind.status for kind in KINDS.values()})},
        },
    }


def _routes(app: Litestar) -> Iterator[_Route]:
    for route in app.routes:
        if isinstance(route, ASGIRoute):
            operation = OPERATIONS[route.route_handler.handler_name]
            yield _Route(route.path_format, operation.method or "GET", route.route_handler, operation)
        elif isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods if handler.resolve_include_in_schema() else ():
                    yield _Route(route.path_format, method, handler, OPERATIONS[handler.handler_name])


class _Schemas:
    """JSON schemas of all shapes, named by them."""

    def __init__(self, routes: Iterable[_Route]) -> None:
        shapes = [Problem, EventSent]
        for one in routes:
            shapes += [shape for shape in (one.operation.takes, *one.operation.gives.values()) if shape is not None]
        self._shapes = list(dict.fromkeys(shapes))
        schemas, components = msgspec.json.schema_components(self._shapes, ref_template=_REF)
        self._schemas = dict(zip(self._shapes, schemas, strict=True))
        self.components = dict(sorted(components.items()))

    def of(self, shape: Any) -> dict[str, Any]:
        """The schema of a shape, which is a reference."""
        return self._schemas[shape]


def _operation(one: _Route, schemas: _Schemas) -> dict[str, Any]:
    operation, doc = one.operation, one.handler.fn.__doc__ or ""
    told: dict[str, Any] = {
        "operationId": one.handler.handler_name,
        "tags": [operation.tag],
        "summary": doc.partition("\n")[0],
        "security": _CALLERS[operation.callers],
    }
    parameters = [*_path_parameters(one.path), *_query_parameters(one.handler)]
    if parameters:
        told["parameters"] = parameters
    if operation.takes is not None:
        content = _content(schemas.of(operation.takes), operation.sent)
        kinds = ["application/json", *(["application/x-www-form-urlencoded"] if operation.takes_form else [])]
        told["requestBody"] = {
            "required": not operation.may_be_empty,
            "content": dict.fromkeys(kinds, content),
        }
    told["responses"] = dict(sorted(_responses(one, schemas).items()))
    return told


def _content(schema: Mapping[str, Any], example: Any) -> dict[str, Any]:
    return {"schema": schema} | ({} if example is None else {"example": example})


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for part in path.split("/"):
        if part.startswith("{"):
            schema = {"type": "string", "minLength": 1, "maxLength": 200}
            yield {"name": part.strip("{}"), "in": "path", "required": True, "schema": schema}


def _query_parameters(handler: BaseRouteHandler) -> Iterator[dict[str, Any]]:
    for name, field in handler.parsed_fn_signature.parameters.items():
        definition: Any = field.kwarg_definition
        if definition is None or definition.param_type != "query":
            continue
        schema = msgspec.json.schema(field.annotation)
        bounds = {"minimum": definition.ge, "maximum": definition.le, "default": field.default}
        schema |= {key: value for key, value in bounds.items() if isinstance(value, str | int)}
        yield {"name": definition.name or name, "in": "query", "schema": schema}


def _responses(one: _Route, schemas: _Schemas) -> dict[str, Any]:
    operation = one.operation
    replies: dict[str, Any] = {str(status): _reference(status) for status in _refusals(one)}
    for status, shape in operation.gives.items():
        reply: dict[str, Any] = {"description": _SAID.get(status, "Done.")}
        if shape is not None:
            reply["content"] = {"application/json": _content(schemas.of(shape), operation.example(status))}
            reply["content"] |= {kind: {"schema": schema} for kind, schema in (operation.also or {}).items()}
        elif operation.media is not None:
            example = operation.example(status)
            reply["content"] = {kind: _content(schema, example) for kind, schema in operation.media.items()}
        if operation.has_etag:
            reply["headers"] = {"ETag": {"schema": {"type": "string"}}}
        replies[str(status)] = reply
    if operation.has_etag:
        replies["304"] = {"description": "Nothing has changed since the ETag in If-None-Match."}
    return replies


_SAID: Final = {
    303: "The browser is sent on.",
    201: "Made.",
    202: "Taken up.",
    204: "Done; there is nothing to tell.",
    503: "Not ready.",
}


def _refusals(one: _Route) -> set[int]:
    operation, writes = one.operation, one.method != "GET"
    found = {400, *operation.refuses}
    if operation.callers != "public" or writes:
        found |= {401, 503}
    if writes:
        found.add(403)
    if operation.takes is not None:
        found |= {413, 415, 422}
    if "{" in one.path:
        found.add(404)
    if any(_query_parameters(one.handler)):
        found.add(422)
    return found | ({503} if operation.tag != "Health" else set())


def _reference(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{status}"}


_LIMITS: Final = {
    "RateLimit-Policy": 'The limits: so many (q) in so many seconds (w), as `"sign-in";q=10;w=900`.',
    "RateLimit": 'What is left of them (r), and in how many seconds there is all again (t), as `"sign-in";r=0;t=840`.',
}


def _problem(status: int) -> dict[str, Any]:
    kinds = {code: kind.title for code, kind in KINDS.items() if kind.status == status}
    examples = {code: {"value": _example(code, status)} for code in kinds}
    told: dict[str, Any] = {
        "description": "; ".join(f"`/problems/{code}`: {title}" for code, title in kinds.items()),
        "content": {
            "application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}, "examples": examples},
        },
    }
    if status in (429, 503):
        told["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    if status == 429:
        told["headers"] |= {name: {"description": said, "schema": {"type": "string"}} for name, said in _LIMITS.items()}
    return told


def _example(code: str, status: int) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": KINDS[code].title,
        "status": status,
        "detail": f"{KINDS[code].title}.",
        "request_id": "5f2b7c0e9d1a4c33",
    }
    return example | ({"errors": [{"field": "events[0]", "message": "…"}]} if status == 422 else {})
