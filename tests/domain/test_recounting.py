"""Whatever a version changes, what a learner adds to the figures is what going through all of it would give."""

from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.enrolled import Enrolled, Record, modules_of, whole_of
from headway.domain.facts import COURSE_COMPLETED, MODULE_COMPLETED
from headway.domain.progress import Completion, EnrollmentSum, Grant, Scored, StepSum
from headway.domain.recounting import Recount
from tests.domain.manifests import course, module, parsed, step

MODULES = ("a", "b", "c", "d")
STEPS = tuple(f"s{n}" for n in range(8))
AT = 1_700_000_000_000_000
Grants: TypeAlias = dict[tuple[str, str], Grant]


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """Any steps in any modules, in an order that is mostly kept."""
    names = sorted(draw(st.lists(st.sampled_from(MODULES), min_size=1, max_size=4, unique=True)))
    found = draw(st.lists(st.sampled_from(STEPS), min_size=len(names), max_size=8, unique=True))
    steps = found if draw(st.integers(0, 4)) == 0 else sorted(found)
    modules = []
    for n, name in enumerate(names):
        mine = [step(one, kind=draw(st.sampled_from(("quiz", "lesson")))) for one in steps[n :: len(names)]]
        modules.append(module(name, *mine, weight=draw(st.sampled_from((1, 2))), requires=[]))
    return course(*modules)


@st.composite
def nearly(draw: st.DrawFn, manifest: dict[str, Any]) -> dict[str, Any]:
    """The same, but for one thing in some modules, or modules left out or turned round."""
    changes = [{}, {}, {"pass_mark": 10}, {"weight": 3}, {"title": "Another"}]
    modules = [one | draw(st.sampled_from(changes)) for one in manifest["modules"]]
    if len(modules) > 1 and draw(st.booleans()):
        modules = draw(st.sampled_from([modules[1:], modules[:-1], modules[::-1]]))
    return course(*modules)


def step_sums() -> st.SearchStrategy[StepSum]:
    done = st.sampled_from([None, Completion(AT, "2026-01-01", "e", 1)])
    score = st.sampled_from([None, 0, 333_333, 1_000_000])
    return st.builds(_sum, done, score)


def _sum(done: Completion | None, score: int | None) -> StepSum:
    if score is None:
        return StepSum(events=int(done is not None), completion=done)
    scored = Scored(AT, "e", score)
    return StepSum(events=1, scores=1, score_total=score, best=score, first=scored, latest=scored, completion=done)


def held() -> st.SearchStrategy[Grants]:
    modules = st.sets(st.sampled_from(MODULES)).map(lambda keys: {(MODULE_COMPLETED, key) for key in keys})
    places = st.tuples(modules, st.booleans()).map(lambda one: one[0] | ({(COURSE_COMPLETED, "")} if one[1] else set()))
    scores = st.sampled_from([500_000, 900_000])
    return st.tuples(places, scores).map(lambda one: {place: Grant(AT, "g", one[1], 1) for place in one[0]})


@settings(max_examples=400)
@given(st.data())
def test_what_differs_is_enough(data: st.DataObject) -> None:
    first = data.draw(manifests())
    second = data.draw(st.one_of(nearly(first), manifests()))
    before, after = parsed(first), parsed(second)
    steps = data.draw(st.dictionaries(st.sampled_from(STEPS), step_sums()))
    was = data.draw(held())
    new = data.draw(st.one_of(st.just({}), held()))
    enrollment, active_at = EnrollmentSum(True, AT, "e", AT), AT if steps else 0
    records = Record(steps, was, active_at), Record(steps, was | new, active_at)
    row = whole_of(1, before, "ada", enrollment, records[0]).row
    whole = whole_of(2, after, "ada", enrollment, records[1])
    recount = Recount(before, after)
    wanted = steps.keys() if recount.takes_all(row) else recount.steps(recount.modules(new))
    read = {key: one for key, one in steps.items() if key in wanted}
    asked = {(MODULE_COMPLETED, key) for key in recount.modules(new)} | {(COURSE_COMPLETED, "")}
    found = recount.counted(row, 2, read, {place: one for place, one in was.items() if place in asked}, new)
    assert found.row == _kept(row, whole.row)
    old = modules_of(before, records[0])
    assert {**old, **found.before} == old
    assert {**whole.modules, **found.after} == whole.modules
    seen = found.before.keys() | found.after.keys()
    assert {key: one for key, one in old.items() if key not in seen} == {
        key: one for key, one in whole.modules.items() if key not in seen
    }


def _kept(before: Enrolled, whole: Enrolled) -> Enrolled:
    """What was granted once stays in a row: grants are never taken back."""
    return whole if whole.completed_at else whole._replace(granted_score=before.granted_score)
