"""The demo as it lies in the database: everything recorded, everything proved."""

from collections import Counter

import sqlalchemy as sa

from headway.demo.content import Answers
from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL
from headway.demo.simulation import simulate
from headway.demo.stage import prove, stage
from headway.domain.course import Course
from headway.domain.times import DAY
from headway.store import learners, sums
from headway.store.database import Database
from headway.store.schema import achievement, ledger
from tests.demo.conftest import LEARNERS, NOW, Demo


def test_nothing_is_refused_and_repeats_count_once(small_demo: Demo, course: Course, demo_answers: Answers) -> None:
    expected = list(simulate(course, demo_answers, now=NOW, count=LEARNERS))
    sent = [event.id for learner in expected for one in learner.submissions for event in one.events]
    results = small_demo.staged.results
    assert results.keys() <= {"recorded", "duplicate"}
    assert results["recorded"] == len(set(sent))
    assert results["duplicate"] == len(sent) - len(set(sent)) > 0


def test_the_audit_is_clean(small_demo: Demo) -> None:
    report = prove(small_demo.database)
    assert report.clean
    with small_demo.database.read() as connection:
        granted = connection.execute(sa.select(sa.func.count()).where(ledger.c.trust == "server"))
        assert report.events == small_demo.staged.recorded + granted.scalar_one()


def test_an_audit_would_notice(small_demo: Demo, course: Course) -> None:
    with small_demo.database.transaction() as connection:
        own = learners.by_email(connection, LEARNER_EMAIL)
        assert own is not None
        key, value = next((key, value) for _, key, value in sums.read_learners(connection, sums.STEPS, [own["id"]]))
        sums.write(connection, sums.STEPS, [(own["id"], key, value._replace(attempts=value.attempts + 1))])
    assert not prove(small_demo.database).clean


def test_many_finish_the_course(small_demo: Demo, course: Course) -> None:
    with small_demo.database.read() as connection:
        ids = learners.page(connection, "", 1000)
        done: dict[str, int] = {}
        for learner_id, _, value in sums.read_learners(connection, sums.STEPS, ids):
            done[learner_id] = done.get(learner_id, 0) + (value.completion is not None)
    assert sum(count == len(course.steps) for count in done.values()) > LEARNERS // 6


def test_what_is_earned_has_the_time_at_which_it_was_earned(small_demo: Demo, course: Course) -> None:
    """Recorded months at once, all of it would be of a learner's last day, and today's board be theirs."""
    with small_demo.database.read() as connection:
        earned = connection.execute(sa.select(achievement.c.learner_id, achievement.c.at)).all()
    days: dict[str, set[int]] = {}
    for learner_id, at in earned:
        days.setdefault(learner_id, set()).add(at // DAY)
    busy = [learner_id for learner_id, number in Counter(one for one, _ in earned).items() if number >= 8]
    assert len(busy) > LEARNERS // 6
    # Some do all of it in two weeks.
    assert sum(len(days[one]) >= 3 for one in busy) > len(busy) / 2
    assert sum(at // DAY == NOW // DAY for _, at in earned) < len(earned) / 10


def test_only_the_two_accounts_can_sign_in(database: Database) -> None:
    stage(database, now=NOW, password_hashes={LEARNER_EMAIL: "one", CREATOR_EMAIL: "two"}, count=20)
    with database.read() as connection:
        rows = [learners.by_id(connection, one) for one in learners.page(connection, "", 1000)]
    hashes = {row["email"]: row["password_hash"] for row in rows if row is not None and row["password_hash"]}
    roles = {row["email"]: row["roles"] for row in rows if row is not None and row["roles"]}
    assert hashes == {LEARNER_EMAIL: "one", CREATOR_EMAIL: "two"}
    assert roles == {CREATOR_EMAIL: "creator"}
