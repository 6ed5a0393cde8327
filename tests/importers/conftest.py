"""A migrated database of each kind, and a way to run an import in this process."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from headway.importers.intake import Summary
from headway.importers.records import Doubted, Reject
from headway.importers.run import FORMATS, run
from headway.ledger.audit import audit
from headway.ledger.publish import publish
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import migrate
from tests.domain.manifests import course, module, step

GRADER = {"type": "choice", "options": {"a": "one", "b": "two"}, "answer": "b"}
PYTHON = course(
    module(
        "first",
        step("loops", kind="exercise", topics=["loops"]),
        step("essay", kind="assignment"),
        step("graded", grader=GRADER),
    )
)

Importing: TypeAlias = Callable[..., Summary]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with the course `python` in it."""
    made = Database(database_url)
    migrate(made)
    publish(made, PYTHON, now=0)
    yield made
    made.close()


@pytest.fixture
def importing(database: Database) -> Importing:
    """Import files into the database, and audit it."""

    def work(name: str, *paths: Path | str) -> Summary:
        summary = import_into(database, name, *paths)
        assert audit(database, Catalog()).clean
        return summary

    return work


def import_into(database: Database, name: str, *paths: Path | str) -> Summary:
    seen: list[Reject | Doubted] = []
    summary = run(database, FORMATS[name]([str(path) for path in paths]), read=lambda _: None, rejected=seen.append)
    assert seen == summary.rejects
    return summary


def figures(summary: Summary) -> dict[str, Any]:
    """A summary as a table of figures."""
    return {
        "read": summary.read,
        "recorded": summary.recorded,
        "duplicates": summary.duplicates,
        "refused": dict(summary.refused),
        "left_out": dict(summary.left_out),
        "learners": summary.learners,
        "enrollments": summary.enrollments,
    }
