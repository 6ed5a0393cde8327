"""What was handed in: in pages, in order, with a fixed number of statements however much there is."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy.engine import Engine

from headway.ledger.grade import GradeAsked, give_grade
from headway.ledger.submission import Submission as Sent
from headway.store import grades
from headway.store.catalog import Catalog
from headway.views.course_progress import read_course
from headway.views.subject import Subject
from headway.views.submissions import Page, Submission, SubmissionQuery, read_submissions
from tests.domain.manifests import course, module, step
from tests.ledger.guests import guest_in, move
from tests.ledger.world import HOUR, NOON, World, event
from tests.views.learning import counted

NOW = NOON + 9 * HOUR
MANUAL = {"type": "manual", "guide": "Look twice."}


def many(steps: int) -> dict[str, Any]:
    listed = [step(f"s{n}", kind="assignment", grader=MANUAL) for n in range(steps)]
    return course(module("first", *listed), id="many", title="Many")


def hand_in(world: World, learner_id: str, of: str, **fields: Any) -> str:
    sent = event(of=of, course="many", response=fields.pop("response", "Because."), **fields)
    world.submit(Sent(learner_id, (sent,), NOON))
    return sent.id


def page(world: World, **fields: Any) -> Page:
    content = world.catalog
    with world.database.read() as connection:
        return read_submissions(
            connection, content.in_force(connection, ["many"])["many"][1], SubmissionQuery(**fields)
        )


def pages(world: World, limit: int) -> Iterator[Submission]:
    found = page(world, status="all", limit=limit)
    yield from found.items
    while found.next_place is not None:
        found = page(world, status="all", limit=limit, behind=found.next_place)
        yield from found.items


def grade(world: World, learner_id: str, attempt: str, score: int = 800_000, feedback: str = "Good.") -> None:
    by = world.learner(display_name="A grader")
    asked = GradeAsked("many", learner_id, attempt, score, feedback, by, str(uuid4()))
    give_grade(world.database, world.catalog, asked, now=NOW)


@pytest.mark.parametrize("steps", [3, 400])
def test_a_page_costs_as_many_statements_whatever_there_is(world: World, steps: int) -> None:
    world.publish(many(steps))
    ids = [world.learner() for _ in range(steps // 10 + 1)]
    for n in range(steps):
        whose = ids[n % len(ids)]
        attempt = hand_in(world, whose, f"s{n}")
        if n % 3 == 0 and n < 30:
            grade(world, whose, attempt)
    with counted(Engine) as statements:
        found = page(world, status="all", limit=200)
    assert len(found.items) == min(steps, 200)
    assert len([one for one in statements if one.lstrip().upper().startswith("SELECT")]) == (2 + 1)
    assert set(found.guides.values()) == {"Look twice."}


def test_pages_of_one_moment_leave_nothing_out_and_show_nothing_twice(world: World) -> None:
    world.publish(many(2))
    guests = [guest_in(world) for _ in range(3)]
    sent = {hand_in(world, one.id, f"s{n}") for one in guests for n in range(2)}
    ada = world.learner()
    for guest in guests[1:]:
        move(world, ada, guest)
    for limit in (1, 2, 5, 6, 50):
        found = list(pages(world, limit))
        assert [one.attempt for one in found] == sorted(sent)
        assert {one.learner.id for one in found} == {ada, guests[0].id}


def test_what_lies_at_a_step_that_is_gone_is_not_listed(world: World) -> None:
    world.publish(many(2))
    ada = world.learner()
    kept, _ = (hand_in(world, ada, f"s{n}") for n in range(2))
    world.publish(many(1))
    assert [one.attempt for one in page(world).items] == [kept]


def test_the_feedback_on_a_step_is_that_of_its_latest_graded_attempt(world: World) -> None:
    world.publish(many(2))
    ada = world.learner()
    first = hand_in(world, ada, "s0", occurred_at="2026-03-01T08:00:00Z")
    second = hand_in(world, ada, "s0", occurred_at="2026-03-01T09:00:00Z")
    hand_in(world, ada, "s0", occurred_at="2026-03-01T10:00:00Z")
    grade(world, ada, second, feedback="To the second.")
    grade(world, ada, first, feedback="To the first.")
    with world.database.read() as connection:
        found = read_course(connection, Catalog(), Subject(ada, "UTC"), "many")
        bodies = grades.feedback(connection, ada, "many", 1)
    assert [one.feedback for one in found.modules[0].steps] == ["To the second.", None]
    assert len(bodies) == 1
