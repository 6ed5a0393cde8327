"""Judging everybody by a new version: beside recording, after a crash, and by one process at a time."""

import threading
from typing import Any

import pytest
from structlog.testing import capture_logs

from headway.domain.impact import Gains, KeptGrants
from headway.ledger import impact, sweep
from headway.ledger.audit import audit
from headway.ledger.commit import committed
from headway.ledger.publish import Published, publish
from headway.ledger.rebuild import rebuild
from headway.ledger.record import record
from headway.ledger.submission import Receipt, Submission
from headway.ledger.sweep import sweep_pending
from headway.store import courses
from tests.domain.manifests import course, module, step
from tests.ledger.at_once import at_once
from tests.ledger.gates import grants, names
from tests.ledger.world import HOUR, NOON, World, event, statuses
from tests.torture.proof import query

LATER = NOON + 2 * HOUR


def version(mark: int, **of_second: Any) -> dict[str, Any]:
    """A course of two modules, the first with this pass mark."""
    first = module("first", step("one"), step("two"), pass_mark=mark)
    second = module("second", step("three"), step("four"), **of_second)
    return course(first, second, id="swept", title=f"{mark} {of_second}", certificate=True)


def answer(of: str, score: float = 0.5, number: int | None = None) -> Any:
    return event(number, of=of, course="swept", score=score)


def standing(world: World, *answers: str, learners: int = 4) -> list[str]:
    """Learners who each gave these answers, by the first version, which none of them completes."""
    publish(world.database, version(100), now=NOON)
    ids = sorted(world.learner() for _ in range(learners))
    for one in ids:
        world.send(one, *(answer(of) for of in answers))
    return ids


def named(world: World, learner_id: str) -> list[tuple[str, str]]:
    return names(grants(world, learner_id, course_id="swept"))


