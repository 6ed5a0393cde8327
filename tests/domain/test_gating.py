"""What a run is due, against a slow model with fractions; and what is never taken back."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headway.domain.course import KINDS, POLICIES, Course
from headway.domain.facts import Graded, Overridden
from headway.domain.gating import (
    DueGrant,
    asked,
    due_of_all,
    due_of_course,
    due_of_module,
    is_open,
    lacking,
    score_of_course,
    score_of_module,
    with_due,
)
from headway.domain.module_scores import is_completed, score_module, total_score
from headway.domain.progress import Contribution, Grant, StepSum
from headway.domain.scores import FULL
from tests.domain import slow_gates
from tests.domain.manifests import course as course_manifest
from tests.domain.manifests import module as module_manifest
from tests.domain.manifests import parsed
from tests.domain.manifests import step as step_manifest
from tests.domain.slow_gates import Known, SlowCourse, SlowModule, SlowRun, SlowStep, Word

MARKS = [0, 50, 79.995, 80, 100]
SCORES = [0, 399_999, 400_000, 500_000, 700_000, 799_950, 800_000, 900_000, FULL]


class Doing(NamedTuple):
    """One thing that happens to a step: an event, a grade of the step's nth attempt, or a person's word."""

    step: str
    kind: str
    at: int
    score: int | None = None
    graded: bool = False
    nth: int = 0
    final: bool = False


class Twice(NamedTuple):
    """A course as Headway has it, and as the slow model has it."""

    course: Course
    slow: SlowCourse


@st.composite
def courses(draw: st.DrawFn) -> Twice:
    modules: list[dict[str, Any]] = []
    slow: dict[str, SlowModule] = {}
    for n in range(draw(st.integers(1, 3))):
        name = f"m{n}"
        steps = {f"{name}-{i}": draw(slow_steps()) for i in range(draw(st.integers(1, 3)))}
        mark, by_steps = draw(st.sampled_from(MARKS)), draw(st.booleans())
        weights = {kind: draw(st.integers(1, 4)) for kind in ("lesson", "quiz", "assignment", "assessment")}
        policies = {kind: draw(st.sampled_from(POLICIES)) for kind in KINDS}
        weight, requires = (
            draw(st.integers(1, 3)),
            draw(st.lists(st.sampled_from(sorted(slow)), unique=True)) if n else [],
        )
        fields: dict[str, Any] = {"weights": weights, "policies": policies, "pass_mark": mark, "weight": weight}
        fields |= {"requires": requires, "complete_by": "steps" if by_steps else "score"}
        modules.append(module_manifest(name, *(manifest_of(step_id, one) for step_id, one in steps.items()), **fields))
        slow[name] = SlowModule(
            steps,
            tuple(requires),
            Fraction(str(mark)) / 100,
            by_steps,
            Fraction(weight),
            {kind: Fraction(one) for kind, one in weights.items()},
            policies,
        )
    evidence = draw(st.booleans())
    manifest = course_manifest(*modules, certificate=True, evidence="graded" if evidence else "any")
    return Twice(parsed(manifest), SlowCourse(slow, graded_evidence=evidence))


@st.composite
def slow_steps(draw: st.DrawFn) -> SlowStep:
    kind, mark = draw(st.sampled_from(KINDS)), draw(st.sampled_from([0, 40, 70, 100]))
    return SlowStep(kind, Fraction(mark, 100), Fraction(draw(st.integers(1, 2))))


def manifest_of(step_id: str, one: SlowStep) -> dict[str, Any]:
    return step_manifest(step_id, kind=one.kind, pass_mark=float(one.pass_mark * 100), weight=int(one.weight))


@st.composite
def histories(draw: st.DrawFn, course: Course) -> list[Doing]:
    steps = [step.id for step in course.steps]
    kinds = ["attempted", "attempted", "attempted", "completed", "opened", "graded", "overridden", "waived"]
    return [
        Doing(
            draw(st.sampled_from(steps)),
            draw(st.sampled_from(kinds)),
            draw(st.integers(1, 9)),
            draw(st.none() | st.sampled_from(SCORES)),
            draw(st.booleans()),
            draw(st.integers(0, 2)),
            draw(st.booleans()),
        )
        for _ in range(draw(st.integers(0, 14)))
    ]


class Learner:
    """Sums and the slow model's knowledge of the same things, done one by one."""

    def __init__(self, two: Twice) -> None:
        self.two = two
        self.sums: dict[str, StepSum] = {}
        self.known: dict[str, Known] = {}
        self.attempts: dict[str, list[Contribution]] = {}
        self.serial = 0

    def do(self, one: Doing) -> None:
        """Count it, where it can be: of what was graded a grade can only raise the score."""
        self.serial += 1
        made = self._made(one, f"{self.serial:04}")
        if made is None:
            return
        self.sums[one.step] = self.sums.get(one.step, StepSum()) + StepSum.of(made)
        known = self.known.get(one.step, Known())
        known = known._replace(moved=max(known.moved, made.at), completed=known.completed or made.completes)
        known = known._replace(done=known.done or (made.completes and made.type != "overridden"))
        self.known[one.step] = self._knowing(known, made)

    def _made(self, one: Doing, event_id: str) -> Contribution | None:
        mark = self.two.slow.modules[one.step.partition("-")[0]].steps[one.step].pass_mark * FULL
        score = None if one.kind == "opened" else one.score
        blank = Contribution(event_id, one.kind, "python", 1, one.step, 1, one.at, "1970-01-01", score, False, 0, 0, ())
        passes = score is not None and score >= mark
        if one.kind == "graded":
            return self._grade(one, blank, passes=passes)
        if one.kind in ("overridden", "waived"):
            waived = one.kind == "waived"
            fact = Overridden(one.final and not waived, waived)
            said = FULL if waived else score or 0
            passes = waived or said >= mark
            return blank._replace(type="overridden", score=said, passed=passes, is_graded=True, fact=fact)
        if one.kind == "attempted":
            made = blank._replace(passed=passes, is_graded=one.graded and score is not None)
            self.attempts.setdefault(one.step, []).append(made)
            return made
        return blank

    def _grade(self, one: Doing, blank: Contribution, *, passes: bool) -> Contribution | None:
        attempts = self.attempts.get(one.step, [])
        attempt = attempts[one.nth] if one.nth < len(attempts) else None
        if attempt is None or blank.score is None or blank.score < (attempt.score or 0):
            return None
        fact = Graded(attempt.event_id, attempt.at, attempt.day, attempt.score, attempt.passed)
        attempts[one.nth] = attempt._replace(score=blank.score, passed=passes)
        return blank._replace(at=blank.at + 10, passed=passes, is_graded=True, fact=fact)

    def _knowing(self, known: Known, made: Contribution) -> Known:
        if made.score is None:
            return known
        score = Fraction(made.score, FULL)
        if isinstance(made.fact, Overridden):
            word = Word((made.at, made.event_id), score, made.fact.final, made.fact.waived)
            return known._replace(words=(*known.words, word))
        place = (made.at, made.event_id)
        if isinstance(made.fact, Graded):
            place = (made.fact.attempted_at, made.fact.attempt)
        scores = {**dict(known.scores), place: score}
        vouched = (*known.vouched, score) if made.is_graded else known.vouched
        return known._replace(scores=tuple(scores.items()), vouched=vouched)


