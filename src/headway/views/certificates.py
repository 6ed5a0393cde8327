"""Certificates: one by its id, for everybody, and all of a learner."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from sqlalchemy.engine import Connection

from headway.certificates.facts import CertificateFacts
from headway.store import certificates
from headway.store.certificates import Row


def find_certificate(connection: Connection, certificate_id: str) -> CertificateFacts | None:
    """What anybody may know of a certificate: the earliest of its run, whichever id is asked for; None if not there."""
    rows = certificates.of_run(connection, certificate_id)
    return _one(rows) if rows else None


def certificates_of(connection: Connection, learner_id: str) -> list[CertificateFacts]:
    """A learner's certificates, one for each run, the newest first."""
    rows = sorted(certificates.of_learner(connection, learner_id), key=_run)
    found = [_one(list(of_run)) for _, of_run in groupby(rows, _run)]
    return sorted(found, key=lambda one: (one.issued_at, one.id), reverse=True)


def _run(row: Row) -> tuple[str, int]:
    return row.course_id, row.run


def _one(rows: Sequence[Row]) -> CertificateFacts:
    """What a run's certificates come to: the earliest stays, and whoever revokes one has revoked the run's."""
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


def _revocations(rows: Iterable[Row]) -> Iterable[tuple[int, str]]:
    return ((row.revoked_at, row.revoked_reason or "") for row in rows if row.revoked_at is not None)
