"""What a simulated learner answers: right as the grader wants it, or wrong the way people are."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any, TypeAlias

from headway.demo.content import Samples
from headway.domain.course import Step

Answer: TypeAlias = Callable[[Mapping[str, Any], Random], Any]


def right_answer(step: Step, samples: Mapping[str, Samples], chance: Random) -> Any:
    """A response that the step's grader gives full marks."""
    config = _config(step)
    if step.id in samples:
        return chance.choice(samples[step.id].right)
    return config["answer"] if "answer" in config else sorted(config["answers"])


def wrong_answer(step: Step, samples: Mapping[str, Samples], chance: Random) -> Any:
    """A response that fits the question and is not what the grader wants; it may earn a part."""
    if step.id in samples:
        return chance.choice(samples[step.id].wrong)
    config = _config(step)
    return _WRONG[config["type"]](config, chance)


def _another_option(config: Mapping[str, Any], chance: Random) -> str:
    options: list[str] = [key for key in config["options"] if key != config["answer"]]
    return chance.choice(options)


def _other_options(config: Mapping[str, Any], chance: Random) -> list[str]:
    """One option too few, one too many, or one for another: what somebody chooses who knows a part."""
    right = set(config["answers"])
    missed = chance.choice(sorted(right))
    taken = chance.choice(sorted(config["options"].keys() - right))
    return sorted(chance.choice([right - {missed}, right | {taken}, right - {missed} | {taken}]))


def _another_order(config: Mapping[str, Any], chance: Random) -> list[str]:
    """Two neighbors the wrong way around, or one item in quite another place."""
    order = list(config["answer"])
    if chance.random() < 0.6:
        place = chance.randrange(len(order) - 1)
        order[place], order[place + 1] = order[place + 1], order[place]
        return order
    order.append(order.pop(chance.randrange(len(order) - 1)))
    return order


_WRONG: Mapping[str, Answer] = {"choice": _another_option, "multiple": _other_options, "order": _another_order}


def _config(step: Step) -> Mapping[str, Any]:
    if step.grader is None:
        raise ValueError(f"step {step.id} asks no question")
    return step.grader
