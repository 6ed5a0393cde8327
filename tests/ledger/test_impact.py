"""What publishing does to learners: a dry run tells it, learner by learner, and publishing does just that."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event as hooks

from headway.domain.course import Course, Module
from headway.domain.events import Event, parse_event
from headway.domain.impact import Gains, Kept
from headway.domain.module_scores import score_module
from headway.domain.recording import IMPORTED
from headway.domain.times import format_time
from headway.ledger import impact
from headway.ledger.publish import Published, publish
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Submission
from headway.store.figures import of_courses
from headway.store.schema import certificate, granted, metadata, step_sum
from headway.views.course_progress import CourseProgress, read_course
from headway.views.subject import Subject
from tests.domain.manifests import course, module, step
from tests.ledger.world import HOUR, NOON, World, enrollment, event

NUMBERS = count()
OFTEN = {"sqlite": 40, "postgresql": 15}
MODULES = ("a", "b", "c", "d")
STEPS = tuple(f"s{n}" for n in range(8))
KINDS = ("lesson", "quiz", "assignment", "assessment")


@st.composite
def courses(draw: st.DrawFn) -> list[dict[str, Any]]:
    """The modules of some version: any steps in any of them, behind any gates."""
    names = draw(st.lists(st.sampled_from(MODULES), min_size=1, max_size=4, unique=True))
    steps = draw(st.lists(st.sampled_from(STEPS), min_size=len(names), max_size=8, unique=True))
    modules = []
    for n, name in enumerate(names):
        mine = steps[n :: len(names)]
        kinds = [draw(st.sampled_from(KINDS)) for _ in mine]
        requires = draw(st.lists(st.sampled_from(names[:n]), unique=True)) if n else []
        rule = draw(st.sampled_from(["score", "steps"]))
        mark = draw(st.sampled_from([0, 40, 70, 100]))
        listed = [step(one, kind=kind, pass_mark=50) for one, kind in zip(mine, kinds, strict=True)]
        modules.append(module(name, *listed, requires=requires, complete_by=rule, pass_mark=mark))
    return modules


@st.composite
def versions(draw: st.DrawFn, course_id: str) -> dict[str, Any]:
    marks = {"certificate": draw(st.booleans()), "title": str(next(NUMBERS))}
    return course(*draw(courses()), id=course_id, **marks)


done = st.fixed_dictionaries(
    {
        "step": st.sampled_from(STEPS),
        "type": st.sampled_from(["attempted", "attempted", "completed", "opened"]),
        "score": st.sampled_from([0, 0.4, 0.5, 0.7, 1]),
        "imported": st.booleans(),
    }
)


class Seen(NamedTuple):
    """How a learner stands, as it is stored and as it is shown."""

    grants: frozenset[tuple[str, str]]
    certificates: int
    steps: frozenset[str]
    shown: CourseProgress


def seen(world: World, learner_id: str, course_id: str) -> Seen:
    rows = [row for row in world.rows(granted, learner_id) if row["course_id"] == course_id]
    steps = [row["step_id"] for row in world.rows(step_sum, learner_id) if row["course_id"] == course_id]
    issued = [row for row in world.rows(certificate, learner_id) if row["course_id"] == course_id]
    with world.database.read() as connection:
        shown = read_course(connection, world.catalog, Subject(learner_id, "UTC"), course_id)
    grants = frozenset((row["kind"], row["module_id"]) for row in rows)
    return Seen(grants, len(issued), frozenset(steps), shown)


def is_open(version: Course, module_id: str, grants: frozenset[tuple[str, str]], steps: frozenset[str]) -> bool:
    """Whether a module may be worked on, said once more and plainly."""
    found = next(one for one in version.modules if one.id == module_id)
    return (
        all(("module_completed", one) in grants for one in found.requires)
        or ("module_unlocked", module_id) in grants
        or ("module_completed", module_id) in grants
        or any(one.key in steps for one in found.steps)
    )


def differs(before: Course, after: Course, was: Seen, now: Seen) -> Gains:
    """What a learner gained, from how they stood before and stand after it."""
    known = {one.id for one in before.modules}
    fresh = now.grants - was.grants
    unlocked = [
        one.id
        for one in after.modules
        if (
            is_open(after, one.id, now.grants, now.steps) and not is_open(before, one.id, was.grants, was.steps)
            if one.id in known
            else ("module_unlocked", one.id) in fresh
        )
    ]
    completed = [one.id for one in after.modules if ("module_completed", one.id) in fresh]
    return Gains(
        tuple(unlocked), tuple(completed), ("course_completed", "") in fresh, now.certificates > was.certificates
    )


def would_lose(world: World, before: Course, after: Course, was: Seen, learner_id: str) -> Kept:
    """What the rules of a version alone say no to, of what a learner had."""
    with world.database.read() as connection:
        sums = {key.step: one for key, one in of_courses(connection, learner_id, after.id).steps.items()}
    both = [one for one in after.modules if one.id in {old.id for old in before.modules}]
    locks = [
        one.id
        for one in both
        if is_open(before, one.id, was.grants, was.steps) and not is_open(after, one.id, was.grants, was.steps)
    ]

    def completes(one: Module) -> bool:
        if one.complete_by == "steps":
            return all(step.key in sums and sums[step.key].completion is not None for step in one.steps)
        return score_module(one, sums).score * 1_000_000 >= one.pass_mark

    lost = [one.id for one in after.modules if not completes(one)]
    kept = tuple(one for one in lost if ("module_completed", one) in was.grants)
    return Kept(tuple(locks), kept, bool(lost) and ("course_completed", "") in was.grants)


def digest(world: World) -> str:
    return json.dumps([world.rows_of(table.name) for table in metadata.sorted_tables], default=str)


def record(world: World, learner_id: str, course_id: str, things: Sequence[Mapping[str, Any]]) -> None:
    """Record what the gates let through; what was imported was done before there were any."""
    for n, thing in enumerate(things):
        score = {"score": thing["score"]} if thing["type"] == "attempted" else {}
        at = format_time(NOON + n)
        sent = {"id": str(uuid4()), "type": thing["type"], "course": course_id, "step": thing["step"]}
        one = parse_event({**sent, "occurred_at": at, **score})
        source = IMPORTED if thing["imported"] else "reported"
        world.submit(Submission(learner_id, (one,), NOON + HOUR, source=source))


def told(published: Published, learner_id: str) -> tuple[Gains, Kept]:
    found = published.impact
    return dict(found.gains.listed).get(learner_id, Gains()), dict(found.kept.listed).get(learner_id, Kept())


def check_a_succession(world: World, data: st.DataObject) -> None:
    """Publish versions over random histories; each does to each learner what its dry run said."""
    course_id = f"course-{next(NUMBERS)}"
    before = publish(world.database, data.draw(versions(course_id)), now=NOON).course
    learners = [world.learner() for _ in range(3)]
    for _ in range(data.draw(st.integers(1, 3))):
        for one in learners:
            record(world, one, course_id, data.draw(st.lists(done, max_size=6)))
        manifest = data.draw(versions(course_id))
        stored = digest(world)
        dry = publish(world.database, manifest, now=NOON + 2 * HOUR, dry_run=True)
        assert digest(world) == stored
        was = {one: seen(world, one, course_id) for one in learners}
        real = publish(world.database, manifest, now=NOON + 2 * HOUR)
        assert real == dry
        assert real.impact.learners == sum(bool(was[one].steps) for one in learners)
        now = {one: seen(world, one, course_id) for one in learners}
        for one in (one for one in learners if was[one].steps):
            gains = differs(before, real.course, was[one], now[one])
            assert told(real, one) == (gains, would_lose(world, before, real.course, was[one], one))
            assert is_no_lower(was[one], now[one])
        removed = {one.key for one in before.steps} - {one.key for one in real.course.steps}
        orphaned = {key: sum(key in was[one].steps for one in learners) for key in removed}
        assert real.impact.orphaned == {key: number for key, number in orphaned.items() if number}
        before = real.course
    world.assert_clean()
    assert rebuild(world.database, world.catalog).updated == 0


def is_no_lower(was: Seen, now: Seen) -> bool:
    """Whether a learner stands as before or better in all that is in both versions."""
    order = ["locked", "open", "in_progress", "completed"]
    after = {one.id: one for one in now.shown.modules}
    pairs = [(one, after[one.id]) for one in was.shown.modules if one.id in after]
    same = was.grants <= now.grants and was.certificates <= now.certificates
    open_still = all(one.status == "locked" or other.status != "locked" for one, other in pairs)
    completed_still = all(
        one.status != "completed" or (other.status, other.completed_at) == ("completed", one.completed_at)
        for one, other in pairs
    )
    whole = was.shown.status != "completed" or order.index(now.shown.status) == order.index("completed")
    return same and open_still and completed_still and whole


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that are asked meanwhile."""
    statements: list[str] = []

    def note(*seen: Any) -> None:
        statements.append(seen[2])

    engines = (world.database.readers, world.database.writers)
    for engine in engines:
        hooks.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        hooks.remove(engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two learners a page, so that there are several."""
    monkeypatch.setattr(impact, "LEARNERS_A_PAGE", 2)


@pytest.mark.parametrize("kind", OFTEN)
def test_publishing_does_to_each_learner_what_its_dry_run_said(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(f"{kind}_world")

    @settings(max_examples=OFTEN[kind])
    @given(data=st.data())
    def example(data: st.DataObject) -> None:
        check_a_succession(world, data)

    example()


def gates(*modules: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return course(*modules, **{"id": "gated", "title": str(next(NUMBERS)), **fields})


def done_in(step_id: str, kind: str = "completed", **fields: Any) -> Event:
    return event(None, kind, of=step_id, course="gated", **fields)


def published(world: World, manifest: dict[str, Any], **options: Any) -> Published:
    """Publish as the dry run said, and give what it told."""
    options = {"now": NOON + 2 * HOUR, **options}
    dry = publish(world.database, manifest, dry_run=True, **options)
    real = publish(world.database, manifest, **options)
    assert real == dry
    return real


A, B = module("a", step("a-1", kind="lesson")), module("b", step("b-1", kind="lesson"))


def test_a_version_brings_what_its_rules_now_say(world: World) -> None:
    hard = {**A, "steps": [*A["steps"], step("a-2")], "complete_by": "steps"}
    publish(world.database, gates(hard, B), now=NOON)
    ada, ben = world.learner(), world.learner()
    world.send(ada, done_in("a-1"))
    world.send(ben, done_in("a-2", "opened"))
    told_now = published(world, gates(A, B, certificate=True))
    assert told_now.impact.learners == 2
    assert told_now.impact.gains.listed == [(ada, Gains(("b",), ("a",)))]
    assert told_now.impact.orphaned == {"a-2": 1}
    world.send(ada, done_in("b-1"))
    free = published(world, gates({**A, "complete_by": "steps"}, {**B, "requires": []}, certificate=True))
    assert free.impact.gains.listed == [(ben, Gains(("b",)))]
    world.assert_clean()


def test_a_new_module_opens_where_its_gate_does_and_one_without_is_no_news(world: World) -> None:
    publish(world.database, gates(A), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1"))
    found = published(world, gates(A, B, module("c", requires=[]), module("d", requires=["b"])))
    assert found.impact.gains.listed == [(ada, Gains(("b",)))]
    assert found.impact.kept.listed == [(ada, Kept(course_completed=True))]
    assert ("module_unlocked", "b") in seen(world, ada, "gated").grants
    assert ("module_unlocked", "c") not in seen(world, ada, "gated").grants


def test_what_would_be_locked_stays_open_and_is_opened_once(world: World) -> None:
    publish(world.database, gates(A, {**B, "requires": []}), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1", "opened"))
    # The gate that comes to stand before b is met in the same moment.
    easy = published(world, gates({**A, "pass_mark": 0}, B))
    assert easy.impact.kept.listed == [(ada, Kept(("b",)))]
    assert easy.impact.gains.listed == [(ada, Gains((), ("a",)))]
    unlocked = [row for row in world.rows_of("ledger") if row["type"] == "module_unlocked"]
    assert len(unlocked) == 1
    world.send(ada, done_in("b-1"))
    assert seen(world, ada, "gated").shown.status == "completed"


def test_a_step_that_is_removed_keeps_its_progress_and_comes_back_under_its_name(world: World) -> None:
    both = {**A, "steps": [*A["steps"], step("a-2", kind="lesson")]}
    publish(world.database, gates(both), now=NOON)
    ada, ben = world.learner(), world.learner()
    world.send(ada, done_in("a-1"), done_in("a-2"))
    world.send(ben, done_in("a-1"))
    assert published(world, gates(A)).impact.orphaned == {"a-2": 1}
    renamed = {**A, "steps": [*A["steps"], step("new", kind="lesson", renamed_from=["a-2"])]}
    assert published(world, gates(renamed)).impact.orphaned == {}
    assert seen(world, ada, "gated").shown.modules[0].steps[1].completed
    world.assert_clean()


def test_whom_a_creator_may_not_know_is_counted_and_not_named(world: World) -> None:
    creator, ada, ben = (world.learner() for _ in range(3))
    publish(world.database, gates({**A, "pass_mark": 100}), now=NOON, publisher=creator)
    for one in (ada, ben):
        world.send(one, done_in("a-1", "attempted", score=0.9))
    world.send(ada, enrollment(1, of="gated"))
    easy = {**A, "pass_mark": 90}
    for publisher, listed in ((creator, {ada}), (None, {ada, ben})):
        found = publish(world.database, gates(easy), now=NOON, publisher=publisher, dry_run=True).impact
        assert (found.gains.learners, {one for one, _ in found.gains.listed}) == (2, listed)


def test_the_lists_are_short_and_the_counts_are_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impact, "LISTED_MAX", 3)
    publish(world.database, gates({**A, "pass_mark": 100}), now=NOON)
    learners = sorted(world.learner() for _ in range(5))
    for one in learners:
        world.send(one, done_in("a-1", "attempted", score=0.9))
    found = published(world, gates({**A, "pass_mark": 90})).impact
    assert (found.gains.learners, found.gains.totals["modules_completed"]) == (5, 5)
    assert [one for one, _ in found.gains.listed] == learners[:3]


def test_who_was_erased_or_moved_is_nobody_to_be_judged(world: World) -> None:
    publish(world.database, gates(A), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1", "opened"))
    world.run("UPDATE learner SET erased_at = 1 WHERE id = :id", id=ada)
    assert published(world, gates({**A, "pass_mark": 0})).impact.learners == 0


def test_a_dry_run_waits_for_nobody(world: World) -> None:
    publish(world.database, gates(A), now=NOON)
    ada = world.learner()
    world.send(ada, done_in("a-1", "opened"))
    with world.database.alone(wait=True), world.database.transaction() as connection:
        locked = f"UPDATE learner SET display_name = 'Ada' WHERE id = '{ada}'"
        for statement in (locked, "UPDATE course SET title = title"):
            connection.exec_driver_sql(statement)
        found = publish(world.database, gates({**A, "pass_mark": 0}), now=NOON, dry_run=True)
    assert found.impact.gains.learners == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_page_of_learners_costs_a_fixed_number_of_statements(
    world: World, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impact, "LEARNERS_A_PAGE", 8)
    asked = []
    for number in (1, 7):
        one_course = gates({**A, "pass_mark": 100}, B, id=f"of-{number}")
        publish(world.database, one_course, now=NOON)
        for _ in range(number):
            sent = event(None, of="a-1", course=one_course["id"], score=0.9)
            world.send(world.learner(), sent)
        easier = gates({**A, "pass_mark": 90}, B, id=one_course["id"])
        with counted(world) as statements:
            found = publish(world.database, easier, now=NOON, dry_run=dry_run)
        assert found.impact.gains.learners == number
        asked.append(len(statements))
    assert asked[0] == asked[1]
