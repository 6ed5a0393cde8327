"""A version whose manifest is damaged is named, with what to do; whoever needs it is left alone, all others go on."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from headway.ledger.audit import AuditReport, audit
from headway.ledger.faults import FAULTS_SHOWN
from headway.ledger.publish import publish
from headway.ledger.rebuild import rebuild
from headway.ledger.recompute import recompute
from headway.ledger.recount import recount_pending
from headway.ledger.site import Site
from headway.ledger.submission import Receipt, Submission
from headway.ledger.sweep import sweep_pending
from headway.store.catalog import Catalog, CourseDamaged
from headway.store.schema import course_version
from tests.domain.manifests import course, module, step
from tests.ledger.earning import defined, earned, given
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, PYTHON, World, enrollment, event, statuses

MANIFESTS = ["", "{}", "null", "[" * 5_000, '{"id":"python"}', '{"id":']
WHY = "is damaged in the database: its manifest"


def damage(world: World, course_id: str = "python", version: int = 1, manifest: str = "{}") -> None:
    """Put something else in the place of a manifest, in front of a process that has read none."""
    mine = (course_version.c.course_id == course_id, course_version.c.version == version)
    with world.database.transaction() as connection:
        connection.execute(sa.update(course_version).where(*mine).values(manifest=manifest))
    world.restart()


def lose(world: World, version: int) -> None:
    """Have a version be missing, as behind a restore of a part, in front of a process that has read none."""
    world.run(f"DELETE FROM course_version WHERE course_id = 'python' AND version = {version}")
    world.restart()


def audited(world: World) -> AuditReport:
    return audit(world.database, world.catalog)


def learners_in(world: World) -> Iterator[str]:
    """One who only read Python, one enrolled in it, and one who has to do with Go alone."""
    for n, told in enumerate(([event(of="loops", score=1)], [enrollment(1)], [event(course="go", of="hello")])):
        one = world.learner(display_name=f"Learner {n}")
        world.send(one, *told)
        yield one


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_damaged_manifest_is_named_and_all_others_are_looked_at(world: World, manifest: str) -> None:
    ada, ben, cleo = learners_in(world)
    damage(world, manifest=manifest)
    world.run("UPDATE step_sum SET attempts = 77 WHERE course_id = 'go'")
    found = audited(world)
    (fault,) = [one for one in found.faults if one.table == "course_version"]
    assert (fault.key, fault.column) == ("python/1", "manifest")
    assert "its manifest: " in str(fault.true)
    of_learners = {one.learner: (one.table, one.column) for one in found.faults if one.learner}
    assert of_learners == {ada: ("ledger", "version"), ben: ("ledger", "version"), cleo: ("step_sum", "attempts")}
    assert all(WHY in str(one.true) for one in found.faults if one.column == "version")
    before = {one: world.figures(one) for one in (ada, ben)}
    mended = rebuild(world.database, world.catalog)
    assert (mended.total, mended.updated, set(mended.broken_ids)) == (3, 1, {ada, ben})
    assert [one.key for one in mended.broken if one.table == "course_version"] == ["python/1"]
    assert {one: world.figures(one) for one in (ada, ben)} == before
    assert audit(world.database, world.catalog, learner_id=cleo).clean
    surveyed = recompute(world.database, world.catalog, now=lambda: NOON, dry_run=True)
    assert (surveyed.broken, surveyed.updated) == (2, 0)
    assert ("course_version", "python/1") in {(one.table, one.key) for one in surveyed.faults}


def test_a_manifest_that_is_whole_and_another_courses_is_damaged(world: World) -> None:
    (other,) = [row["manifest"] for row in world.rows_of("course_version") if row["course_id"] == "go"]
    damage(world, manifest=other)
    (fault,) = audited(world).faults
    assert (fault.key, fault.column, fault.true) == ("python/1", "manifest", "its manifest is of the course 'go'")


def test_who_needs_another_version_alone_is_judged_by_it(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1))
    world.publish({**PYTHON, "title": "Python again"})
    ben = world.learner()
    world.send(ben, event(2, score=1), enrollment(3))
    damage(world, version=1)
    assert {one.learner for one in audited(world).faults} == {"", ada}
    world.run("UPDATE step_sum SET attempts = 77")
    assert rebuild(world.database, world.catalog).updated == 1
    assert audit(world.database, world.catalog, learner_id=ben).clean
    assert world.step(ada)["attempts"] == 77


def test_what_a_damaged_version_was_begun_with_is_not_judged_by_the_next_one(world: World) -> None:
    ada = world.learner()
    world.send(ada, event(1, score=1), enrollment(2))
    world.publish({**PYTHON, "title": "Python again"})
    damage(world, version=2)
    (own,) = [one for one in audited(world).faults if one.learner == ada]
    assert (own.column, own.stored) == ("version", 2)
    assert rebuild(world.database, world.catalog).broken_ids == {ada}


def test_an_account_whose_guest_needs_it_is_not_judged(world: World) -> None:
    ada, guest = world.learner(), guest_in(world, event(1, score=1))
    assert move(world, ada, guest) is not None
    damage(world)
    assert {one.learner for one in audited(world).faults if one.column == "version"} >= {guest.id}
    assert ada in rebuild(world.database, world.catalog).broken_ids


def test_what_holds_events_of_the_course_is_refused_whole_and_what_comes_beside_it_recorded(world: World) -> None:
    """Whoever sent it keeps it, and sends it again: nothing of it is refused for good."""
    ada, ben = world.learner(), world.learner()
    damage(world)
    sent = [event(1, course="go", of="hello"), event(2, score=1)]
    refused, receipt = world.submit(
        Submission(ada, (*sent,), NOON + HOUR), Submission(ben, (event(3, course="go", of="hello"),), NOON + HOUR)
    )
    assert isinstance(refused, CourseDamaged)
    assert isinstance(receipt, Receipt)
    assert statuses(receipt) == ["recorded"]
    assert (world.entries(ada), len(world.entries(ben))) == ([], 1)


def test_what_goes_on_behind_a_version_passes_over_the_damaged_and_says_so(world: World) -> None:
    ben = world.learner(display_name="Ben")
    world.send(ben, event(1, score=1), enrollment(2), event(3, course="go", of="hello"), enrollment(4, of="go"))
    world.run("UPDATE course SET judged_version = 0", "UPDATE roster SET version = 0")
    damage(world)
    with capture_logs() as log:
        assert sweep_pending(world.database, world.catalog, now=lambda: NOON) == 1
        assert recount_pending(world.database, world.catalog) == 1
    assert all(WHY in line["detail"] for line in log if line["event"] == "course_damaged")
    assert [line["event"] for line in log] == ["course_damaged"] * 2


def test_achievements_are_given_although_levels_cannot_be_told(world: World) -> None:
    drills = [step(f"s{n}", kind="exercise", topics=["loops"]) for n in range(12)]
    world.publish(course(module("first", *drills), id="drill"))
    ada = world.learner()
    world.send(ada, *(event(course="drill", of=f"s{n}", score=1) for n in range(12)))
    world.run("DELETE FROM topic_level")
    damage(world, "drill")
    given(world, defined("first", "attempts"))
    assert earned(world, ada).keys() == {"first"}


def test_the_next_version_is_refused_by_name(world: World) -> None:
    damage(world)
    with pytest.raises(CourseDamaged, match="version 1 of the course 'python' is damaged"):
        publish(world.database, PYTHON, now=NOON)


def test_behind_a_damaged_version_keys_stay_as_they_are(world: World) -> None:
    renamed = [{**PYTHON["modules"][0], "id": "second", "renamed_from": ["first"]}]
    world.publish({**PYTHON, "modules": renamed})
    world.publish({**PYTHON, "title": "Again", "modules": [{**PYTHON["modules"][0], "id": "second"}]})
    world.assert_clean()
    before = world.rows_of("course_version")
    damage(world, manifest="{}")
    rebuild(world.database, Catalog())
    kept = [{**row, "manifest": ""} for row in world.rows_of("course_version")]
    assert kept == [{**row, "manifest": ""} for row in before]


def test_a_version_that_is_gone_is_named_and_what_was_recorded_by_it_left_alone(world: World) -> None:
    ada, ben = world.learner(), world.learner()
    world.send(ada, event(1, score=1))
    world.publish({**PYTHON, "title": "Python again"})
    world.send(ben, event(2, score=1))
    lose(world, 1)
    found = audited(world)
    assert {(one.table, one.learner, one.key, one.column) for one in found.faults} == {
        ("course_version", "", "python/1", "manifest"),
        ("ledger", ada, "1", "version"),
    }
    assert all("its row is gone" in str(one.true) for one in found.faults)
    world.run("UPDATE step_sum SET attempts = 77")
    report = rebuild(world.database, world.catalog)
    assert (report.updated, set(report.broken_ids)) == (1, {ada})
    assert [one.key for one in report.broken if one.table == "course_version"] == ["python/1"]
    world.send(ben, event(3, score=1))


def test_events_of_a_course_whose_version_in_force_is_gone_are_kept_by_whoever_sent_them(world: World) -> None:
    ada = world.learner()
    world.publish({**PYTHON, "title": "Python again"})
    world.send(ada, event(1, score=1))
    lose(world, 2)
    (refused,) = world.submit(Submission(ada, (event(2, score=1),), NOON + HOUR))
    assert isinstance(refused, CourseDamaged)
    assert "version 2 of the course 'python' is damaged in the database: its row is gone" in refused.detail
    assert {one.key for one in audited(world).faults if one.table == "course_version"} == {"python/2"}
    assert rebuild(world.database, world.catalog).broken_ids == {ada}
    # Its number is not given to another one, while there are entries by it.
    assert [row["version"] for row in world.rows_of("course") if row["id"] == "python"] == [2]


def test_of_versions_without_end_the_first_are_told(world: World) -> None:
    world.run("UPDATE course_version SET version = 5000 WHERE course_id = 'python'")
    world.restart()
    assert len([one for one in audited(world).faults if one.table == "course_version"]) <= FAULTS_SHOWN
    with world.database.read() as connection:
        assert len(Site(connection).beyond) == FAULTS_SHOWN


def test_a_version_by_which_nothing_was_recorded_is_no_loss(world: World) -> None:
    world.send(world.learner(), event(1, score=1))
    world.publish({**PYTHON, "title": "Python again"})
    lose(world, 2)
    of_courses = {(one.column, one.true) for one in audited(world).faults if not one.learner}
    assert of_courses == {("version", 1), ("title", PYTHON["title"])}
    assert rebuild(world.database, world.catalog).found == 0
    world.assert_clean()


def test_a_damaged_version_that_waits_to_be_judged_by_ends_no_rebuild(world: World) -> None:
    """Whoever is in its course is left alone, whatever they are due elsewhere: levels go by all that they did."""
    ada = world.learner()
    world.send(ada, event(1, score=1), *(event(n, course="go", of="hello", score=1) for n in (2, 3)))
    world.publish({**PYTHON, "title": "Python again"})
    world.run("DELETE FROM granted WHERE course_id = 'go'", "DELETE FROM topic_level")
    world.run("UPDATE course SET judged_version = 1 WHERE id = 'python'")
    damage(world, version=2)
    assert ada in {one.learner for one in audited(world).faults if one.column == "version"}
    assert rebuild(world.database, world.catalog).broken_ids == {ada}
