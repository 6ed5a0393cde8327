"""What is archived is read as before, by whoever reads the ledger; and nothing that is killed loses or doubles any."""

import gzip
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from headway.cli.findings_of_archive import of_archive
from headway.domain.errors import HeadwayError
from headway.domain.events import Event, read_event
from headway.ledger.archive import archive, check, is_settled, look_through, settle, survey
from headway.ledger.audit import audit
from headway.ledger.backup import backup
from headway.ledger.erase import erase
from headway.ledger.guests import clear_guests
from headway.ledger.pausing import PauseWanted, pause
from headway.ledger.rebuild import rebuild
from headway.ledger.restore import restore
from headway.store import whole
from headway.store.archive_files import Archive, ArchiveUnavailable
from headway.store.database import Database
from headway.store.schema import ledger
from headway.views.events import read_events
from headway.views.export import export_json
from headway.views.subject import Subject
from tests.domain.manifests import course, module, step
from tests.dying import TRANSACTIONS, killed_at
from tests.ledger.canaries import add_canary, found_in
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event, numbered, statuses

LATER = NOON + 24 * HOUR
# Few, so that ledgers lie in several files, and files hold several ledgers.
AT_ONCE = 7
STEPS = (*TRANSACTIONS, (Archive, "write"), (Archive, "remove"), (os, "fsync"))


def archived(world: World, before: int = LATER) -> int:
    return archive(world.database, before=before, now=lambda: LATER, entries_a_portion=AT_ONCE).entries


def files(world: World) -> list[Path]:
    return sorted(world.database.archive.folder.iterdir())


def unpacked(world: World) -> bytes:
    return b"".join(gzip.decompress(one.read_bytes()) for one in files(world))


def are_moved(world: World) -> bool:
    """Whether of all that learners sent nothing but references is left in the ledger."""
    return all(row["body"].startswith("@") == (row["source"] != "server") for row in world.rows_of("ledger"))


def entries(world: World) -> list[tuple[Any, ...]]:
    """The whole ledger, as backups have it."""
    with world.database.read() as connection:
        return sorted(map(tuple, whole.rows_of(connection, ledger)), key=lambda row: row[:2])


def sent(world: World) -> list[Event]:
    """All that learners sent."""
    return [read_event(row[2], row[3]) for row in entries(world) if row[7] != "server"]


def shown(world: World, learner_id: str) -> tuple[bytes, Any]:
    """A learner's export, and all pages of the own ledger."""
    subject, place = Subject(learner_id, "UTC"), None
    listed: list[Any] = []

    def read(look: Callable[[Any], Any]) -> Any:
        with world.database.read() as connection:
            return look(connection)

    while listed == [] or place is not None:
        page = read(partial(read_events, catalog=world.catalog, subject=subject, place=place, limit=5))
        listed += page.items
        place = page.next_place
    return b"".join(export_json(read, subject, LATER)), listed


def test_all_that_reads_the_ledger_reads_what_is_archived(world: World, new_sqlite_url: str, tmp_path: Path) -> None:
    learners = [add_canary(world, number) for number in (1, 2, 3)]
    was, told = entries(world), [shown(world, one) for one in learners]
    for at in (NOON + 1, LATER):  # what came in later goes into other files
        expected = survey(world.database, before=at).entries
        assert archived(world, at) == expected > 0
        assert survey(world.database, before=at).entries == 0
    assert len(files(world)) > 5
    assert [one.fault for one in check(world.database)] == [None] * len(files(world))
    assert are_moved(world)
    assert entries(world) == was
    assert [shown(world, one) for one in learners] == told
    world.assert_clean()
    # A backup holds all of it: the folder may be lost.
    backup(world.database, tmp_path / "saved.hw", now=lambda: LATER)
    world.run("UPDATE step_sum SET attempts = attempts + 1")
    with world.opened() as connection:
        connection.exec_driver_sql("UPDATE ledger SET score = 5, day = '2020-01-01' WHERE source <> 'server'")
    assert audit(world.database, world.catalog).found > 0
    for one in learners:
        rebuild(world.database, world.catalog, learner_id=one)
    assert entries(world) == was
    world.assert_clean()
    assert are_moved(world)
    empty = World(new_sqlite_url)
    restore(empty.database, tmp_path / "saved.hw")
    assert entries(empty) == was
    empty.assert_clean()
    empty.close()


