"""Steps and modules keep their progress however often they are renamed, and whatever the author remembers to write."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headway.domain.course import Course
from headway.domain.faults import ManifestInvalid
from headway.domain.names import carry_keys, course_keys
from tests.domain.manifests import course, module, parsed, step


def version(*steps: str | tuple[str, Sequence[str]]) -> dict[str, Any]:
    """A manifest of steps, each an id or an id and the old ids that the author names."""
    written = [(one, ()) if isinstance(one, str) else one for one in steps]
    return course(module("m", *[step(name, **({"renamed_from": list(old)} if old else {})) for name, old in written]))


def published(first: dict[str, Any], *later: dict[str, Any]) -> Course:
    """The last of the versions, each published over the one before."""
    last = parsed(first)
    for raw in later:
        last = carry_keys(course_keys(last), parsed(raw))
    return last


A = version("a")


@pytest.mark.parametrize(
    ("later", "key"),
    [
        ([version(("b", ["a"]))], "a"),
        ([version(("b", ["a"])), version(("c", ["a", "b"]))], "a"),
        ([version(("b", ["a"])), version(("c", ["b"]))], "a"),
        ([version(("b", ["a"])), version(("c", ["a"]))], "a"),
        ([version(("b", ["a"])), version("b")], "a"),
        ([version(("b", ["a"])), version("b"), version("b"), version(("c", ["b"]))], "a"),
        ([version(("b", ["a"])), version(("c", ["b", "a"]))], "a"),
        ([version(("b", ["a"])), version("a")], "a"),
        ([version(("b", ["a"])), version(("a", ["b"]))], "a"),
        ([version(("b", ["a"])), version(("a", ["a", "b"]))], "a"),
        ([version("b")], "b"),
    ],
)
def test_the_key_is_the_first_id_that_the_step_had(later: list[dict[str, Any]], key: str) -> None:
    (only,) = published(A, *later).steps
    assert only.key == key


def test_a_step_answers_to_every_id_that_it_ever_had() -> None:
    last = published(A, version(("b", ["a"])), version("b"), version(("c", ["b"])), version("c"))
    assert [last.step(name) for name in ("a", "b", "c")] == [last.steps[0]] * 3
    assert last.steps[0].renamed_from[0] == "a"


def test_without_a_version_before_the_oldest_name_stands_first() -> None:
    (only,) = parsed(version(("c", ["a", "b"]))).steps
    assert only.key == "a"


def test_a_step_that_is_not_renamed_is_left_as_it_is() -> None:
    read = parsed(version("a", "b"))
    assert carry_keys(course_keys(read), read) == read


def test_a_new_step_beside_a_renamed_one_has_its_own_key() -> None:
    last = published(A, version(("b", ["a"]), "new"))
    assert [one.key for one in last.steps] == ["a", "new"]


def test_an_old_id_cannot_become_another_step() -> None:
    with pytest.raises(ManifestInvalid) as refused:
        published(A, version(("b", ["a"])), version("b", "a"))
    ((path, message),) = refused.value.faults
    assert path == "modules[0].steps[1].id"
    assert "'a' and 'b' (at modules[0].steps[0]) both carry on the step that was first called 'a'" in message


def test_a_step_cannot_carry_on_two() -> None:
    with pytest.raises(ManifestInvalid) as refused:
        published(version("a", "b"), version(("c", ["a", "b"])))
    ((path, message),) = refused.value.faults
    assert path == "modules[0].steps[0].renamed_from"
    assert "'a', 'b' were different steps" in message


def test_a_step_that_comes_back_has_its_progress_where_all_versions_are_known() -> None:
    first, second = parsed(version(("b", ["a"]))), parsed(version("x"))
    known = course_keys(first).then(course_keys(second))
    assert carry_keys(known, parsed(version("b"))).steps[0].key == "a"


def modules_of(*modules: str | tuple[str, Sequence[str]], **fields: Any) -> dict[str, Any]:
    """A manifest of modules, each an id or an id and the old ids that the author names."""
    written = [(one, ()) if isinstance(one, str) else one for one in modules]
    return course(*[module(name, renamed_from=list(old), **fields) for name, old in written])


@pytest.mark.parametrize(
    ("later", "key"),
    [
        ([modules_of(("b", ["a"]))], "a"),
        ([modules_of(("b", ["a"])), modules_of(("c", ["b"]))], "a"),
        ([modules_of(("b", ["a"])), modules_of("b")], "a"),
        ([modules_of(("b", ["a"])), modules_of("a")], "a"),
        ([modules_of("b")], "b"),
    ],
)
def test_the_key_of_a_module_is_the_first_id_that_it_had(later: list[dict[str, Any]], key: str) -> None:
    last = published(modules_of("a"), *later)
    assert last.modules[0].key == key
    assert last.module(key) is last.modules[0]
    assert last.module_id(key) == last.modules[0].id


def test_modules_are_required_by_any_of_their_ids_and_by_their_keys_in_the_end() -> None:
    first = course(module("a"), module("b"))
    written = [module("c", renamed_from=["b"]), module("b2", requires=["a", "c", "b"]), module("d", requires=["c"])]
    renamed = course(module("x", renamed_from=["a"]), *written)
    again = course(module("x"), module("c"), module("b2", requires=["x", "c"]), module("d"))
    for last in (published(first, renamed), published(first, renamed, again)):
        # Left out, it is the module before, whatever that is called.
        assert [one.requires for one in last.modules][:3] == [(), ("a",), ("a", "b")]
        assert last.required(last.modules[2]) == ["x", "c"]
        assert [one.id for one in last.dependents("a")] == ["c", "b2"]
        assert last.module_id("b2") == "b2"


def test_an_old_id_cannot_become_another_module_nor_a_module_carry_on_two() -> None:
    with pytest.raises(ManifestInvalid) as refused:
        published(modules_of("a"), modules_of(("b", ["a"])), course(module("b", step("s")), module("a", step("t"))))
    ((path, message),) = refused.value.faults
    assert path == "modules[1].id"
    assert "both carry on the module that was first called 'a'" in message
    with pytest.raises(ManifestInvalid) as refused:
        published(course(module("a", step("s")), module("b", step("t"))), modules_of(("c", ["a", "b"])))
    ((path, message),) = refused.value.faults
    assert (path, "a module can carry on only one of them" in message) == ("modules[0].renamed_from", True)


NAMES = ["a", "b", "c", "d", "e"]


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(NAMES), st.booleans()), max_size=12))
def test_two_steps_keep_apart_through_any_renaming(renamings: list[tuple[int, str, bool]]) -> None:
    ids = ["p", "q"]
    last = published(version(*ids))
    for which, new, drops_old_names in renamings:
        old = ids[which]
        if not last.step(new):
            ids[which] = new
            last = carry_keys(course_keys(last), parsed(version(*[(one, [old]) if one == new else one for one in ids])))
        if drops_old_names:
            last = carry_keys(course_keys(last), parsed(version(*ids)))
        assert [one.key for one in last.steps] == ["p", "q"]
