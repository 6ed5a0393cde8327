"""Headway's own events from files: what is taken, what is rejected, and that nothing is ever taken twice."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from headway.importers import intake
from headway.importers.jsonl import Jsonl
from headway.store import learners
from headway.store.database import Database
from headway.store.schema import learner, ledger, step_sum
from tests.importers.conftest import Importing, figures

ID = "0b9c1f1e-5a5e-4f0e-9f0e-2f1d3c4b5a69"
EVENT = {
    "learner": "user_7",
    "type": "attempted",
    "course": "python",
    "step": "loops",
    "occurred_at": "2026-03-01T10:00:00Z",
    "score": 85,
}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in EVENT.items() if name not in names}


def jsonl(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def table(path: Path, *rows: Mapping[str, Any]) -> Path:
    names = dict.fromkeys(name for row in rows for name in row)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def stored(database: Database, *columns: Any) -> list[Sequence[Any]]:
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.select(*columns).order_by(*columns))]


@pytest.mark.parametrize("write", [jsonl, table])
def test_an_event_is_recorded_for_a_learner_who_is_new(
    database: Database, importing: Importing, tmp_path: Path, write: Any
) -> None:
    path = write(tmp_path / "file", {**EVENT, "id": ID.upper(), "duration_s": 90.5, "hints": 2})
    assert importing(write.__name__.replace("table", "csv"), path).recorded == 1
    assert stored(database, learner.c.external_id, learner.c.kind) == [("user_7", "imported")]
    columns = (ledger.c.event_id, ledger.c.source, ledger.c.trust, ledger.c.score, ledger.c.duration_ms, ledger.c.hints)
    assert stored(database, *columns) == [(ID, "imported", "imported", 850_000, 90_500, 2)]


@pytest.mark.parametrize(
    ("row", "reason", "said"),
    [
        ({**EVENT, "step": "nope"}, "unknown-step", "no step 'nope'"),
        ({**EVENT, "course": "nope"}, "unknown-course", "no course 'nope'"),
        ({**EVENT, "step": "graded"}, "graded-step", "graded by the server"),
        ({**EVENT, "learner": str(uuid4())}, "unknown-learner", "there is no learner"),
        ({**EVENT, "learner": "x" * 256}, "invalid", "learner must be"),
        ({**EVENT, "learner": "  "}, "invalid", "learner must be"),
        ({**EVENT, "learner": "a\nb"}, "invalid", "learner must be"),
        (without("learner"), "invalid", "learner must be"),
        (without("occurred_at"), "invalid", "occurred_at is missing"),
        ({**EVENT, "occurred_at": "yesterday"}, "invalid", "RFC 3339"),
        ({**EVENT, "id": "7"}, "invalid", "id must be a UUID"),
        ({**EVENT, "type": "solved"}, "invalid", "type must be one of"),
        ({**EVENT, "socre": 1}, "invalid", "'socre' is no field of an event"),
        ({**EVENT, "score": "many"}, "invalid", "score must be"),
        ({**EVENT, "type": "enrolled"}, "invalid", "has no s"),
        ({**EVENT, "day": "2026-03-05"}, "invalid", "nowhere on earth"),
        ([], "invalid", "one JSON object"),
        ("text", "invalid", "one JSON object"),
    ],
)
def test_what_does_not_fit_is_rejected_alone_with_its_line(
    importing: Importing, tmp_path: Path, row: Any, reason: str, said: str
) -> None:
    summary = importing("jsonl", jsonl(tmp_path / "file", EVENT, row, {**EVENT, "step": "essay"}))
    assert figures(summary)["refused"] == {reason: 1}
    assert (summary.recorded, summary.read) == (2, 3)
    (reject,) = summary.rejects
    assert (reject.place.line, reject.reason) == (2, reason)
    assert said in reject.message


@pytest.mark.parametrize("line", [b"{", b"\xff\xfe", b'{"a": NaN}', b'"\\ud800"', b"x" * 1_100_000, b"[" * 100_000])
def test_a_line_that_cannot_be_read_is_rejected_alone(importing: Importing, tmp_path: Path, line: bytes) -> None:
    path = jsonl(tmp_path / "file", EVENT)
    path.write_bytes(b"\n" + line + b"\n \r\n" + path.read_bytes())
    summary = importing("jsonl", path)
    assert (summary.recorded, [one.place.line for one in summary.rejects]) == (1, [2])


def test_a_second_run_changes_nothing(database: Database, importing: Importing, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "file", EVENT, EVENT, {**EVENT, "id": ID, "learner": "user_8"}, {**EVENT, "type": "opened"})
    path.write_text(path.read_text().replace('"opened"', '"completed"'))
    assert importing("jsonl", path).recorded == 4
    before = stored(database, *ledger.c)
    again = importing("jsonl", path)
    assert (again.recorded, again.duplicates) == (0, 4)
    assert stored(database, *ledger.c) == before


def test_a_record_twice_in_a_file_is_two_events_and_in_two_files_one(importing: Importing, tmp_path: Path) -> None:
    one, two = jsonl(tmp_path / "one", EVENT, EVENT), jsonl(tmp_path / "two", EVENT)
    summary = importing("jsonl", one, two)
    assert (summary.recorded, summary.duplicates) == (2, 1)


def test_a_given_id_twice_is_one_event_however_far_apart(importing: Importing, tmp_path: Path) -> None:
    between = [{**EVENT, "occurred_at": f"2026-03-01T10:{n // 60:02d}:{n % 60:02d}Z"} for n in range(1200)]
    summary = importing("jsonl", jsonl(tmp_path / "file", {**EVENT, "id": ID}, *between, {**EVENT, "id": ID}))
    assert (summary.recorded, summary.duplicates) == (1201, 1)


def test_a_given_id_with_other_content_is_refused(importing: Importing, tmp_path: Path) -> None:
    importing("jsonl", jsonl(tmp_path / "file", {**EVENT, "id": ID}))
    summary = importing("jsonl", jsonl(tmp_path / "file", {**EVENT, "id": ID, "score": 86}))
    assert summary.refused == {"id-reused": 1}
    assert summary.fruitless


def test_a_file_that_grew_records_what_is_new(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "file"
    importing("jsonl", jsonl(path, EVENT, {**EVENT, "step": "essay"}))
    summary = importing("jsonl", jsonl(path, EVENT, {**EVENT, "step": "essay"}, EVENT, {**EVENT, "hints": 1}))
    assert (summary.recorded, summary.duplicates) == (2, 2)


def test_lines_may_be_added_before_and_their_fields_in_any_order(importing: Importing, tmp_path: Path) -> None:
    path = tmp_path / "file"
    importing("jsonl", jsonl(path, EVENT))
    summary = importing("jsonl", jsonl(path, {**EVENT, "hints": 1}, dict(reversed(EVENT.items()))))
    assert (summary.recorded, summary.duplicates) == (1, 1)


def test_a_table_and_lines_of_the_same_events_are_the_same(importing: Importing, tmp_path: Path) -> None:
    rows = [
        {**EVENT, "score": 0.7},
        {**EVENT, "score": None, "hints": 3},
        without("score") | {"type": "worked", "duration_s": 12.5},
        without("score") | {"step": "graded", "response": "b"},
        {**EVENT, "score": {"raw": 3, "max": 4}},
    ]
    importing("jsonl", jsonl(tmp_path / "lines", *rows))
    cells = [{name: json.dumps(v) if isinstance(v, dict) else v for name, v in row.items()} for row in rows]
    summary = importing("csv", table(tmp_path / "table", *cells))
    assert (summary.recorded, summary.duplicates) == (0, 5)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("type,course,occurred_at", "has no column learner"),
        ("learner;type;course;occurred_at", "has no column learner, type, course, occurred_at"),
        ("learner,type,course,occurred_at,mark", "a column 'mark' that no event has"),
        ("learner,type,course,occurred_at,step,step", "names a column twice"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_as_a_whole(
    importing: Importing, tmp_path: Path, header: str, said: str
) -> None:
    from headway.importers.records import ImportFailed

    (tmp_path / "file").write_text(f"{header}\n")
    with pytest.raises(ImportFailed, match=said):
        importing("csv", tmp_path / "file")


def test_an_id_of_a_known_learner_is_that_learner(database: Database, importing: Importing, tmp_path: Path) -> None:
    with database.transaction() as connection:
        learners.add(connection, {"id": ID, "kind": "account", "time_zone": "Asia/Seoul", "created_at": 0})
    late = {**EVENT, "learner": ID.upper(), "occurred_at": "2026-03-01T20:00:00Z"}
    assert importing("jsonl", jsonl(tmp_path / "file", late)).recorded == 1
    assert stored(database, ledger.c.learner_id, ledger.c.day) == [(ID, "2026-03-02")]


def test_a_learner_who_was_merged_takes_nothing(database: Database, importing: Importing, tmp_path: Path) -> None:
    with database.transaction() as connection:
        moved = {"merged_into": ID, "merged_at": 1, "merged_after": 0}
        for one in ({"id": ID, "kind": "account"}, {"id": ID.replace("0", "1"), "kind": "guest", **moved}):
            learners.add(connection, {"time_zone": "UTC", "created_at": 0, **one})
    summary = importing("jsonl", jsonl(tmp_path / "file", {**EVENT, "learner": ID.replace("0", "1")}))
    assert summary.refused == {"unauthorized": 1}


def test_a_learner_of_two_names_is_one(importing: Importing, tmp_path: Path) -> None:
    names = ("user_7", "7", "other")
    assert importing("jsonl", jsonl(tmp_path / "file", *({**EVENT, "learner": one} for one in names))).learners == 2


def test_enrollments_come_and_go(importing: Importing, tmp_path: Path) -> None:
    came = without("step", "score") | {"type": "enrolled"}
    went = came | {"type": "left", "occurred_at": "2026-04-01T10:00:00Z"}
    assert figures(importing("jsonl", jsonl(tmp_path / "file", came, went)))["enrollments"] == 1


def test_an_offset_fixes_the_day(database: Database, importing: Importing, tmp_path: Path) -> None:
    rows = [
        {**EVENT, "occurred_at": "2026-03-01T23:30:00-05:00"},
        {**EVENT, "occurred_at": "2026-03-02T04:30:01Z", "day": "2026-03-01"},
        {**EVENT, "occurred_at": "2026-03-02T21:30:00Z", "day": "2026-03-03"},
        {**EVENT, "occurred_at": "2026-03-04T21:30:00Z", "day": "2026-03-04"},
    ]
    importing("jsonl", jsonl(tmp_path / "file", *rows))
    assert stored(database, ledger.c.day) == [("2026-03-01",), ("2026-03-01",), ("2026-03-03",), ("2026-03-04",)]
    assert stored(database, step_sum.c.attempts) == [(4,)]


def test_records_are_held_by_number_and_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "ITEMS_A_WINDOW", 3)
    monkeypatch.setattr(intake, "CHARACTERS_A_WINDOW", 2_000)
    rows = [EVENT | {"step": "essay", "response": "x" * size} for size in (1, 1, 1, 1_500, 600, 1, 5_000, 1)]
    items = Jsonl([str(jsonl(tmp_path / "events", *rows))]).items(lambda _: None)
    assert [len(one) for one in intake._windows(items)] == [3, 2, 2, 1]
