"""A dry run says what the import then does, and writes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.importers.intake import Summary
from headway.importers.run import FORMATS, rehearse
from headway.ledger.publish import publish
from headway.store.database import Database
from headway.store.schema import metadata
from tests.domain.manifests import course, module, step
from tests.importers.conftest import import_into
from tests.importers.oulad_files import write_folder
from tests.importers.test_own_events import EVENT, ID, jsonl


def rehearsed(database: Database | None, name: str, path: Path) -> Summary:
    return rehearse(database, FORMATS[name]([str(path)]), read=lambda _: None, rejected=lambda _: None)


def everything(database: Database) -> list[Any]:
    with database.read() as connection:
        return [connection.execute(sa.select(table)).all() for table in metadata.sorted_tables]


def own_events(folder: Path) -> Path:
    lines = [
        EVENT,
        {**EVENT, "id": ID},
        {**EVENT, "id": ID},
        {**EVENT, "learner": ID},
        {**EVENT, "step": "nope"},
        {**EVENT, "course": "nope"},
        {**EVENT, "step": "graded", "score": None, "response": "b", "learner": "user_8"},
        {**EVENT, "step": "graded", "score": None, "response": "z"},
        {},
    ]
    return jsonl(folder / "events", *lines)


@pytest.mark.parametrize(("name", "write"), [("oulad", write_folder), ("jsonl", own_events)])
def test_it_says_what_the_import_then_does(
    database: Database, tmp_path: Path, name: str, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path)
    before = everything(database)
    foreseen = rehearsed(database, name, path)
    assert everything(database) == before
    assert foreseen == import_into(database, name, path)
    assert foreseen.recorded
    assert rehearsed(database, name, path) == import_into(database, name, path)


def test_it_needs_no_database(tmp_path: Path) -> None:
    foreseen = rehearsed(None, "oulad", write_folder(tmp_path))
    assert (foreseen.recorded, foreseen.refused) == (14, {"invalid": 10})
    assert rehearsed(None, "jsonl", own_events(tmp_path)).refused["unknown-course"] == 7


def test_an_event_under_its_steps_new_name_is_foreseen_as_there_already(database: Database, tmp_path: Path) -> None:
    import_into(database, "jsonl", jsonl(tmp_path / "old", {**EVENT, "id": ID}))
    renamed = course(module("first", step("rounds", renamed_from=["loops"])), id="python")
    publish(database, renamed, now=0)
    path = jsonl(
        tmp_path / "new", {**EVENT, "id": ID, "step": "rounds"}, {**EVENT, "id": ID, "step": "rounds", "hints": 1}
    )
    foreseen = rehearsed(database, "jsonl", path)
    assert (foreseen.duplicates, foreseen.refused) == (1, {"id-reused": 1})
    assert foreseen == import_into(database, "jsonl", path)
