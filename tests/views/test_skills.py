"""Skill levels, read from what was recorded."""

from typing import Any
from uuid import uuid4

import msgspec

from headway.ledger.retake import RunWanted, start_run
from headway.views.overview import read_overview
from headway.views.skills import SkillLevel, read_skills
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, event


def many(topics: list[str], steps: int = 12) -> dict[str, Any]:
    listed = [step(f"s{n}", kind="exercise", topics=topics) for n in range(steps)]
    return course(module("m", *listed, step("read", kind="lesson", topics=topics)))


def levels(learning: Learning, who: Subject) -> list[SkillLevel]:
    return learning.read(read_skills, learning.catalog, who).items


def test_nobody_has_levels(learning: Learning) -> None:
    for who in (NOBODY, learning.learner()):
        assert levels(learning, who) == []


def test_a_level_is_reached_with_the_tenth_exercise(learning: Learning) -> None:
    learning.publish(many(["loops", "lists"]))
    ada = learning.learner()
    for n in range(10):
        at = f"2026-03-01T{n:02}:00:00Z"
        learning.record(ada, event("attempted", f"s{n}", at, score=0.5), event("attempted", f"s{n}", at, score=0.7))
    learning.record(ada, event("completed", "read", duration_s=60, score=0), event("attempted", "s11", score=0.1))
    assert [msgspec.to_builtins(one) for one in levels(learning, ada)] == [
        {
            "topic": topic,
            "level": "intermediate",
            "previous_level": "beginner",
            "level_changed_at": "2026-03-01T09:00:00.000000Z",
            "exercises_completed": 10,
            "average_percent": 64.55,
            "duration_s": 60.0,
            "next": {"level": "advanced", "exercises": 30, "percent": 70.0},
            "mastery": None,
        }
        for topic in ("lists", "loops")
    ]
    overview = learning.read(read_overview, learning.catalog, ada, NOW)
    assert overview.skill_levels == levels(learning, ada)


def test_exercises_of_all_courses_and_runs_count_each_once(learning: Learning) -> None:
    learning.publish(many(["loops"]))
    learning.publish({**many(["loops"]), "id": "java"})
    ada = learning.learner()
    for name in ("python", "java"):
        learning.record(ada, *(event("attempted", f"s{n}", score=0.8, course=name) for n in range(5)))
    (found,) = levels(learning, ada)
    assert (found.level, found.exercises_completed, found.average_percent) == ("intermediate", 10, 80.0)


def test_an_exercise_done_again_in_another_run_was_done_when_it_first_was(learning: Learning) -> None:
    learning.publish(many(["loops"]))
    ada = learning.learner()
    for at in ("2026-03-01T10:00:00Z", "2026-03-05T10:00:00Z"):
        learning.record(ada, *(event("attempted", f"s{n}", at, score=0.8) for n in range(10)))
        start_run(learning.database, learning.catalog, RunWanted(ada.learner_id or "", "python", str(uuid4())), now=NOW)
    (found,) = levels(learning, ada)
    assert (found.exercises_completed, found.level_changed_at) == (10, "2026-03-01T10:00:00.000000Z")


def test_a_version_moves_no_exercise_that_was_completed_to_other_topics(learning: Learning) -> None:
    learning.publish(many(["loops"]))
    ada = learning.learner()
    learning.record(ada, *(event("attempted", f"s{n}", score=0.8) for n in range(10)))
    learning.record(ada, event("attempted", "s10", score=0.2))
    learning.publish(many(["lists"]))
    found = {one.topic: (one.level, one.exercises_completed, one.average_percent) for one in levels(learning, ada)}
    assert found == {"loops": ("intermediate", 10, 80.0), "lists": ("beginner", 0, 20.0)}
    # Where a course has dropped a step that was not completed, nothing says of what it was.
    learning.publish(many(["lists"], steps=5))
    assert [one.topic for one in levels(learning, ada)] == ["loops"]
