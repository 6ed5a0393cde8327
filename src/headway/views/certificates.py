"""Certificates: one by its id, for everybody, and all of a learner."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from sqlalchemy.engine import Connection

from headway.certificates.facts import CertificateFacts
from headway.store import certificates
from headway.store.certificates import CertificateRow


def find_certificate(connection: Connection, certificate_id: str) -> CertificateFacts | None:
    """Return the public facts of a certificate, None if there is none.

    Whichever of a run's certificates is asked for, the facts are those of the earliest.
    """
    rows = certificates.of_run(connection, certificate_id)
    return _one(rows) if rows else None


def certificates_of(connection: Connection, learner_id: str) -> list[CertificateFacts]:
    """A learner's certificates, one for each run, the newest first."""
    rows = sorted(certificates.of_learner(connection, learner_id), key=_run)
    found = [_one(list(of_run)) for _, of_run in groupby(rows, _run)]
    return sorted(found, key=lambda one: (one.issued_at, one.id), reverse=True)


def _run(row: CertificateRow) -> tuple[str, int]:
    return row.course_id, row.run


def _one(rows: Sequence[CertificateRow]) -> CertificateFacts:
    """Return a run's certificate: the earliest, revoked if any of the run's certificates was."""
    kept = min(rows, key=lambda row: (row.issued_at, row.id))
    revoked_at, reason = min(_revocations(rows), default=(None, None))
    return CertificateFacts(
        kept.id,
        kept.learner_name,
        kept.course_id,
        kept.title,
        kept.run,
        kept.score,
        kept.issued_at,
        revoked_at,
        reason,
    )


def _revocations(rows: Iterable[CertificateRow]) -> Iterable[tuple[int, str]]:
    return ((row.revoked_at, row.revoked_reason or "") for row in rows if row.revoked_at is not None)
