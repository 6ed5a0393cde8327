"""The grader for one option out of several."""

from collections.abc import Mapping
from typing import Any

from headway.domain.faults import Fault
from headway.graders.configuration import COMMENT_MAX, check_feedback, check_key, check_options, opened
from headway.graders.verdict import Verdict, decided, known_key


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: `options` by key, and the key of the `answer`."""
    fields = opened(config, ("options", "answer", "feedback"))
    options = check_options(fields, "options")
    answer = fields.text("answer", COMMENT_MAX)
    if answer:
        check_key(fields, "answer", answer, options)
    check_feedback(fields, options)
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The verdict on a response, which is the key of an option: right or wrong."""
    chosen = known_key(response, config["options"])
    feedback = config.get("feedback")
    return decided(config, chosen == config["answer"], feedback.get(chosen) if feedback else None)


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """What learners may see: the options."""
    return {"type": "choice", "options": config["options"]}
