"""Who may record: judged from the rows under lock, not from what the request came with."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from headway.domain.errors import IdentityGone
from headway.domain.times import parse_time
from headway.ledger.enlist import enlist
from headway.ledger.submission import Newcomer, Receipt, Submission
from headway.ledger.zones import zone_here
from headway.store import learners
from tests.ledger.world import HOUR, NOON, World, event, statuses


def session_of(learner_id: str, token: str, expires_at: int = NOON + 9 * HOUR) -> dict[str, Any]:
    times = {"created_at": NOON, "last_used_at": NOON, "expires_at": expires_at}
    names = {"id": str(uuid4()), "learner_id": learner_id, "kind": "guest", "name": None, "scopes": None}
    return {"token_hash": sha256(token.encode()).hexdigest(), **names, **times}


def newcomer() -> Newcomer:
    learner_id = str(uuid4())
    row = {"id": learner_id, "kind": "guest", "time_zone": "Asia/Tokyo", "created_at": NOON}
    return Newcomer(row, session_of(learner_id, learner_id))


def submission_of(guest: Newcomer, *numbers: int, of: str = "loops") -> Submission:
    events = tuple(event(number, of=of, score=0.9) for number in numbers)
    return Submission(guest.learner["id"], events, NOON + HOUR, newcomer=guest)


def test_a_guest_comes_into_being_with_its_first_event(world: World) -> None:
    guest = newcomer()
    (answer,) = world.submit(submission_of(guest, 1, 2))
    assert isinstance(answer, Receipt)
    assert statuses(answer) == ["recorded", "recorded"]
    (row,) = world.rows_of("learner")
    assert (row["id"], row["kind"], row["time_zone"]) == (guest.learner["id"], "guest", "Asia/Tokyo")
    assert world.rows_of("session") == [dict(guest.session)]
    assert {entry.time_zone for entry in world.entries(guest.learner["id"])} == {"Asia/Tokyo"}
    world.assert_clean()


def test_nothing_is_left_of_a_guest_whose_events_are_all_refused(world: World) -> None:
    (answer,) = world.submit(submission_of(newcomer(), 1, 2, of="nowhere"))
    assert isinstance(answer, Receipt)
    assert statuses(answer) == ["unknown-step", "unknown-step"]
    assert (world.count("learner"), world.count("session"), world.count("ledger")) == (0, 0, 0)


def test_of_many_newcomers_those_come_who_recorded_something(world: World) -> None:
    guests = [newcomer() for _ in range(4)]
    places = ["loops", "nowhere", "quiz", "nowhere"]
    world.submit(*(submission_of(guest, 1, of=of) for guest, of in zip(guests, places, strict=True)))
    assert {row["id"] for row in world.rows_of("learner")} == {guests[0].learner["id"], guests[2].learner["id"]}
    assert world.count("session") == 2


def test_a_newcomers_batch_run_again_after_a_lost_answer_makes_no_second_guest(world: World) -> None:
    submission = submission_of(newcomer(), 1)
    (first,) = world.submit(submission)
    (again,) = world.submit(submission)
    assert isinstance(first, Receipt)
    assert isinstance(again, Receipt)
    assert again == first._replace(statuses=again.statuses)
    assert (len(first.statuses), len(again.statuses)) == (2, 0)
    assert (world.count("learner"), world.count("ledger")) == (1, 1)
    world.assert_clean()


def test_a_live_session_records_and_a_dead_one_is_turned_away(world: World) -> None:
    ada = world.learner()
    live, dead = session_of(ada, "live", NOON + HOUR + 1), session_of(ada, "dead", NOON + HOUR)
    with world.database.transaction() as connection:
        learners.add_sessions(connection, live, dead)
    hashes = [live["token_hash"], dead["token_hash"], sha256(b"never there").hexdigest()]
    answers = world.submit(
        *(Submission(ada, (event(n, score=1),), NOON + HOUR, token_hash=one) for n, one in enumerate(hashes))
    )
    assert isinstance(answers[0], Receipt)
    assert [isinstance(answer, IdentityGone) for answer in answers] == [False, True, True]
    assert len(world.entries(ada)) == 1


def test_a_session_that_ends_while_its_request_waits_is_turned_away(world: World) -> None:
    ada = world.learner()
    session = session_of(ada, "mine")
    with world.database.transaction() as connection:
        learners.add_sessions(connection, session)
        learners.end_session(connection, session["token_hash"])
    (answer,) = world.submit(Submission(ada, (event(1),), NOON, token_hash=session["token_hash"]))
    assert isinstance(answer, IdentityGone)


@pytest.mark.parametrize("wait", [True, False])
def test_merged_erased_and_missing_learners_are_turned_away_and_the_others_recorded(world: World, wait: bool) -> None:
    ada = world.learner()
    moved: dict[str, Any] = {"kind": "guest", "merged_into": ada, "merged_at": NOON, "merged_after": 0}
    merged, erased = world.learner(**moved), world.learner(erased_at=NOON)
    ids = [merged, ada, erased, str(uuid4())]
    answers = world.submit(*(Submission(one, (event(1, score=1),), NOON) for one in ids), wait=wait)
    assert [type(answer) for answer in answers] == [IdentityGone, Receipt, IdentityGone, IdentityGone]
    assert world.count("ledger") == 1
    world.assert_clean()


def test_days_of_a_learner_whose_zone_is_unknown_here_are_counted_in_utc_and_the_log_says_so_once(world: World) -> None:
    ada, lost = world.learner("Pacific/Kiritimati"), world.learner("Mars/Olympus")
    both = event(1, score=1, occurred_at="2026-03-01T23:30:00Z"), event(2, occurred_at="2026-03-01T23:30:00+01:00")
    at = parse_time("2026-03-02T00:30:00Z")[0]
    zone_here.cache_clear()
    with capture_logs() as told:
        answers = world.submit(*(Submission(one, both, at) for one in (ada, lost)))
        again = world.sent_one(lost, event(3, occurred_at="2026-03-01T23:31:00Z"), at)
    assert [statuses(answer) for answer in answers if isinstance(answer, Receipt)] == [["recorded"] * 2] * 2
    assert again.status == "recorded"
    assert [one["time_zone"] for one in told if one["event"] == "time_zone_unknown"] == ["Mars/Olympus"]
    days = {one: [(entry.day, entry.time_zone) for entry in world.entries(one)] for one in (ada, lost)}
    assert days[ada] == [("2026-03-01", "Pacific/Kiritimati"), ("2026-03-02", "Pacific/Kiritimati")]
    assert days[lost] == [("2026-03-01", "UTC"), ("2026-03-01", "UTC"), ("2026-03-01", "UTC")]
    world.assert_clean()


def test_one_external_id_is_one_learner_however_often_it_is_named(world: World) -> None:
    first = enlist(world.database, ["oulad:1", "oulad:2", "oulad:1"], now=NOON, time_zone="Europe/London")
    again = enlist(world.database, ["oulad:2", "oulad:3"], now=NOON + HOUR)
    assert set(first) == {"oulad:1", "oulad:2"}
    assert again["oulad:2"] == first["oulad:2"]
    assert len({*first.values(), *again.values()}) == world.count("learner") == 3
    assert {row["time_zone"] for row in world.rows_of("learner") if row["id"] in first.values()} == {"Europe/London"}
    assert enlist(world.database, [], now=NOON) == {}
