"""What all tables share: metadata, types of columns, and how derived columns are marked."""

from typing import Any

from sqlalchemy import Column, ForeignKey, MetaData, String, text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# Text in SQLite, so that ids read there as they read everywhere else.
Id: TypeEngine[str] = String(36).with_variant(UUID(as_uuid=False), "postgresql")
DERIVED = {"derived": True}


def learner_key() -> Column[str]:
    """The learner, with whom every key of a learner's table begins."""
    return Column("learner_id", Id, ForeignKey("learner.id"), primary_key=True)


def derived(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], *, nullable: bool = False) -> Column[Any]:
    """A column that follows from facts, and can be recomputed from them."""
    return Column(name, kind, nullable=nullable, info=DERIVED)


def only(condition: str) -> dict[str, Any]:
    """Options that limit an index to the rows that meet the condition."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