def test_an_archived_event_that_comes_again_is_known(world: World) -> None:
    ada = world.learner()
    first = [event(1), event(2, of="quiz", score=0.9), event(3, "completed", "hello")]
    assert statuses(world.send(ada, *first)) == ["recorded"] * 3
    figures = world.figures(ada)
    archived(world)
    assert statuses(world.send(ada, *first, at=LATER)) == ["duplicate"] * 3
    other = event(2, of="quiz", score=0.8)
    assert statuses(world.send(ada, other, at=LATER)) == ["id-reused"]
    renamed = course(module("first", step("loop", kind="exercise", renamed_from=["loops"]), step("quiz")))
    world.publish(renamed)
    assert statuses(world.send(ada, event(1, of="loop"), at=LATER)) == ["duplicate"]
    assert statuses(world.send(ada, event(1, of="loop", hints=1), at=LATER)) == ["id-reused"]
    with pytest.raises(HeadwayError, match="used for something else"):
        pause(world.database, world.catalog, PauseWanted(ada, numbered(1), None, 3), now=LATER)
    assert world.figures(ada) == figures
    world.assert_clean()


def test_who_is_erased_is_in_no_file(world: World) -> None:
    kept = add_canary(world, 3)
    others, was = [add_canary(world, number) for number in (1, 2)], shown(world, kept)
    ben, idle = world.learner(), guest_in(world)
    events = [event(n, hints=n) for n in range(1, 9)]
    world.send(ben, *events)
    world.send(idle.id, *(event(n, response="ein Gast") for n in range(20, 29)))
    archived(world)
    for one in others:
        assert erase(world.database, world.catalog, one, now=LATER) is not None
    assert clear_guests(world.database, LATER * 2).guests == 1
    assert is_settled(world.database)
    ids = {one.encode() for one in (*others, idle.id)}
    assert not [mark for mark in ids | {b"ein Gast"} if mark in unpacked(world)]
    assert not [
        row for row in world.rows_of("archive_portion") if {row["first_learner"], row["last_learner"]} & {*others}
    ]
    assert [one.fault for one in check(world.database)] == [None] * len(files(world))
    assert shown(world, kept) == was
    assert statuses(world.send(ben, *events, at=LATER)) == ["duplicate"] * 8
    world.assert_clean()
    assert erase(world.database, world.catalog, kept, now=LATER) is not None
    assert found_in(unpacked(world), [kept]) == []
    erase(world.database, world.catalog, ben, now=LATER)
    archived(world, LATER + HOUR)
    world.assert_clean()


