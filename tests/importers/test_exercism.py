"""The structure of an Exercism track becomes a course: concepts modules, exercises steps, prerequisites `requires`."""

from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.faults import ManifestInvalid
from headway.domain.manifest import parse_manifest
from headway.graders.registry import check_grader
from headway.importers.exercism_track import read_track
from tests.importers.tracks import modules, practicing, steps, structure, teaching, track

SMALL = track(
    teaching("hello", "basics"),
    teaching("loopy", "loops", needs=("basics", "lists")),
    teaching("listing", "lists", needs=("basics",)),
    practicing("leap", "basics", needs=("basics",), difficulty=4),
    practicing("bob", "loops", "lists", needs=("loops", "basics"), difficulty=8),
    practicing("hello-world"),
    blurb="Lisp is old.",
    concepts=[{"slug": "basics", "name": "The basics"}, {"slug": "loops", "name": "Loops"}],
)


def test_a_module_for_each_concept_after_those_that_it_requires() -> None:
    made = modules(structure(SMALL))
    assert {name: module["requires"] for name, module in made.items()} == {
        "level-easy": [],
        "basics": [],
        "lists": ["basics"],
        "loops": ["basics", "lists"],
    }
    assert [module["title"] for module in made.values()] == ["Easy", "The basics", "lists", "Loops"]


def test_an_exercise_stands_where_the_last_of_its_prerequisites_is_taught() -> None:
    made = structure(SMALL)
    assert steps(made) == {
        "level-easy": ["hello-world"],
        "basics": ["hello", "leap"],
        "lists": ["listing"],
        "loops": ["loopy", "bob"],
    }
    assert made.remarks == []


def test_what_teaches_completes_its_module_and_practice_counts_for_nothing_in_it() -> None:
    course = parse_manifest(structure(SMALL).manifest, check_grader=check_grader)
    assert [step.id for step in course.steps if not step.weight] == ["leap", "bob"]


def test_a_step_has_the_exercises_title_topics_points_and_address() -> None:
    assert modules(structure(SMALL))["loops"]["steps"] == [
        {
            "id": "loopy",
            "kind": "exercise",
            "title": "Loopy",
            "topics": ["loops"],
            "points": 10,
            "url": "https://exercism.org/tracks/lisp/exercises/loopy",
        },
        {
            "id": "bob",
            "kind": "exercise",
            "title": "Bob",
            "topics": ["loops", "lists"],
            "points": 30,
            "url": "https://exercism.org/tracks/lisp/exercises/bob",
            "weight": 0,
        },
    ]


@pytest.mark.parametrize(
    ("difficulty", "level", "points"),
    [
        (1, "level-easy", 10),
        (3, "level-easy", 10),
        (4, "level-medium", 20),
        (7, "level-medium", 20),
        (8, "level-hard", 30),
        (10, "level-hard", 30),
    ],
)
def test_difficulty_is_a_level_and_points(difficulty: int, level: str, points: int) -> None:
    made = modules(structure(track(practicing("a", difficulty=difficulty))))
    assert [(name, module["steps"][0]["points"]) for name, module in made.items()] == [(level, points)]


def test_a_track_without_concepts_is_sorted_by_level() -> None:
    made = structure(track(*(practicing(f"p{n}", difficulty=n) for n in (9, 5, 2, 1))))
    assert steps(made) == {"level-easy": ["p2", "p1"], "level-medium": ["p5"], "level-hard": ["p9"]}


def test_a_concept_named_like_a_level_keeps_its_module() -> None:
    made = structure(track(teaching("a", "level-easy"), practicing("b")))
    assert steps(made) == {"level-easy-exercises": ["b"], "level-easy": ["a"]}


def test_concepts_that_are_taught_together_share_a_module() -> None:
    both = [teaching("a", "x", "y"), teaching("b", "z", "y"), teaching("c", "w", needs=("y", "z", "x"))]
    made = structure(track(*both, practicing("d", needs=("z",))))
    assert steps(made) == {"x": ["a", "b", "d"], "w": ["c"]}
    assert modules(made)["w"]["requires"] == ["x"]


def test_drafts_and_what_was_taken_back_are_left_out_and_counted() -> None:
    kept = [teaching("a", "x", status="beta"), practicing("b", status="active")]
    gone = [teaching("c", "y", status="wip"), *(practicing(f"d{n}", status="deprecated") for n in range(2))]
    made = structure(track(*kept, *gone))
    assert made.left_out == {"deprecated": 2, "wip": 1}
    assert list(chain(*steps(made).values())) == ["b", "a"]


@pytest.mark.parametrize(
    ("exercise", "said"),
    [
        (practicing("p", needs=("basics", "zzz")), "'zzz', which 'p' requires, is taught by no exercise, and is none"),
        (practicing("p", needs=("basics", "known")), "'known', which 'p' requires, is taught by no exercise"),
        (practicing("p", needs=("basics", "later")), "is taught by 'draft' alone, which is wip"),
        (practicing("p", needs=("basics", "zzz"), status="wip"), "('p' is wip and left out itself)"),
    ],
)
def test_a_prerequisite_that_nothing_teaches_is_told_with_its_place(exercise: dict[str, Any], said: str) -> None:
    taught = [teaching("hello", "basics"), teaching("draft", "later", status="wip")]
    known = [{"slug": "known", "name": "Known"}, {"slug": "later", "name": "Later"}]
    made = structure(track(*taught, exercise, concepts=known))
    (remark,) = made.remarks
    assert (remark.reason, remark.path) == ("untaught", "exercises.practice[0].prerequisites[1]")
    assert said in remark.message
    assert steps(made)["basics"] == (["hello"] if exercise.get("status") else ["hello", "p"])


