"""The DaleStudy group's LeetCode solutions, from the history of its repository: problems.json and activity.csv.

A solution added or changed (A, M) for a problem in the catalog is a passed attempt, at the author's local time and day;
solutions moved or deleted (R, D), and problems not in the catalog, are left out.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from headway.domain.errors import Invalid
from headway.domain.events import check_event
from headway.importers.reading import CsvRow, content_of, file_in, folder_of, rows, size_of
from headway.importers.records import ImportFailed, Item, LeftOut, Read, Record, Reject, Unreadable, checked_learner
from headway.ledger.enlist import derived_id

COURSE: Final = "dalestudy-leetcode"
POINTS: Final = {"Easy": 10, "Medium": 20, "Hard": 30}
SOLVED: Final = ("A", "M")
CHANGES: Final = {"R": "moved", "D": "deleted"}
_COLUMNS: Final = ("batch", "learner", "problem", "lang", "change", "authored_at")


class DaleStudy:
    """A folder that holds problems.json and activity.csv, plain or gzipped."""

    def __init__(self, paths: Sequence[str]) -> None:
        folder = folder_of(paths, "dalestudy takes one folder, the one that holds problems.json and activity.csv")
        self.activity = file_in(folder, "activity.csv")
        self.problems = _problems(file_in(folder, "problems.json"))

    @property
    def size(self) -> int | None:
        """The size in bytes of the file that is streamed."""
        return size_of([self.activity])

    def manifests(self) -> Iterable[Mapping[str, Any]]:
        """The one course, with a module per difficulty, all open from the start."""
        return [manifest(self.problems)]

    def items(self, read: Read) -> Iterator[Item]:
        """One item per solution."""
        for row in rows(self.activity, read, _COLUMNS):
            if isinstance(row, Reject):
                yield row
                continue
            try:
                yield self._item(row)
            except Invalid as fault:
                yield Reject.of(row.place, fault)

    def _item(self, row: CsvRow) -> Item:
        batch, learner, problem, lang, change, authored_at = row.cells
        if change in CHANGES:
            return LeftOut(row.place, CHANGES[change])
        if change not in SOLVED:
            raise Unreadable(f"change must be one of A, M, R, D, not {change!r}", field="change")
        if problem not in self.problems:
            return LeftOut(row.place, "uncatalogued")
        content = {"type": "attempted", "course": COURSE, "step": problem, "occurred_at": authored_at, "score": 1}
        # Solutions in one commit share its time, and a copied commit has the time of the first one; so an id takes all
        # of these to be unique.
        event_id = derived_id("dalestudy", batch, learner, problem, lang, change)
        return Record(row.place, checked_learner(f"dalestudy:{learner}"), check_event(event_id, content))


def manifest(problems: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The manifest of the catalog as a course."""
    modules = []
    for difficulty, points in POINTS.items():
        steps = [_step(name, one, points) for name, one in sorted(problems.items()) if one["difficulty"] == difficulty]
        if steps:
            modules.append({"id": difficulty.lower(), "title": difficulty, "requires": [], "steps": steps})
    return {
        "id": COURSE,
        "title": "LeetCode with DaleStudy",
        "description": "The problems of the DaleStudy group. Source: DaleStudy/leetcode-study, MIT.",
        "complete_by": "steps",
        "modules": modules,
    }


def _step(name: str, problem: Mapping[str, Any], points: int) -> dict[str, Any]:
    title = name.replace("-", " ").capitalize()
    return {"id": name, "kind": "exercise", "title": title, "topics": problem["categories"], "points": points}


def _problems(path: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        problems = json.loads(content_of(path))
    except (ValueError, RecursionError) as error:
        raise ImportFailed(f"{path} is no JSON: {error}") from None
    whole = isinstance(problems, dict) and all(
        isinstance(one, dict) and one.get("difficulty") in tuple(POINTS) and isinstance(one.get("categories"), list)
        for one in problems.values()
    )
    if not whole:
        raise ImportFailed(f"{path} must give each problem a difficulty ({', '.join(POINTS)}) and categories")
    return problems  # type: ignore[no-any-return]  # looked at just now
