"""Which grader judges what, and what plugins may and may not do."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from typing import Any, cast

import pytest

from headway.domain.errors import UnknownStep
from headway.domain.faults import ManifestInvalid
from headway.domain.manifest import parse_manifest
from headway.domain.outline import outline
from headway.graders import registry
from headway.graders.registry import BUILT_IN, GraderFailed, GraderMissing, check_grader, grade, public_grader
from headway.graders.verdict import ResponseInvalid, Verdict
from tests.domain.manifests import course, module, step

FULL = 1_000_000
loads: list[str] = []


class Palindrome:
    """A plugin as somebody might write it."""

    def __init__(self) -> None:
        loads.append("palindrome")

    def check(self, config: Mapping[str, Any]) -> list[tuple[str, str]]:
        if "broken" in config:
            raise RuntimeError("broken")
        if "faults" in config:
            return config["faults"]()  # type: ignore[no-any-return]  # it may say anything
        return [] if "length" in config else [("length", "is missing; write how long it must be")]

    def grade(self, config: Mapping[str, Any], response: object) -> Any:
        if not isinstance(response, str):
            raise ResponseInvalid("response must be a text")
        if "verdict" in config:
            return config["verdict"]
        if "raised" in config:
            raise config["raised"]
        if "broken" in config:
            raise RuntimeError("broken")
        return Verdict(FULL if response == response[::-1] else 0, "Read it backwards.")

    def public(self, config: Mapping[str, Any]) -> dict[str, Any]:
        if "broken" in config:
            raise RuntimeError("broken")
        if "public" in config:
            return config["public"]()  # type: ignore[no-any-return]  # it may show anything
        return {"length": config["length"]}


def __getattr__(name: str) -> Any:
    """What the entry points below load; each load is counted."""
    if name == "palindrome":
        return Palindrome()
    if name == "ending":
        sys.exit("imported as a program")
    raise AttributeError(name)


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    asked: Callable[..., list[EntryPoint]] = lambda group: [  # noqa: E731 - one expression says it
        EntryPoint("palindrome", f"{__name__}:palindrome", group),
        EntryPoint("absent", "headway_no_such_plugin:it", group),
        EntryPoint("ending", f"{__name__}:ending", group),
        EntryPoint("choice", "headway_no_such_plugin:choice", group),
    ]
    monkeypatch.setattr(registry, "entry_points", asked)
    forget()
    yield
    forget()


def forget() -> None:
    loads.clear()
    registry._plugins.cache_clear()
    registry._loaded.cache_clear()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {},
            "is missing; write one of choice, multiple, text, regex, number, order, manual, absent, ending, palindrome",
        ),
        ({"type": "choise"}, "must be one of choice, multiple, text"),
        ({"type": "choise"}, "; did you mean 'choice'?"),
        ({"type": "palindrom"}, "; did you mean 'palindrome'?"),
        ({"type": 3}, "not a number"),
        ({"type": ["choice"]}, "not a list"),
        ({"type": "absent"}, "names a plugin that could not check this"),
    ],
)
def test_a_type_that_is_none_is_named(config: dict[str, Any], said: str) -> None:
    ((path, message),) = check_grader(config)
    assert path == "type"
    assert said in message


def test_the_faults_of_a_grader_are_found_within_its_manifest() -> None:
    raw = course(module("m", step(grader={"type": "choice", "options": {"a": "x", "b": "y"}, "answer": "z"})))
    with pytest.raises(ManifestInvalid) as refused:
        parse_manifest(raw, check_grader=check_grader)
    assert [fault.path for fault in refused.value.faults] == ["modules[0].steps[0].grader.answer"]


def test_no_built_in_grader_shows_what_was_not_meant_to_be_seen() -> None:
    options = {"a": "x", "b": "y"}
    secrets: dict[str, dict[str, Any]] = {
        "choice": {"options": options, "answer": "a"},
        "multiple": {"options": options, "answers": ["a"]},
        "text": {"answers": ["secret"]},
        "regex": {"pattern": "secret"},
        "number": {"answer": "123456", "tolerance": 654321},
        "order": {"items": options, "answer": ["b", "a"]},
        "manual": {"guide": "secret"},
    }
    assert secrets.keys() == BUILT_IN.keys()
    graders = [{"type": kind, **config} for kind, config in secrets.items()]
    graders = [one if "guide" in one else one | {"when_right": "secret"} for one in graders]
    raw = course(module("m", *(step(f"s{n}", grader=config) for n, config in enumerate(graders))))
    seen = json.dumps(outline(parse_manifest(raw, check_grader=check_grader), public_grader))
    assert not [word for word in ("secret", "123456", "654321", "answer", "feedback", "when_") if word in seen]


def test_a_plugin_is_loaded_when_it_is_first_needed_and_once() -> None:
    check_grader({"type": "choice"})
    assert check_grader({"type": "palindrom"})
    assert loads == []
    config = {"type": "palindrome", "length": 5}
    assert check_grader(config) == []
    assert grade(config, "level") == (FULL, "Read it backwards.")
    assert public_grader(config) == {"type": "palindrome", "length": 5}
    assert loads == ["palindrome"]


def test_a_plugin_names_its_faults_and_refuses_responses() -> None:
    assert check_grader({"type": "palindrome"}) == [("length", "is missing; write how long it must be")]
    with pytest.raises(ResponseInvalid):
        grade({"type": "palindrome", "length": 5}, 3)


def test_a_plugin_cannot_take_the_place_of_a_built_in_grader() -> None:
    config = {"type": "choice", "options": {"a": "x", "b": "y"}, "answer": "a"}
    assert check_grader(config) == []
    assert grade(config, "a").score == FULL


@pytest.mark.parametrize("kind", ["absent", "ending", "gone"])
def test_a_grader_that_is_not_there_says_so(kind: str) -> None:
    with pytest.raises(GraderMissing) as refused:
        grade({"type": kind}, "x")
    assert kind in refused.value.detail
    assert refused.value.code == "grader-missing"
    assert public_grader({"type": kind, "answer": "secret"}) == {"type": kind}


def test_a_plugin_that_breaks_is_named_and_hurts_nobody_else() -> None:
    broken = {"type": "palindrome", "broken": True}
    assert check_grader(broken) == [("type", "names a plugin that could not check this: \"RuntimeError('broken')\"")]
    with pytest.raises(GraderFailed) as refused:
        grade(broken, "x")
    assert refused.value.code == "grader-failed"
    assert "broken" not in refused.value.detail
    assert public_grader(broken) == {"type": "palindrome"}


@pytest.mark.parametrize(
    "verdict",
    [
        (-1, ""),
        (FULL + 1, ""),
        (0.5, ""),
        (True, ""),
        (None, ""),
        (FULL, None),
        (FULL,),
        None,
        "ab",
        (FULL, "half \ud800"),
    ],
)
def test_a_plugin_cannot_give_what_is_no_verdict(verdict: object) -> None:
    with pytest.raises(GraderFailed):
        grade({"type": "palindrome", "verdict": verdict}, "x")


@pytest.mark.parametrize(
    "raised",
    [
        SystemExit(1),
        ResponseInvalid("half \ud800"),
        ResponseInvalid(cast(str, 7)),
        UnknownStep("no step"),
        RecursionError(),
    ],
)
def test_whatever_a_plugin_raises_but_a_refusal_that_can_be_told_is_its_failure(raised: BaseException) -> None:
    with pytest.raises(GraderFailed):
        grade({"type": "palindrome", "raised": raised}, "x")


@pytest.mark.parametrize(
    "public", [sys.exit, object, lambda: {"x": object()}, lambda: {"x": "half \ud800"}, lambda: {("a", "b"): 1}]
)
def test_what_no_reply_can_carry_is_not_shown_of_a_grader(public: Callable[[], object]) -> None:
    assert public_grader({"type": "palindrome", "public": public}) == {"type": "palindrome"}


def test_what_a_plugin_shows_is_as_a_reply_carries_it() -> None:
    shown = public_grader({"type": "palindrome", "public": lambda: {"days": {3}, "odds": float("nan"), 1: "one"}})
    assert shown == {"type": "palindrome", "days": [3], "odds": None, "1": "one"}


@pytest.mark.parametrize("faults", [sys.exit, lambda: None, lambda: [("x", "half \ud800")]])
def test_a_check_that_tells_no_faults_is_a_fault(faults: Callable[[], object]) -> None:
    ((path, message),) = check_grader({"type": "palindrome", "faults": faults})
    assert path == "type"
    assert "could not check this" in message
