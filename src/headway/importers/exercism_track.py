"""An Exercism track as its config.json has it: concepts, and the exercises that teach and practice them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from headway.domain.faults import Faults, ManifestInvalid, join
from headway.domain.fields import Fields
from headway.domain.manifest import MODULES_MAX, STEPS_MAX, TOPIC_MAX, TOPICS_MAX

STATUSES: Final = ("active", "beta", "wip", "deprecated")
# Exercises that Exercism does not offer to learners: drafts, and those it has withdrawn.
LEFT_OUT: Final = ("wip", "deprecated")
DIFFICULTY_MAX: Final = 10
BLURB_MAX: Final = 5_000
CONCEPTS_MAX: Final = 10_000
# Leaves room for the modules of the three levels: there is at most one module per concept exercise.
CONCEPT_EXERCISES_MAX: Final = MODULES_MAX - 3


class TrackInvalid(ManifestInvalid):
    """The file is no configuration of an Exercism track."""

    code = "invalid-track"


class Exercise(NamedTuple):
    """An exercise; `teaches` is empty for a practice exercise, `path` its place in the file."""

    path: str
    slug: str
    name: str
    status: str
    teaches: tuple[str, ...]
    practices: tuple[str, ...]
    prerequisites: tuple[str, ...]
    difficulty: int

    @property
    def left_out(self) -> bool:
        """Whether learners should not get the exercise: it is a draft, or was withdrawn."""
        return self.status in LEFT_OUT


class Track(NamedTuple):
    """A track; `concepts` are names by slug, `exercises` those that teach, then those that practice."""

    slug: str
    language: str
    blurb: str | None
    concepts: Mapping[str, str]
    exercises: tuple[Exercise, ...]


def read_track(raw: object) -> Track:
    """The track in a parsed config.json; TrackInvalid holds all of its faults, each with its path."""
    faults = Faults()
    fields = Fields(raw, "a track", None, "", faults)
    listed = Fields(fields.require("exercises") or {}, "`exercises`", None, fields.at("exercises"), faults)
    track = Track(
        slug=fields.slug("slug"),
        language=fields.text("language"),
        blurb=fields.optional_text("blurb", BLURB_MAX),
        concepts=_concepts(fields),
        exercises=(
            *_exercises(listed, "concept", CONCEPT_EXERCISES_MAX),
            *_exercises(listed, "practice", STEPS_MAX - CONCEPT_EXERCISES_MAX),
        ),
    )
    _check(track.exercises, faults)
    if faults.found:
        raise TrackInvalid(faults.listed())
    return track


def _concepts(fields: Fields) -> dict[str, str]:
    read = [
        Fields(raw, "a concept", None, join(fields.at("concepts"), i), fields.faults)
        for i, raw in enumerate(fields.items("concepts", CONCEPTS_MAX))
    ]
    return {concept.slug("slug"): concept.text("name") for concept in read}


def _exercises(listed: Fields, kind: str, limit: int) -> list[Exercise]:
    return [_exercise(raw, join(listed.at(kind), i), listed.faults) for i, raw in enumerate(listed.items(kind, limit))]


def _exercise(raw: Any, path: str, faults: Faults) -> Exercise:
    fields = Fields(raw, "an exercise", None, path, faults)
    difficulty = fields.number("difficulty", 1, DIFFICULTY_MAX, 0)
    if difficulty == 0:
        fields.fault("difficulty", f"must lie between 1 and {DIFFICULTY_MAX}")
    return Exercise(
        path=path,
        slug=fields.slug("slug"),
        name=fields.text("name"),
        status=fields.one_of("status", STATUSES, "active"),
        teaches=_topics(fields, "concepts"),
        practices=_topics(fields, "practices"),
        prerequisites=fields.slugs("prerequisites", MODULES_MAX),
        difficulty=difficulty,
    )


def _topics(fields: Fields, name: str) -> tuple[str, ...]:
    slugs = fields.slugs(name, TOPICS_MAX)
    if any(len(slug) > TOPIC_MAX for slug in slugs):
        fields.fault(name, f"hold a slug of more than {TOPIC_MAX} characters; shorten it")
    return slugs


def _check(exercises: Sequence[Exercise], faults: Faults) -> None:
    places: dict[str, str] = {}
    for one in exercises:
        if one.slug in places:
            faults.add(join(one.path, "slug"), f"is also the slug of {places[one.slug]}; give one of them another")
        elif one.slug:
            places[one.slug] = one.path
    if not faults.found and all(one.left_out for one in exercises):
        faults.add("exercises", "hold nothing to do: there is no exercise that is neither wip nor deprecated")
