"""The grader for answers that a person judges: an essay, a drawing's address, a program with its reasons."""

from collections.abc import Mapping
from typing import Any, Final

from headway.domain.faults import Fault, Faults
from headway.domain.fields import Fields
from headway.graders.verdict import ResponseInvalid, Verdict

GUIDE_MAX: Final = 20_000
WAITS: Final = "Handed in: it waits for a grade."


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: the `guide` for those who grade is optional."""
    fields = Fields(config, "a grader of type manual", ("type", "guide"), "", Faults())
    fields.optional_text("guide", GUIDE_MAX)
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:  # noqa: ARG001 - every grader is called alike
    """No score yet; the response is whatever the prompt asks for, but not nothing."""
    if response is None or (isinstance(response, str | list | Mapping) and not response):
        raise ResponseInvalid("response is empty: there is nothing to grade")
    if isinstance(response, str) and not response.strip():
        raise ResponseInvalid("response is blank: there is nothing to grade")
    return Verdict(None, WAITS)


def public(config: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - as above
    """What learners may see: that a person grades it, and not the guide."""
    return {"type": "manual"}
