"""Small made-up Exercism tracks."""

from typing import Any

import yaml

from headway.cli.manifest_file import _Loader
from headway.cli.manifest_writing import manifest_text
from headway.domain.manifest import parse_manifest
from headway.graders.registry import check_grader
from headway.importers.exercism import Structure, course_of
from headway.importers.exercism_track import read_track


def teaching(slug: str, *concepts: str, needs: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """A concept exercise."""
    taught = {"slug": slug, "name": slug.title(), "concepts": list(concepts), "prerequisites": list(needs)}
    return {"uuid": "dfd7dc01", **taught, **fields}


def practicing(slug: str, *practices: str, needs: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    """A practice exercise."""
    said = {"slug": slug, "name": slug.title(), "practices": list(practices), "prerequisites": list(needs)}
    return {**said, "difficulty": 1, **fields}


def track(*exercises: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A config.json; an exercise with `concepts` is a concept exercise."""
    concept = [one for one in exercises if "concepts" in one]
    practice = [one for one in exercises if "concepts" not in one]
    listed = {"concept": concept, "practice": practice, "foregone": []}
    return {"slug": "lisp", "language": "Lisp", "exercises": listed, "concepts": [], **fields}


def structure(raw: object) -> Structure:
    """The course that a track makes; one that `course check` and `course publish` take as it is written."""
    made = course_of(read_track(raw), "lisp")
    read = yaml.load(manifest_text(made.manifest), _Loader)
    assert read == made.manifest
    parse_manifest(read, check_grader=check_grader)
    return made


def modules(made: Structure) -> dict[str, dict[str, Any]]:
    """The modules by id, in order."""
    return {module["id"]: module for module in made.manifest["modules"]}


def steps(made: Structure) -> dict[str, list[str]]:
    """The ids of the steps, by module."""
    return {name: [step["id"] for step in module["steps"]] for name, module in modules(made).items()}