def as_slow(due: Iterable[DueGrant]) -> dict[tuple[str, str], tuple[int | None, int]]:
    return {one.key: (one.score, one.at) for one in due}


def granted(run: SlowRun) -> dict[tuple[str, str], tuple[int | None, int]]:
    return {key: (one.score, one.at) for key, one in run.granted.items()}


@settings(max_examples=300)
@given(courses(), st.data())
def test_scores_and_rules_say_what_the_slow_model_says(two: Twice, data: st.DataObject) -> None:
    learner = Learner(two)
    for one in data.draw(histories(two.course)):
        learner.do(one)
    for module in two.course.modules:
        slow = two.slow.modules[module.id]
        expected = slow_gates.module_score(slow, learner.known)
        assert total_score(module, learner.sums) == score_module(module, learner.sums).score == expected
        assert is_completed(module, learner.sums) is slow_gates.is_done(slow, learner.known)
    run = SlowRun()
    run.grant_modules(two.slow, learner.known)
    run.grant_course(two.slow, learner.known)
    assert as_slow(due_of_all(two.course, learner.sums, {})) == granted(run)


@settings(max_examples=300)
@given(courses(), st.data())
def test_what_is_granted_step_by_step_is_what_the_slow_model_grants_and_nothing_is_left_due(
    two: Twice, data: st.DataObject
) -> None:
    learner, run, held = Learner(two), SlowRun(), dict[tuple[str, str], Grant]()
    for one in data.draw(histories(two.course)):
        module = two.course.module_of(one.step)
        assert module is not None
        open_now = is_open(module, learner.sums, held)
        assert open_now is run.is_open(two.slow, module.id, learner.known)
        # Only what is asked for is read of what was granted.
        some = {key: held[key] for key in asked(two.course, module) if key in held}
        assert is_open(module, learner.sums, some) is open_now
        if not open_now:
            assert lacking(module, held)
            continue
        learner.do(one)
        due = due_of_module(two.course, module, learner.sums, held)
        assert due_of_module(two.course, module, learner.sums, some) == due
        held = dict(with_due(held, due))
        course_due = due_of_course(two.course, learner.sums, held)
        held = dict(with_due(held, course_due))
        run.grant_modules(two.slow, learner.known)
        run.grant_course(two.slow, learner.known)
        assert {key: (grant.score, grant.at) for key, grant in held.items()} == granted(run)
        assert due_of_all(two.course, learner.sums, held) == []
        shown = score_of_course(two.course, learner.sums, held)
        assert shown == run.course_score(two.slow, learner.known)


