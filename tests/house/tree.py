"""The files that the house rules are held over: those that git tracks, or would."""

import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("src", "tests", "benchmarks")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is tracked or new and not ignored, relative to the root."""
    # The checkout may belong to another user, as in a container of CI: git refuses that unless told otherwise.
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return tuple(sorted({Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()}))


def python_files(*tops: str) -> list[Path]:
    """The Python files below some of the top folders (all that hold code, where none is named)."""
    return [path for path in project_files() if path.suffix == ".py" and path.parts[0] in (tops or CODE)]


def text_of(path: Path) -> str:
    """What a project file says, or nothing where it is no text."""
    try:
        return (ROOT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def loaded_by(program: str, *names: str) -> list[str]:
    """Which of these modules are there once a program has run in a process of its own."""
    said = f"{program}; import sys; print(*(name for name in {names} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True).stdout.split()
