"""Versions of one course, for random histories."""

from fractions import Fraction

from tests.domain.slow_gates import SlowModule
from tests.ledger.slow_fold import StepThen
from tests.ledger.slow_learner import Version, version

OTHER_POLICIES = {
    "lesson": "best",
    "quiz": "first",
    "assignment": "average",
    "exercise": "latest",
    "assessment": "best",
}
# Versions of one course, published in any order: the second is worth more, under other topics, passes later, judges by
# other rules, opens what the first locks, locks what it opens, and has a module more; by the third a person grades.
VERSIONS: list[Version] = [
    version(
        {
            "first": (
                SlowModule({}),
                {
                    "read": StepThen(5, (), 70, "lesson", None),
                    "solve": StepThen(10, ("loops",), 70, "exercise", None),
                },
            ),
            "second": (
                SlowModule({}, ("first",), pass_mark=Fraction(70, 100)),
                {
                    "graded": StepThen(10, ("lists",), 50, "quiz", "b"),
                    "essay": StepThen(20, ("loops",), 70, "assignment", None),
                },
            ),
        },
        graded_evidence=False,
    ),
    version(
        {
            "second": (
                SlowModule({}, weight=Fraction(3)),
                {
                    "graded": StepThen(10, (), 50, "quiz", "b"),
                    "essay": StepThen(20, ("lists",), 80, "assignment", None),
                },
            ),
            "first": (
                SlowModule({}, ("second",), pass_mark=Fraction(75, 100), policies=OTHER_POLICIES),
                {
                    "read": StepThen(7, ("loops",), 70, "exercise", None),
                    "solve": StepThen(20, ("lists", "loops"), 80, "exercise", None),
                },
            ),
            "third": (
                SlowModule({}, ("first", "second"), by_steps=True),
                {"extra": StepThen(30, ("lists",), 70, "assessment", None)},
            ),
        },
        graded_evidence=True,
    ),
    version(
        {
            "second": (
                SlowModule({}, pass_mark=Fraction(60, 100)),
                {
                    "essay": StepThen(15, ("loops",), 75, "assignment", None, by_hand=True),
                    "graded": StepThen(10, ("lists",), 50, "quiz", "b"),
                    "read": StepThen(5, (), 70, "lesson", None),
                },
            ),
            "third": (
                SlowModule({}, ("second",), policies=OTHER_POLICIES),
                {
                    "extra": StepThen(30, ("lists",), 70, "assignment", None, by_hand=True),
                    "solve": StepThen(10, ("loops",), 60, "exercise", None),
                },
            ),
        },
        graded_evidence=True,
    ),
]
