"""A dry run says what the import then does, and writes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.domain.errors import IdentityGone
from headway.domain.events import parse_event
from headway.importers.desks import LedgerDesk
from headway.importers.intake import Summary
from headway.importers.run import FORMATS, rehearse, run
from headway.ledger.directing import link
from headway.ledger.enlist import derived_id
from headway.ledger.publish import publish
from headway.store import learners
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import metadata
from tests.domain.manifests import course, module, step
from tests.importers.conftest import import_into
from tests.importers.oulad_files import write_folder
from tests.importers.test_own_events import EVENT, ID, jsonl


def rehearsed(database: Database | None, name: str, path: Path) -> Summary:
    return rehearse(database, FORMATS[name]([str(path)]), read=nothing, rejected=nothing)


def nothing(_: object) -> None:
    """Nothing to be told."""


def everything(database: Database) -> list[Any]:
    with database.read() as connection:
        return [connection.execute(sa.select(table)).all() for table in metadata.sorted_tables]


def linked(database: Database, external_id: str) -> str:
    """Make an imported learner part of an account; who they were until then."""
    imported_id = derived_id("learner", external_id)
    with database.transaction() as connection:
        learners.add(connection, {"id": ID, "kind": "account", "time_zone": "UTC", "created_at": 0})
    link(database, Catalog(), imported_id, ID, now=1)
    return imported_id


def own_events(folder: Path) -> Path:
    lines = [
        EVENT,
        {**EVENT, "id": ID},
        {**EVENT, "id": ID},
        {**EVENT, "id": ID, "hints": 1},
        {**EVENT, "id": ID},
        {**EVENT, "learner": ID},
        {**EVENT, "learner": "user_8", "step": "essay"},
        {**EVENT, "learner": "8", "step": "essay", "hints": 1},
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
    assert rehearsed(None, "jsonl", own_events(tmp_path)).refused["unknown-course"] == 11


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


def test_an_event_that_is_there_is_foreseen_as_that_whatever_became_of_its_step(
    database: Database, tmp_path: Path
) -> None:
    ahead = {**EVENT, "id": ID, "occurred_at": "2206-03-01T10:00:00Z"}
    path = jsonl(tmp_path / "file", ahead, {**ahead, "hints": 1})
    run(database, FORMATS["jsonl"]([str(path)]), read=nothing, rejected=nothing)
    publish(database, course(module("first", step("other")), id="python"), now=0)
    foreseen = rehearsed(database, "jsonl", path)
    assert (foreseen.duplicates, foreseen.refused, foreseen.doubted) == (1, {"id-reused": 1}, {"clock-ahead": 1})
    assert foreseen == run(database, FORMATS["jsonl"]([str(path)]), read=nothing, rejected=nothing)


def test_who_is_nobody_is_not_said_to_have_been_moved(database: Database) -> None:
    event = parse_event({name: value for name, value in EVENT.items() if name != "learner"} | {"id": ID})
    (answered,) = LedgerDesk(database).hand_in([(ID, [event])])
    assert isinstance(answered, IdentityGone)
    assert answered.detail == "there is no such learner any more"


def test_what_is_one_event_under_both_names_of_its_step_is_foreseen_once(database: Database, tmp_path: Path) -> None:
    publish(database, course(module("first", step("rounds", renamed_from=["loops"])), id="python"), now=0)
    both = ({**EVENT, "id": ID, "step": "rounds"}, {**EVENT, "id": ID}, {**EVENT, "id": ID, "step": "rounds"})
    path = jsonl(tmp_path / "both", *both)
    foreseen = rehearsed(database, "jsonl", path)
    assert (foreseen.recorded, foreseen.duplicates) == (1, 2)
    assert foreseen == import_into(database, "jsonl", path)


def test_what_a_linked_learner_brought_is_foreseen_as_there_already(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    record = {"exercise_id": "loops", "timestamp": "2026-03-01T10:00:00Z", "score": 85}
    (folder / "attempts_7.json").write_text(json.dumps([record]))
    (folder / "streaks.json").write_text(json.dumps([{"user_id": 7, "longest_streak": 9}] * 2))
    foreseen = rehearsed(database, "json-files", folder)
    assert (foreseen.recorded, foreseen.streaks, foreseen.duplicates) == (1, 1, 1)
    assert foreseen == import_into(database, "json-files", folder)
    linked(database, "user_7")
    again = rehearsed(database, "json-files", folder)
    assert (again.recorded, again.streaks, again.duplicates) == (0, 0, 3)
    assert again == import_into(database, "json-files", folder)


def test_who_was_moved_into_an_account_is_foreseen_to_take_nothing(database: Database, tmp_path: Path) -> None:
    import_into(database, "jsonl", jsonl(tmp_path / "first", EVENT))
    moved = linked(database, "user_7")
    path = jsonl(tmp_path / "more", {**EVENT, "learner": moved, "hints": 1})
    foreseen = rehearsed(database, "jsonl", path)
    assert [(one.reason, "name the account" in one.message) for one in foreseen.rejects] == [("unauthorized", True)]
    assert foreseen == import_into(database, "jsonl", path)


def test_what_is_still_to_come_is_doubted(database: Database, tmp_path: Path) -> None:
    ahead = {**EVENT, "occurred_at": "2206-03-01T10:00:00Z"}
    path = jsonl(tmp_path / "file", ahead, EVENT, {**ahead, "step": "nope"})
    foreseen = rehearsed(database, "jsonl", path)
    assert [(one.place.line, one.reason) for one in foreseen.doubts] == [(1, "clock-ahead")]
    done, again = (run(database, FORMATS["jsonl"]([str(path)]), read=nothing, rejected=nothing) for _ in range(2))
    assert (foreseen, again.doubts) == (done, done.doubts)