FIRST = [("module_completed", "first"), ("module_unlocked", "second")]


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two learners a page, one a transaction, and each is noted."""
    monkeypatch.setattr(impact, "LEARNERS_A_PAGE", 2)
    monkeypatch.setattr(sweep, "GRANTS_A_TRANSACTION", 1)
    monkeypatch.setattr(sweep, "NOTED_EVERY_S", -1.0)


class Killed(BaseException):
    """What ends a process in the middle."""


def killed_after(monkeypatch: pytest.MonkeyPatch, transactions: int) -> None:
    """Let a sweep write so often and then end it."""
    left = [transactions]

    def commit(*args: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return committed(*args)

    monkeypatch.setattr(sweep, "committed", commit)


def broken_off(world: World, monkeypatch: pytest.MonkeyPatch, manifest: dict[str, Any], after: int) -> None:
    """Publish a version, and be killed in the middle of judging by it."""
    with monkeypatch.context() as patch:
        killed_after(patch, after)
        with pytest.raises(Killed):
            publish(world.database, manifest, now=LATER)


@pytest.mark.parametrize("after", range(7))
def test_a_sweep_that_broke_off_is_gone_on_with(world: World, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    ids = standing(world, "one", "two")
    broken_off(world, monkeypatch, version(50), after)
    assert query(world.url, "SELECT version, judged_version FROM course WHERE id = 'swept'") == [(2, 1)]
    with world.database.read() as connection:
        assert courses.pending(connection) == ["swept"]
    assert sweep_pending(world.database, world.catalog, now=lambda: LATER) == 1
    assert [named(world, one) for one in ids] == [FIRST] * 4
    assert sweep_pending(world.database, world.catalog, now=lambda: LATER) == 0
    world.assert_clean()


def test_what_was_noted_is_not_judged_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    standing(world, "one", "two")
    broken_off(world, monkeypatch, version(50), 3)
    looked: list[str] = []
    true = impact.survey

    def survey(*args: Any) -> Any:
        found = true(*args)
        looked.extend(one.learner_id for one in found)
        return found

    monkeypatch.setattr(impact, "survey", survey)
    sweep_pending(world.database, world.catalog, now=lambda: LATER)
    assert len(looked) == 2


def test_the_next_version_waits_until_all_were_judged_by_the_one_before(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = standing(world, "one", "two")
    broken_off(world, monkeypatch, version(50), 1)
    # By this one alone nobody would have completed anything.
    found = publish(world.database, version(100, pass_mark=70), now=LATER)
    assert (found.version, found.impact.gains.learners, found.impact.kept.learners) == (3, 0, 4)
    assert [named(world, one) for one in ids] == [FIRST] * 4
    world.assert_clean()


def test_publishing_the_same_again_goes_on_and_tells_what_was_left_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing(world, "one", "two")
    broken_off(world, monkeypatch, version(50), 1)
    again = publish(world.database, version(50), now=LATER)
    assert (again.unchanged, again.impact.gains.learners) == (True, 3)
    assert publish(world.database, version(50), now=LATER).impact.learners == 0


def test_what_is_open_by_the_version_before_is_open_until_one_was_judged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(world.database, version(100, requires=[]), now=NOON)
    ada, ben = world.learner(), world.learner()
    for one in (ada, ben):
        world.send(one, answer("one"))
    broken_off(world, monkeypatch, version(100), 0)
    assert statuses(world.send(ada, answer("three"))) == ["recorded"]
    # Of a run that nobody has begun nothing was open that could be kept so.
    sweep_pending(world.database, world.catalog, now=lambda: LATER)
    assert statuses(world.send(ben, answer("three"))) == ["recorded"]
    assert statuses(world.send(world.learner(), answer("three"))) == ["locked"]
    world.assert_clean()


def test_one_sweeps_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = standing(world, "one", "two")
    broken_off(world, monkeypatch, version(50), 0)
    with world.database.alone(wait=False) as alone:
        assert alone
        other = World(world.url)
        assert sweep_pending(other.database, other.catalog, now=lambda: LATER) == 0
        found: list[Published] = []
        publishing = threading.Thread(
            target=lambda: found.append(publish(other.database, version(50, title="New"), now=LATER))
        )
        publishing.start()
        publishing.join(0.5)
        assert found == []
        assert named(world, ids[0]) == []
    publishing.join(20)
    assert [one.version for one in found] == [3]
    assert named(world, ids[0]) == FIRST
    other.close()


def test_who_moves_between_survey_and_lock_is_looked_at_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two modules come to be completed at once, one by recording and one by the sweep: the third waits for both."""
    parts = [module(name, step(f"{name}-1"), requires=[]) for name in ("left", "right")]
    both = module("both", step("both-1"), requires=["left", "right"])
    published = course(*({**one, "pass_mark": 100} for one in parts), both, id="swept")
    publish(world.database, published, now=NOON)
    ada = world.learner()
    world.send(ada, event(of="left-1", course="swept", score=0.5))
    true = impact.survey

    def survey(*args: Any) -> Any:
        found = true(*args)
        meanwhile = World(world.url)
        if found:
            meanwhile.send(ada, event(of="right-1", course="swept", score=1))
        meanwhile.close()
        return found

    monkeypatch.setattr(impact, "survey", survey)
    found = publish(world.database, course({**parts[0], "pass_mark": 50}, *parts[1:], both, id="swept"), now=LATER)
    assert found.impact.gains.listed == [(ada, Gains(("both",), ("left",)))]
    world.assert_clean()


def test_who_was_moved_away_between_survey_and_lock_is_given_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, here = standing(world, "one", "two", learners=2)
    true = impact.survey

    def survey(*args: Any) -> Any:
        found = true(*args)
        world.run("UPDATE learner SET erased_at = 1 WHERE id = :id", id=gone)
        return found

    monkeypatch.setattr(impact, "survey", survey)
    found = publish(world.database, version(50), now=LATER)
    assert [one for one, _ in found.impact.gains.listed] == [here]
    assert named(world, gone) == []


def test_whoever_records_by_the_version_before_is_judged_by_the_new_one(postgresql_world: World) -> None:
    """They read their course's version before it was published, and commit behind it; it is their first event."""
    world = postgresql_world
    publish(world.database, version(100), now=NOON)
    ada = world.learner()
    found: list[Published] = []
    publishing = threading.Thread(target=lambda: found.append(publish(world.database, version(50), now=LATER)))
    with world.database.transaction() as connection:
        sent = Submission(ada, (answer("one"), answer("two")), NOON + HOUR)
        (receipt,) = record(connection, world.catalog, [sent])
        assert isinstance(receipt, Receipt)
        publishing.start()
        publishing.join(0.7)
        assert query(world.url, "SELECT version FROM course WHERE id = 'swept'") == [(2,)]
        assert found == []
    publishing.join(20)
    assert found[0].impact.gains.listed == [(ada, Gains(("second",), ("first",)))]
    world.assert_clean()


