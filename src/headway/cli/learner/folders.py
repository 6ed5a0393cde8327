"""A course's folder on the learner's machine: a folder for each step with files, and a file that describes it."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from headway.cli.output import whole
from headway.cli.screen import Misused

MARK: Final = ".headway.json"
_SLUG: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.ASCII)
# As on the server, and checked here again: what a server sends is written to this machine.
_PART: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.+-]*[A-Za-z0-9_+-])?", re.ASCII)
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.ASCII | re.IGNORECASE)


class CourseFolder(NamedTuple):
    """A course's folder: its server and course, the tests of its steps, and the step in whose folder we are, if any."""

    path: Path
    server: str
    course: str
    tests: Mapping[str, Mapping[str, Any]]
    step: str | None

    def folder_of(self, step: str) -> Path:
        """Where a step's files lie."""
        return self.path / step


def course_around(start: Path | None = None) -> CourseFolder | None:
    """The course's folder that we are in, if any."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        mark = folder / MARK
        if mark.is_file():
            below = here.relative_to(folder).parts
            return _read(mark, below[0] if below else None)
    return None


def _read(mark: Path, below: str | None) -> CourseFolder:
    try:
        said = json.loads(mark.read_text(encoding="utf-8"))
        tests = dict(said["tests"])
        step = below if below in said["steps"] else None
        return CourseFolder(mark.parent, str(said["server"]), str(said["course"]), tests, step)
    except (ValueError, KeyError, TypeError):
        raise Misused(f"{mark} cannot be read; `headway start` writes it anew") from None


def write_mark(folder: Path, server: str, course: str, steps: Mapping[str, Mapping[str, Any] | None]) -> None:
    """Write the file that describes the folder; `steps` are those that have files, with how they are tested."""
    tests = {name: test for name, test in steps.items() if test is not None}
    said = {"server": server, "course": course, "steps": sorted(steps), "tests": tests}
    _put(folder / MARK, json.dumps(said, indent=2) + "\n")


def lay_out(folder: Path, files: Mapping[str, str], *, force: bool) -> Iterator[tuple[str, str]]:
    """Write a step's files; yields each path, and whether it was `written`, the `same`, or `kept` as the learner's."""
    for path, text in files.items():
        check_path(path)
        target = folder.joinpath(*path.split("/"))
        _check_no_links(folder, target)
        if target.exists() and not force:
            yield path, "same" if target.read_bytes() == text.encode() else "kept"
            continue
        _put(target, text)
        yield path, "written"


def _put(target: Path, text: str) -> None:
    """Write a file whole or not at all: half a file would be taken for the learner's own change."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole(target, mode=0o666) as file:  # others may read it as the umask allows
        file.write(text.encode())


def check_path(path: str) -> None:
    """Refuse a path that leads out of the folder, or whose name is not that of a file on every system."""
    parts = path.split("/")
    if len(path) > 200 or not all(_PART.fullmatch(part) and not _DEVICE.fullmatch(part) for part in parts):
        raise Misused(f"the course has a file of the path {path[:200]!r}, which is not written here")


def check_name(name: str) -> str:
    """The id of a course or step, which becomes a folder's name; Misused if it is not an id."""
    if not _SLUG.fullmatch(name) or len(name) > 200 or _DEVICE.fullmatch(name):
        raise Misused(f"{name[:200]!r} is no id of a course or step")
    return name


def _check_no_links(folder: Path, target: Path) -> None:
    """Refuse symbolic links within the folder: they may lead anywhere."""
    while target != folder:
        if os.path.islink(target):  # noqa: PTH114  # of the path as it is, whatever it leads to
            raise Misused(f"{target} is a link; what it leads to is not written")
        target = target.parent
