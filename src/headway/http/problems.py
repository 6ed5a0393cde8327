"""Errors as RFC 9457 problems; the one place that knows which status a code has."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from litestar import Request
from litestar.exceptions import HTTPException, ValidationException
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from headway.domain.errors import Busy, HeadwayError, IdentityGone, Invalid, Unavailable
from headway.domain.faults import ManifestInvalid
from headway.http.choices import choices
from headway.http.exchange import exchange_of
from headway.http.pages import html_reply
from headway.http.refusals import BodyInvalid, DeviceRefused, FieldFault, InsufficientScope
from headway.http.reply import Header, Reply, encode
from headway.http.wording import in_our_words, is_no_choice, must_be_one_of
from headway.ledger.throttles import RateLimited
from headway.store.database import is_fault_of_data, is_outage, is_reference_gone, told

log = structlog.get_logger()

_NOT_KEPT: Final[Header] = (b"cache-control", b"no-store")
MEDIA_TYPE: Final = b"application/problem+json"


class ProblemKind(NamedTuple):
    """A kind of problem: its status, and its title, which is the same each time (RFC 9457, 3.1.3)."""

    status: int
    title: str


KINDS: Final[Mapping[str, ProblemKind]] = {
    "malformed": ProblemKind(400, "The request cannot be read"),
    "invalid-cursor": ProblemKind(400, "The cursor is none of this list's"),
    "sign-in-refused": ProblemKind(400, "The sign-in by another provider was refused"),
    "device-sign-in": ProblemKind(400, "The device is not signed in"),
    "unauthorized": ProblemKind(401, "This needs an identity, and the request has none that is valid"),
    "wrong-credentials": ProblemKind(401, "The address or the password is wrong"),
    "wrong-password": ProblemKind(403, "The password is wrong"),
    "forbidden": ProblemKind(403, "This needs another role"),
    "insufficient-scope": ProblemKind(403, "The token may not do this"),
    "cross-site": ProblemKind(403, "The request comes from another site"),
    "last-admin": ProblemKind(409, "The site would have no admin any more"),
    "import-running": ProblemKind(409, "Another import is under way"),
    "not-linked": ProblemKind(409, "These two cannot be linked"),
    "not-found": ProblemKind(404, "There is no such thing"),
    "unknown-course": ProblemKind(404, "There is no such course"),
    "unknown-module": ProblemKind(404, "The course has no such module"),
    "unknown-run": ProblemKind(404, "There is no such run of the course"),
    "unknown-step": ProblemKind(404, "The course has no such step"),
    "method-not-allowed": ProblemKind(405, "The path does not know this method"),
    "email-taken": ProblemKind(409, "The address belongs to an account already"),
    "address-in-use": ProblemKind(409, "There is an account with this address, which is not joined"),
    "too-many-webhooks": ProblemKind(409, "The account has as many webhooks as it may have"),
    "webhook-disabled": ProblemKind(409, "The webhook is disabled"),
    "too-many-tokens": ProblemKind(409, "The account has as many tokens as it may have"),
    "graded-step": ProblemKind(409, "The step is graded by the server alone"),
    "id-reused": ProblemKind(409, "The event id was used for other content"),
    "no-grader": ProblemKind(409, "The step has no grader"),
    "run-empty": ProblemKind(409, "Nothing was done in the run that the learner is in"),
    "too-many-runs": ProblemKind(409, "The course was begun as often as it may be"),
    "pause-overlaps": ProblemKind(409, "Another pause holds one of the days"),
    "certificate-revoked": ProblemKind(410, "The certificate was revoked"),
    "too-large": ProblemKind(413, "The body is too large"),
    "unsupported-media-type": ProblemKind(415, "The body is of a type that is not read here"),
    "invalid": ProblemKind(422, "What was sent does not fit"),
    "invalid-manifest": ProblemKind(422, "The manifest does not fit"),
    "locked": ProblemKind(423, "The step is locked"),
    "rate-limited": ProblemKind(429, "Too much was tried in a short time"),
    "internal": ProblemKind(500, "Something is broken here"),
    "archive-unavailable": ProblemKind(503, "A part of what was recorded lies in an archive that cannot be read now"),
    "busy": ProblemKind(503, "Too much is waiting"),
    "course-damaged": ProblemKind(503, "A part of the course cannot be read now"),
    "grader-failed": ProblemKind(503, "The grader of this step failed"),
    "grader-missing": ProblemKind(503, "The grader that this step needs is not installed"),
    "no-public-url": ProblemKind(503, "The site has no address to issue credentials under"),
    "provider-unavailable": ProblemKind(503, "The provider cannot be asked now"),
    "signing-key-sealed": ProblemKind(503, "The key that signs cannot be opened"),
    "unavailable": ProblemKind(503, "The database cannot be asked now"),
}
_CODES: Final = {
    400: "malformed",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    429: "rate-limited",
}
_NAMING_PLACES: Final = {
    "archive-unavailable": "a part of what was recorded cannot be read now; try again later, or tell the operator",
    "course-damaged": "a version of the course cannot be read now; try again later, or tell the operator",
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
    # What OAuth calls it (RFC 6749, 5.2; RFC 8628, 3.5), where a device is refused.
    error: str | UnsetType = UNSET


def problem_of(error: HeadwayError, request_id: str | UnsetType = UNSET) -> Problem:
    """An error as a problem."""
    kind = KINDS.get(error.code)
    if kind is None:
        log.error("error_without_status", code=error.code, detail=error.detail)
        return Problem("/problems/internal", KINDS["internal"].title, 500, "the server's log tells more", request_id)
    faults = _faults(error) if kind.status == HTTPStatus.UNPROCESSABLE_ENTITY else UNSET
    in_oauth = error.error if isinstance(error, DeviceRefused) else UNSET
    detail = _told_without_places(error, request_id)
    return Problem(f"/problems/{error.code}", kind.title, kind.status, detail, request_id, faults, in_oauth)


def _told_without_places(error: HeadwayError, request_id: str | UnsetType) -> str:
    """An error's detail; one that names places on the server goes to the log, and a general one is returned."""
    told = _NAMING_PLACES.get(error.code)
    if told is None:
        return error.detail
    log.error(error.code.replace("-", "_"), detail=error.detail, request_id=None if request_id is UNSET else request_id)
    return told


