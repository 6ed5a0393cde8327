"""Everything about a learner, handed out and taken in again."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
import sqlalchemy as sa

from headway.importers.headway_export import take_over
from headway.importers.reading import LINE_BYTES_MAX
from headway.importers.records import ImportFailed
from headway.ledger.adopt import NotAdopted
from headway.ledger.erase import erase
from headway.store.notice_tables import notice
from headway.store.schema import OF_LEARNER, learner
from headway.store.webhook_tables import webhook
from headway.views.cells import lines
from headway.views.export import Export, export_csv, export_json
from headway.views.subject import NOBODY, Subject
from tests.ledger.conftest import postgresql_world, sqlite_world, world
from tests.ledger.essays import ESSAYS, essay
from tests.ledger.facts import LATER, begin_anew, reset
from tests.ledger.gates import GATES, through
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, enrollment, event, numbered

__all__ = ["postgresql_world", "sqlite_world", "world"]
SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "export.schema.json"


def exported(world: World, learner_id: str) -> bytes:
    return b"".join(export_json(reading(world), Subject(learner_id, "UTC"), LATER))


def reading(world: World) -> Any:
    def read(view: Any) -> Any:
        with world.database.read() as connection:
            return view(connection)

    return read


def full(world: World) -> str:
    """A learner with something of everything."""
    for manifest in (GATES, ESSAYS):
        world.publish(manifest)
    ada = world.learner("Europe/Berlin", email="ada@example.org", display_name="=Ada", roles="creator")
    world.send(
        ada, *through("basics", "loops", "end"), essay(40), enrollment(41), event(42, score=0.5, response="x, y")
    )
    begin_anew(world, ada)
    guest = guest_in(world, event(43, "completed", "hello"), event(42, score=0.5, response="x, y"))
    reset(world, ada, "essays")
    hook = {"id": numbered(950), "url": "https://example.org/", "types": "", "secret": "plain:bird", "created_at": NOON}
    with world.database.transaction() as connection:
        connection.execute(sa.insert(webhook).values(learner_id=ada, active=True, failures=0, retry_at=0, **hook))
    move(world, ada, guest, LATER + HOUR)
    return ada


def test_what_is_handed_out_is_whole_as_its_schema_says_and_tells_no_secret(world: World) -> None:
    ada = full(world)
    whole = json.loads(exported(world, ada))
    jsonschema_rs.validate(json.loads(SCHEMA.read_text()), whole)
    assert whole["complete"] is True
    assert whole["learner"]["email"] == "ada@example.org"
    assert {one["id"] for one in whole["events"]} >= {one.event_id for one in world.entries(ada)}
    assert len(whole["identities"]) == 2
    assert [one["counts"] for one in whole["events"] if one["course"] == "essays" and one["type"] == "attempted"] == [
        False
    ]
    assert whole["tables"].keys() == {table.name for table in OF_LEARNER} - {"brought"}
    assert not [name for rows in whole["tables"].values() for row in rows for name in row if name.endswith("_hash")]
    assert "bird" not in json.dumps(whole)
    nobody = json.loads(b"".join(export_json(reading(world), NOBODY, LATER)))
    jsonschema_rs.validate(json.loads(SCHEMA.read_text()), nobody)
    assert (nobody["learner"], nobody["events"]) == (None, [])


def test_the_schema_in_the_docs_is_that_of_the_code() -> None:
    written = json.dumps(msgspec.json.schema(Export), indent=1, sort_keys=True) + "\n"
    assert SCHEMA.read_text() == written, "write it anew: SCHEMA.write_text(written)"


def test_taken_in_again_it_comes_to_the_same_byte_by_byte(world: World, tmp_path: Path) -> None:
    ada, file = full(world), tmp_path / "ada.json"
    file.write_bytes(exported(world, ada))
    figures, entries, sent = world.figures(ada), world.entries(ada), exported(world, ada)
    assert take_over(world.database, str(file)).repeated
    with world.database.transaction() as connection:
        # Nothing of Headway's own removes a learner without a trace; another database would be as empty.
        connection.execute(sa.text("INSERT INTO ledger_opened VALUES ('test')"))
        connection.execute(sa.text("DELETE FROM ledger"))
        connection.execute(sa.text("DELETE FROM ledger_opened"))
        for table in OF_LEARNER:
            connection.execute(sa.delete(table))
        for counters in ("step_counter", "course_counter", "board_tally"):
            connection.execute(sa.text(f"DELETE FROM {counters}"))
        connection.execute(sa.text("DELETE FROM learner WHERE merged_into IS NOT NULL"))
        connection.execute(sa.text("DELETE FROM learner"))
    laid_out_anew = json.dumps(json.loads(file.read_bytes()), indent=2)
    file.write_text(laid_out_anew)
    assert not take_over(world.database, str(file), dry_run=True).repeated
    assert world.count("learner") == 0
    done = take_over(world.database, str(file))
    assert (done.learner_id, done.repeated) == (ada, False)
    assert (world.figures(ada), world.entries(ada)) == (figures, entries)
    there, here = json.loads(sent), json.loads(exported(world, ada))
    assert (there["events"], there["courses"]) == (here["events"], here["courses"])
    assert take_over(world.database, str(file)).repeated
    # Of who learns for long the tables alone come to more than any line of records may.
    there["tables"]["notice"].append({"body": "x" * LINE_BYTES_MAX})
    file.write_text(json.dumps(there))
    assert take_over(world.database, str(file)).repeated
    world.assert_clean()
    # What was told elsewhere is not told here, nor missed; what comes now is.
    world.restart()
    world.send(ada, *through("basics", start=300), at=LATER + 2 * HOUR)
    assert [row["seq"] > len(entries) for row in world.rows(notice, ada)] == [True, True]
    world.assert_clean()


def test_what_cannot_be_taken_over_changes_nothing(world: World, tmp_path: Path) -> None:
    ada, file = full(world), tmp_path / "ada.json"
    whole = exported(world, ada)
    for cut in (b"", whole[: len(whole) // 2], whole.replace(b'"complete":true', b'"complete":false'), b"[]"):
        file.write_bytes(cut)
        with pytest.raises(ImportFailed):
            take_over(world.database, str(file))
    file.write_bytes(whole)
    world.send(ada, event(90), at=LATER + 2 * HOUR)
    assert take_over(world.database, str(file)).repeated
    erase(world.database, world.catalog, ada, now=LATER + 3 * HOUR)
    with pytest.raises(NotAdopted, match="erased"):
        take_over(world.database, str(file))
    other = json.loads(whole)
    other["learner"]["id"] = other["identities"][0]["id"] = numbered(700)
    other["identities"], other["events"] = other["identities"][:1], []
    for change, said in (({"manifest_sha256": "0" * 64}, "another"), ({"version": 9}, "not published")):
        file.write_text(json.dumps(other | {"courses": [other["courses"][0] | change]}))
        with pytest.raises(NotAdopted, match=said):
            take_over(world.database, str(file))
    world.learner(email="ada@example.org")
    file.write_text(json.dumps(other))
    with pytest.raises(NotAdopted, match="address"):
        take_over(world.database, str(file))
    world.assert_clean()


def test_what_was_changed_in_an_export_is_refused_by_a_dry_run_too(world: World, tmp_path: Path) -> None:
    """Whose export it is may have had it in hand; and files are cut and put together."""
    for manifest in (GATES, ESSAYS):
        world.publish(manifest)
    ada, file = world.learner(email="ada@example.org"), tmp_path / "ada.json"
    world.send(ada, *through("basics", "loops", "end"))
    whole = exported(world, ada)
    erase(world.database, world.catalog, ada, now=LATER)
    before = {table: world.count(table) for table in ("learner", "ledger", "granted", "day_sum")}

    def of_another(change: Callable[[Any], object]) -> None:
        said = json.loads(whole.replace(ada.encode(), numbered(700).encode()))
        change(said)
        file.write_text(json.dumps(said))

    changes: Sequence[Callable[[Any], object]] = (
        lambda said: said["events"].pop(1),
        lambda said: said["events"].append(said["events"][0]),
        lambda said: said["events"][0].update(received_at_us=10**18),
        lambda said: said["events"][0].update(seq=10**30),
        lambda said: said["learner"].update(kind="god"),
        lambda said: said["learner"].update(email="nobody"),
        lambda said: said["learner"].update(display_name="A\0da"),
        lambda said: said["learner"].update(time_zone="x" * 65),
    )
    for change in changes:
        of_another(change)
        for dry_run in (True, False):
            with pytest.raises((ImportFailed, NotAdopted)):
                take_over(world.database, str(file), dry_run=dry_run)
        assert {table: world.count(table) for table in before} == before
    of_another(lambda said: said["learner"].update(roles="admin creator"))
    assert not take_over(world.database, str(file), dry_run=True).repeated
    assert {table: world.count(table) for table in before} == before
    take_over(world.database, str(file))
    with world.database.read() as connection:
        assert connection.execute(sa.select(learner.c.roles).where(learner.c.id == numbered(700))).scalar() == ""
    world.assert_clean()


def test_the_history_opens_safely_in_a_spreadsheet(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.5, duration_s=9, hints=1), event(2, of="hello", kind="completed"))
    world.send(ada, event(3, of="quiz", score=1), event(4, "opened"))
    raw = b"".join(export_csv(reading(world), world.catalog, Subject(ada, "UTC")))
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(one["course"], one["step"], one["score_percent"], one["passed"]) for one in rows] == [
        ("python", "loops", "50.0", "no"),
        ("python", "quiz", "100.0", "yes"),
    ]
    assert rows[0] | {"occurred_at": ""} == {
        "occurred_at": "",
        "day": "2026-03-01",
        "course": "python",
        "run": "1",
        "step": "loops",
        "kind": "exercise",
        "type": "attempted",
        "score_percent": "50.0",
        "passed": "no",
        "duration_s": "9.0",
        "hints": "1",
        "trust": "reported",
        "counts": "yes",
    }


def test_memory_is_bounded_and_statements_grow_with_pages_alone(sqlite_world: World) -> None:
    world, ada = sqlite_world, sqlite_world.learner()
    statements: list[str] = []
    counts: dict[int, tuple[int, int, int]] = {}

    def note(*said: Any) -> None:
        statements.append(said[2])

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", note)
    try:
        for events in (2_000, 12_000):
            while world.count("ledger") < events:
                world.send(ada, *(event(score=0.5, response="x" * 400) for _ in range(1_000)), at=NOON + HOUR)
            statements.clear()
            tracemalloc.start()
            size = sum(len(piece) for piece in export_json(reading(world), Subject(ada, "UTC"), LATER))
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            counts[events] = (sum("SELECT" in one for one in statements), peak, size)
    finally:
        sa.event.remove(sa.engine.Engine, "before_cursor_execute", note)
    (few, _, _), (many, peak, size) = counts.values()
    assert size > 10 * 1024 * 1024
    assert peak < 8 * 1024 * 1024
    assert many - few == 10


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=1", "\uff1d1", "\uff201"])
def test_no_cell_is_a_formula(text: str) -> None:
    (row,) = csv.reader(io.StringIO(lines([(text, "plain", -1, None)]).decode(), newline=""))
    assert row == [f"'{text}", "plain", "-1", ""]


@pytest.mark.parametrize("text", ["x;=1+1", "\t=1", "x\t-1;@SUM(A1);y", 'x;"=1+A1;"', "x; \uff1d1", "x\r\n+1"])
def test_no_cell_is_a_formula_where_lists_are_separated_by_something_else(text: str) -> None:
    (line,) = csv.reader(io.StringIO(lines([("before", text, "behind")]).decode(), newline=""))
    assert [line[0], line[2]] == ["before", "behind"]
    raw = lines([("before", text, "behind")]).decode().replace("\r\n", "\n").replace("\t", ";")
    cells = [cell for row in csv.reader(io.StringIO(raw), delimiter=";") for cell in row]
    assert len(cells) > 1
    assert not [cell for cell in cells if cell.strip().startswith(tuple("=+-@\uff1d\uff20"))]
