"""An Exercism track as a course: a module for each concept taught, with exercises as its steps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any, Final, NamedTuple

from headway.domain.faults import join, show
from headway.domain.prerequisites import circles
from headway.importers.exercism_track import Exercise, Track

UNTAUGHT, CIRCLE, EARLY = "untaught", "circle", "opens-early"
# Exercism's levels, each with its highest difficulty (of 1 to 10), and what an exercise of the level is worth.
LEVELS: Final = ((3, "easy", 10), (7, "medium", 20), (10, "hard", 30))
SITE: Final = "https://exercism.org/tracks"


class Remark(NamedTuple):
    """A remark for the author on a place in the file; `reason` is a stable slug."""

    reason: str
    path: str
    message: str


class Structure(NamedTuple):
    """The manifest, the number of exercises left out by status, and remarks."""

    manifest: dict[str, Any]
    left_out: Mapping[str, int]
    remarks: Sequence[Remark]


@dataclass(slots=True)
class _Unit:
    """A module being built; `requires` maps each module that it requires to the place in the file that says so."""

    id: str
    title: str
    requires: dict[str, str] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)


def course_of(track: Track, course_id: str) -> Structure:
    """The course that a track describes; always the same for the same track."""
    remarks = list(_untaught(track))
    kept = [one for one in track.exercises if not one.left_out]
    homes = _homes(kept)
    units = _taught(track, kept, homes)
    remarks += _without_circles(units)
    units = {name: units[name] for name in _in_order(units)}
    levels = _practice(track, kept, homes, units)
    remarks += _early(kept, homes, units)
    easy, *harder = levels
    modules = [unit for unit in (easy, *units.values(), *harder) if unit.steps]
    manifest = {
        "id": course_id,
        "title": track.language,
        "description": f"{track.blurb or ''} Source: Exercism's {track.language} track, {SITE}/{track.slug}.".lstrip(),
        "modules": [_module(unit, list(units)) for unit in modules],
    }
    left_out = Counter(one.status for one in track.exercises if one.left_out)
    return Structure(manifest, dict(sorted(left_out.items())), remarks)


def _homes(kept: Sequence[Exercise]) -> dict[str, str]:
    """The module of each concept taught: its own, or that of another concept taught by the same exercise."""
    homes: dict[str, str] = {}
    for one in kept:
        home = next((homes[concept] for concept in one.teaches if concept in homes), None)
        for concept in one.teaches:
            homes.setdefault(concept, home or one.teaches[0])
    return homes


def _taught(track: Track, kept: Sequence[Exercise], homes: Mapping[str, str]) -> dict[str, _Unit]:
    units = {home: _Unit(home, track.concepts.get(home, home)) for home in homes.values()}
    for one in kept:
        if one.teaches:
            unit = units[homes[one.teaches[0]]]
            unit.steps.append(_step(track, one, one.teaches))
            for place, needed in _needed(one, homes):
                if needed != unit.id:
                    unit.requires.setdefault(needed, place)
    return units


def _practice(
    track: Track, kept: Sequence[Exercise], homes: Mapping[str, str], units: Mapping[str, _Unit]
) -> list[_Unit]:
    """Add practice exercises to the modules, and those that require no taught concept to a module for their level."""
    levels = {name: _Unit(_free(f"level-{name}", units), name.capitalize()) for _, name, _ in LEVELS}
    for one in kept:
        if one.teaches:
            continue
        home = _last(one, homes, units)
        if home is None:
            levels[_level(one)[1]].steps.append(_step(track, one, one.practices))
        else:
            # As on Exercism: exercises that teach a concept open what comes next, and practice is optional.
            home.steps.append({**_step(track, one, one.practices), "weight": 0})
    return list(levels.values())


def _last(one: Exercise, homes: Mapping[str, str], units: Mapping[str, _Unit]) -> _Unit | None:
    place = {name: i for i, name in enumerate(units)} if one.prerequisites else {}
    needed = max((home for _, home in _needed(one, homes)), key=place.__getitem__, default=None)
    return None if needed is None else units[needed]


def _needed(one: Exercise, homes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for i, concept in enumerate(one.prerequisites):
        if concept in homes:
            yield join(join(one.path, "prerequisites"), i), homes[concept]


def _untaught(track: Track) -> Iterator[Remark]:
    teachers: dict[str, Exercise] = {}
    for one in sorted(track.exercises, key=lambda one: one.left_out):
        for concept in one.teaches:
            teachers.setdefault(concept, one)
    for one in track.exercises:
        for i, concept in enumerate(one.prerequisites):
            teacher = teachers.get(concept)
            # A draft may require what another draft teaches.
            if teacher is None or (teacher.left_out and not one.left_out):
                said = f"{show(concept)}, which {show(one.slug)} requires, is taught by {_nothing(teacher)}"
                known = "" if concept in track.concepts else ", and is none of the track's concepts"
                mine = f" ({show(one.slug)} is {one.status} and left out itself)" if one.left_out else ""
                yield Remark(UNTAUGHT, join(join(one.path, "prerequisites"), i), said + known + mine)


def _nothing(teacher: Exercise | None) -> str:
    return "no exercise" if teacher is None else f"{show(teacher.slug)} alone, which is {teacher.status}"


def _without_circles(units: Mapping[str, _Unit]) -> Iterator[Remark]:
    """Remove a requirement of each circle, that of its first module: otherwise none of them could be opened."""
    while found := list(circles({name: list(unit.requires) for name, unit in units.items()})):
        for circle in found:
            first, second = circle[0], [*circle, circle[0]][1]
            place = units[first].requires.pop(second)
            chain = " → ".join([*circle, first])
            yield Remark(
                CIRCLE, place, f"closes a circle, {chain}; {show(first)} is made not to require {show(second)}"
            )


def _in_order(units: Mapping[str, _Unit]) -> Iterator[str]:
    """The modules in the track's order, except that each comes after those that it requires."""
    place = {name: i for i, name in enumerate(units)}
    names, waiting = list(units), {name: len(unit.requires) for name, unit in units.items()}
    opens: dict[str, list[str]] = {name: [] for name in units}
    for name, unit in units.items():
        for needed in unit.requires:
            opens[needed].append(name)
    ready = [place[name] for name, count in waiting.items() if not count]
    heapify(ready)
    while ready:
        name = names[heappop(ready)]
        yield name
        for after in opens[name]:
            waiting[after] -= 1
            if not waiting[after]:
                heappush(ready, place[after])