GATE = course_manifest(
    module_manifest("first", *(step_manifest(f"q{n}") for n in range(3))),
    module_manifest("then", step_manifest("essay", kind="assignment")),
    certificate=True,
)


def attempt(score: float, at: int = 1, *, is_graded: bool = False, step: str = "s") -> StepSum:
    made = Contribution(
        f"{at:04}", "attempted", "c", 1, step, 1, at, "1970-01-01", round(score * FULL), False, 0, 0, ()
    )
    return StepSum.of(made._replace(is_graded=is_graded))


def word(score: float, at: int = 9, *, passed: bool = False, final: bool = False, waived: bool = False) -> StepSum:
    made = Contribution(
        f"{at:04}", "overridden", "c", 1, "s", 1, at, "1970-01-01", round(score * FULL), passed, 0, 0, ()
    )
    return StepSum.of(made._replace(is_graded=True, fact=Overridden(final, waived)))


@pytest.mark.parametrize(
    ("scores", "is_due"),
    [
        ((0.7, 0.8, 0.9), True),  # in floating point their mean is 0.7999999999999999
        ((0.79995, 0.79995, 0.79995), False),
        ((0.8, 0.8, 0.799999), False),
        ((0.8, 0.8, 0.8), True),
        ((0.8, 0.8, 0.800001), True),
        ((1, 1, 0.4), True),
        ((1, 1, 0.399999), False),
        ((1, 1), False),
    ],
)
def test_a_gate_opens_at_the_mark_and_not_below_it(scores: tuple[float, ...], is_due: bool) -> None:
    course = parsed(GATE)
    sums = {f"q{n}": attempt(one, n + 1) for n, one in enumerate(scores)}
    due = due_of_module(course, course.modules[0], sums, {})
    assert [one.key for one in due] == ([("module_completed", "first"), ("module_unlocked", "then")] if is_due else [])
    held = with_due({}, due)
    assert is_open(course.modules[1], sums, held) is is_due


