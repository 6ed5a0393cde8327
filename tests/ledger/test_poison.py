"""An event that the database itself refuses is refused alone, and the rest is recorded."""

import pytest
from structlog.testing import capture_logs

from headway.domain.times import format_time
from headway.ledger.submission import Receipt, Submission
from tests.ledger.desk import Desk
from tests.ledger.test_identities import newcomer
from tests.ledger.world import HOUR, NOON, World, event, numbered, statuses

POISON = numbered(13)


@pytest.fixture
def poisoned(world: World) -> World:
    """A world whose database refuses one event, whoever sends it."""
    if world.database.dialect == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'poison'); END"
        world.run(f"CREATE TRIGGER poison BEFORE INSERT ON ledger WHEN NEW.event_id = '{POISON}' {refuse}")
    else:
        world.run(f"ALTER TABLE ledger ADD CONSTRAINT poison CHECK (event_id <> '{POISON}')")
    return world


def answers(world: World, *submissions: Submission) -> list[list[str]]:
    """What becomes of submissions that wait together."""
    waiting = Desk(world)
    for n, one in enumerate(submissions):
        waiting.writer.submit(one, str(n))
    waiting.writer.start()
    waiting.writer.stop()
    return [statuses(waiting.receipt(str(n))) for n in range(len(submissions))]


def requests(learner_id: str, *batches: tuple[int, ...]) -> list[Submission]:
    return [Submission(learner_id, tuple(event(n, score=0.9) for n in one), NOON + HOUR) for one in batches]


def test_the_one_event_is_refused_and_all_the_others_of_its_transaction_recorded(poisoned: World) -> None:
    ada, ben = poisoned.learner(), poisoned.learner()
    found = answers(
        poisoned, *requests(ada, (1,), (2, 3)), *requests(ben, (11, 12, 13, 14), (15,)), *requests(ada, (4,))
    )
    recorded = "recorded"
    assert found == [[recorded], [recorded] * 2, [recorded, recorded, "invalid", recorded], [recorded], [recorded]]
    assert [entry.event_id for entry in poisoned.entries(ben)] == [numbered(n) for n in (11, 12, 14, 15)]
    assert poisoned.step(ada)["attempts"] == poisoned.step(ben)["attempts"] == 4
    poisoned.assert_clean()


@pytest.mark.parametrize(("size", "place"), [(1, 0), (2, 0), (2, 1), (7, 3), (64, 63)])
def test_wherever_it_stands_in_a_request_it_is_the_only_one_refused(poisoned: World, size: int, place: int) -> None:
    ada = poisoned.learner()
    numbers = tuple(13 if n == place else 100 + n for n in range(size))
    (found,) = answers(poisoned, *requests(ada, numbers))
    assert found == ["invalid" if n == place else "recorded" for n in range(size)]
    assert len(poisoned.entries(ada)) == size - 1
    poisoned.assert_clean()


def test_a_request_that_was_taken_apart_is_answered_as_a_whole(poisoned: World) -> None:
    ada = poisoned.learner()
    waiting = Desk(poisoned)
    events = (event(1, score=0.1), event(13, score=0.1), event(2, score=0.9), event(3, of="quiz", score=1))
    waiting.submit("mine", ada, *events)
    waiting.writer.start()
    receipt = waiting.receipt("mine")
    waiting.writer.stop()
    assert [result.id for result in receipt.results] == [one.id for one in events]
    assert {one.name: one.sum.attempts for one in receipt.steps} == {"loops": 2, "quiz": 1}
    completed = [change["step"] for change in receipt.changes if change["type"] == "step_completed"]
    assert completed == ["loops", "quiz"]


@pytest.mark.parametrize("numbers", [(13, 14), (12, 13), (13,), (12, 14, 13, 15)])
def test_a_guest_whose_first_events_were_taken_apart_is_made_once(poisoned: World, numbers: tuple[int, ...]) -> None:
    guest = newcomer()
    events = tuple(event(n, score=0.9) for n in numbers)
    (found,) = answers(poisoned, Submission(guest.learner["id"], events, NOON + HOUR, newcomer=guest))
    assert found == ["invalid" if n == 13 else "recorded" for n in numbers]
    made = int(len(numbers) > 1)
    assert (poisoned.count("learner"), poisoned.count("session")) == (made, made)
    assert poisoned.count("ledger") == len(numbers) - 1
    poisoned.assert_clean()


def test_the_refused_event_is_taken_once_the_database_takes_it(poisoned: World) -> None:
    ada = poisoned.learner()
    assert answers(poisoned, *requests(ada, (13,))) == [["invalid"]]
    name = "TRIGGER poison" if poisoned.database.dialect == "sqlite" else "CONSTRAINT poison"
    poisoned.run(f"DROP {name}" if poisoned.database.dialect == "sqlite" else f"ALTER TABLE ledger DROP {name}")
    assert answers(poisoned, *requests(ada, (13,))) == [["recorded"]]
    assert poisoned.step(ada)["completed_at"] == NOON
    assert format_time(NOON) in str(poisoned.entries(ada)[0].changes)


def test_the_log_says_what_the_database_refused_and_nothing_of_the_row(poisoned: World) -> None:
    ada = poisoned.learner()
    with capture_logs() as logged:
        answers(poisoned, *requests(ada, (13,)))
    (line,) = [one for one in logged if one["event"] == "event_refused_by_database"]
    assert "poison" in line["error"]
    assert (line["event_id"], ada in str(line), "Failing row" in str(line)) == (POISON, False, False)


def test_recording_without_a_writer_tells_of_the_refusal_and_keeps_nothing(poisoned: World) -> None:
    ada = poisoned.learner()
    with pytest.raises(Exception, match="poison"):
        poisoned.submit(*requests(ada, (1, 13)))
    assert poisoned.entries(ada) == []
    (answer,) = poisoned.submit(*requests(ada, (1, 2)))
    assert isinstance(answer, Receipt)
