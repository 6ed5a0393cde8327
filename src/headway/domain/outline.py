"""What a reader may see of a course: all of it but the answers."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from headway.domain.course import ONE, Course, Module, Policies, Step, Weights

PublicGrader: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]
_PERCENT = 10_000


def outline(course: Course, public_grader: PublicGrader) -> dict[str, Any]:
    """The course as JSON, in the units of its manifest and with every default written out.

    `public_grader` returns what a learner may see of a grader's configuration.
    """
    return {
        "id": course.id,
        "title": course.title,
        "description": course.description,
        "locale": course.locale,
        "certificate": course.certificate,
        "pass_mark": _number(course.pass_mark, _PERCENT),
        "complete_by": course.complete_by,
        "weights": _weights(course.weights),
        "policies": _policies(course.policies),
        "evidence": course.evidence,
        "modules": [_module(course, module, public_grader) for module in course.modules],
    }


def _module(course: Course, module: Module, public_grader: PublicGrader) -> dict[str, Any]:
    return {
        "id": module.id,
        "title": module.title,
        "description": module.description,
        "requires": course.required(module),
        "pass_mark": _number(module.pass_mark, _PERCENT),
        "complete_by": module.complete_by,
        "weight": _number(module.weight, ONE),
        "weights": _weights(module.weights),
        "policies": _policies(module.policies),
        "steps": [outline_step(step, public_grader) for step in module.steps],
        "renamed_from": list(module.renamed_from),
    }


def outline_step(step: Step, public_grader: PublicGrader) -> dict[str, Any]:
    """A step as JSON, with only the paths of its files."""
    return {
        "id": step.id,
        "kind": step.kind,
        "title": step.title,
        "topics": list(step.topics),
        "pass_mark": _number(step.pass_mark, _PERCENT),
        "weight": _number(step.weight, ONE),
        "points": step.points,
        "prompt": step.prompt,
        "body": step.body,
        "url": step.url,
        "grader": None if step.grader is None else dict(public_grader(step.grader)),
        "renamed_from": list(step.renamed_from),
        "files": list(step.files),
        "test": None if step.test is None else step.test.told(),
    }


def _weights(weights: Weights) -> dict[str, float]:
    return {kind: _number(weight, ONE) for kind, weight in weights._asdict().items()}


def _policies(policies: Policies) -> dict[str, str]:
    return dict(policies._asdict())


def _number(whole: int, unit: int) -> float:
    """A number in small units as an author would write it in large ones: 80, 79.995."""
    return whole // unit if whole % unit == 0 else whole / unit
