"""The facts of one certificate, and of the site that gives it out: all that its renderings say."""

import unicodedata
from typing import NamedTuple

from headway.domain.scores import percent
from headway.domain.times import SECOND, format_time


class CertificateFacts(NamedTuple):
    """A certificate. `score` is in millionths, times are microseconds; `revoked_at` is None while it is valid."""

    id: str
    learner_name: str | None
    course_id: str
    course_title: str
    run: int
    score: int
    issued_at: int
    revoked_at: int | None = None
    revoked_reason: str | None = None

    @property
    def score_percent(self) -> float:
        """The score as 0 to 100."""
        return percent(self.score) or 0.0

    @property
    def score_text(self) -> str:
        """The same as people write it: 100, 87.5, 79.99."""
        return f"{self.score_percent:.2f}".rstrip("0").rstrip(".")


class Issuer(NamedTuple):
    """Who gives certificates out: the site's address, without a slash at the end, and what it is called."""

    address: str
    name: str

    @property
    def id(self) -> str:
        """What it is known by in credentials: an address that gives its keys."""
        return f"{self.address}/issuer"

    def page(self, certificate_id: str) -> str:
        """Where anybody can see whether a certificate is real."""
        return f"{self.address}/certificates/{certificate_id}"

    def api(self, certificate_id: str) -> str:
        """The same for programs."""
        return f"{self.address}/api/v1/certificates/{certificate_id}"


def second(at: int) -> str:
    """A time to the second, as credentials have it: RFC 3339 in UTC."""
    return format_time(at // SECOND * SECOND)[:19] + "Z"


def day_text(at: int) -> str:
    """The day that a time falls on in UTC, as people everywhere read it: 1 March 2026."""
    year, month, day = second(at)[:10].split("-")
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}"


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def plain(text: str) -> str:
    """A text without what cannot be seen but does something: control characters, changes of direction.

    The canonical forms in use differ on control characters, and a name must not turn around what stands beside it.
    """
    return "".join(" " if _is_unseen(one) else one for one in text).strip()


# Joiners are unseen as well, yet Persian and Indic names and many emoji need them.
_JOINERS = "\u200c\u200d"


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS
