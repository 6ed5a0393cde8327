"""The overview, and its empty form."""

from typing import Any

import msgspec

from headway.ledger.grade import GradeAsked, give_grade
from headway.ledger.override import OverrideAsked, override
from headway.views.overview import Overview, read_overview
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, enrolled, event, uid

EMPTY: dict[str, Any] = {
    "exercises_completed": 0,
    "steps_completed": 0,
    "attempts": 0,
    "average_percent": None,
    "duration_s": 0.0,
    "hints": 0,
    "points": 0,
    "streak": {"current": 0, "longest": 0, "last_active_on": None, "active_today": False, "freezes": 0},
    "achievements": {"unlocked": 0, "total": 0},
    "skill_levels": [],
    "courses": [],
}
PYTHON = course(module("m", step("read", kind="lesson"), step("quiz"), step("fizz", kind="exercise")))
JAVA = course(module("m", step("one")), id="java", title="Java")

IN_TWO_COURSES = EMPTY | {
    "exercises_completed": 2,
    "steps_completed": 3,
    "attempts": 3,
    "average_percent": 70.0,  # of the best: 0.9, 0.2 and 1
    "duration_s": 90.5,
    "hints": 2,
    "points": 25,
    "streak": {
        "current": 3,
        "longest": 3,
        "last_active_on": "2026-03-10",
        "active_today": True,
        "freezes": 0,
    },
    "courses": [
        {
            "course": "java",
            "title": "Java",
            "version": 1,
            "enrolled": False,
            "status": "completed",
            "percent": 100.0,
            "steps_completed": 1,
            "steps_total": 1,
            "updated_at": "2026-03-10T09:00:00.000000Z",
        },
        {
            "course": "python",
            "title": "Python",
            "version": 1,
            "enrolled": True,
            "status": "in_progress",
            "percent": 66.67,
            "steps_completed": 2,
            "steps_total": 3,
            "updated_at": "2026-03-09T11:00:00.000000Z",
        },
    ],
}


def overview(learning: Learning, who: Subject) -> Overview:
    return learning.read(read_overview, learning.catalog, who, NOW)


def plain(value: object) -> Any:
    return msgspec.to_builtins(value)


def test_nobody_and_who_has_nothing_recorded_read_as_empty_in_the_whole_shape(learning: Learning) -> None:
    imported = learning.learner("i", kind="imported", external_id="oulad:11391")
    for who in (NOBODY, learning.learner(), imported):
        assert plain(overview(learning, who)) == EMPTY


def test_an_overview_adds_up_all_courses(learning: Learning) -> None:
    learning.publish(PYTHON)
    learning.publish(JAVA)
    ada = learning.learner()
    learning.record(
        ada,
        enrolled(at="2026-03-01T00:00:00Z"),
        event("completed", "read", "2026-03-08T09:00:00Z", duration_s=60.5),
        event("attempted", "quiz", "2026-03-09T09:00:00Z", score=0.5, hints=2, duration_s=30),
        event("attempted", "quiz", "2026-03-09T10:00:00Z", score=0.9),
        event("attempted", "fizz", "2026-03-09T11:00:00Z", score=0.2),
        event("completed", "one", "2026-03-10T09:00:00Z", course="java", score=1),
    )
    assert plain(overview(learning, ada)) == IN_TWO_COURSES


def test_courses_stand_in_order_of_activity_and_enrolling_is_none(learning: Learning) -> None:
    for name in ("a", "b", "c", "d", "e"):
        learning.publish({**JAVA, "id": name})
    ada = learning.learner()
    learning.record(ada, enrolled("e"), enrolled("a"), enrolled("d", at="2026-03-01T00:00:00Z"))
    learning.record(ada, enrolled("d", kind="left"))
    learning.record(ada, event("opened", "one", "2026-03-02T00:00:00Z", course="c"))
    learning.record(ada, event("worked", "one", "2026-03-03T00:00:00Z", course="b", duration_s=1))
    listed = overview(learning, ada).courses
    assert [(one.course, one.enrolled, one.status, one.updated_at) for one in listed] == [
        ("b", False, "in_progress", "2026-03-03T00:00:00.000000Z"),
        ("c", False, "in_progress", "2026-03-02T00:00:00.000000Z"),
        ("a", True, "open", None),
        ("e", True, "open", None),
    ]


def test_lessons_are_in_no_average(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner()
    learning.record(ada, event("attempted", "read", score=0.1))
    assert overview(learning, ada).average_percent is None
    learning.record(ada, event("attempted", "quiz", score=0))
    assert overview(learning, ada).average_percent == 0


def test_what_a_course_no_longer_has_keeps_its_points_and_leaves_the_average(learning: Learning) -> None:
    learning.publish(course(module("m", step("a"), step("b"))))
    ada = learning.learner()
    learning.record(ada, event("attempted", "a", score=1), event("attempted", "b", score=0.8))
    learning.publish(course(module("m", step("c", renamed_from=["b"]))))
    found = overview(learning, ada)
    assert (found.points, found.steps_completed, found.average_percent) == (20, 2, 80)
    assert (found.courses[0].steps_completed, found.courses[0].steps_total) == (1, 1)


def test_today_is_the_learners_own(learning: Learning) -> None:
    learning.publish(PYTHON)
    east = learning.learner(zone="Pacific/Kiritimati")  # at noon UTC it is 02:00 of the next day there
    learning.record(east, event("completed", "read", "2026-03-10T09:00:00Z"))
    streak = overview(learning, east).streak
    assert (streak.current, streak.last_active_on, streak.active_today) == (1, "2026-03-10", False)


def test_days_without_an_attempt_or_a_completion_are_in_no_streak(learning: Learning) -> None:
    learning.publish(PYTHON)
    ada = learning.learner()
    learning.record(ada, event("opened", "read"), event("worked", "read", "2026-03-09T00:00:00Z", duration_s=60))
    found = overview(learning, ada)
    assert (found.streak.longest, found.streak.last_active_on, found.duration_s) == (0, None, 60)


def test_what_people_say_of_a_step_is_no_activity_of_the_learners(learning: Learning) -> None:
    learning.publish(course(module("m", step("essay", kind="assignment", grader={"type": "manual"}), step("quiz"))))
    ada = learning.learner()
    answer = event("attempted", "essay", "2026-03-01T09:00:00Z", response="Because.")
    learning.record(ada, answer)
    before = overview(learning, ada).courses
    grading = GradeAsked("python", ada.learner_id or "", answer.id, 400_000, "", None, uid("grade"))
    give_grade(learning.database, learning.catalog, grading, now=NOW)
    spared = OverrideAsked("python", ada.learner_id or "", "quiz", None, False, "ill", None, uid("override"))
    override(learning.database, learning.catalog, spared, now=NOW)
    after = overview(learning, ada).courses
    assert before[0].updated_at == after[0].updated_at == "2026-03-01T09:00:00.000000Z"
    assert after[0].steps_completed == 1


def test_a_word_that_was_lifted_is_in_no_average(learning: Learning) -> None:
    learning.publish(course(module("m", step("quiz"), step("essay", kind="assignment"))))
    ada = learning.learner()
    learning.record(ada, event("attempted", "quiz", score=0.9))
    for number, score in enumerate((500_000, 0)):
        asked = OverrideAsked("python", ada.learner_id or "", "essay", score, False, "a slip", None, uid(str(number)))
        override(learning.database, learning.catalog, asked, now=NOW + number)
    assert overview(learning, ada).average_percent == 90
