"""Whom a course may lose: whoever the roster says that of, as far as the report's list reaches."""

from uuid import uuid4

from headway.domain.events import Event, enrollment_event
from headway.domain.times import DAY, format_time
from headway.ledger.bulk import add_learners, record_all
from headway.ledger.submission import Submission
from headway.store.roster_page import RosterQuery
from headway.views.report import InForce, read_report
from headway.views.roster import read_roster
from tests.ledger.world import NOON, World, enrollment, event

STEPS = [f"s{n}" for n in range(8)]
COURSE = {
    "id": "eight",
    "title": "Eight",
    "modules": [
        {"id": "all", "title": "All", "steps": [{"id": one, "kind": "exercise", "title": one} for one in STEPS]},
    ],
}


def learner(world: World, name: str, steps: int, days_ago: int) -> str:
    """Somebody who enrolled so long ago, and completed some steps since then."""
    who = world.learner(display_name=name)
    at = NOON - days_ago * DAY
    done = (event(kind="completed", course="eight", of=one, occurred_at=format_time(NOON)) for one in STEPS[:steps])
    world.send(who, enrollment(1, of="eight", at=at), *done)
    return who


def at_risk(world: World) -> tuple[list[str | None], set[str | None]]:
    """Who is behind by the report's list, and by the roster."""
    with world.database.read() as connection:
        in_force = InForce(*world.catalog.in_force(connection, ["eight"])["eight"])
        listed = read_report(connection, in_force, NOON + DAY).at_risk
        known = read_roster(connection, in_force, RosterQuery(), 200, NOON + DAY).items
    behind = {one.display_name for one in known if one.at_risk == "behind"}
    return [one.display_name for one in listed if one.reason == "behind"], behind


def test_a_new_term_hides_nobody_who_is_behind(world: World) -> None:
    world.publish(COURSE)
    for n in range(30):
        learner(world, f"Ahead {n}", 7, days_ago=20)
    learner(world, "Ben", 3, days_ago=20)
    learner(world, "Ada", 2, days_ago=20)
    assert at_risk(world) == (["Ada", "Ben"], {"Ada", "Ben"})
    for n in range(20):
        learner(world, f"New {n}", 1, days_ago=1)
    assert at_risk(world) == (["Ada", "Ben"], {"Ada", "Ben"})


def test_however_many_have_stopped_hide_nobody_who_is_behind(world: World) -> None:
    world.publish(COURSE)
    crowd(world, 510, [event(kind="completed", course="eight", of=one) for one in STEPS[:3]], days_ago=20)
    crowd(world, 501, [event(course="eight", of="s0", occurred_at=format_time(NOON - 20 * DAY))], days_ago=30)
    learner(world, "Ada", 1, days_ago=20)
    assert at_risk(world)[0] == ["Ada"]


def crowd(world: World, many: int, done: list[Event], days_ago: int) -> None:
    """So many who enrolled so long ago, and did this."""
    ids = [str(uuid4()) for _ in range(many)]
    add_learners(
        world.database, [{"id": one, "kind": "account", "time_zone": "UTC", "created_at": NOON} for one in ids]
    )
    enrolled = enrollment_event(str(uuid4()), "enrolled", "eight", format_time(NOON - days_ago * DAY))
    answers = record_all(world.database, world.catalog, [Submission(one, (enrolled, *done), NOON) for one in ids])
    assert not any(isinstance(one, Exception) for one in answers)
