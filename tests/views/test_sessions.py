"""Practice sessions in a range of the learner's days."""

from typing import Any
from uuid import uuid4

import pytest

from headway.domain.errors import Invalid
from headway.views.asked_range import AskedRange
from headway.views.sessions import DAYS_MAX, PracticeSession, read_sessions
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course
from tests.ledger.essays import ESSAYS, essay
from tests.ledger.facts import LATER, grade
from tests.ledger.guests import guest_in, move
from tests.ledger.world import World
from tests.ledger.world import event as event_of_world
from tests.views.learning import NOW, Learning, event


def sessions(learning: Learning, who: Subject, **asked: Any) -> list[PracticeSession]:
    return learning.read(read_sessions, who, NOW, AskedRange(**asked)).items


def tried(learning: Learning, who: Subject, *times: str, score: float = 1, **fields: Any) -> None:
    learning.record(who, *(event("attempted", "first-1", at, score=score, **fields) for at in times))


def test_nobody_has_practiced(learning: Learning) -> None:
    for who in (NOBODY, learning.learner()):
        assert sessions(learning, who) == []


def test_attempts_near_each_other_are_a_session(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    tried(learning, ada, "2026-03-09T10:00:00Z", "2026-03-09T10:29:00Z", duration_s=60)
    tried(learning, ada, "2026-03-09T10:45:00Z", score=0.1, duration_s=7_200)
    tried(learning, ada, "2026-03-09T12:00:00Z")
    learning.record(ada, event("worked", "first-1", "2026-03-09T11:15:00Z", duration_s=900))
    learning.record(ada, event("completed", "first-1", "2026-03-09T11:45:00Z"))
    assert sessions(learning, ada) == [
        PracticeSession("2026-03-09T12:00:00.000000Z", "2026-03-09T12:00:00.000000Z", 1, 1, 0.0),
        PracticeSession("2026-03-09T10:00:00.000000Z", "2026-03-09T10:45:00.000000Z", 3, 2, 3_720.0),
    ]


def test_a_session_is_of_the_day_on_which_it_began(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    tried(learning, ada, "2026-03-07T23:50:00Z", "2026-03-08T00:10:00Z", "2026-03-08T23:55:00Z", "2026-03-09T00:20:00Z")
    began = {
        day: [one.started_at[:16] for one in sessions(learning, ada, first=day, last=day)]
        for day in ("2026-03-07", "2026-03-08", "2026-03-09")
    }
    assert began == {"2026-03-07": ["2026-03-07T23:50"], "2026-03-08": ["2026-03-08T23:55"], "2026-03-09": []}
    assert [one.exercises for one in sessions(learning, ada, days=5)] == [2, 2]


def test_days_are_the_learners_own(learning: Learning) -> None:
    learning.publish(course())
    east = learning.learner("east", zone="Pacific/Kiritimati")
    tried(learning, east, "2026-03-10T09:59:00Z", "2026-03-10T11:00:00Z")  # 23:59 of the 10th and 01:00 of the 11th
    assert [one.started_at[:16] for one in sessions(learning, east, days=1)] == ["2026-03-10T11:00"]
    assert len(sessions(learning, east, days=2)) == 2


@pytest.mark.parametrize(
    "asked", [{"first": "0001-01-01", "last": "0001-01-01"}, {"first": "9999-12-31", "last": "9999-12-31"}]
)
def test_the_calendars_ends_are_no_fault(learning: Learning, asked: dict[str, str]) -> None:
    assert sessions(learning, learning.learner(), **asked) == []


def test_pages_follow_each_other_to_the_end(learning: Learning) -> None:
    learning.publish(course())
    ada = learning.learner()
    tried(learning, ada, *(f"2026-03-09T{hour:02}:00:00Z" for hour in range(7)))
    found, place = list[PracticeSession](), None
    for size in (3, 3, 1):
        page = learning.read(read_sessions, ada, NOW, AskedRange(), place, 3)
        found, place = [*found, *page.items], page.next_place
        assert len(page.items) == size
    assert place is None
    assert found == sessions(learning, ada)
    assert [one.started_at[11:13] for one in found] == [f"{hour:02}" for hour in range(6, -1, -1)]


@pytest.mark.parametrize(
    ("asked", "field"), [({"days": 0}, "days"), ({"days": DAYS_MAX + 1}, "days"), ({"first": "2020-01-01"}, "from")]
)
def test_a_bad_range_is_refused_by_its_field(asked: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_sessions(None, NOBODY, NOW, AskedRange(**asked))  # type: ignore[arg-type]  # it never comes to be asked
    assert refusal.value.field == field


def test_what_guests_did_and_grades_given_later_count(database_url: str) -> None:
    world = World(database_url).prepare()
    world.publish(ESSAYS)
    ada, guest, handed_in = world.learner(), guest_in(world, event_of_world(1, score=1)), str(uuid4())
    world.send(ada, essay(handed_in))
    move(world, ada, guest)

    def correct() -> list[tuple[int, int]]:
        with world.database.read() as connection:
            found = read_sessions(connection, Subject(ada, "UTC"), LATER, AskedRange())
        return [(one.exercises, one.correct) for one in found.items]

    assert correct() == [(2, 1)]
    grade(world, ada, handed_in, 900_000)
    assert correct() == [(2, 2)]
    world.close()
