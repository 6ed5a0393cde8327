"""Skill levels, read from what was recorded."""

from typing import Any
from uuid import uuid4

import msgspec

from headway.domain.mastery import Answer, mastery
from headway.ledger.retake import RunWanted, start_run
from headway.views.overview import read_overview
from headway.views.skills import Mastery, SkillLevel, read_skills
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, event, uid


def many(topics: list[str], steps: int = 12) -> dict[str, Any]:
    listed = [step(f"s{n}", kind="exercise", topics=topics) for n in range(steps)]
    return course(module("m", *listed, step("read", kind="lesson", topics=topics)))


def levels(learning: Learning, who: Subject) -> list[SkillLevel]:
    return learning.read(read_skills, learning.catalog, who)


def test_nobody_has_levels(learning: Learning) -> None:
    for who in (NOBODY, learning.learner()):
        assert levels(learning, who) == []


def test_a_level_is_reached_with_the_tenth_exercise(learning: Learning) -> None:
    learning.publish(many(["loops", "lists"]))
    ada = learning.learner()
    answers = list[Answer]()
    for n in range(10):
        at = f"2026-03-01T{n:02}:00:00Z"
        # In one moment, of which the ids say which is the first.
        sent = [event("attempted", f"s{n}", at, id=uid(f"{n}/{score}"), score=score) for score in (0.5, 0.7)]
        learning.record(ada, *sent)
        answers += [(n, one.id, one.score or 0) for one in sent]
    learning.record(ada, event("completed", "read", duration_s=60, score=0), event("attempted", "s11", score=0.1))
    known = mastery([*answers, (11, "", 100_000)])
    assert known
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
            "mastery": msgspec.to_builtins(Mastery(*known)),
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


def test_mastery_is_of_the_first_and_the_latest_answer_to_each_exercise(learning: Learning) -> None:
    learning.publish(many(["loops"]))
    ada, ben = learning.learner("ada"), learning.learner("ben")
    answers = [(f"s{n}", f"2026-03-0{day}T1{n}:00:00Z", score) for day, score in ((1, 0.2), (3, 0.9)) for n in range(4)]
    learning.record(ada, *(event("attempted", step, at, score=score) for step, at, score in answers))
    # What lies between the first and the latest answer, lessons, and completions without a score say nothing of it.
    between = [event("attempted", f"s{n}", f"2026-03-02T1{n}:00:00Z", score=0.5) for n in range(4)]
    rest = [event("completed", "read", score=1), event("completed", "s9"), event("opened", "s8")]
    shuffled = [*reversed(answers)]
    learning.record(ben, *rest, *(event("attempted", step, at, score=score) for step, at, score in shuffled), *between)
    (of_ada,), (of_ben,) = levels(learning, ada), levels(learning, ben)
    expected = mastery([(n, "", int(score * 1_000_000)) for n, (_, _, score) in enumerate(answers)])
    assert expected
    assert of_ada.mastery == of_ben.mastery == Mastery(*expected)


def test_a_topic_in_which_no_answer_was_scored_has_no_mastery(learning: Learning) -> None:
    learning.publish(many(["loops"]))
    ada = learning.learner()
    learning.record(ada, event("completed", "s1"))
    assert [one.mastery for one in levels(learning, ada)] == [None]


def test_a_topic_that_was_mastered_and_is_forgotten_keeps_its_level_and_not_its_mastery(learning: Learning) -> None:
    learning.publish(many(["loops"], steps=20))
    ada = learning.learner()
    learning.record(ada, *(event("attempted", f"s{n}", f"2026-03-01T{n:02}:00:00Z", score=1) for n in range(10)))
    (before,) = levels(learning, ada)
    learning.record(ada, *(event("attempted", f"s{n}", f"2026-03-02T{n:02}:00:00Z", score=0) for n in range(10, 20)))
    (after,) = levels(learning, ada)
    assert (before.level, after.level) == ("intermediate", "intermediate")
    assert before.mastery
    assert after.mastery
    assert after.mastery.high < before.mastery.low
