"""What tests of graders ask of all of them."""

from collections.abc import Mapping
from typing import Any

import pytest

from headway.graders.registry import check_grader, grade
from headway.graders.verdict import ResponseInvalid, Verdict


def only_fault(config: Mapping[str, Any]) -> tuple[str, str]:
    (fault,) = check_grader(config)
    return fault


def graded(config: Mapping[str, Any], response: object) -> Verdict:
    """The verdict of a configuration that has no fault."""
    assert check_grader(config) == []
    return grade(config, response)


def refusal(config: Mapping[str, Any], response: object) -> str:
    """What is said of a response that does not fit."""
    assert check_grader(config) == []
    with pytest.raises(ResponseInvalid) as refused:
        grade(config, response)
    assert (refused.value.code, refused.value.field) == ("invalid", "response")
    assert refused.value.detail.encode()
    return refused.value.detail


def short(value: object) -> str:
    """The name of a test's parameter; some are of 64 KiB, or numbers that cannot be written down."""
    return "large" if isinstance(value, int) and abs(value) > 10**20 else ascii(value)[:30]


def scored(config: Mapping[str, Any], response: object) -> int:
    """The score by a grader that is no person."""
    score = graded(config, response).score
    assert score is not None
    return score
