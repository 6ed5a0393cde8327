"""The facts of a certificate, and of the site that issues it: everything that its renderings show."""

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
        """The score as a percentage."""
        return percent(self.score) or 0.0

    @property
    def score_text(self) -> str:
        """The score as a percentage in text: 100, 87.5, 79.99."""
        return f"{self.score_percent:.2f}".rstrip("0").rstrip(".")


class Issuer(NamedTuple):
    """The site that issues certificates: its address, without a final slash, and its name."""

    address: str
    name: str

    @property
    def id(self) -> str:
        """The id of the site in credentials: an address that returns its public keys."""
        return f"{self.address}/issuer"

    def page(self, certificate_id: str) -> str:
        """The address of the page where anybody can verify a certificate."""
        return f"{self.address}/certificates/{certificate_id}"

    def api(self, certificate_id: str) -> str:
        """The address at which programs can verify a certificate."""
        return f"{self.address}/api/v1/certificates/{certificate_id}"


def second(at: int) -> str:
    """A time to the second, as credentials have it: RFC 3339 in UTC."""
    return format_time(at // SECOND * SECOND)[:19] + "Z"


def day_text(at: int) -> str:
    """The day of a time in UTC, written so that it is read alike everywhere: 1 March 2026."""
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
    """A text with invisible characters that have effects (controls, changes of direction) replaced by spaces.

    The canonical forms in use differ on control characters, and a name must not reverse the text beside it.
    """
    return "".join(" " if _is_unseen(one) else one for one in text).strip()


# Joiners are invisible too, but Persian and Indic names and many emoji need them.
_JOINERS = "\u200c\u200d"


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in _JOINERS
