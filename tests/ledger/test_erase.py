"""Erasing: whoever it was is nowhere any more, and what was done counts on."""

import gzip
import json
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from headway.domain.errors import IdentityGone
from headway.domain.times import format_time
from headway.ledger.archive import archive
from headway.ledger.boards import count_all_in
from headway.ledger.enlist import enlist, hash_of_id
from headway.ledger.erase import Applied, Erased, apply, erase, is_listed, listed
from headway.ledger.grade import GradeAsked, give_grade
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Submission
from headway.ledger.throttles import Limit, Throttle, take
from headway.store import erasures, schema
from headway.store.database import Database
from tests.domain.manifests import course, module, step
from tests.ledger.canaries import ID, TIME, WORD, add_canary, canary_id, dump, found_in, on_disk, totals
from tests.ledger.earning import defined, given
from tests.ledger.essays import essay
from tests.ledger.facts import LATER, begin_anew, grade, override
from tests.ledger.gates import GATES, gated, through
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event, numbered

NOW = NOON + 24 * HOUR
CANARIES = 50
KEPT = {"course", "course_version", "ledger_opened", "throttle", "erasure", "erasure_key", "signing_key"}
KEPT |= {"achievement_definition", "achievement_set", "reminded", "step_counter", "course_counter"}
KEPT |= {"board", "board_tally", "board_state"}


def others_of(world: World) -> list[str]:
    return [
        world.learner("Europe/Paris", email=f"other{n}@example.org", display_name=f"Other {n}") for n in range(CANARIES)
    ]


def erase_one(world: World, learner_id: str) -> Erased | None:
    return erase(world.database, world.catalog, learner_id, now=NOW)


def test_of_fifty_canaries_not_a_byte_is_left_and_all_that_counts_stays(world: World) -> None:
    given(world, defined("tries", "attempts"))
    others = others_of(world)
    canaries = []
    for number, other in enumerate(others):
        canaries.append(add_canary(world, number))
        if number == CANARIES // 2:
            # Some are on the boards, others wait to be counted in.
            count_all_in(world.database, now=NOW)
            archive(world.database, before=NOW, now=lambda: NOW, entries_a_portion=200)
        world.send(other, *(event(of=of, score=0.9, response=f"other {number}") for of in ("loops", "quiz", "essay")))
    assert all(mark in dump(world) for mark in (WORD.encode(), ID.encode()))
    assert len({len(one) for one in TIME.findall(dump(world))}) == 2, "as text, and as a number"
    for table in schema.metadata.sorted_tables:
        if table.name not in KEPT:
            assert any(one.encode() in repr(world.rows_of(table.name)).encode() for one in canaries), table.name
    if world.database.path is not None:
        assert len(found_in(on_disk(world), canaries)) > CANARIES
    world.send(others[0], *through("basics", "loops", "end"))
    before, theirs = totals(world), {one: (world.figures(one), world.entries(one)) for one in others}
    certified = [row["id"] for row in world.rows_of("certificate") if row["learner_id"] in canaries]
    assert len(certified) == CANARIES
    world.assert_clean()

    for one in canaries:
        assert erase_one(world, one) is not None

    assert found_in(dump(world), [*canaries, *certified]) == []
    in_files = b"".join(gzip.decompress(one.read_bytes()) for one in world.database.archive.folder.iterdir())
    assert b"other 0" in in_files
    assert found_in(in_files, [*canaries, *certified]) == []
    assert {row["learner_id"] for table in ("granted", "certificate") for row in world.rows_of(table)} == {others[0]}
    assert {row["learner_id"] for row in world.rows_of("achievement")} == {*others}
    if world.database.path is not None:
        assert world.database.scrub()
        assert found_in(on_disk(world), [*canaries, *certified]) == []
    world.assert_clean()
    assert totals(world) == before
    assert {one: (world.figures(one), world.entries(one)) for one in others} == theirs
    with world.database.read() as connection:
        assert all(is_listed(connection, one) for one in canaries)


def test_a_learner_of_whom_nothing_counts_leaves_no_row(world: World) -> None:
    learner_id = world.learner(email="ada@example.org")
    assert erase_one(world, learner_id) == Erased(1, 0)
    assert world.rows_of("learner") == []
    assert erase_one(world, learner_id) is None


