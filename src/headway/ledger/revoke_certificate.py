"""Revoke a certificate: an entry in its learner's ledger, with the reason, which everybody may read."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple
from uuid import uuid4

from sqlalchemy.engine import Connection

from headway.domain.errors import Busy, HeadwayError, Invalid
from headway.domain.events import Event, fact_event
from headway.domain.facts import REVOKED
from headway.domain.recording import SERVER
from headway.domain.times import format_time
from headway.ledger.commit import committed
from headway.ledger.record import Answer, record
from headway.ledger.security import Happening, Origin, note
from headway.ledger.submission import Receipt, Submission
from headway.store import certificates, learners
from headway.store.catalog import Catalog
from headway.store.certificates import CertificateRow
from headway.store.database import Database

REASON_MAX: Final = 500
_TRIES: Final = 3


class UnknownCertificate(HeadwayError):
    """There is no such certificate, or it is not the caller's to revoke."""

    code = "not-found"


class Revoking(NamedTuple):
    """A request to revoke; `may` says whether the caller may act for the creator of the certificate's course."""

    certificate_id: str
    reason: str
    may: Callable[[str | None], bool]
    origin: Origin


def revoke(database: Database, catalog: Catalog, asked: Revoking, *, now: int) -> bool:
    """Revoke the certificate of a run for good, and return whether it was not revoked before.

    Raise UnknownCertificate if there is none, or it is not the caller's to revoke.
    """
    asked = asked._replace(reason=check_reason(asked.reason))
    # One id for every try, so that a lost COMMIT is found again.
    entry_id = str(uuid4())
    for _ in range(_TRIES):
        with database.read() as connection:
            row = _find(connection, asked)
        submission = Submission(row.learner_id, (_event(entry_id, row, asked.reason, now),), now, source=SERVER)
        revoked = committed(database, partial(_revoke, catalog=catalog, row=row, new=submission, origin=asked.origin))
        if revoked is not None:
            return revoked
    raise Busy("the learner is being moved into an account; try again")


def check_reason(sent: str) -> str:
    """Return a reason, stripped; Invalid if it is empty, too long, or not printable."""
    reason = sent.strip()
    if not reason or len(reason) > REASON_MAX or not reason.isprintable():
        raise Invalid(
            f"reason must say in 1 to {REASON_MAX} printable characters why: everybody can read it", field="reason"
        )
    return reason


def _find(connection: Connection, asked: Revoking) -> CertificateRow:
    rows = certificates.of_run(connection, asked.certificate_id)
    if not rows or not asked.may(rows[0].owner_id):
        raise UnknownCertificate("there is no certificate of that id")
    return min(rows, key=lambda row: (row.issued_at, row.id))


def _event(entry_id: str, row: CertificateRow, reason: str, now: int) -> Event:
    said = {"course": row.course_id, "run": row.run, "certificate": row.id, "reason": reason}
    return fact_event(entry_id, REVOKED, format_time(now), said)


def _revoke(
    connection: Connection, *, catalog: Catalog, row: CertificateRow, new: Submission, origin: Origin
) -> bool | None:
    """Return whether the certificate is revoked now and was not before; None if it is another learner's meanwhile."""
    learners.lock(connection, [row.learner_id])
    rows = certificates.of_run(connection, row.id)
    if not rows or rows[0].learner_id != row.learner_id:
        return None
    if any(one.revoked_at is not None for one in rows):
        return False
    problem = _problem(record(connection, catalog, [new])[0])
    if problem is not None:
        raise problem
    what = Happening.CERTIFICATE_REVOKED
    note(connection, what, row.learner_id, at=new.received_at, origin=origin, detail=row.id)
    return True


def _problem(answer: Answer) -> HeadwayError | None:
    return answer.results[0].problem if isinstance(answer, Receipt) else answer
