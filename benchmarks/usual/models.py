"""The opponent's tables: who may write, what was sent, and the two rows that each event moves."""

from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcTime(TypeDecorator[datetime]):
    """A time in UTC; SQLite forgets the zone, so that it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it
        """What is sent to the database."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy passes it
        """What comes from it."""
        return value and (value if value.tzinfo else value.replace(tzinfo=UTC))


class Model(DeclarativeBase):
    """What all of them are registered with."""


class Learner(Model):
    """Whoever makes progress."""

    __tablename__ = "learner"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)


class Token(Model):
    """A bearer token, kept as its SHA-256."""

    __tablename__ = "token"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    learner_id: Mapped[UUID] = mapped_column(ForeignKey("learner.id"), index=True)


class Event(Model):
    """What a client sent, once an id."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_learner_id_occurred_at", "learner_id", "occurred_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    learner_id: Mapped[UUID] = mapped_column(ForeignKey("learner.id"))
    type: Mapped[str] = mapped_column(String(16))
    course: Mapped[str] = mapped_column(String(200))
    step: Mapped[str] = mapped_column(String(200))
    occurred_at: Mapped[datetime] = mapped_column(UtcTime)
    received_at: Mapped[datetime] = mapped_column(UtcTime)
    score: Mapped[float | None]


class StepProgress(Model):
    """How a learner stands on a step."""

    __tablename__ = "step_progress"

    learner_id: Mapped[UUID] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    course: Mapped[str] = mapped_column(String(200), primary_key=True)
    step: Mapped[str] = mapped_column(String(200), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    best_score: Mapped[float | None]
    latest_score: Mapped[float | None]
    completed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class DayProgress(Model):
    """What a learner did on a day."""

    __tablename__ = "day_progress"

    learner_id: Mapped[UUID] = mapped_column(ForeignKey("learner.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    steps_completed: Mapped[int] = mapped_column(default=0)
    score_total: Mapped[float] = mapped_column(default=0.0)
