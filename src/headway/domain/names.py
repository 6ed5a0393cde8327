"""The names of modules and steps: unique in their course, and followed through renamings, so that progress stays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from headway.domain.course import Course, Module, Step
from headway.domain.faults import Faults, ManifestInvalid, show

_Named = TypeVar("_Named", bound=Module | Step)


class Keys(NamedTuple):
    """The key of each module and of each step by every id that it has or had."""

    modules: Mapping[str, str] = {}
    steps: Mapping[str, str] = {}

    def then(self, later: "Keys") -> "Keys":
        """These keys, updated with those of a later version."""
        return Keys({**self.modules, **later.modules}, {**self.steps, **later.steps})


def course_keys(course: Course) -> Keys:
    """The keys of a version: what the next version's `carry_keys` needs."""
    return Keys(_keys_of(course.modules), _keys_of(course.steps))


def succeed(previous: Keys, course: Course) -> tuple[Course, Keys]:
    """The course with its keys carried over, and the keys that its next version has to carry over."""
    carried = carry_keys(previous, course)
    return carried, previous.then(course_keys(carried))


def _keys_of(named: Sequence[_Named]) -> dict[str, str]:
    return {name: one.key for one in named for name in (one.id, *one.renamed_from)}


def carry_keys(previous: Keys, course: Course) -> Course:
    """The course with its modules and steps under the keys that they had before, known by every id they ever had.

    `previous` are the `course_keys` of the version before (or of all earlier ones, newest last). So an author may drop
    `renamed_from` after a version, or name only the latest old id. In the result, `renamed_from` begins with the key.
    ManifestInvalid where two continue the same earlier one, or one continues two.
    """
    faults = Faults()
    steps = iter(_carried("step", list(_places(course.modules)), previous.steps, faults))
    modules = _carried("module", list(_module_places(course.modules)), previous.modules, faults)
    if faults.found:
        raise ManifestInvalid(faults.listed())
    keys = {before.key: after.key for before, after in zip(course.modules, modules, strict=True)}
    whole = [
        replace(one, steps=tuple(next(steps) for _ in one.steps), requires=tuple(keys[key] for key in one.requires))
        for one in modules
    ]
    return replace(course, modules=tuple(whole))


def _carried(
    what: str, places: Sequence[tuple[str, _Named]], previous: Mapping[str, str], faults: Faults
) -> list[_Named]:
    owners: dict[str, tuple[str, _Named]] = {}
    carried = [(path, one, _key_before(what, one, path, previous, faults)) for path, one in places]
    for path, one, key in carried:
        if key in owners:
            first_path, first = owners[key]
            faults.add(
                f"{path}.id",
                f"{show(one.id)} and {show(first.id)} (at {first_path}) both carry on the {what} that was first called"
                f" {show(key)}, and devices may still send its old ids; give one of them a new id",
            )
        owners.setdefault(key, (path, one))
    names = _names_by_key(previous)
    return [_renamed(one, key, names.get(key, [])) for _, one, key in carried]


def with_required_keys(modules: Sequence[Module]) -> tuple[Module, ...]:
    """The modules with `requires` turned from ids, current or former, into keys."""
    keys = _keys_of(modules)
    return tuple(replace(one, requires=tuple(dict.fromkeys(keys[name] for name in one.requires))) for one in modules)


def check_names(modules: Sequence[Module], faults: Faults) -> None:
    """Note duplicate ids, and former ids that belong to another; ids left empty were noted before."""
    _check_names("module", list(_module_places(modules)), faults)
    _check_names("step", list(_places(modules)), faults)


def _check_names(what: str, places: Sequence[tuple[str, Module | Step]], faults: Faults) -> None:
    owners: dict[str, str] = {}
    for path, one in places:
        if one.id and one.id in owners:
            fault = f"{show(one.id)} is already the {what} at {owners[one.id]}; give one of them another id"
            faults.add(f"{path}.id", fault)
        elif one.id:
            owners[one.id] = f"{path}.id"
    for path, one in places:
        for k, old in enumerate(one.renamed_from):
            wrong = _fault_of_old_name(what, one, old, owners)
            if wrong:
                faults.add(f"{path}.renamed_from[{k}]", wrong)
            owners.setdefault(old, f"{path}.id")


def _fault_of_old_name(what: str, one: Module | Step, old: str, owners: Mapping[str, str]) -> str | None:
    if old != one.id:
        return (
            f"{show(old)} belongs to the {what} at {owners[old]}; an id stays with one {what}"
            if old in owners
            else None
        )
    # Renamed and renamed back (a, then b, then a again) is allowed.
    is_latest = one.renamed_from[-1] == old
    return f"{show(old)} is the id that the {what} has; list only ids that it had before" if is_latest else None


def _module_places(modules: Sequence[Module]) -> Iterator[tuple[str, Module]]:
    return ((f"modules[{i}]", module) for i, module in enumerate(modules))


def _places(modules: Sequence[Module]) -> Iterator[tuple[str, Step]]:
    for i, module in enumerate(modules):
        for j, step in enumerate(module.steps):
            yield f"modules[{i}].steps[{j}]", step


def _key_before(what: str, one: Module | Step, path: str, previous: Mapping[str, str], faults: Faults) -> str:
    keys = {previous[name]: name for name in (one.id, *one.renamed_from) if name in previous}
    if len(keys) > 1:
        names = ", ".join(map(show, keys.values()))
        fault = f"{names} were different {what}s; a {what} can carry on only one of them"
        faults.add(f"{path}.renamed_from", fault)
    return next(iter(keys), one.key)


def _names_by_key(previous: Mapping[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, key in previous.items():
        names.setdefault(key, []).append(name)
    return names


def _renamed(one: _Named, key: str, known: Sequence[str]) -> _Named:
    others = dict.fromkeys(name for name in (*one.renamed_from, *known) if name not in (key, one.id))
    return replace(one, renamed_from=(key, *others) if others or key != one.id else ())
