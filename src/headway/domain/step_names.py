"""The names of steps: unique in their course, and followed through every renaming, so that progress stays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from headway.domain.course import Course, Module, Step
from headway.domain.faults import Faults, ManifestInvalid, show


def course_keys(course: Course) -> dict[str, str]:
    """The key of each step by every id that it has or had; what the next version's `carry_keys` needs."""
    return {name: step.key for step in course.steps for name in (step.id, *step.renamed_from)}


def carry_keys(previous: Mapping[str, str], course: Course) -> Course:
    """The course with every step under the key that it had before, and answering to every id that it ever had.

    `previous` are the `course_keys` of the version before (of all earlier ones, newest last, where they are at hand).
    An author may thus drop `renamed_from` after a version, or name only the latest old id. The result's `renamed_from`
    begins with the key. ManifestInvalid where two steps would carry on one, or one step two.
    """
    faults = Faults()
    owners: dict[str, tuple[str, Step]] = {}
    carried = [(path, step, _key_before(step, path, previous, faults)) for path, step in _places(course.modules)]
    for path, step, key in carried:
        if key in owners:
            first_path, first = owners[key]
            faults.add(
                f"{path}.id",
                f"{show(step.id)} and {show(first.id)} (at {first_path}) both carry on the step that was first called"
                f" {show(key)}, and devices may still send its old ids; give one of them a new id",
            )
        owners.setdefault(key, (path, step))
    if faults.found:
        raise ManifestInvalid(faults.listed())
    names = _names_by_key(previous)
    steps = iter([_renamed(step, key, names.get(key, [])) for _, step, key in carried])
    modules = tuple(replace(module, steps=tuple(next(steps) for _ in module.steps)) for module in course.modules)
    return replace(course, modules=modules)


def check_names(modules: Sequence[Module], faults: Faults) -> None:
    """Note ids that stand twice, and old ids that are another step's; ids left empty are faulty already."""
    _check_ids(((f"modules[{i}].id", module.id) for i, module in enumerate(modules)), "module", faults)
    places = list(_places(modules))
    owners = _check_ids(((f"{path}.id", step.id) for path, step in places), "step", faults)
    for path, step in places:
        for k, old in enumerate(step.renamed_from):
            _check_old_name(step, old, f"{path}.renamed_from[{k}]", f"{path}.id", owners, faults)


def _check_ids(places: Iterator[tuple[str, str]], what: str, faults: Faults) -> dict[str, str]:
    owners: dict[str, str] = {}
    for path, name in places:
        if name and name in owners:
            faults.add(path, f"{show(name)} is already the {what} at {owners[name]}; give one of them another id")
        elif name:
            owners[name] = path
    return owners


def _check_old_name(step: Step, old: str, path: str, own: str, owners: dict[str, str], faults: Faults) -> None:
    if old == step.id:
        # Renamed and renamed back: a, then b, then a again.
        if step.renamed_from[-1] == old:
            faults.add(path, f"{show(old)} is the id that the step has; list only ids that it had before")
    elif old in owners:
        faults.add(path, f"{show(old)} belongs to the step at {owners[old]}; an id stays with one step")
    else:
        owners[old] = own


def _places(modules: Sequence[Module]) -> Iterator[tuple[str, Step]]:
    for i, module in enumerate(modules):
        for j, step in enumerate(module.steps):
            yield f"modules[{i}].steps[{j}]", step


def _key_before(step: Step, path: str, previous: Mapping[str, str], faults: Faults) -> str:
    keys = {previous[name]: name for name in (step.id, *step.renamed_from) if name in previous}
    if len(keys) > 1:
        names = ", ".join(map(show, keys.values()))
        faults.add(f"{path}.renamed_from", f"{names} were different steps; a step can carry on only one of them")
    return next(iter(keys), step.key)


def _names_by_key(previous: Mapping[str, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for name, key in previous.items():
        names.setdefault(key, []).append(name)
    return names


def _renamed(step: Step, key: str, known: Sequence[str]) -> Step:
    others = dict.fromkeys(name for name in (*step.renamed_from, *known) if name not in (key, step.id))
    return replace(step, renamed_from=(key, *others) if others or key != step.id else ())
