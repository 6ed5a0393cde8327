"""Statements on certificates."""

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headway.store.schema import certificate, course, course_version, learner


class CertificateRow(NamedTuple):
    """An issued certificate, with the present name of its learner. Times are microseconds.

    `owner_id` is the course's creator; `title` is the course's in the version by which the run was completed.
    """

    id: str
    learner_id: str
    learner_name: str | None
    course_id: str
    title: str
    owner_id: str | None
    run: int
    score: int
    issued_at: int
    revoked_at: int | None
    revoked_reason: str | None


def of_run(connection: Connection, certificate_id: str) -> list[CertificateRow]:
    """All certificates of the run of the given one: two where a guest who had completed it was moved."""
    asked = certificate.alias("asked")
    same = sa.and_(*(asked.c[name] == certificate.c[name] for name in ("learner_id", "course_id", "run")))
    wanted = _issued().join(asked, same).where(asked.c.id == certificate_id)
    return [CertificateRow(*row) for row in connection.execute(wanted)]


def of_learner(connection: Connection, learner_id: str) -> list[CertificateRow]:
    """All certificates of a learner."""
    wanted = _issued().where(certificate.c.learner_id == learner_id)
    return [CertificateRow(*row) for row in connection.execute(wanted)]


def _issued() -> sa.Select[Any]:
    version = sa.and_(
        course_version.c.course_id == certificate.c.course_id, course_version.c.version == certificate.c.version
    )
    return (
        sa.select(
            certificate.c.id,
            certificate.c.learner_id,
            learner.c.display_name,
            certificate.c.course_id,
            course_version.c.title,
            course.c.owner_id,
            certificate.c.run,
            sa.func.coalesce(certificate.c.score, 0),
            certificate.c.issued_at,
            certificate.c.revoked_at,
            certificate.c.revoked_reason,
        )
        .select_from(certificate)
        .join(learner, learner.c.id == certificate.c.learner_id)
        .join(course, course.c.id == certificate.c.course_id)
        .join(course_version, version)
        .where(certificate.c.issued_at.is_not(None))
    )
