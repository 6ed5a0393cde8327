"""A learner's score of a course: the same in the roster, in the report and where the learner reads it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from headway.ledger.override import OverrideAsked, override
from headway.ledger.recount import recount_pending
from headway.store.migrate import migrate
from headway.store.roster_page import RosterQuery
from headway.views.course_progress import read_course
from headway.views.overview import read_overview
from headway.views.report import InForce, read_report
from headway.views.roster import read_roster
from headway.views.subject import Subject
from tests.ledger.world import NOON, World, enrollment, event

MODULES = ("first", "second")
COURSE: dict[str, Any] = {
    "id": "thirds",
    "title": "Thirds",
    "pass_mark": 50,
    "modules": [
        {
            "id": name,
            "title": name,
            "requires": [],
            "steps": [{"id": f"{name}-{n}", "kind": "exercise", "title": name} for n in range(3)],
        }
        for name in MODULES
    ],
}


def learner(world: World, scores: Mapping[str, float]) -> str:
    """Somebody who is enrolled, and has these scores of exercises."""
    world.publish(COURSE)
    ada = world.learner(display_name="Ada")
    sent = (event(course="thirds", of=step, score=score) for step, score in scores.items())
    world.send(ada, enrollment(1, of="thirds"), *sent)
    return ada


def say(world: World, learner_id: str, step: str, score: int) -> None:
    said = OverrideAsked("thirds", learner_id, step, score, False, "handed in on paper", None, str(uuid4()))
    override(world.database, world.catalog, said, now=NOON)


def told(world: World, learner_id: str) -> tuple[float, float, int]:
    """The score as the learner reads it, as the roster has it, and from how many percent the report counts it."""
    with world.database.read() as connection:
        progress = read_course(connection, world.catalog, Subject(learner_id, "UTC"), "thirds")
        in_force = InForce(*world.catalog.in_force(connection, ["thirds"])["thirds"])
        (row,) = read_roster(connection, in_force, RosterQuery(), 10, NOON).items
        (band,) = [one for one in read_report(connection, in_force, NOON).score_distribution if one.learners]
    return progress.score_percent, row.score_percent, band.from_percent


def statuses(world: World, learner_id: str) -> set[str]:
    """The course's status as the learner reads it, at a glance too, and as the roster has it; it is the same."""
    subject = Subject(learner_id, "UTC")
    with world.database.read() as connection:
        progress = read_course(connection, world.catalog, subject, "thirds")
        (summary,) = read_overview(connection, world.catalog, subject, NOON).courses
        in_force = InForce(*world.catalog.in_force(connection, ["thirds"])["thirds"])
        (row,) = read_roster(connection, in_force, RosterQuery(), 10, NOON).items
    return {progress.status, summary.status, row.status}


@pytest.mark.parametrize(
    ("scores", "shown", "counted"),
    [
        # A third and two thirds; with either rounded down they are short of a half.
        ({"first-0": 1, "second-0": 1, "second-1": 1}, 50.0, 50),
        ({"first-0": 1, "first-1": 1, "first-2": 0.0125, "second-0": 1, "second-1": 0.4}, 56.88, 50),
        # Short of the pass mark, and of all, by what two decimals do not show.
        ({"first-0": 1, "second-0": 1, "second-1": 0.999994}, 49.9999, 40),
        ({f"{name}-{n}": 0.999998 if n else 1 for name in MODULES for n in range(3)}, 99.99, 90),
    ],
)
def test_a_score_is_the_same_wherever_it_is_told(
    world: World, scores: Mapping[str, float], shown: float, counted: int
) -> None:
    assert told(world, learner(world, scores)) == (shown, shown, counted)
    world.assert_clean()


def test_scores_of_before_are_worked_out_anew_behind_an_upgrade(world: World) -> None:
    ada = learner(world, {"first-0": 1, "second-0": 1, "second-1": 1})
    world.run(
        "UPDATE roster SET score = score - 1",
        "UPDATE course_counter SET value = value - 1 WHERE figure = 'score'",
        "DROP INDEX ix_webhook_due_webhook_id_due_at",
        "CREATE INDEX ix_webhook_due_due_at ON webhook_due (due_at)",
        "UPDATE alembic_version SET version_num = '0025'",
    )
    migrate(world.database)
    assert recount_pending(world.database, world.catalog) == 1
    assert told(world, ada) == (50.0, 50.0, 50)
    world.assert_clean()


def test_who_is_in_a_course_of_which_anything_was_said_is_counted_anew_behind_an_upgrade(world: World) -> None:
    """Before, a word that was lifted left a score of 0, and one that completed nothing was in no figure."""
    ada, ben = learner(world, {}), world.learner(display_name="Ben")
    world.send(ben, enrollment(2, of="thirds"), event(3, course="python"), enrollment(4))
    say(world, ada, "first-0", 500_000)
    say(world, ada, "first-0", 0)
    say(world, ada, "second-0", 500_000)
    before = world.rows_of("roster")
    world.run(
        "UPDATE step_counter SET scored = 1 WHERE course_id = 'thirds' AND step_id = 'first-0'",
        "UPDATE step_counter SET learners = 0 WHERE course_id = 'thirds' AND step_id = 'second-0'",
        "DELETE FROM course_counter WHERE course_id = 'thirds' AND figure = 'reached'",
        f"UPDATE roster SET score = 0, last_step = '' WHERE learner_id = '{ada}'",
        "UPDATE alembic_version SET version_num = '0027'",
    )
    migrate(world.database)
    world.assert_clean()
    # Of other courses nobody.
    assert recount_pending(world.database, world.catalog) == 2
    assert world.rows_of("roster") == before
    world.assert_clean()


def test_a_word_counts_in_the_roster_of_whoever_has_done_nothing_there(world: World) -> None:
    """Also one that completes nothing, of a module in which nothing else is known."""
    ada = learner(world, {})
    say(world, ada, "first-0", 500_000)
    say(world, ada, "second-0", 0)
    shown, in_roster, _ = told(world, ada)
    assert shown == in_roster > 0
    assert statuses(world, ada) == {"in_progress"}
    with world.database.read() as connection:
        report = read_report(connection, InForce(*world.catalog.in_force(connection, ["thirds"])["thirds"]), NOON)
    first = report.steps[0]
    assert (first.learners, first.average_score_percent) == (1, 50)
    world.assert_clean()