def test_a_draft_may_count_on_a_draft() -> None:
    drafts = [teaching("a", "x", status="wip"), practicing("b", needs=("x",), status="wip")]
    assert structure(track(practicing("c"), *drafts)).remarks == []


def test_a_circle_is_opened_and_told() -> None:
    made = structure(
        track(
            teaching("a", "x", needs=("x", "z")), teaching("b", "y", needs=("x",)), teaching("c", "z", needs=("y", "x"))
        )
    )
    assert {name: module["requires"] for name, module in modules(made).items()} == {
        "x": [],
        "y": ["x"],
        "z": ["x", "y"],
    }
    (remark,) = made.remarks
    assert (remark.reason, remark.path) == ("circle", "exercises.concept[0].prerequisites[1]")
    assert "x → z → " in remark.message


def test_practice_that_opens_too_early_is_told() -> None:
    taught = [teaching("a", "x"), teaching("b", "y", needs=("x",)), teaching("c", "z", needs=("x",))]
    made = structure(track(*taught, practicing("d", needs=("x", "y", "z")), practicing("e", needs=("x", "z"))))
    assert [remark[:2] for remark in made.remarks] == [("opens-early", "exercises.practice[0].prerequisites")]
    assert made.remarks[0].message == "'d' opens with 'z', though it requires y as well"


@pytest.mark.parametrize(
    ("raw", "path", "said"),
    [
        ([], "", "a track must be an object with named fields, not a list"),
        ({"slug": "x", "language": "X"}, "exercises", "is missing; a track needs it"),
        (track(practicing("a"), slug="A b"), "slug", "'a-b' would do"),
        (track(practicing("a"), language=None), "language", "is missing"),
        (track(practicing("a"), blurb=1), "blurb", "must be a text"),
        (track(practicing("a"), exercises=[1]), "exercises", "must be an object"),
        (track(practicing("a"), exercises={"practice": {}}), "exercises.practice", "must be a list"),
        (
            track(practicing("a"), exercises={"practice": ["x"]}),
            "exercises.practice[0]",
            "an exercise must be an object",
        ),
        (track(practicing("a"), concepts=[{"slug": "x"}]), "concepts[0].name", "is missing; a concept needs it"),
        (track({**practicing("a"), "slug": None}), "exercises.practice[0].slug", "is missing; an exercise needs it"),
        (track(practicing("A")), "exercises.practice[0].slug", "'a' would do"),
        (track(practicing("a", name=" ")), "exercises.practice[0].name", "is blank"),
        (track(practicing("a", status="bata")), "exercises.practice[0].status", "did you mean 'beta'?"),
        (track(practicing("a", difficulty=0)), "exercises.practice[0].difficulty", "must lie between 1 and 10"),
        (track(practicing("a", difficulty=11)), "exercises.practice[0].difficulty", "must lie between"),
        (track(practicing("a", needs=("b", "B"))), "exercises.practice[0].prerequisites[1]", "'b' would do"),
        (track(practicing("a", "x" * 101)), "exercises.practice[0].practices", "more than 100 characters"),
        (track(teaching("a", "x"), practicing("a")), "exercises.practice[0].slug", "the slug of exercises.concept[0]"),
        (track(), "exercises", "hold nothing to do"),
        (track(practicing("a", status="wip")), "exercises", "hold nothing to do"),
    ],
)
def test_a_fault_is_named_with_its_place(raw: object, path: str, said: str) -> None:
    with pytest.raises(ManifestInvalid) as refused:
        read_track(raw)
    (fault,) = refused.value.faults
    assert fault.path == path
    assert said in fault.message


SLUGS = st.sampled_from(["a", "b", "c", "d", "no", "08", "1e5", "level-easy"])
NAMES = st.text(min_size=1, max_size=8).filter(lambda text: text.strip() and "\0" not in text and text.isprintable())
LISTS = st.lists(SLUGS, unique=True, max_size=4)
EXERCISES = st.fixed_dictionaries(
    {"name": NAMES, "prerequisites": LISTS, "status": st.sampled_from(["active", "beta", "wip", "deprecated"])},
    optional={"concepts": LISTS, "practices": LISTS, "difficulty": st.integers(1, 10)},
)


@given(st.lists(EXERCISES, max_size=12))
def test_whatever_a_track_is_like_its_course_is_right_and_always_the_same(exercises: list[dict[str, Any]]) -> None:
    raw = track(practicing("first"), *({"slug": f"e{n}", **one} for n, one in enumerate(exercises)))
    made = structure(raw)
    kept = {one["slug"] for one in raw["exercises"]["concept"] + raw["exercises"]["practice"]} - {
        f"e{n}" for n, one in enumerate(exercises) if one["status"] in ("wip", "deprecated")
    }
    assert sorted(chain(*steps(made).values())) == sorted(kept)
    assert structure(raw) == made
