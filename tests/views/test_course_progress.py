"""How a learner stands in a course, read from what was recorded."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from headway.domain.errors import UnknownCourse
from headway.ledger.override import OverrideAsked, override
from headway.store.schema import metadata
from headway.views.course_progress import CourseProgress, UnknownModule, UnknownRun, read_course, read_module
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, enrolled, event, uid

TWO_MODULES = course(
    module("loops", step("for", kind="lesson", title="For loops"), step("loops-quiz"), step("fizz", kind="exercise")),
    module("lists", step("append", kind="lesson")),
)

IN_THE_MIDDLE = {
    "course": "python",
    "version": 1,
    "run": 1,
    "enrolled": True,
    "status": "in_progress",
    "percent": 50.0,
    "score_percent": 23.13,
    "completed_at": None,
    "certificate": None,
    "modules": [
        {
            "id": "loops",
            "title": "A module",
            "status": "in_progress",
            "score_percent": 46.25,
            "completed_at": None,
            "locked_by": [],
            "to_go": {"percent": 33.75, "reason": "one exercise not attempted, one quiz below a full score"},
            "breakdown": [
                {"kind": "lesson", "weight": 12.5, "percent": 100.0, "contribution": 12.5},
                {"kind": "quiz", "weight": 37.5, "percent": 90.0, "contribution": 33.75},
                {"kind": "assignment", "weight": 50.0, "percent": 0.0, "contribution": 0.0},
            ],
            "missing": [
                {"step": "loops-quiz", "kind": "quiz", "title": "A step", "percent": 90.0, "gain_percent": 3.75},
                {"step": "fizz", "kind": "exercise", "title": "A step", "percent": 0.0, "gain_percent": 50.0},
            ],
            "steps": [
                {
                    "id": "for",
                    "kind": "lesson",
                    "title": "For loops",
                    "status": "completed",
                    "attempts": 0,
                    "best_score": None,
                    "latest_score": None,
                    "completed": True,
                    "completed_at": "2026-03-01T10:00:00.000000Z",
                    "feedback": None,
                },
                {
                    "id": "loops-quiz",
                    "kind": "quiz",
                    "title": "A step",
                    "status": "completed",
                    "attempts": 2,
                    "best_score": 0.9,
                    "latest_score": 0.5,
                    "completed": True,
                    "completed_at": "2026-03-01T10:05:00.000000Z",
                    "feedback": None,
                },
                {
                    "id": "fizz",
                    "kind": "exercise",
                    "title": "A step",
                    "status": "in_progress",
                    "attempts": 0,
                    "best_score": None,
                    "latest_score": None,
                    "completed": False,
                    "completed_at": None,
                    "feedback": None,
                },
            ],
        },
        {
            "id": "lists",
            "title": "A module",
            "status": "locked",
            "score_percent": 0.0,
            "completed_at": None,
            "locked_by": ["loops"],
            "to_go": {"percent": 80.0, "reason": "one lesson not attempted"},
            "breakdown": [{"kind": "lesson", "weight": 100.0, "percent": 0.0, "contribution": 0.0}],
            "missing": [{"step": "append", "kind": "lesson", "title": "A step", "percent": 0.0, "gain_percent": 100.0}],
            "steps": [
                {
                    "id": "append",
                    "kind": "lesson",
                    "title": "A step",
                    "status": "locked",
                    "attempts": 0,
                    "best_score": None,
                    "latest_score": None,
                    "completed": False,
                    "completed_at": None,
                    "feedback": None,
                }
            ],
        },
    ],
}


def progress(learning: Learning, who: Subject, course_id: str = "python") -> CourseProgress:
    return learning.read(read_course, learning.catalog, who, course_id)


def plain(value: object) -> Any:
    return msgspec.to_builtins(value)


def test_a_course_with_progress_has_the_whole_shape(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    ada = learning.learner()
    learning.record(
        ada,
        enrolled(),
        event("completed", "for", "2026-03-01T10:00:00Z"),
        event("attempted", "loops-quiz", "2026-03-01T10:05:00Z", score=0.9),
        event("attempted", "loops-quiz", "2026-03-01T10:06:00.5Z", score=0.5),
        event("opened", "fizz", "2026-03-02T10:00:00Z"),
    )
    assert plain(progress(learning, ada)) == IN_THE_MIDDLE


def test_nobody_sees_the_outline_with_nothing_done(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    ada = learning.learner()
    assert plain(progress(learning, NOBODY)) == plain(progress(learning, ada))
    found = progress(learning, NOBODY)
    assert (found.enrolled, found.status, found.percent, found.score_percent) == (False, "open", 0, 0)
    assert [one.id for module in found.modules for one in module.steps] == ["for", "loops-quiz", "fizz", "append"]


def test_a_module_is_one_of_those_of_its_course(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    ada = learning.learner()
    learning.record(ada, event("attempted", "loops-quiz", score=0.9))
    whole = progress(learning, ada)
    for one in whole.modules:
        assert learning.read(read_module, learning.catalog, ada, "python", one.id) == one


def test_a_course_that_is_not_there_is_unknown(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    for name in ("nothing", "", "python\0", "python\ud800", "x" * 201, "PYTHON", "\n"):
        with pytest.raises(UnknownCourse):
            progress(learning, NOBODY, name)
        with pytest.raises(UnknownModule):
            learning.read(read_module, learning.catalog, NOBODY, "python", name)


def test_a_course_is_completed_once_all_its_modules_are(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    ada = learning.learner()
    learning.record(
        ada,
        event("completed", "for", "2026-03-01T12:00:00Z"),
        event("attempted", "fizz", "2026-03-02T12:00:00Z", score=0.8),
    )
    learning.record(ada, event("attempted", "loops-quiz", "2026-03-03T12:00:00Z", score=0.733333))
    found = progress(learning, ada)
    assert (found.modules[0].score_percent, found.modules[0].status) == (79.9999, "in_progress")
    # Rounded, they would come to the 80 that was not reached.
    assert [one.contribution for one in found.modules[0].breakdown] == [12.5, 27.4999, 40.0]
    assert (found.modules[1].status, found.modules[1].locked_by) == ("locked", ["loops"])
    learning.record(ada, event("attempted", "loops-quiz", "2026-03-08T12:00:00Z", score=0.733334))
    found = progress(learning, ada)
    assert [(one.status, one.locked_by) for one in found.modules] == [("completed", []), ("open", [])]
    assert (found.status, found.modules[0].to_go, found.modules[0].missing) == ("in_progress", None, [])
    assert found.modules[0].completed_at == "2026-03-08T12:00:00.000000Z"
    learning.record(ada, event("completed", "append", "2026-03-09T12:00:00Z"))
    found = progress(learning, ada)
    assert [one.status for one in found.modules] == ["completed", "completed"]
    assert (found.status, found.percent, found.modules[0].missing) == ("completed", 100, [])
    assert (found.score_percent, found.completed_at) == (90, "2026-03-09T12:00:00.000000Z")
    assert found.certificate is None


def test_a_score_grows_beyond_that_of_the_completion_and_never_falls_below(learning: Learning) -> None:
    learning.publish(course(module("m", step("final", kind="assessment"))))
    ada = learning.learner()
    learning.record(ada, event("attempted", "final", "2026-03-01T12:00:00Z", score=0.85))
    for hour, (latest, shown) in enumerate([(0.2, 85), (0.95, 95), (0.9, 90), (0, 85)]):
        learning.record(ada, event("attempted", "final", f"2026-03-02T0{hour}:00:00Z", score=latest))
        found = progress(learning, ada)
        assert (found.score_percent, found.modules[0].score_percent) == (shown, shown)
        assert (found.status, found.completed_at) == ("completed", "2026-03-01T12:00:00.000000Z")


def test_a_certificate_is_named_by_the_id_that_anybody_may_verify(learning: Learning) -> None:
    learning.publish(course(module("m", step("a")), certificate=True))
    ada = learning.learner()
    learning.record(ada, event("attempted", "a", score=0.9))
    with learning.database.read() as connection:
        issued = connection.execute(sa.select(metadata.tables["certificate"].c.id)).scalar_one()
    assert progress(learning, ada).certificate == issued


def test_a_run_that_was_never_begun_is_unknown(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    ada = learning.learner()
    assert learning.read(read_course, learning.catalog, ada, "python", 1) == progress(learning, ada)
    for number in (0, 2, -1):
        with pytest.raises(UnknownRun):
            learning.read(read_course, learning.catalog, ada, "python", number)


def test_a_module_by_steps_is_completed_with_the_last_of_them(learning: Learning) -> None:
    learning.publish(course(module("m", step("a"), step("b")), module("n", step("c")), complete_by="steps"))
    ada = learning.learner()
    learning.record(ada, event("attempted", "a", "2026-03-02T00:00:00Z", score=0.7))
    assert progress(learning, ada).modules[0].completed_at is None
    learning.record(ada, event("attempted", "b", "2026-03-01T00:00:00Z", score=0.7))
    found = progress(learning, ada)
    assert (found.modules[0].status, found.modules[0].completed_at) == ("completed", "2026-03-02T00:00:00.000000Z")
    assert found.completed_at is None
    learning.record(ada, event("completed", "c", "2026-03-03T00:00:00Z"))
    assert progress(learning, ada).completed_at == "2026-03-03T00:00:00.000000Z"


@pytest.mark.parametrize(("complete_by", "other"), [("score", "not attempted"), ("steps", "not completed")])
def test_what_was_handed_in_waits_for_its_grade(learning: Learning, complete_by: str, other: str) -> None:
    essay = step("essay", kind="assignment", grader={"type": "manual"})
    learning.publish(course(module("m", essay, step("quiz"), complete_by=complete_by)))
    ada = learning.learner()
    learning.record(ada, event("attempted", "essay", response="Because."))
    to_go = progress(learning, ada).modules[0].to_go
    assert to_go is not None
    assert to_go.reason == f"one quiz {other}, one assignment waiting for a grade"


def test_an_attempt_without_a_score_is_an_attempt(learning: Learning) -> None:
    """And a word that was lifted is none."""
    learning.publish(course(module("m", step("tried"), step("quiz"))))
    ada = learning.learner()
    learning.record(ada, event("attempted", "tried"))
    lifted = OverrideAsked("python", ada.learner_id or "", "quiz", 0, False, "a slip", None, uid("lifted"))
    override(learning.database, learning.catalog, lifted, now=NOW)
    to_go = progress(learning, ada).modules[0].to_go
    assert to_go is not None
    assert to_go.reason == "one quiz not attempted, one quiz below a full score"


def test_what_a_person_completed_is_completed_in_a_module_that_is_locked(learning: Learning) -> None:
    learning.publish(course(module("first", step("a")), module("second", step("b"), step("c"))))
    ada = learning.learner()
    learning.record(ada, event("attempted", "a", score=0.1))
    waived = OverrideAsked("python", ada.learner_id or "", "b", None, False, "ill", None, uid("waived"))
    override(learning.database, learning.catalog, waived, now=NOW)
    second = progress(learning, ada).modules[1]
    assert (second.status, second.locked_by) == ("locked", ["first"])
    assert [(one.status, one.completed) for one in second.steps] == [("completed", True), ("locked", False)]


def test_the_version_in_force_says_what_there_is_to_do(learning: Learning) -> None:
    learning.publish(course(module("m", step("old"), step("gone"))))
    ada = learning.learner()
    learning.record(ada, event("completed", "old"), event("completed", "gone"))
    assert progress(learning, ada).percent == 100
    learning.publish(course(module("m", step("new", renamed_from=["old"]), step("b"), step("c"))))
    found = progress(learning, ada)
    assert (found.version, found.percent, found.status) == (2, 33.33, "completed")
    assert [(one.id, one.status) for one in found.modules[0].steps] == [
        ("new", "completed"),
        ("b", "open"),
        ("c", "open"),
    ]


def test_another_learner_and_another_course_change_nothing(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    learning.publish({**TWO_MODULES, "id": "java"})
    ada, bob = learning.learner(), learning.learner("bob")
    learning.record(bob, event("completed", "for"), enrolled())
    learning.record(ada, event("completed", "for", course="java"), enrolled("java"))
    assert plain(progress(learning, ada)) == plain(progress(learning, NOBODY))


def test_who_has_left_is_not_enrolled(learning: Learning) -> None:
    learning.publish(TWO_MODULES)
    ada = learning.learner()
    learning.record(ada, enrolled(at="2026-03-01T00:00:00Z"))
    assert progress(learning, ada).enrolled
    learning.record(ada, enrolled(at="2026-03-02T00:00:00Z", kind="left"))
    assert not progress(learning, ada).enrolled
