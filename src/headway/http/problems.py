"""Errors as RFC 9457 problems; the one place that knows which status a code has."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from headway.domain.errors import Busy, HeadwayError, Invalid, Unavailable
from headway.domain.faults import ManifestInvalid
from headway.http.exchange import exchange_of
from headway.http.refusals import BodyInvalid, FieldFault
from headway.http.reply import Header, Reply, encode
from headway.store.database import is_fault_of_data

log = structlog.get_logger()

MEDIA_TYPE: Final = b"application/problem+json"
STATUSES: Final = {
    "malformed": 400,
    "invalid-cursor": 400,
    "unauthorized": 401,
    "wrong-credentials": 401,
    "forbidden": 403,
    "cross-site": 403,
    "not-found": 404,
    "unknown-course": 404,
    "unknown-module": 404,
    "unknown-step": 404,
    "method-not-allowed": 405,
    "email-taken": 409,
    "graded-step": 409,
    "id-reused": 409,
    "no-grader": 409,
    "too-large": 413,
    "unsupported-media-type": 415,
    "invalid": 422,
    "invalid-manifest": 422,
    "locked": 423,
    "too-many-requests": 429,
    "internal": 500,
    "busy": 503,
    "grader-failed": 503,
    "grader-missing": 503,
    "unavailable": 503,
}
_CODES: Final = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
}
_RETRY_AFTER_S: Final = {"grader-failed": 60, "grader-missing": 60}


class FieldProblem(Struct):
    """What is wrong with one field of what was sent, by its path."""

    field: str
    message: str


class Problem(Struct, omit_defaults=True):
    """Why a request, or one event of it, was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | UnsetType = UNSET
    errors: list[FieldProblem] | UnsetType = UNSET


def problem_of(error: HeadwayError, request_id: str | UnsetType = UNSET) -> Problem:
    """An error as a problem."""
    status = STATUSES.get(error.code, 500)
    faults = _faults(error) if status == HTTPStatus.UNPROCESSABLE_ENTITY else UNSET
    return Problem(f"/problems/{error.code}", error.title, status, error.detail, request_id, faults)


def problem_reply(problem: Problem, headers: Sequence[Header] = ()) -> Reply:
    """The reply that tells a problem."""
    return Reply(encode(problem), problem.status, headers, MEDIA_TYPE)


def _faults(error: HeadwayError) -> list[FieldProblem]:
    if isinstance(error, BodyInvalid | ManifestInvalid):
        return [FieldProblem(*fault) for fault in error.faults]
    return [FieldProblem(error.field or "", error.detail)]


def on_refusal(request: Any, error: HeadwayError) -> Reply:
    """A refusal that says itself what it is."""
    exchange = exchange_of(request)
    problem = problem_of(error, exchange.request_id)
    if problem.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("refusal_without_status", code=error.code, request_id=exchange.request_id)
    return problem_reply(problem, _headers_for(problem.status, error))


def _headers_for(status: int, error: HeadwayError) -> list[Header]:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        after = error.retry_after_s if isinstance(error, Busy) else _RETRY_AFTER_S.get(error.code, 2)
        return [(b"retry-after", b"%d" % after)]
    if status == HTTPStatus.UNAUTHORIZED:
        return [(b"www-authenticate", b'Bearer realm="headway"')]
    return []


def on_http_error(request: Any, error: HTTPException) -> Reply:
    """What Litestar refuses: unknown paths and methods, parameters that do not fit."""
    if isinstance(error, ValidationException) and error.extra:
        return on_refusal(request, BodyInvalid(_parameter_faults(error.extra)))
    if error.status_code not in _CODES:
        return on_defect(request, error)
    phrase = HTTPStatus(error.status_code).phrase
    detail = _DETAILS.get(error.status_code) or error.detail or phrase
    request_id = exchange_of(request).request_id
    problem = Problem(f"/problems/{_CODES[error.status_code]}", phrase, error.status_code, detail, request_id)
    headers = [
        (name.lower().encode("latin-1"), str(value).encode("latin-1")) for name, value in (error.headers or {}).items()
    ]
    return problem_reply(problem, headers)


_DETAILS: Final = {404: "there is nothing at this path", 405: "this path does not know this method"}


def _parameter_faults(extra: Any) -> list[FieldFault]:
    return [FieldFault(str(one.get("key", "")), str(one["message"])) for one in extra]


def on_database_error(request: Any, error: SQLAlchemyError) -> Reply:
    """The database cannot be asked now, or cannot hold what was sent; anything else of it is a defect."""
    request_id = exchange_of(request).request_id
    if isinstance(error, DBAPIError) and is_fault_of_data(error):
        log.error("refused_by_database", request_id=request_id, error=repr(error.orig)[:500])
        return on_refusal(request, Invalid("the database cannot hold a value of this request"))
    if isinstance(error, PoolTimeout | OperationalError | InterfaceError) or _is_lost(error):
        return on_outage(request, error)
    return on_defect(request, error)


def _is_lost(error: SQLAlchemyError) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def on_outage(request: Any, error: Exception) -> Reply:
    """The database, or the disk under it, cannot be reached now."""
    log.error("database_unavailable", request_id=exchange_of(request).request_id, error=repr(error)[:500])
    outage = Unavailable("the database cannot be reached now; try again in a moment", retry_after_s=2)
    return on_refusal(request, outage)


def on_defect(request: Any, error: Exception) -> Reply:
    """A defect of Headway's own: told without its insides, logged with them."""
    request_id = exchange_of(request).request_id
    log.error("defect", request_id=request_id, path=request.scope["path"], exc_info=error)
    detail = f"a defect of the server; its log tells more under request {request_id}"
    return problem_reply(Problem("/problems/internal", "Something is broken here", 500, detail, request_id))


EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {
    HeadwayError: on_refusal,
    HTTPException: on_http_error,
    SQLAlchemyError: on_database_error,
    OSError: on_outage,
    Exception: on_defect,
}
