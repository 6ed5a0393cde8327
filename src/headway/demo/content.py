"""The demo's files: the course, and what its learners write where an answer cannot be chosen."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any, NamedTuple, cast

import yaml


class Samples(NamedTuple):
    """Answers to one step: right ones, and the mistakes that people make."""

    right: tuple[Any, ...]
    wrong: tuple[Any, ...]


class Names(NamedTuple):
    """What invented people may be called."""

    given: list[str]
    family: list[str]


class Answers(NamedTuple):
    """What learners of the course may answer: `samples` by the id of their step, and the points of each assignment."""

    samples: Mapping[str, Samples]
    parts: Mapping[str, int]


def course_manifest() -> dict[str, Any]:
    """The course as its author wrote it."""
    return cast(dict[str, Any], _read("course.yaml"))


def answers() -> Answers:
    """What learners of the course may answer."""
    written = _read("answers.yaml")
    samples = {step: Samples(tuple(one["right"]), tuple(one["wrong"])) for step, one in written["samples"].items()}
    return Answers(samples, written["parts"])


def names() -> Names:
    """Names for invented people."""
    return Names(**_read("names.yaml"))


def _read(name: str) -> Any:
    return yaml.load(files("headway.demo").joinpath(name).read_text("utf-8"), Loader=yaml.CSafeLoader)