@pytest.mark.parametrize("order", [("one", "two"), ("two", "one")])
def test_what_requires_two_opens_with_the_second_by_what_is_asked_for_alone(order: tuple[str, str]) -> None:
    three = (module_manifest("one", requires=[]), module_manifest("two", requires=[]))
    course = parsed(course_manifest(*three, module_manifest("three", requires=["one", "two"])))
    held = dict[tuple[str, str], Grant]()
    told = []
    for name in order:
        module = next(one for one in course.modules if one.id == name)
        some = {key: held[key] for key in asked(course, module) if key in held}
        due = due_of_module(course, module, {f"{name}-1": attempt(1)}, some)
        told.append([one.key for one in due])
        held |= with_due({}, due)
        assert is_open(course.modules[2], {}, held) is (name == order[1])
    completed = [("module_completed", name) for name in order]
    assert told == [completed[:1], [completed[1], ("module_unlocked", "three")]]


def test_a_score_is_kept_rounded_down_so_that_no_mark_is_reached_by_rounding() -> None:
    course = parsed(course_manifest(module_manifest("only", *(step_manifest(f"q{n}") for n in range(3)), pass_mark=60)))
    sums = {"q0": attempt(1), "q1": attempt(1)}
    (done, *_) = due_of_module(course, course.modules[0], sums, {})
    assert done.score == 666_666


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (word(0.75, passed=True), 750_000),  # and not in full, for want of an attempt
        (word(0.3), 300_000),
        (word(1, passed=True, waived=True), FULL),
        (attempt(0.9) + word(0.75, passed=True), 900_000),
        (attempt(0.5) + word(0.75, passed=True), 750_000),
        (attempt(0.9) + word(0.2, final=True), 200_000),
        (attempt(0.9) + word(0.2, 8, final=True) + word(0.4, 9), 900_000),
        (word(0.9, 8, passed=True) + word(0.5, 9, final=True), 500_000),
    ],
)
def test_what_a_person_said_counts(known: StepSum, expected: int) -> None:
    module = parsed(course_manifest(module_manifest("only", step_manifest("s")))).modules[0]
    assert total_score(module, {"s": known}) * FULL == expected


def test_a_module_that_nobody_began_is_not_completed_though_its_mark_is_nothing() -> None:
    course = parsed(course_manifest(module_manifest("only", pass_mark=0)))
    assert due_of_all(course, {}, {}) == []
    assert [one.kind for one in due_of_all(course, {"only-1": attempt(0)}, {})] == [
        "module_completed",
        "course_completed",
    ]


def test_a_begun_module_is_never_locked_and_what_was_granted_shows_no_less() -> None:
    course = parsed(GATE)
    first, then = course.modules
    assert not is_open(then, {}, {})
    assert is_open(then, {"essay": attempt(0)}, {})
    held: Mapping[tuple[str, str], Grant] = {("module_completed", "first"): Grant(1, "x", 850_000, 1)}
    assert is_open(then, {}, held)
    assert due_of_module(course, first, {"q0": attempt(1), "q1": attempt(1), "q2": attempt(1)}, held) == []
    assert score_of_module(first, total_score(first, {}), held) == Fraction(85, 100)
    assert score_of_module(first, total_score(first, {f"q{n}": attempt(0.9) for n in range(3)}), held) == Fraction(
        9, 10
    )


EVIDENCE = course_manifest(
    module_manifest("only", step_manifest("read", kind="lesson"), step_manifest("quiz"), pass_mark=70),
    certificate=True,
    evidence="graded",
)


def test_reported_results_give_the_course_and_graded_ones_the_certificate() -> None:
    course = parsed(EVIDENCE)
    sums = {"read": attempt(1, 1), "quiz": attempt(1, 2)}
    due = due_of_all(course, sums, {})
    assert [one.kind for one in due] == ["module_completed", "course_completed"]
    held = with_due({}, due)
    weak = sums["quiz"] + attempt(0.5, 5, is_graded=True)
    assert due_of_all(course, sums | {"quiz": weak}, held) == []
    graded = weak + attempt(0.75, 7, is_graded=True)
    # A quarter by the lesson, and three quarters of 75 %: what was reported better counts nothing here.
    assert due_of_all(course, sums | {"quiz": graded}, held) == [DueGrant("certified", "", 812_500, 7)]
