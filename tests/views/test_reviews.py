"""What is to be practiced today, read from what was recorded."""

from uuid import uuid4

from headway.domain.times import DAY, format_time
from headway.ledger.reset import ResetWanted, reset
from headway.ledger.retake import RunWanted, start_run
from headway.views.reviews import ReviewDue, ReviewPlace, read_reviews
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, event

PYTHON = course(
    module(
        "m", *(step(f"s{n}", kind="exercise", title=f"Exercise {n}") for n in range(6)), step("read", kind="lesson")
    ),
    module("n", step("late", kind="exercise")),
)


def at(days: int) -> str:
    """Noon, so many days ago."""
    return format_time(NOW - days * DAY)


def due(learning: Learning, who: Subject, days: int = 0) -> list[ReviewDue]:
    return learning.read(read_reviews, learning.catalog, who, NOW + days * DAY).items


def steps(learning: Learning, who: Subject, days: int = 0) -> list[str]:
    return [one.step for one in due(learning, who, days)]


def test_nobody_and_who_has_practiced_nothing_are_asked_for_nothing(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner()
    learning.record(ada, event("completed", "s1", at(90), score=1), event("opened", "s2", at(90)))
    for who in (NOBODY, ada):
        assert due(learning, who) == []


def test_an_exercise_is_due_in_the_night_before_its_day_and_until_it_is_practiced(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner(zone="Asia/Tokyo")
    learning.record(ada, event("attempted", "s1", at(5), score=1), event("attempted", "s2", at(5), score=0))
    assert [steps(learning, ada, days) for days in (-5, -4, -3, 0)] == [[], ["s2"], ["s2", "s1"], ["s2", "s1"]]
    # Two days behind the 5th of March, as a day begins in Tokyo.
    last = due(learning, ada)[-1]
    assert (last.course, last.due_at) == ("python", "2026-03-06T15:00:00.000000Z")
    assert (last.course_title, last.title) == (PYTHON["title"], "Exercise 1")
    assert 0.7 < last.retrievability < 0.9
    learning.record(ada, event("attempted", "s2", score=1))
    assert steps(learning, ada) == ["s1"]


def test_what_comes_late_counts_on_its_day(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada, ben = learning.learner("ada"), learning.learner("ben")
    history = [event("attempted", "s1", at(days), score=score) for days, score in ((30, 1), (27, 1), (15, 0), (14, 1))]
    learning.record(ada, *history)
    for one in (2, 0, 3, 1):
        learning.record(ben, history[one]._replace(id=str(uuid4())))
    assert due(learning, ada) == due(learning, ben) != []


def test_a_day_s_attempts_in_two_runs_are_one_day_of_practice(learning: Learning) -> None:
    """It was passed, and failed as well: it is asked for sooner than after a day on which it was passed alone."""
    learning.publish(PYTHON)
    ada = learning.learner()
    learning.record(ada, event("attempted", "s1", score=1), event("attempted", "s2", score=1))
    start_run(learning.database, learning.catalog, RunWanted(ada.learner_id or "", "python", str(uuid4())), now=NOW)
    learning.record(ada, event("attempted", "s1", score=0), event("attempted", "s2", score=1))
    assert [steps(learning, ada, days) for days in (0, 1, 2)] == [[], ["s1"], ["s1", "s2"]]


def test_lessons_dropped_steps_and_locked_ones_are_not_asked_for(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner()
    done = [event("attempted", f"s{n}", at(60), score=1) for n in range(6)]
    learning.record(
        ada, *done, event("attempted", "read", at(60), score=1), event("attempted", "late", at(59), score=1)
    )
    assert steps(learning, ada) == [*(f"s{n}" for n in range(6)), "late"]
    start_run(learning.database, learning.catalog, RunWanted(ada.learner_id or "", "python", str(uuid4())), now=NOW)
    # Taken again, the second module is locked; the first is open.
    assert steps(learning, ada) == [f"s{n}" for n in range(6)]
    learning.publish({**PYTHON, "modules": [module("m", step("s1", kind="lesson"), step("s2", kind="exercise"))]})
    assert steps(learning, ada) == ["s2"]
    renamed = step("new", kind="exercise", renamed_from=["s2"])
    learning.publish({**PYTHON, "modules": [module("m", renamed)]})
    assert steps(learning, ada) == ["new"]


def test_pages_follow_one_another(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner()
    learning.record(ada, *(event("attempted", f"s{n}", at(60 - n % 2), score=1) for n in range(6)))
    seen, place = list[str](), None
    while True:
        page = learning.read(read_reviews, learning.catalog, ada, NOW, place, 4)
        seen += [one.step for one in page.items]
        place = page.next_place
        if place is None:
            break
        assert isinstance(place, ReviewPlace)
    assert seen == steps(learning, ada) == ["s0", "s2", "s4", "s1", "s3", "s5"]


def test_a_reset_leaves_nothing_to_review(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner()
    learning.record(ada, event("attempted", "s1", at(60), score=1))
    reset(learning.database, learning.catalog, ResetWanted(ada.learner_id or "", str(uuid4())), now=NOW)
    assert due(learning, ada) == []
