"""Whatever versions follow one another, publishing does to each learner what its dry run said."""

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.course import Course, Module
from headway.domain.events import parse_event
from headway.domain.impact import Gains, KeptGrants
from headway.domain.module_scores import score_module
from headway.domain.recording import IMPORTED
from headway.domain.times import format_time
from headway.ledger import impact
from headway.ledger.publish import Published, publish
from headway.ledger.rebuild import rebuild
from headway.ledger.submission import Submission
from headway.store.figures import of_course
from headway.store.schema import metadata
from tests.chance import UNSHRUNK
from tests.domain.manifests import course, module, step
from tests.ledger.standings import Seen, seen
from tests.ledger.world import HOUR, NOON, World

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
def touched(draw: st.DrawFn, modules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same modules, but for what is changed in some of them, as authors do."""
    changes: st.SearchStrategy[dict[str, Any]] = st.one_of(
        st.just({}),
        st.fixed_dictionaries({"pass_mark": st.sampled_from([0, 40, 70, 100])}),
        st.fixed_dictionaries({"complete_by": st.sampled_from(["score", "steps"])}),
        st.just({"requires": []}),
        st.just({"title": "Another title"}),
    )
    made = [{**one, **draw(changes)} for one in modules]
    names = [one["id"] for one in made]
    if len(made) > 1 and draw(st.booleans()) and not any(names[-1] in one["requires"] for one in made):
        made.pop()
    return made


@st.composite
def versions(draw: st.DrawFn, course_id: str, before: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    marks = {"certificate": draw(st.booleans()), "title": str(next(NUMBERS))}
    modules = draw(touched(before) if before and draw(st.integers(0, 2)) else courses())
    return course(*modules, id=course_id, **marks)


done = st.fixed_dictionaries(
    {
        "step": st.sampled_from(STEPS),
        "type": st.sampled_from(["attempted", "attempted", "completed", "opened"]),
        "score": st.sampled_from([0, 0.4, 0.5, 0.7, 1]),
        "imported": st.booleans(),
    }
)


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


def would_lose(world: World, before: Course, after: Course, was: Seen, learner_id: str) -> KeptGrants:
    """What the rules of a version alone say no to, of what a learner had."""
    with world.database.read() as connection:
        sums = {key.step: one for key, one in of_course(connection, learner_id, after.id).steps.items()}
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

    lost = [one.id for one in after.modules if rules_otherwise(before, one) and not completes(one)]
    kept = tuple(one for one in lost if ("module_completed", one) in was.grants)
    return KeptGrants(tuple(locks), kept, bool(lost) and ("course_completed", "") in was.grants)


def rules_otherwise(before: Course, one: Module) -> bool:
    """Whether a module has another rule than it had; of a module's rule the versions here vary no more than this."""
    rules = {old.id: (set(old.requires), old.complete_by, old.pass_mark, contents(old)) for old in before.modules}
    return rules.get(one.id) != (set(one.requires), one.complete_by, one.pass_mark, contents(one))


def contents(one: Module) -> set[tuple[str, str]]:
    return {(step.key, step.kind) for step in one.steps}


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


def told(published: Published, learner_id: str) -> tuple[Gains, KeptGrants]:
    found = published.impact
    return dict(found.gains.listed).get(learner_id, Gains()), dict(found.kept.listed).get(learner_id, KeptGrants())


def check_a_succession(world: World, data: st.DataObject) -> None:
    """Publish versions over random histories; each does to each learner what its dry run said."""
    course_id = f"course-{next(NUMBERS)}"
    manifest = data.draw(versions(course_id))
    before = publish(world.database, manifest, now=NOON).course
    learners = [world.learner() for _ in range(3)]
    for _ in range(data.draw(st.integers(1, 3))):
        for one in learners:
            record(world, one, course_id, data.draw(st.lists(done, max_size=6)))
        manifest = data.draw(versions(course_id, manifest["modules"]))
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


@pytest.fixture(autouse=True)
def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two learners a page, so that there are several; of the steps those alone are read that it takes."""
    monkeypatch.setattr(impact, "LEARNERS_A_PAGE", 2)


@pytest.mark.parametrize("kind", OFTEN)
def test_publishing_does_to_each_learner_what_its_dry_run_said(kind: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(f"{kind}_world")

    @settings(max_examples=OFTEN[kind], phases=UNSHRUNK)
    @given(data=st.data())
    def example(data: st.DataObject) -> None:
        check_a_succession(world, data)

    example()
