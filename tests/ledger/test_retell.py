"""What learners should have been told is worked out of any ledger, of no more than is asked, and of nobody erased."""

import json

import pytest

from headway.domain.notices import id_apart
from headway.domain.recording import IMPORTED, Versions
from headway.domain.sums import Sums
from headway.domain.times import DAY
from headway.ledger import retell
from headway.ledger.audit import stored_rows
from headway.ledger.erase import erase
from headway.ledger.refold import LedgerNotices, Refolded, refold
from headway.ledger.retell import told_since, with_notices
from headway.ledger.submission import Submission
from headway.store.notices import Notice, NoticePlace
from headway.store.sums import NOTICES
from tests.ledger.gates import GATES, through
from tests.ledger.test_audit import change_entry
from tests.ledger.test_falsified_notices import SUNDAY, add, found, mended, reminded, remove, told
from tests.ledger.test_streaks import at, on
from tests.ledger.world import HOUR, NOON, World, event, numbered


def test_nothing_is_told_of_who_was_erased(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, on(SUNDAY - 1), *through("basics"), at=at(SUNDAY - 1))
    reminded(world, at(SUNDAY) + 7 * HOUR)
    was = told(world, ada)
    assert erase(world.database, world.catalog, ada, now=at(SUNDAY) + DAY) is not None
    (nobody,) = {row["learner_id"] for row in world.rows_of("ledger")}
    reminder = next(one for one in was if one["type"] == "streak_at_risk")
    add(world, nobody, reminder, seq=1, id=id_apart(nobody, reminder["subject"]))
    assert [fault[1:] for fault in found(world)] == [(nobody, f"1/{reminder['n']}", "*", "a row", None)]
    assert mended(world) == 1
    assert told(world, nobody) == []


@pytest.mark.parametrize("cause", ["5", "null", '["x"]', "NaN", '"\\ud800"'])
def test_an_entry_of_any_cause_ends_neither_audit_nor_rebuild(world: World, cause: str) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.submit(Submission(ada, (event(90),), NOON, source=IMPORTED))
    world.send(ada, *through("basics"))
    before = told(world, ada)
    for one in world.entries(ada):
        if one.type == "module_completed":
            was = json.dumps(json.loads(one.body)["cause"])
            change_entry(world, ada, one.seq, body=one.body.replace(f'"cause":{was}', f'"cause":{cause}'))
            assert world.entries(ada)[one.seq - 1] != one
    assert found(world) == []
    assert mended(world) == 0
    assert told(world, ada) == before


def test_what_is_told_is_collected_from_the_first_that_is_kept(world: World) -> None:
    world.publish(GATES)
    ada = world.learner()
    world.send(ada, on(SUNDAY - 1), *through("basics"), at=at(SUNDAY - 1))
    reminded(world, at(SUNDAY) + 7 * HOUR)
    world.send(ada, *through("loops", start=20), at=at(SUNDAY + 1))
    world.send(ada, *through("end", start=40), at=at(SUNDAY + 1))
    every = told(world, ada)
    last = world.entries(ada)[-1].seq
    remove(world, ada, *(one for one in every if one["seq"] < last and one["n"] < 1_000))
    assert {one["n"] >= 1_000 for one in told(world, ada)} == {True, False}
    with world.database.read() as connection:
        stored = stored_rows(connection, [ada])
        (one,) = refold(connection, world.catalog, [ada], told_since(stored))
        assert one.told is not None
        assert {each.seq for each in one.told.own} == {last}
        # Once it is compared, it is not kept.
        assert [each.told for each in with_notices(stored, [one])] == [None]


def test_what_guests_might_have_been_told_is_looked_for_where_the_account_was_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = list[str]()

    def seen(learner_id: str, subject: str) -> str:
        tried.append(learner_id)
        return id_apart(learner_id, subject)

    monkeypatch.setattr(retell, "id_apart", seen)
    days = [f"2026-03-{day:02}" for day in range(1, 31)]
    subjects = {NoticePlace(1, 1_000 + n): (f"streak_at_risk/{day}", day) for n, day in enumerate(days)}
    kept = {
        place: ("ada", *place, id_apart("ada", subject), "streak_at_risk", subject, NOON, risk(day), None)
        for place, (subject, day) in subjects.items()
    }
    guests = {numbered(n): list[Notice]() for n in range(1_000)}
    one = Refolded("ada", 1, Sums(Versions().worth_of), [], [], {}, told=LedgerNotices([], guests, 1))
    (refolded,) = with_notices({"ada": {NOTICES: kept}}, [one])
    assert refolded.notices == {place: Notice(*row) for place, row in kept.items()}
    assert tried == ["ada"] * len(days)


def risk(day: str) -> str:
    return f'{{"type":"streak_at_risk","day":"{day}"}}'
