"""First tries by version, in the report and its counters, whatever becomes of learners."""

from typing import Any

from headway.domain.enrolled import FIRST_TRY, FIRST_TRY_PASSED
from headway.ledger.erase import erase
from headway.ledger.rebuild import rebuild
from headway.store import roster
from headway.views.report import InForce, StepReport, read_report
from tests.ledger.facts import LATER, begin_anew, reset
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, PYTHON, World, enrollment, event


def counted(world: World, step: str = "loops") -> dict[int, tuple[int, int]]:
    """(tried, passed) by version, as the counters have it."""
    with world.database.read() as connection:
        counts = roster.counters(connection, "python").counts
    tried = {key[1][2]: n for key, n in counts.items() if key[1][:2] == (FIRST_TRY, step)}
    return {version: (n, counts.get(("python", (FIRST_TRY_PASSED, step, version)), 0)) for version, n in tried.items()}


def told(world: World, step: str = "loops") -> StepReport:
    with world.database.read() as connection:
        version, course = world.catalog.in_force(connection, {"python"})["python"]
        found = read_report(connection, InForce(version, course), LATER)
    return next(one for one in found.steps if one.id == step)


def newcomer(world: World, *events: Any, enrolled: bool = True) -> str:
    learner_id = world.learner()
    (world.send(learner_id, enrollment(900)) if enrolled else None)
    world.send(learner_id, *events)
    return learner_id


def test_a_step_that_fewer_pass_since_a_version_is_told_and_who_leaves_is_not_counted(world: World) -> None:
    firsts = [newcomer(world, event(1, score=1), event(2, score=0)) for _ in range(25)]
    assert told(world).dropped_in_version is None
    assert world.publish({**PYTHON, "title": "Anew"}) == 2
    later = [newcomer(world, event(1, score=int(n % 5 == 0)), event(2, score=1, hints=1)) for n in range(25)]
    assert counted(world) == {1: (25, 25), 2: (25, 5)}
    found = told(world)
    assert (found.dropped_in_version, found.first_try_before_percent, found.first_try_since_percent) == (2, 100.0, 20.0)
    # Who tried before, tries no more for the first time; and who is not enrolled is not counted.
    world.send(firsts[0], event(3, score=0))
    newcomer(world, event(1, score=0), enrolled=False)
    assert counted(world) == {1: (25, 25), 2: (25, 5)}
    world.assert_clean()
    for one in later[:6]:
        world.send(one, enrollment(901, "left", at=NOON + HOUR))
    assert counted(world) == {1: (25, 25), 2: (19, 3)}
    assert told(world).dropped_in_version is None
    world.assert_clean()


def test_first_tries_follow_whatever_becomes_of_learners(world: World) -> None:
    ada = newcomer(world, event(1, score=0, occurred_at="2026-02-20T12:00:00Z"))
    world.publish({**PYTHON, "title": "Anew"})
    # What comes late, and was before, is the first try; by the version that scored it.
    world.send(ada, event(2, score=1, occurred_at="2026-02-10T12:00:00Z"))
    assert counted(world) == {2: (1, 1)}
    guest = guest_in(world, event(3, score=0, occurred_at="2026-02-05T12:00:00Z"))
    assert move(world, ada, guest) is not None
    assert counted(world) == {2: (1, 0)}
    begin_anew(world, ada, course="python")
    world.send(ada, event(4, score=1))
    assert counted(world) == {2: (1, 0)}
    ben = newcomer(world, event(1, "completed"), event(2, score=0, occurred_at="2026-03-01T12:30:00Z"))
    assert counted(world) == {2: (1, 0)}  # completed by no try
    essay = event(5, of="essay", score=0.5)
    world.send(ben, essay)
    world.assert_clean()
    reset(world, ada, "python")
    erase(world.database, world.catalog, ben, now=LATER)
    world.assert_clean()
    # As rows of before the column, and as mended.
    eve = newcomer(world, event(1, score=1))
    true = counted(world)
    assert true[2][1] >= 1
    world.run("UPDATE step_sum SET first_version = NULL WHERE first_version IS NOT NULL")
    world.restart()
    world.send(eve, event(9, score=0))
    rebuild(world.database, world.catalog)
    assert counted(world) == true
    world.assert_clean()