def test_a_transaction_that_lasts_holds_nobody_up_for_ever(
    postgresql_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = postgresql_world
    standing(world, "one", "two")
    monkeypatch.setattr(sweep, "PATIENCE_S", 0.1)
    with world.database.transaction() as connection, capture_logs() as logs:
        connection.exec_driver_sql("SELECT version FROM course")
        assert publish(world.database, version(50), now=LATER).impact.gains.learners == 4
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["swept_beside_long_transactions"]


def test_what_learners_came_to_is_logged_once_with_its_reason(world: World) -> None:
    (ada,) = standing(world, "one", "two", learners=1)
    with capture_logs() as logs:
        publish(world.database, version(50), now=LATER)
    told = [(one["module"], one["status"], one["reason"]) for one in logs if one["event"] == "status_changed"]
    assert told == [("first", "completed", "version:2"), ("second", "open", "version:2")]
    assert {one["learner_id"] for one in logs} == {ada}


def test_recording_and_publishing_at_once_leave_nobody_ungranted(world: World) -> None:
    """Newcomers all the while, and versions under which their answers complete a module, or do not."""
    publish(world.database, version(100), now=NOON)
    ids = [world.learner() for _ in range(40)]

    def record_all() -> None:
        here = World(world.url)
        for one in ids:
            here.send(one, answer("one"), answer("two"))
        here.close()

    def publish_all() -> None:
        for n in range(6):
            publish(world.database, version((50, 100)[n % 2], description=f"{n}"), now=LATER)

    at_once(record_all, publish_all)
    publish(world.database, version(50), now=LATER)
    assert [named(world, one) for one in ids] == [FIRST] * 40
    report = audit(world.database, world.catalog)
    assert report.faults == []


def test_kept_is_told_by_what_was_there_before(world: World) -> None:
    (ada,) = standing(world, "one", "two", learners=1)
    publish(world.database, version(50), now=LATER)
    found = publish(world.database, version(100), now=LATER)
    assert found.impact.kept.listed == [(ada, KeptGrants((), ("first",)))]


def test_what_wrong_sums_seem_to_complete_nobody_is_given_by_a_rebuild(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version is pending of which a rebuild judges: by what the ledger comes to, not by what stands there."""
    ids = standing(world, "one", "two", learners=3)
    world.send(ids[2], answer("one", 0.95), answer("two", 0.95))
    broken_off(world, monkeypatch, version(90), 0)
    scores = "best_score = 1000000, score_total = 1000000, latest_score = 1000000, first_score = 1000000"
    world.run(f"UPDATE step_sum SET {scores} WHERE learner_id <> :right", right=ids[2])
    rebuild(world.database, world.catalog)
    assert [named(world, one) for one in ids] == [[], [], FIRST]
    with world.database.read() as connection:
        assert courses.pending(connection) == []
    world.assert_clean()


def test_what_wrong_sums_kept_from_learners_a_rebuild_gives_though_a_version_is_pending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the version changes is elsewhere, so that judging by it alone would not look there."""
    publish(world.database, version(50), now=NOON)
    ada = world.learner()
    world.send(ada, answer("one"))
    world.run("UPDATE step_sum SET best_score = 0, score_total = 0, latest_score = 0, first_score = 0")
    world.restart()
    world.send(ada, answer("two"))
    assert named(world, ada) == []
    broken_off(world, monkeypatch, version(50, pass_mark=70), 0)
    with capture_logs() as logs:
        rebuild(world.database, world.catalog)
    assert named(world, ada) == FIRST
    said = [(one["learner_id"], one["status"], one["reason"]) for one in logs if one["event"] == "status_changed"]
    assert (ada, "completed", "rebuild") in said
    world.assert_clean()


def test_by_a_broken_ledger_nobody_is_given_what_a_pending_version_brings(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = standing(world, "one", "two", learners=2)
    broken_off(world, monkeypatch, version(50), 0)
    with world.opened() as connection:
        connection.exec_driver_sql(f"DELETE FROM ledger WHERE learner_id = '{ids[0]}' AND seq = 1")
    report = rebuild(world.database, world.catalog)
    assert report.broken_ids == {ids[0]}
    assert [named(world, one) for one in ids] == [[], FIRST]
