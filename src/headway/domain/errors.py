"""HeadwayError, the root of all refusals, and the general ones; only `http/problems.py` knows HTTP statuses."""

from typing import ClassVar


class HeadwayError(Exception):
    """Something was refused; `code` is the stable name, `field` the part at fault."""

    code: ClassVar[str] = "error"

    def __init__(self, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class Invalid(HeadwayError):
    """What was sent does not fit."""

    code = "invalid"


class UnknownCourse(HeadwayError):
    """There is no such course."""

    code = "unknown-course"


class UnknownStep(HeadwayError):
    """The course has no such step."""

    code = "unknown-step"


class GradedStep(HeadwayError):
    """The step is graded by the server alone."""

    code = "graded-step"


class IdReused(HeadwayError):
    """The event id was used for other content."""

    code = "id-reused"


class IdentityGone(HeadwayError):
    """The identity of this request is no longer valid."""

    code = "unauthorized"


class Busy(HeadwayError):
    """Too much is waiting."""

    code = "busy"

    def __init__(self, detail: str, *, retry_after_s: int = 1) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Unavailable(Busy):
    """The database cannot be written now; nothing was refused or lost."""

    code = "unavailable"
