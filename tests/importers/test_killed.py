"""Imports that are killed (-9) at each of their steps and run again: they come to what one undisturbed run comes to."""

import json
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from headway.importers import desks, intake
from headway.importers.headway_export import take_over
from headway.importers.json_files import JsonFiles
from headway.importers.run import run
from headway.importers.sent import Sent, Upload
from headway.importers.uploads import run_upload
from headway.ledger import importing
from headway.ledger.audit import audit
from headway.ledger.importing import LOST_AFTER, ImportRunning
from headway.ledger.publish import publish
from headway.store.catalog import Catalog
from headway.store.database import Database
from headway.store.migrate import migrate
from headway.views.export import export_json
from headway.views.subject import Subject
from tests.dying import killed_at
from tests.importers.conftest import PYTHON
from tests.importers.test_interrupted import everything, two_urls
from tests.importers.test_round_trip import NOW, learn

__all__ = ["two_urls"]
pytestmark = pytest.mark.long
STEPS_MAX = 100
ATTEMPTS: list[dict[str, Any]] = [
    {"exercise_id": f"e{n % 3}", "score": 60 + n, "timestamp": f"2024-03-0{n + 1}T10:00:00Z"} for n in range(6)
]


@pytest.fixture(autouse=True)
def in_small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an import of some records takes several transactions."""
    monkeypatch.setattr(desks, "EVENTS_A_TRANSACTION", 4)
    monkeypatch.setattr(intake, "ITEMS_A_WINDOW", 4)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    found = [tmp_path / f"attempts_{n}.json" for n in (7, 8)]
    for path in found:
        path.write_text(json.dumps(ATTEMPTS))
    return found


@pytest.fixture
def killed(two_urls: tuple[str, str]) -> Iterator[Database]:
    yield from opened(two_urls[0])


@pytest.fixture
def whole(two_urls: tuple[str, str]) -> Iterator[Database]:
    yield from opened(two_urls[1])


def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    migrate(database)
    publish(database, PYTHON, now=0)
    yield database
    database.close()


def again_and_again(killed: Database, monkeypatch: pytest.MonkeyPatch, act: Callable[[Database], object]) -> int:
    """Do something until it is done, killed at one step later each time; how often it was killed."""
    url = killed.url.render_as_string(hide_password=False)
    for at in range(1, STEPS_MAX):
        if not killed_at(at, monkeypatch, lambda: act(Database(url))):
            return at - 1
        assert audit(killed, Catalog()).clean
    raise AssertionError("it came to no end")


def assert_same(killed: Database, whole: Database) -> None:
    assert audit(killed, Catalog()).clean
    found, true = _all_of(killed), _all_of(whole)
    # The epoch, which comes behind, is raised where what was taken over is mended.
    assert [row[:6] for row in found.pop("learner")] == [row[:6] for row in true.pop("learner")]
    assert found == true


def _all_of(database: Database) -> dict[str, Any]:
    return everything(database.url.render_as_string(hide_password=False))


def test_json_files(killed: Database, whole: Database, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def act(database: Database) -> Any:
        return run(database, JsonFiles(list(map(str, files))), read=lambda _: None, rejected=lambda _: None)

    assert again_and_again(killed, monkeypatch, act) > 6
    act(whole)
    assert_same(killed, whole)
    assert (act(killed).recorded, act(killed).duplicates) == (0, 12)


def test_an_upload(killed: Database, whole: Database, files: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends the files again is told that one is under way until that is known to be lost."""
    sent = Upload("json-files", [Sent(path.name, path.read_bytes()) for path in files])
    clock = [NOW]

    def act(database: Database) -> None:
        begun = importing.begin(database, 1, now=clock[0])
        run_upload(database, begun["id"], sent, now=lambda: clock[0], stopping=Event())

    kills = refused = 0
    url = killed.url.render_as_string(hide_password=False)
    for at in range(1, STEPS_MAX, 3):  # those in between are json-files' own
        done = not killed_at(at, monkeypatch, lambda: act(Database(url)))
        kills += not done
        assert audit(killed, Catalog()).clean
        if done:
            break
        try:
            begun = importing.begin(killed, 1, now=clock[0])
        except ImportRunning:
            refused += 1
        else:
            importing.end(killed, begun["id"], ("failed", 0), None, now=clock[0])
        clock[0] += LOST_AFTER + 1
    assert kills > 3
    assert refused > 0
    act(whole)
    assert_same(killed, whole)


def test_headway_export(killed: Database, whole: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learner_id = learn(whole)

    def read(view: Callable[[Any], Any]) -> Any:
        with whole.read() as connection:
            return view(connection)

    path = tmp_path / "export.json"
    path.write_bytes(b"".join(export_json(read, Subject(learner_id, "UTC"), NOW)))
    seen = set()

    def act(database: Database) -> None:
        assert take_over(database, str(path)).entries > 0

    url = killed.url.render_as_string(hide_password=False)
    for at in range(1, STEPS_MAX):
        done = not killed_at(at, monkeypatch, lambda: act(Database(url)))
        seen.add(sha256(repr(everything(url)["ledger"]).encode()).hexdigest())
        assert audit(killed, Catalog()).clean
        if done:
            break
    assert len(seen) == 2  # nothing of it, or all
    assert_same(killed, whole)
    assert take_over(killed, str(path)).repeated


def test_files_of_an_import_that_was_killed_go_with_the_next(
    killed: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    left, under_way, other = (
        temporary / name for name in ("headway-import-left", "headway-import-now", "headway-other")
    )
    for folder in (left, under_way, other):
        (folder / "0").mkdir(parents=True)
        (folder / "0" / "attempts_7.json").write_text("[]")
    for folder in (left, other):
        os.utime(folder, (0, 0))
    sent = Upload("json-files", [Sent("attempts_7.json", json.dumps(ATTEMPTS).encode())])
    run_upload(killed, importing.begin(killed, 1, now=NOW)["id"], sent, now=lambda: NOW, stopping=Event())
    assert sorted(temporary.iterdir()) == [under_way, other]
