"""The grader for items to be put in order, with partial credit."""

from collections.abc import Mapping
from fractions import Fraction
from hashlib import sha256
from typing import Any

from headway.domain.faults import Fault, show
from headway.graders.configuration import CREDIT, check_keys, check_options, opened
from headway.graders.verdict import ResponseInvalid, Verdict, judged, keys_response


def check(config: Mapping[str, Any]) -> list[Fault]:
    """The faults of a configuration: `items` by key, the `answer` (all keys in order), `credit` partial or exact."""
    fields = opened(config, ("items", "answer", "credit", "when_partly"))
    items = check_options(fields, "items")
    answer = check_keys(fields, "answer", items)
    missing = [show(key) for key in items if key not in answer]
    if answer and missing:
        fields.fault("answer", f"leaves out {', '.join(missing)}; it must put every item in its place")
    fields.one_of("credit", CREDIT, "partial")
    return fields.faults.listed()


def grade(config: Mapping[str, Any], response: object) -> Verdict:
    """The share of the items that stand in their right place; with `credit: exact` 1 for all of them, else 0."""
    answer, items = config["answer"], config["items"]
    given = keys_response(response, items)
    if len(given) != len(items):
        left_out = ", ".join(show(key) for key in items if key not in given)
        raise ResponseInvalid(f"response must put every item in its place; it leaves out {left_out}")
    placed = sum(one == other for one, other in zip(given, answer, strict=True))
    if config.get("credit") == "exact":
        return judged(config, Fraction(placed == len(answer)))
    return judged(config, Fraction(placed, len(answer)))


def public(config: Mapping[str, Any]) -> dict[str, Any]:
    """What learners may see: the items, shuffled, as authors mostly write them in the right order.

    They are sorted by a hash: the order is always the same, and tells nothing about the answer.
    """
    items = sorted(config["items"].items(), key=lambda item: sha256("\0".join(item).encode()).digest())
    return {"type": "order", "items": dict(items), "credit": config.get("credit") or "partial"}
