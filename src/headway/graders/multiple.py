"""The grader for any number of options out of several, with partial credit."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from headway.domain.faults import Fault
from headway.graders.configuration import CREDIT, check_feedback, check_keys, check_options, opened
from headway.graders.verdict import Verdict, judged, keys_response


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: `options` by key, the keys of `answers`, `credit` partial (default) or exact."""
    fields = opened(config, ("options", "answers", "credit", "feedback", "when_partly"))
    options = check_options(fields, "options")
    check_keys(fields, "answers", options)
    fields.one_of("credit", CREDIT, "partial")
    check_feedback(fields, options)
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The share of right options chosen, less the share of wrong options chosen, but at least 0.

    So choosing nothing and choosing everything both score 0, and choosing a right option never costs. With `credit:
    exact`, all right options and no wrong one score 1, anything else 0.
    """
    options, answers = config["options"], set(config["answers"])
    chosen = set(keys_response(response, options))
    feedback = config.get("feedback") or {}
    comments = [feedback[key] for key in options if key in chosen and key in feedback]
    if config.get("credit") == "exact":
        return judged(config, Fraction(chosen == answers), comments)
    wrong = len(options) - len(answers)
    gained = Fraction(len(chosen & answers), len(answers))
    lost = Fraction(len(chosen - answers), wrong) if wrong else Fraction(0)
    return judged(config, max(gained - lost, Fraction(0)), comments)


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """What learners may see: the options, and how credit is given."""
    return {"type": "multiple", "options": config["options"], "credit": config.get("credit") or "partial"}
