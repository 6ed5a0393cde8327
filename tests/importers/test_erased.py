"""A second import of a file that speaks of somebody who was erased meanwhile: they are not made again."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from headway.importers.desks import LedgerDesk
from headway.importers.jsonl import Jsonl
from headway.importers.run import rehearse
from headway.ledger import enlist
from headway.ledger.enlist import derived_id
from headway.ledger.erase import erase
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.schema import learner, ledger
from tests.importers.conftest import Importing
from tests.importers.test_own_events import EVENT, jsonl

NOW = 1_780_000_000_000_000


def erased(database: Database, learner_id: str) -> None:
    assert erase(database, Catalog(), learner_id, now=NOW) is not None


def known(database: Database) -> list[str | None]:
    with database.read() as connection:
        found = connection.execute(sa.select(learner.c.external_id).order_by(learner.c.external_id))
        return sorted(found.scalars(), key=str)


def test_the_records_of_the_erased_are_left_out_and_counted(
    database: Database, importing: Importing, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "file", EVENT, EVENT | {"step": "essay"}, EVENT | {"learner": "user_8"})
    assert importing("jsonl", path).recorded == 3
    learner_id = derived_id("learner", "user_7")
    erased(database, learner_id)
    by_id = jsonl(tmp_path / "by-id", EVENT | {"learner": learner_id.upper()})
    for file, duplicates, left_out in ((path, 1, 2), (by_id, 0, 1)):
        with_dry_run = rehearse(database, Jsonl([str(file)]), read=lambda _: None, rejected=lambda _: None)
        summary = importing("jsonl", file)
        for one in (with_dry_run, summary):
            assert (one.recorded, one.duplicates, one.refused) == (0, duplicates, {})
            assert one.left_out == {"erased": left_out}
    assert known(database) == [None, "user_8"]
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ledger)).scalar() == 3


def test_who_is_erased_while_a_file_is_read_is_left_out_too(
    database: Database, importing: Importing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = jsonl(tmp_path / "file", EVENT, EVENT | {"learner": "user_8"})
    hand_in = LedgerDesk.hand_in

    def late(self: LedgerDesk, events: Any) -> Any:
        erased(database, derived_id("learner", "user_7"))
        return hand_in(self, events)

    monkeypatch.setattr(LedgerDesk, "hand_in", late)
    summary = importing("jsonl", path)
    assert (summary.recorded, summary.refused, summary.left_out) == (1, {}, {"erased": 1})
    assert known(database) == ["user_8"]


def test_who_is_erased_between_the_look_and_the_adding_is_not_added(
    database: Database, importing: Importing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = jsonl(tmp_path / "file", EVENT)
    importing("jsonl", path)
    erased(database, derived_id("learner", "user_7"))
    look, looked = enlist.erased, []

    def late(*given: Any) -> set[str]:
        looked.append(given)
        return look(*given) if len(looked) > 1 else set()

    monkeypatch.setattr(enlist, "erased", late)
    assert importing("jsonl", path).left_out == {"erased": 1}
    assert known(database) == [None]