def test_what_is_left_of_a_day_is_the_day(world: World) -> None:
    learner_id = world.learner("Asia/Tokyo")
    late = event(1, of="quiz", score=1, occurred_at="2026-02-10T23:30:00.424242+09:00")
    after_midnight = event(2, of="quiz", score=0.5, occurred_at="2026-02-11T00:10:00+09:00")
    early = event(3, of="loops", score=0.25, occurred_at="2026-02-09T18:00:00-10:00")
    world.send(learner_id, late, after_midnight, early)
    erase_one(world, learner_id)
    (nobody,) = world.rows_of("learner")
    found = world.entries(nobody["id"])
    assert [(one.day, one.score) for one in found] == [
        ("2026-02-09", 250_000),
        ("2026-02-10", 1_000_000),
        ("2026-02-11", 500_000),
    ]
    assert {one.source for one in found} == {"erased"}
    step = world.step(nobody["id"], "quiz")
    assert (step["first_score"], step["latest_score"]) == (1_000_000, 500_000)
    world.assert_clean()


def test_what_was_done_again_stays_in_its_run_and_what_a_person_said_counts_on(world: World) -> None:
    world.publish(GATES)
    learner_id = world.learner()
    waiting = gated(1, of="ask")
    world.send(learner_id, waiting, gated(2, of="read", kind="completed"))
    grade(world, learner_id, waiting.id, 600_000, at=LATER, reason="zwitscher")
    grade(world, learner_id, waiting.id, 900_000, at=LATER + 1)
    override(world, learner_id, "pick", 300_000, at=LATER + 2, final=True)
    begin_anew(world, learner_id, at=NOON + 24 * HOUR)
    # From before the new run began, and yet recorded in it: it comes late.
    late = gated(3, of="ask", score=0.25, occurred_at=format_time(NOON - 48 * HOUR))
    world.send(learner_id, late, at=NOON + 25 * HOUR)
    before = what_counts(world, learner_id)
    erase_one(world, learner_id)
    (nobody,) = world.rows_of("learner")
    assert what_counts(world, nobody["id"]) == before
    assert [one[:4] for one in before] == [
        (1, "ask", 1, 900_000),
        (1, "pick", 0, None),
        (1, "read", 0, None),
        (2, "ask", 1, 250_000),
    ]
    assert world.count("granted") == 0
    assert b"zwitscher" not in dump(world)
    world.assert_clean()


def what_counts(world: World, learner_id: str) -> list[tuple[Any, ...]]:
    """By run and step what it comes to, with the days on which they were completed; no time of day, no id."""
    rows = world.rows(schema.step_sum, learner_id)
    names = ("run", "step_id", "attempts", "best_score", "scores", "score_total", "passed_attempts", "completed_on")
    overrides = [json.loads(row["override"])[2:] if row["override"] else None for row in rows]
    return [(*(row[name] for name in names), row["events"], one) for row, one in zip(rows, overrides, strict=True)]


@pytest.mark.parametrize(("recorded", "graded", "completed"), [(70, 50, 1), (50, 70, 0)])
def test_what_passed_by_the_mark_of_its_grade_stays_passed(
    world: World, recorded: int, graded: int, completed: int
) -> None:
    def with_mark(mark: int) -> dict[str, Any]:
        asks = step("essay", kind="assignment", grader={"type": "manual"}, pass_mark=mark)
        return course(module("first", asks), id="essays", title="Essays")

    world.publish(with_mark(recorded))
    learner_id = world.learner()
    world.send(learner_id, essay(1))
    world.publish(with_mark(graded))
    asked = GradeAsked("essays", learner_id, numbered(1), 600_000, "", None, str(uuid4()))
    give_grade(world.database, world.catalog, asked, now=LATER)
    before = totals(world)
    assert sum(row["steps_completed"] for row in world.rows_of("day_sum")) == completed
    erase_one(world, learner_id)
    after = totals(world)
    # What is left says the score with the attempt, and is completed by the version of that.
    assert all(after[table] == before[table] for table in after.keys() - {"ledger", "completed"})
    assert len(after["completed"]) == len(before["completed"])
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def test_a_write_that_comes_after_is_told_that_the_identity_is_gone(world: World) -> None:
    learner_id = world.learner()
    world.send(learner_id, event(1))
    erase_one(world, learner_id)
    for wait in (True, False):
        (answer,) = world.submit(Submission(learner_id, (event(2),), NOON), wait=wait)
        assert isinstance(answer, IdentityGone)


def test_a_guest_that_is_part_of_an_account_goes_with_it_and_not_alone(world: World) -> None:
    account_id = world.learner()
    guest = guest_in(world, event(1))
    move(world, account_id, guest)
    with pytest.raises(IdentityGone):
        erase_one(world, guest.id)
    assert erase_one(world, account_id) == Erased(2, 1)
    with world.database.read() as connection:
        assert is_listed(connection, guest.id)


def test_what_was_counted_for_an_account_goes_and_what_was_for_others_stays(world: World) -> None:
    learner_id = world.learner(email="ada@example.org")
    limit = Limit("tries", 9, 60)
    stay = [Throttle(limit, ("203.0.113.7",)), Throttle(limit, ("203.0.113.7",), "ben@example.org")]
    gone = [Throttle(limit, ("203.0.113.7",), one) for one in ("ada@example.org", learner_id)]
    for one in (*stay, *gone):
        take(world.database, [one], now=NOW)
    assert len(world.rows_of("throttle")) == 4
    erase_one(world, learner_id)
    assert {row["key"] for row in world.rows_of("throttle")} == {one.key for one in stay}


