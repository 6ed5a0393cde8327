"""A learner's own ledger."""

import json
from typing import Any

import msgspec
import pytest

from headway.domain.errors import HeadwayError
from headway.domain.times import SECOND
from headway.views.events import EVERYTHING, About, EventPage, Place, read_events
from headway.views.subject import NOBODY, Subject
from tests.domain.manifests import course, module, step
from tests.views.learning import NOW, Learning, enrolled, event

CHOICE = {"type": "choice", "options": {"a": "0 1 2", "b": "1 2 3"}, "answer": "a"}
COURSE = course(module("m", step("quiz", grader=CHOICE), step("free")))


def page(
    learning: Learning, who: Subject, place: Place | None = None, limit: int = 50, about: About = EVERYTHING
) -> EventPage:
    return learning.read(read_events, learning.catalog, who, place, limit, about)


def plain(value: object) -> Any:
    return json.loads(msgspec.json.encode(value))  # whole numbers of any size, where msgspec makes floats of them


def test_nobody_has_no_events(learning: Learning) -> None:
    for who in (NOBODY, learning.learner()):
        assert page(learning, who) == EventPage([], None)


def test_an_event_is_shown_as_it_was_recorded(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner(zone="Asia/Tokyo")
    sent = event("attempted", "quiz", "2026-03-09T20:00:00Z", response="a", duration_s=1.5, hints=2)
    learning.record(ada, sent)
    (shown,) = page(learning, ada).items
    assert plain(shown) == {
        "id": sent.id,
        "type": "attempted",
        "course": "python",
        "step": "quiz",
        "occurred_at": "2026-03-09T20:00:00.000000Z",
        "received_at": "2026-03-10T12:00:00.000000Z",
        "day": "2026-03-10",
        "score": 1.0,
        "passed": True,
        "duration_s": 1.5,
        "hints": 2,
        "trust": "graded",
        "response": "a",
        "changes": [
            {
                "type": "step_completed",
                "course": "python",
                "step": "quiz",
                "completed_at": "2026-03-09T20:00:00.000000Z",
            },
            {"type": "streak_extended", "current": 1, "day": "2026-03-10"},
        ],
    }


def test_what_was_not_said_is_not_shown(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner()
    learning.record(ada, enrolled(), event("opened", "free"), event("attempted", "free", response=None))
    null, opened, entered = [plain(one) for one in page(learning, ada).items]
    assert "response" not in opened
    assert "response" not in entered
    assert null["response"] is None
    assert (opened["score"], opened["passed"], opened["changes"], opened["trust"]) == (None, False, [], "reported")
    assert (entered["type"], entered["step"], entered["changes"]) == (
        "enrolled",
        None,
        [{"type": "enrolled", "course": "python"}],
    )


def test_a_response_comes_back_as_it_was_sent(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner()
    deep: Any = 2**70
    for _ in range(60):
        deep = [deep]
    responses: list[Any] = [{"b": [1.5, None, "ü€😀"], "a": {}}, deep, "", 0, [], False]
    for response in responses:
        learning.record(ada, event("attempted", "free", response=response))
        assert plain(page(learning, ada, limit=1).items[0])["response"] == response


def test_the_newest_recorded_comes_first_whenever_it_happened(learning: Learning) -> None:
    learning.publish(COURSE)
    ada, bob = learning.learner(), learning.learner("bob")
    late = event("opened", "free", "2020-01-01T00:00:00Z")
    learning.record(ada, event("opened", "free"))
    learning.record(bob, event("opened", "free"))
    learning.record(ada, late)
    found = page(learning, ada).items
    assert (len(found), found[0].id) == (2, late.id)


def test_pages_hold_each_event_once(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner()
    learning.record(ada, *(event("opened", "free") for _ in range(10)))
    seen: list[str] = []
    place: Place | None = None
    sizes = []
    while True:
        found = page(learning, ada, place, 4)
        seen += [one.id for one in found.items]
        sizes.append(len(found.items))
        place = found.next_place
        learning.record(ada, event("worked", "free"))  # what comes meanwhile is on no later page
        if place is None:
            break
    assert sizes == [4, 4, 2]
    assert len(set(seen)) == 10
    assert page(learning, ada, Place(NOW - 1, {})) == EventPage([], None)
    assert page(learning, ada, None, 13).next_place is None


def test_a_step_is_called_what_it_is_called_now(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner()
    learning.record(ada, event("opened", "free"), event("opened", "quiz"))
    learning.publish(course(module("m", step("open", renamed_from=["free"]))))
    assert {one.step for one in page(learning, ada).items} == {"open", "quiz"}


def test_what_is_about_a_step_is_found_behind_all_that_is_not(learning: Learning) -> None:
    learning.publish(COURSE)
    learning.publish(course(module("m", step("free")), id="java"))
    ada, bob = learning.learner(), learning.learner("bob")
    tries = [event("attempted", "free", score=score) for score in (0.2, 0.9)]
    elsewhere = event("attempted", "free", course="java", score=1)
    learning.record(bob, event("attempted", "free", score=1))
    learning.record(ada, tries[0], elsewhere, tries[1], *(event("opened", "quiz") for _ in range(120)))
    first = page(learning, ada, None, 1, About("python", "free"))
    rest = page(learning, ada, first.next_place, 1, About("python", "free"))
    assert [one.id for one in first.items + rest.items] == [tries[1].id, tries[0].id]
    assert rest.next_place is None
    assert [one.id for one in page(learning, ada, about=About("java")).items if one.trust != "server"] == [elsewhere.id]
    assert {one.course for one in page(learning, ada, limit=200, about=About("python")).items} == {"python"}
    assert page(learning, NOBODY, about=About("python", "free")) == EventPage([], None)


def test_a_step_is_found_by_every_name_that_it_had(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner()
    before, after = event("opened", "free"), event("opened", "open")
    learning.record(ada, before)
    learning.publish(course(module("m", step("open", renamed_from=["free"]), step("quiz"))))
    learning.record(ada, after)
    for name in ("free", "open"):
        assert [one.id for one in page(learning, ada, about=About("python", name)).items] == [after.id, before.id]


@pytest.mark.parametrize(
    ("about", "code", "field"),
    [
        (About(step="quiz"), "invalid", "course"),
        (About("rust"), "unknown-course", "course"),
        (About("rust\x00"), "unknown-course", "course"),
        (About("python", "loops"), "unknown-step", "step"),
        (About("python", "\ud800"), "unknown-step", "step"),
    ],
)
def test_what_there_is_not_has_no_events(learning: Learning, about: About, code: str, field: str) -> None:
    learning.publish(COURSE)
    for who in (NOBODY, learning.learner()):
        with pytest.raises(HeadwayError) as refused:
            page(learning, who, about=about)
        assert (refused.value.code.replace("_", "-"), refused.value.field) == (code, field)


def test_the_time_shown_is_the_one_that_counts(learning: Learning) -> None:
    learning.publish(COURSE)
    ada = learning.learner()
    learning.record(ada, event("opened", "free", "2030-01-01T00:00:00Z"), received_at=NOW + SECOND)
    shown = page(learning, ada).items[0]
    assert shown.occurred_at == shown.received_at == "2026-03-10T12:00:01.000000Z"
