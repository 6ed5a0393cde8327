"""Answers as a step's grader takes them, checked before they are kept: an unusable one would be kept in vain."""

import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

import typer

from headway.cli.learner.drawing import clean
from headway.cli.screen import Misused

_SEVERAL: Final = ("multiple", "order")
# Where Headway's own graders list their keys.
_KEYS: Final = {"choice": "options", "multiple": "options", "order": "items"}
# As the server reads a number.
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_NUMBER_MAX: Final = 100
_SHOWN_MAX: Final = 50


def response_to(grader: Mapping[str, Any], prompt: str | None, answer: list[str]) -> str | list[str]:
    """The answer, asked for at a terminal where none was given; Misused says what the step takes."""
    if not answer and sys.stdin.isatty():
        answer = [typer.prompt(clean(prompt or "Answer"), err=True)]
    if not answer:
        raise Misused("this step takes an answer: give it with --answer, or --answer-file")
    kind = grader["type"]
    if len(answer) > 1 and kind not in _SEVERAL:
        raise Misused("this step takes one answer")
    keys = grader.get(_KEYS.get(kind, ""))
    if isinstance(keys, Mapping):
        answer = [one if one in keys else one.strip() for one in answer]
        _check_keys(kind, keys, answer)
    elif kind == "number":
        _check_number(answer[0])
    elif kind == "manual" and not answer[0].strip():
        raise Misused("the answer is blank: there is nothing to grade")
    return answer if kind in _SEVERAL else answer[0]


def _check_keys(kind: str, keys: Mapping[str, Any], answer: Sequence[str]) -> None:
    listed = ", ".join(f"{clean(key)} ({clean(text)})" for key, text in keys.items())
    for one in answer:
        if one not in keys:
            raise Misused(f"there is no {_KEYS[kind][:-1]} {clean(one[:_SHOWN_MAX])!r}; there are {listed}")
    if len(set(answer)) < len(answer):
        raise Misused("the answer names something twice; name each once")
    if kind == "order" and len(answer) < len(keys):
        raise Misused(f"put every item in its place, an --answer for each, in your order: {listed}")


def _check_number(answer: str) -> None:
    text = answer.strip()
    if len(text) > _NUMBER_MAX or not _NUMBER.fullmatch(text):
        shown = clean(text[:_SHOWN_MAX])
        raise Misused(f"this step takes a number with a decimal point, such as 3.5 or -1.2e3; {shown!r} is none")