def _early(kept: Sequence[Exercise], homes: Mapping[str, str], units: Mapping[str, _Unit]) -> Iterator[Remark]:
    """Remarks on practice whose module does not require, even indirectly, everything that the exercise requires."""
    before: dict[str, set[str]] = {}
    for name, unit in units.items():
        before[name] = {name}.union(*(before[needed] for needed in unit.requires))
    for one in kept:
        home = None if one.teaches else _last(one, homes, units)
        missing = {needed for _, needed in _needed(one, homes)} - before[home.id] if home else set()
        if home and missing:
            names = ", ".join(name for name in units if name in missing)
            said = f"{show(one.slug)} opens with {show(home.id)}, though it requires {names} as well"
            yield Remark(EARLY, join(one.path, "prerequisites"), said)


def _module(unit: _Unit, order: Sequence[str]) -> dict[str, Any]:
    requires = [name for name in order if name in unit.requires]
    return {"id": unit.id, "title": unit.title, "requires": requires, "steps": unit.steps}


def _step(track: Track, one: Exercise, topics: Sequence[str]) -> dict[str, Any]:
    step: dict[str, Any] = {"id": one.slug, "kind": "exercise", "title": one.name}
    if topics:
        step["topics"] = list(topics)
    return {**step, "points": _level(one)[2], "url": f"{SITE}/{track.slug}/exercises/{one.slug}"}


def _level(one: Exercise) -> tuple[int, str, int]:
    return next(level for level in LEVELS if one.difficulty <= level[0])


def _free(name: str, taken: Mapping[str, Any]) -> str:
    while name in taken:
        name += "-exercises"
    return name