def problem_reply(problem: Problem, headers: Sequence[Header] = ()) -> Reply:
    """The reply that tells a problem. No cache keeps it: it is about one request, and often about one person."""
    return Reply(encode(problem), problem.status, (*headers, _NOT_KEPT), MEDIA_TYPE)


def _faults(error: HeadwayError) -> list[FieldProblem]:
    if isinstance(error, BodyInvalid | ManifestInvalid):
        return [FieldProblem(*fault) for fault in error.faults]
    return [FieldProblem(error.field or "", error.detail)]


def on_refusal(request: Any, error: HeadwayError) -> Reply:
    """The reply to an error of Headway's, which has a code."""
    problem = problem_of(error, exchange_of(request).request_id)
    return problem_reply(problem, _headers_for(problem.status, error))


def _headers_for(status: int, error: HeadwayError) -> list[Header]:
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        after = error.retry_after_s if isinstance(error, Busy) else _RETRY_AFTER_S.get(error.code, 2)
        return [(b"retry-after", b"%d" % after)]
    if isinstance(error, RateLimited):
        return [(b"retry-after", b"%d" % error.retry_after_s)]
    if status == HTTPStatus.UNAUTHORIZED:
        return [(b"www-authenticate", b'Bearer realm="headway"')]
    if isinstance(error, InsufficientScope):
        told = f'Bearer realm="headway", error="insufficient_scope", scope="{error.scope}"'
        return [(b"www-authenticate", told.encode("ascii"))]
    return []


