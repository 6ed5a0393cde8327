"""`headway grades`: what the creator's page can do, the operator can."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ledger.essays import ESSAYS, essay, pick
from tests.ledger.world import World, numbered
from tests.torture.server import Command

SCORE = "score must be a finite number: 0 to 1, or a percentage up to 100"


@pytest.fixture
def filled(sqlite_url: str) -> Iterator[World]:
    world = World(sqlite_url).prepare()
    world.publish(ESSAYS)
    yield world
    world.close()


def grades(world: World, *arguments: str, code: int = 0) -> Command:
    done = Command("grades", *arguments, "--database", world.url)
    assert done.code == code, str(done)
    return done


def told(world: World, *arguments: str) -> Any:
    return json.loads(grades(world, *arguments, "--json").out)


def test_what_waits_is_listed_and_graded(filled: World) -> None:
    ada = filled.learner(display_name="Ada")
    filled.send(ada, essay(1), essay(2))
    (first, _) = told(filled, "list", "essays")["items"]
    assert (first["attempt"], first["learner"]) == (numbered(1), {"id": ada, "display_name": "Ada"})
    assert numbered(2) in grades(filled, "list", "essays", "--step", "essay", "--learner", ada).out
    done = grades(filled, "give", "essays", ada, numbered(1), "85", "--feedback", "Good.")
    assert done.out == "essay is completed, with 85 % at best.\n"
    kept = told(filled, "give", "essays", ada, numbered(1), "0.5")
    assert (kept["status"], "never lowers" in kept["why"]) == ("kept", True)
    assert "has 0.85 already" in grades(filled, "give", "essays", ada, numbered(1), "0.5").out
    lower = grades(filled, "give", "essays", ada, numbered(1), "60").out
    assert lower.startswith("Nothing was recorded: the attempt has 85 % already, and a grade never lowers.")
    assert f"count 60 %: `headway grades override essays {ada} essay 60 --final --reason …`" in lower
    assert "true" not in lower
    stays = grades(filled, "override", "essays", ada, "essay", "60", "--reason", "Copied.").out
    assert "1 score would be lower by itself, and stays: " in stays
    final = grades(filled, "override", "essays", ada, "essay", "60", "--final", "--reason", "Copied.").out
    assert f"{ada}  score: 85 % -> 60 %" in final
    (graded,) = told(filled, "list", "essays", "--status", "graded")["items"]
    assert (graded["feedback"], graded["graded_by"]) == ("Good.", None)
    filled.restart()
    filled.assert_clean()


def test_overrides_waivers_and_regrades_say_what_changes(filled: World) -> None:
    ada = filled.learner()
    filled.send(ada, pick(1, "a"))
    tried = told(filled, "override", "essays", ada, "pick", "0.9", "--reason", "A typing error.", "--dry-run")
    assert (tried["dry_run"], tried["updated"]) == (True, 1)
    done = grades(filled, "override", "essays", ada, "pick", "0.9", "--reason", "A typing error.")
    assert f"{ada}  score: 0.0 -> 0.9" in done.out
    assert (
        "module_completed: none -> first" in grades(filled, "waive", "essays", ada, "essay", "--reason", "Was ill.").out
    )
    again = told(filled, "regrade", "essays", "pick", "--reason", "Again.")
    assert "Nothing sinks" in again.pop("note")
    assert again == {
        "dry_run": False,
        "total": 1,
        "updated": 0,
        "unchanged": 1,
        "updates": [],
        "kept": [],
        "left_out": 0,
    }
    assert "Of 1 learner 0 changed, 1 not." in grades(filled, "regrade", "essays", "pick", "--reason", "Again.").out
    lower = grades(filled, "override", "essays", ada, "pick", "0.2", "--reason", "Copied.")
    assert f"{ada}  score: 0.9 -> 0.2" in lower.out
    filled.restart()
    filled.assert_clean()


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["list", "nowhere"], "no course of that name", 1),
        (["list", "essays", "--status", "some"], "waiting, graded, all", 2),
        (["give", "essays", "ADA", "none", "1"], "ATTEMPT is the id", 2),
        (["give", "essays", "ADA", numbered(9), "1"], "no such attempt", 1),
        (["give", "essays", "ADA", numbered(9), "good"], SCORE, 2),
        (["give", "essays", "ADA", numbered(1), "850"], SCORE, 2),
        (["give", "essays", "ADA", numbered(1), "1e999999"], SCORE, 2),
        (["give", "essays", "ADA", numbered(1), " -3"], SCORE, 2),
        (["override", "essays", "ADA", "pick", "100.1", "--reason", "Why"], SCORE, 2),
        (["give", "essays", "nobody", numbered(9), "1"], "no learner 'nobody'", 1),
        (["waive", "essays", "ADA", "pick", "--reason", " "], "reason must be", 1),
        (["waive", "essays", "ADA", "pick", "--reason", "Was ill."], "no such learner in this course", 1),
        (["regrade", "essays", "essay", "--reason", "Again."], "not graded by the server", 1),
    ],
)
def test_what_cannot_be_done_is_said(filled: World, arguments: list[str], said: str, code: int) -> None:
    ada = filled.learner()
    done = grades(filled, *(ada if one == "ADA" else one for one in arguments), code=code)
    assert said in done.err
