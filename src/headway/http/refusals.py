"""Errors that the HTTP side raises itself; `problems.py` gives their codes a status."""

from collections.abc import Sequence
from typing import NamedTuple

from headway.domain.errors import HeadwayError, Invalid


class FieldFault(NamedTuple):
    """A fault of one field, by its path."""

    field: str
    message: str


class BodyInvalid(Invalid):
    """What was sent does not fit."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        first = faults[0]
        super().__init__(first.message, field=first.field or None)
        self.faults = faults


class Malformed(HeadwayError):
    """The request cannot be read."""

    code = "malformed"


class TooLarge(HeadwayError):
    """The body is too large."""

    code = "too-large"


class WrongMediaType(HeadwayError):
    """The body is of a type that is not read here."""

    code = "unsupported-media-type"


class CursorInvalid(HeadwayError):
    """The cursor is none of this list's."""

    code = "invalid-cursor"


class NotFound(HeadwayError):
    """There is nothing here."""

    code = "not-found"


class Unauthorized(HeadwayError):
    """Nobody is signed in."""

    code = "unauthorized"


class Forbidden(HeadwayError):
    """This is not for you."""

    code = "forbidden"


class InsufficientScope(HeadwayError):
    """The token lacks a scope."""

    code = "insufficient-scope"

    def __init__(self, detail: str, scope: str) -> None:
        super().__init__(detail)
        self.scope = scope


class DeviceRefused(HeadwayError):
    """The device is not signed in; `error` is what RFC 8628 and RFC 6749 call it."""

    code = "device-sign-in"

    def __init__(self, error: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail, field=field)
        self.error = error


class SignInRefused(HeadwayError):
    """The sign-in by another provider was refused."""

    code = "sign-in-refused"


class ProviderUnavailable(HeadwayError):
    """The provider cannot be asked now."""

    code = "provider-unavailable"


class CrossSite(Forbidden):
    """The request comes from another site."""

    code = "cross-site"


class NoGrader(HeadwayError):
    """The step has no grader."""

    code = "no-grader"