def test_entries_that_nobody_can_read_keep_nobody_from_being_erased(world: World) -> None:
    learner_id = world.learner()
    world.send(learner_id, event(1), event(2), event(3, of="graded", response="b"))
    with world.opened() as connection:
        connection.execute(sa.text("UPDATE ledger SET body = '{zwitscher' WHERE seq = 2"))
        connection.execute(sa.text("UPDATE ledger SET version = 77 WHERE seq = 1"))
    assert erase_one(world, learner_id) == Erased(1, 1)
    world.assert_clean()
    assert b"zwitscher" not in dump(world)


def test_a_second_import_makes_nobody_again(world: World) -> None:
    known = enlist(world.database, ["oulad:1", "oulad:2"], now=NOON)
    world.send(known["oulad:1"], event(1))
    erase_one(world, known["oulad:1"])
    again = enlist(world.database, ["oulad:1", "oulad:2", "oulad:3"], now=NOON)
    assert again.keys() == {"oulad:2", "oulad:3"}
    assert again["oulad:2"] == known["oulad:2"]
    assert sorted(one["external_id"] or "" for one in world.rows_of("learner")) == ["", "oulad:2", "oulad:3"]


def test_the_list_does_not_tell_whoever_guesses_an_external_id(world: World) -> None:
    learner_id = enlist(world.database, ["oulad:7"], now=NOON)["oulad:7"]
    erase_one(world, learner_id)
    guessed = sha256(learner_id.encode()).hexdigest()
    kept = [one.learner_hash for one in listed(world.database)]
    assert guessed not in kept
    with world.database.read() as connection:
        assert [hash_of_id(erasures.key(connection), learner_id)] == kept
        assert erasures.key(connection) not in kept


def test_an_account_with_an_external_id_is_not_imported_again_either(world: World) -> None:
    erase_one(world, world.learner(external_id="oulad:7"))
    assert enlist(world.database, ["oulad:7"], now=NOON) == {}


def test_the_list_is_applied_after_a_restore_and_twice_changes_nothing(world: World) -> None:
    gone = [add_canary(world, number, events=3) for number in range(4)]
    kept = world.learner()
    restored = World(world.url)
    for _ in gone:
        world.send(kept, event())
    with world.database.read() as connection:
        key = erasures.key(connection)
    hashes = [erasures.Listed(hash_of_id(key, one), NOW - NOW % (24 * HOUR)) for one in (*gone, canary_id(77))]

    def run() -> Applied:
        return apply(restored.database, restored.catalog, iter(hashes), now=NOW, progress=lambda _: None)

    assert run() == Applied(5, 5, 4)
    after = dump(restored)
    assert found_in(after, gone) == []
    assert run() == Applied(5, 0, 0)
    assert dump(restored) == after
    assert {one.learner_hash for one in listed(restored.database)} >= {one.learner_hash for one in hashes}
    restored.assert_clean()
    restored.close()


def test_a_file_is_scrubbed_once_no_reader_needs_its_log(sqlite_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.store.database._SCRUB_TRIES", 2)
    learner_id = add_canary(sqlite_world, 1)
    reading = Database(sqlite_world.url)
    with reading.read() as connection:
        connection.execute(sa.text("SELECT count(*) FROM learner")).scalar()
        erase_one(sqlite_world, learner_id)
        assert not sqlite_world.database.scrub()
        assert found_in(on_disk(sqlite_world), [learner_id])
    reading.close()
    assert sqlite_world.database.scrub()
    assert found_in(on_disk(sqlite_world), [learner_id]) == []


def test_what_pages_keep_in_their_unused_space_is_scrubbed(sqlite_world: World) -> None:
    """SQLite leaves copies there when it splits pages, now and then: here one is put there."""
    path = sqlite_world.database.path
    assert path is not None
    learner_id = add_canary(sqlite_world, 1)
    erase_one(sqlite_world, learner_id)
    sqlite_world.close()
    with path.open("r+b") as file:
        place = path.read_bytes().index(bytes(200))
        file.seek(place + 100)
        file.write(WORD.encode())
    sqlite_world.restart()
    sqlite_world.assert_clean()
    assert sqlite_world.database.scrub()
    assert found_in(on_disk(sqlite_world), [learner_id]) == []
    # There is nothing to be done again until somebody is erased.
    at = path.stat().st_mtime_ns
    assert sqlite_world.database.scrub()
    assert path.stat().st_mtime_ns == at