def on_http_error(request: Any, error: HTTPException) -> Reply:
    """What Litestar refuses: unknown paths and methods, parameters that do not fit."""
    if isinstance(error, ValidationException) and error.extra:
        return on_refusal(request, BodyInvalid(_parameter_faults(request, error.extra)))
    code = _CODES.get(error.status_code)
    if code is None:
        return on_defect(request, error)
    exchange = exchange_of(request)
    if code == "not-found" and _is_shown(request.scope["path"], exchange.headers):
        return html_reply("There is nothing here", _NOTHING_HERE, error.status_code)
    detail, request_id = _DETAILS.get(code) or error.detail, exchange.request_id
    problem = Problem(f"/problems/{code}", KINDS[code].title, error.status_code, detail, request_id)
    headers = [(name.lower().encode(), str(value).encode()) for name, value in (error.headers or {}).items()]
    return problem_reply(problem, headers)


def _is_shown(path: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether the reply is shown to a person who opened an address in a browser."""
    return not path.startswith("/api/") and b"text/html" in headers.get(b"accept", b"")


_NOTHING_HERE: Final = """<h1>There is nothing here</h1>
<p>Look for a mistake in the address, or go to <a href="/">the first page</a>.</p>"""
_DETAILS: Final = {
    "not-found": "there is nothing at this path",
    "method-not-allowed": "the header Allow lists the methods that this path knows",
}


def _parameter_faults(request: Any, extra: Any) -> list[FieldFault]:
    faults = ((str(one.get("key", "")), str(one["message"])) for one in extra)
    return [FieldFault(name, _of_parameter(request, name, said)) for name, said in faults]


def _of_parameter(request: Any, name: str, said: str) -> str:
    allowed = _choices_of_parameter(request, name) if is_no_choice(said) else ()
    told = must_be_one_of(allowed) if allowed else in_our_words(said)
    return f"{name}: {told}" if name and told != said else told


def _choices_of_parameter(request: Any, name: str) -> tuple[str, ...]:
    taken = request.route_handler.parsed_fn_signature.parameters.get(name)
    return () if taken is None else choices(taken.annotation, "")


def on_database_error(request: Any, error: SQLAlchemyError) -> Reply:
    """The reply to an error of the database: it is unavailable, or cannot hold what was sent; all else is a defect."""
    request_id = exchange_of(request).request_id
    if isinstance(error, DBAPIError) and is_reference_gone(error):
        return on_refusal(request, IdentityGone("whom this was for was erased meanwhile"))
    if isinstance(error, DBAPIError) and is_fault_of_data(error):
        log.error("refused_by_database", request_id=request_id, error=told(error))
        return on_refusal(request, Invalid("the database cannot hold a value of this request"))
    if is_outage(error):
        return on_outage(request, error)
    return on_defect(request, error)


def on_outage(request: Any, error: Exception) -> Reply:
    """The reply where the database, or the disk under it, is unavailable."""
    log.error("database_unavailable", request_id=exchange_of(request).request_id, error=told(error))
    outage = Unavailable("the database cannot be reached now; try again in a moment", retry_after_s=2)
    return on_refusal(request, outage)


def on_defect(request: Any, error: Exception) -> Reply:
    """The reply to a defect of Headway's own, whose details go to the log alone."""
    request_id = exchange_of(request).request_id
    log.error("defect", request_id=request_id, path=request.scope["path"], exc_info=error)
    detail = f"a defect of the server; its log tells more under request {request_id}"
    return problem_reply(Problem("/problems/internal", KINDS["internal"].title, 500, detail, request_id))


EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {
    HeadwayError: on_refusal,
    HTTPException: on_http_error,
    SQLAlchemyError: on_database_error,
    OSError: on_outage,
    Exception: on_defect,
}


def answering(app: Any) -> Any:
    """Wrap a plain ASGI app so that its errors are answered as those of a handler are."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        try:
            await app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  # each kind has its handler
            tell = next(EXCEPTION_HANDLERS[kind] for kind in type(error).__mro__ if kind in EXCEPTION_HANDLERS)
            await tell(Request(scope), error)(scope, receive, send)

    return answer