def test_two_who_archive_at_once_leave_nothing_of_whoever_is_erased(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, ben = world.learner(), world.learner()
    for one in (ada, ben):
        world.send(one, *(event(n, response=f"{one} {n}") for n in range(1, 7)))
    alone, both, first = Database.alone, Barrier(2), set[Database]()

    def meeting(database: Database, **how: Any) -> Any:
        """Both have read what is to be moved before either moves any."""
        if database not in first:
            first.add(database)
            both.wait(timeout=60)
        return alone(database, **how)

    monkeypatch.setattr(Database, "alone", meeting)
    others = [World(world.url, world.database.archive.folder) for _ in range(2)]
    with ThreadPoolExecutor() as pool:
        assert sum(pool.map(archived, others)) == 12
    for other in others:
        other.close()
    monkeypatch.undo()
    assert are_moved(world)
    assert sum(one.portion.entries for one in check(world.database)) == 12
    assert erase(world.database, world.catalog, ada, now=LATER) is not None
    assert ada.encode() not in unpacked(world)
    assert shown(world, ben)
    world.assert_clean()


def test_lines_to_which_no_entry_refers_are_found_and_removed(world: World) -> None:
    ada = world.learner()
    world.send(ada, *(event(n, response="Kanarienvogel") for n in range(1, 4)))
    with world.opened() as connection:
        was = connection.execute(ledger.select()).all()
    archived(world)
    with world.opened() as connection:  # one of them once more: the file's line is nobody's now
        for row in was[:1]:
            connection.execute(ledger.update().where(ledger.c.event_id == row.event_id).values(body=row.body))
    assert is_settled(world.database)
    assert [one.name for one in of_archive(world.database)] == ["archive", "archive's rest"]
    look_through(world.database)
    assert not is_settled(world.database)
    settle(world.database)
    assert [one.name for one in of_archive(world.database)] == ["archive"]
    assert unpacked(world).count(b"Kanarienvogel") == 2
    archived(world)
    look_through(world.database)
    assert is_settled(world.database)
    erase(world.database, world.catalog, ada, now=LATER)
    assert files(world) == []


def test_an_archived_guest_moves_and_counts_once(world: World) -> None:
    ada, guest = world.learner(), guest_in(world)
    world.send(ada, event(1, score=0.5), event(2, of="quiz", score=1))
    world.send(guest.id, event(1, score=0.5), event(3, score=1, occurred_at="2026-02-28T05:00:00Z"))
    archived(world)
    merged = move(world, ada, guest)
    assert merged is not None
    assert merged.events == 1
    assert statuses(world.send(ada, event(3, score=1, occurred_at="2026-02-28T05:00:00Z"), at=LATER)) == ["duplicate"]
    world.assert_clean()


@pytest.mark.parametrize("damage", ["missing", "damaged", "another"])
def test_a_file_that_is_not_whole_is_named_and_nothing_changes(world: World, damage: str) -> None:
    learners = [world.learner() for _ in range(3)]
    for one in learners:
        world.send(one, *(event(n, hints=n) for n in range(1, 8)))
    archived(world)
    last = max(learners)
    (name,) = (row["file"] for row in world.rows_of("archive_portion") if row["first_learner"] == last)
    path = world.database.archive.folder / name
    content = path.read_bytes()
    path.unlink()
    if damage == "damaged":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "another":
        lines = gzip.decompress(content).splitlines(keepends=True)
        path.write_bytes(gzip.compress(b"".join(reversed(lines))))
    again = World(world.url, world.database.archive.folder)
    again.run("UPDATE step_sum SET attempts = 99")
    was = [again.rows_of(table) for table in ("step_sum", "ledger", "learner", "archive_portion")]
    for verb in (
        lambda: audit(again.database, again.catalog),
        lambda: rebuild(again.database, again.catalog),
        lambda: rebuild(again.database, again.catalog, learner_id=last),
        lambda: erase(again.database, again.catalog, last, now=LATER),
        lambda: shown(again, last),
        lambda: entries(again),
    ):
        with pytest.raises(ArchiveUnavailable, match=f"{name} .*put it back from a copy"):
            verb()
    assert [one.path for one in check(again.database) if one.fault] == [str(path)]
    assert [again.rows_of(table) for table in ("step_sum", "ledger", "learner", "archive_portion")] == was
    path.write_bytes(content)
    rebuild(again.database, again.catalog)
    again.assert_clean()
    again.close()


@pytest.mark.long
def test_what_is_killed_loses_nothing_and_doubles_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = add_canary(world, 1)
    kills = 0
    was, events = entries(world), sent(world)

    def half() -> None:
        database = Database(world.url, world.archive_folder)
        archive(database, before=LATER, now=lambda: LATER, entries_a_portion=len(events) // 2 + 1)
        database.close()

    def erasing(learner_id: str) -> None:
        erase(Database(world.url, world.archive_folder), world.catalog, learner_id, now=LATER)

    for at in range(1, 100):
        done = not killed_at(at, monkeypatch, half, STEPS)
        kills += not done
        assert entries(world) == was
        with world.opened() as connection:  # back to where nothing is archived, but for what the kill left
            for row in was:
                connection.execute(ledger.update().where(ledger.c.event_id == row[2]).values(body=row[3]))
        world.run("UPDATE archive_portion SET gone = 1 WHERE file IS NOT NULL")
        settle(world.database)
        assert (files(world), world.rows_of("archive_portion")) == ([], [])
        if done:
            break
    assert kills > 10
    half()
    seen = set()
    for at in range(1, 100):
        ben = world.learner()
        world.send(ben, *(event(n, hints=n) for n in range(1, 9)))
        half()
        if not killed_at(at, monkeypatch, partial(erasing, ben), STEPS):
            break
        is_there = any(row[0] == ben for row in entries(world))
        seen.add(is_there)
        world.assert_clean()
        settle(world.database)
        erase(world.database, world.catalog, ben, now=LATER)
        assert ben.encode() not in unpacked(world)
    assert seen == {True, False}
    assert [row for row in entries(world) if row[0] == ada] == [row for row in was if row[0] == ada]
    world.assert_clean()
