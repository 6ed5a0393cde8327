"""Everything about a learner, handed out and taken in again."""

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema_rs
import msgspec
import pytest
import sqlalchemy as sa

from headway.importers.headway_export import take_over
from headway.importers.reading import LINE_BYTES_MAX
from headway.importers.records import ImportFailed
from headway.ledger.adopt import NotAdopted
from headway.ledger.enlist import derived_id
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
Change: TypeAlias = Callable[[Any], object]
SIGNED_UP = {"type": "enrolled", "course": GATES["id"]}
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
    hidden = {"leaderboard_alias": "night owl", "leaderboard_opt_out": True}
    ada = world.learner("Europe/Berlin", email="ada@example.org", display_name="=Ada", roles="creator", **hidden)
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
    shown = ("leaderboard_alias", "leaderboard_opt_out")
    assert (
        [here["learner"][name] for name in shown] == [there["learner"][name] for name in shown] == ["night owl", True]
    )
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


def put(part: str, **said: Any) -> Change:
    """Write something else into the learner, or into the first of a list."""

    def change(whole: Any) -> None:
        (whole[part] if part == "learner" else whole[part][0]).update(said)

    return change


def added(part: str, **said: Any) -> Change:
    """Add one more to a list, like the first but for this; an entry goes behind the last unless it says a number."""

    def change(whole: Any) -> None:
        one = {"seq": len(whole[part]) + 1, "id": numbered(720)} if part == "events" else {}
        whole[part].append(whole[part][0] | one | said)

    return change


def of_server(**said: Any) -> Change:
    """Write something else into what the server wrote first."""
    return lambda whole: next(one for one in whole["events"] if one["source"] == "server")["sent"].update(said)


def call(**said: str) -> Change:
    """Call the learner, or the first entry, otherwise wherever it is named."""

    def change(whole: Any) -> None:
        by = {"learner": whole["learner"]["id"], "entry": whole["events"][0]["id"]}
        text = json.dumps(whole)
        for what, name in said.items():
            text = text.replace(json.dumps(by[what]), json.dumps(name))
        whole.update(json.loads(text))

    return change


ADA, BOB, EVE = (numbered(n) for n in (710, 711, 712))
RESET = {"type": "reset", "course": GATES["id"], "at": "2026-03-01T14:00:00Z", "sessions": 1}
CHANGES: Mapping[str, Change] = {
    "an entry left out": lambda said: said["events"].pop(1),
    "the first entry left out": lambda said: said["events"].pop(0),
    "entries in another order": lambda said: said["events"].reverse(),
    "an entry twice": lambda said: said["events"].append(said["events"][0]),
    "an id twice": lambda said: said["events"][1].update(id=said["events"][0]["id"]),
    "a number left out": lambda said: said["events"][-1].update(seq=len(said["events"]) + 1),
    "an entry of another learner": added("events", ledger=BOB, seq=2),
    "a reset of another learner": added("events", ledger=BOB, seq=2, source="server", sent=RESET),
    "an entry of nobody": added("events", ledger=numbered(799), seq=1),
    "an entry of whoever was erased": added("events", ledger=EVE, seq=1),
    "a time beyond all": put("events", received_at_us=10**18),
    "the last moment, which no zone knows": put("events", received_at_us=253_402_300_799_999_999),
    "an enrollment beyond all": put(
        "events", sent=SIGNED_UP, received_at_us=253_000_000_000_000_000, clock_skew_us=253_000_000_000_000_000
    ),
    "an enrollment before all": put("events", sent=SIGNED_UP, clock_skew_us=-253_000_000_000_000_000),
    "a number beyond all": put("events", seq=10**30),
    "a kind that is none": put("learner", kind="god"),
    "an address that is none": put("learner", email="nobody"),
    "an address of another": put("learner", email="bob@example.org"),
    "a name that is none": put("learner", display_name="A\0da"),
    "an alias that is none": put("learner", leaderboard_alias="A\0da"),
    "a zone that is long": put("learner", time_zone="x" * 65),
    "a zone that is none": put("learner", time_zone="Nowhere/Bad"),
    "a zone with NUL": put("learner", time_zone="U\0TC"),
    "an external id of another": put("learner", external_id="user_7"),
    "an external id of whoever was erased": put("learner", external_id="user_8"),
    "no id of a learner": call(learner="ada"),
    "an id with NUL": call(learner=numbered(710)[:-1] + "\0"),
    "an id with a line's end": call(learner=f"{numbered(710)}\n"),
    "a path for an id": call(learner="../x" * 300),
    "an id in capitals": call(learner="A" + numbered(710)[1:]),
    "no id of an entry": call(entry="abc"),
    "the account again": added("identities"),
    "the account again, as moved": added("identities", moved_at=NOON, moved_after=0),
    "one that was never moved": added("identities", id=numbered(713)),
    "one moved behind the end": added("identities", id=numbered(713), kind="guest", moved_at=NOON, moved_after=99),
    "a course with NUL": put("courses", course="a\0"),
    "what whoever was erased says": put("events", source="erased"),
    "what nobody says": put("events", source="x" * 17),
    "what NUL says": put("events", source="\0"),
    "an entry's zone that is none": put("events", time_zone="Nowhere/Bad"),
    "an entry's zone with NUL": put("events", time_zone="\0"),
    "rules that are none": put("events", streak_rules="1/" + "9" * 20),
    "what the server wrote, beyond all": of_server(occurred_at="9999-12-31T23:59:59Z"),
    "a run beyond all": of_server(run=2**63),
    "half of a character": put("events", sent={"type": "enrolled", "course": "python", "note": "\ud800"}),
}


def became(world: World, file: Path, *, dry_run: bool) -> str | None:
    """What came of a file that is to be refused: None where it was."""
    try:
        return str(take_over(world.database, str(file), dry_run=dry_run))
    except (ImportFailed, NotAdopted):
        return None
    except Exception as error:  # noqa: BLE001  # whatever it is, it is none that tells what to do
        return repr(error)


def test_what_was_changed_in_an_export_is_refused_by_a_dry_run_too(world: World, tmp_path: Path) -> None:
    """Whose export it is may have had it in hand; and files are cut and put together."""
    for manifest in (GATES, ESSAYS):
        world.publish(manifest)
    ada, file = world.learner(email="ada@example.org"), tmp_path / "ada.json"
    world.send(ada, *through("basics", "loops", "end"))
    whole = exported(world, ada)
    world.learner(id=BOB, email="bob@example.org", external_id="user_7")
    world.learner(id=EVE)
    eight = world.learner(id=derived_id("learner", "user_8"), kind="imported", external_id="user_8")
    world.send(BOB, event(80))
    for one in (ada, EVE, eight):
        erase(world.database, world.catalog, one, now=LATER)
    before = {table: world.count(table) for table in ("learner", "ledger", "granted", "day_sum")}

    def of_another(change: Change) -> None:
        said = json.loads(whole.replace(ada.encode(), ADA.encode()))
        change(said)
        file.write_text(json.dumps(said))

    taken = {}
    for name, change in CHANGES.items():
        of_another(change)
        taken[name] = [became(world, file, dry_run=dry_run) for dry_run in (True, False)]
        if {table: world.count(table) for table in before} != before:
            break
    assert {name: found for name, found in taken.items() if found != [None, None]} == {}
    of_another(put("learner", roles="admin creator"))
    assert not take_over(world.database, str(file), dry_run=True).repeated
    assert {table: world.count(table) for table in before} == before
    take_over(world.database, str(file))
    with world.database.read() as connection:
        assert connection.execute(sa.select(learner.c.roles).where(learner.c.id == ADA)).scalar() == ""
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
