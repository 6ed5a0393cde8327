"""Small manifests to vary."""

from collections.abc import Mapping
from typing import Any

from headway.domain.course import Course
from headway.domain.faults import Fault, ManifestInvalid
from headway.domain.manifest import parse_manifest


def step(step_id: str = "one", **fields: Any) -> dict[str, Any]:
    return {"id": step_id, "kind": "quiz", "title": "A step", **fields}


def module(module_id: str = "first", *steps: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": module_id, "title": "A module", "steps": list(steps or (step(f"{module_id}-1"),)), **fields}


def course(*modules: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": "python", "title": "Python", "modules": list(modules or (module(),)), **fields}


def course_of(step_fields: Mapping[str, Any]) -> dict[str, Any]:
    """A course of the one step with these fields; a None takes a field away."""
    fields = {name: value for name, value in {**step(), **step_fields}.items() if value is not None}
    return course(module("first", fields))


def accept_any(_config: Mapping[str, Any]) -> list[tuple[str, str]]:
    return []


def parsed(raw: object) -> Course:
    return parse_manifest(raw, check_grader=accept_any)


def faults_of(raw: object) -> tuple[Fault, ...]:
    """The faults of a manifest; none where it is accepted."""
    try:
        parsed(raw)
    except ManifestInvalid as refusal:
        return refusal.faults
    return ()
