"""Publishing: versions follow one another, and whoever records sees the one in force."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from headway.domain.course import Course
from headway.domain.faults import ManifestInvalid
from headway.ledger.publish import NotYourCourse, Published, publish
from headway.store import courses
from headway.store.catalog import Catalog, CourseDamaged
from headway.store.courses import Publication
from headway.store.database import Database
from tests.domain.manifests import course, module, step
from tests.ledger.at_once import at_once
from tests.ledger.world import HOUR, NOON, PYTHON, World, event, statuses

RUST = course(module("first", step("own")), id="rust", title="Rust")
FIRST = '{"first": "first"}'  # the module under its key, as publishing writes it


def published(world: World, manifest: dict[str, Any], **options: Any) -> Published:
    return publish(world.database, manifest, now=NOON, **options)


def in_force(database: Database, course_id: str = "rust") -> tuple[int, Course]:
    with database.read() as connection:
        return Catalog().in_force(connection, [course_id])[course_id]


def test_the_first_version_makes_the_course_and_the_next_takes_its_place(world: World) -> None:
    first = published(world, RUST)
    assert (first.version, first.created, first.unchanged, first.before) == (1, True, False, None)
    second = published(world, {**RUST, "title": "Rust again"})
    assert (second.version, second.created, second.unchanged) == (2, False, False)
    assert second.before == first.course
    assert in_force(world.database) == (2, second.course)
    assert next(row for row in world.rows_of("course") if row["id"] == "rust")["title"] == "Rust again"
    world.assert_clean()


def test_the_same_manifest_again_is_no_new_version(world: World) -> None:
    published(world, RUST)
    again = published(world, json.loads(json.dumps(RUST)))
    assert (again.version, again.created, again.unchanged) == (1, False, True)
    assert len([row for row in world.rows_of("course_version") if row["course_id"] == "rust"]) == 1


def test_a_dry_run_says_what_it_would_do_and_does_nothing(world: World) -> None:
    before = {name: world.rows_of(name) for name in ("course", "course_version")}
    dry = published(world, RUST, dry_run=True)
    assert (dry.version, dry.created) == (1, True)
    assert published(world, {**PYTHON, "title": "New"}, dry_run=True).version == 2
    assert {name: world.rows_of(name) for name in ("course", "course_version")} == before
    assert published(world, RUST) == dry


def test_a_manifest_with_faults_changes_nothing(world: World) -> None:
    before = world.rows_of("course_version")
    with pytest.raises(ManifestInvalid):
        published(world, {**PYTHON, "modules": []})
    assert world.rows_of("course_version") == before


def test_a_course_is_published_by_its_owner_and_by_those_who_may_publish_all(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    published(world, RUST, publisher=ada)
    with pytest.raises(NotYourCourse) as refusal:
        published(world, {**RUST, "title": "Mine"}, publisher=ben)
    assert refusal.value.code == "not-found"
    assert published(world, {**RUST, "title": "Hers"}, publisher=ada).version == 2
    assert published(world, {**RUST, "title": "The operator's"}).version == 3
    assert published(world, {**RUST, "title": "An admin's"}, publisher=ben, may_publish_all=True).version == 4
    (row,) = [row for row in world.rows_of("course") if row["id"] == "rust"]
    assert row["owner_id"] == ada


def test_what_another_process_published_is_seen_at_once(world: World) -> None:
    ada, other = world.learner(), Database(world.url)
    assert statuses(world.send(ada, event(1, of="new", score=1))) == ["unknown-step"]
    publish(other, course(module("first", step("loops"), step("new", pass_mark=90))), now=NOON)
    receipt = world.send(ada, event(1, of="new", score=0.8), event(2, of="quiz"))
    assert statuses(receipt) == ["recorded", "unknown-step"]
    assert (receipt.results[0].passed, world.entries(ada)[0].version) == (False, 2)
    other.close()
    world.assert_clean()


def test_a_new_pass_mark_changes_nothing_of_the_past(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=0.75))
    figures = world.figures(ada)
    published(world, course(module("first", step("loops", pass_mark=100))))
    assert world.figures(ada) == figures
    receipt = world.send(ada, event(2, score=0.75), event(1, score=0.75), at=NOON + 2 * HOUR)
    assert [(one.status, one.passed) for one in receipt.results] == [("recorded", False), ("duplicate", True)]
    assert world.step(ada)["completed_version"] == 1
    world.assert_clean()


def test_versions_that_are_published_at_once_all_count(world: World) -> None:
    def publishing(n: int) -> Callable[[], object]:
        return lambda: published(world, {**RUST, "title": f"Rust {n}"})

    at_once(*map(publishing, range(6)))
    rows = [row for row in world.rows_of("course_version") if row["course_id"] == "rust"]
    assert [row["version"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert in_force(world.database)[1].title == rows[-1]["title"]
    world.assert_clean()


def test_two_first_versions_at_once_are_a_first_and_a_second(world: World) -> None:
    found: list[Published] = []
    publishing = threading.Thread(target=lambda: found.append(published(world, {**RUST, "title": "Later"})))
    with world.database.transaction() as connection:
        first = Publication("rust", 1, "Rust", json.dumps(RUST), '{"own": "own"}', NOON, None, FIRST)
        courses.publish(connection, first)
        publishing.start()
        # On PostgreSQL it has found no course by now, and waits for this transaction to add its own.
        publishing.join(0.3)
        assert found == []
    publishing.join(20)
    assert [(one.version, one.created, one.course.title) for one in found] == [(2, False, "Later")]
    world.assert_clean()


def test_publishing_beside_recording_loses_nothing(world: World) -> None:
    ada = world.learner()

    def publish_often() -> None:
        for n in range(8):
            published(world, {**PYTHON, "title": f"Python {n}"})

    def record_often(start: int) -> Callable[[], object]:
        return lambda: [world.send(ada, event(start + n, score=n / 8)) for n in range(8)]

    at_once(publish_often, record_often(0), record_often(100))
    assert world.step(ada)["attempts"] == 16
    world.assert_clean()


def test_a_catalog_keeps_what_it_has_read(world: World) -> None:
    catalog = Catalog()
    with world.database.read() as connection:
        first = catalog.in_force(connection, ["python", "go", "nowhere"])
        again = catalog.in_force(connection, ["python"])
        assert catalog.load(connection, [("python", 0), ("nowhere", 1)]) == {}
        with pytest.raises(CourseDamaged, match=r"version 9 of the course 'python' is damaged .* its row is gone"):
            catalog.load(connection, [("python", 9)])
    assert set(first) == {"python", "go"}
    assert again["python"][1] is first["python"][1]


def test_what_is_kept_parsed_is_bounded_by_its_size(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.store.catalog.CHARACTERS_KEPT_MAX", 3_000)
    names = [f"rust-{number}" for number in range(6)]
    for name in names:
        world.publish({**RUST, "id": name, "description": "x" * 1_000})
    catalog = Catalog()
    for name in names * 2:
        with world.database.read() as connection:
            ((_, found),) = catalog.in_force(connection, [name]).values()
        assert (found.id, 1 <= len(catalog._kept) <= 2) == (name, True)
