"""A home for the length of a run: no test reads or writes what the person who runs the tests keeps in their own."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

# Where Headway keeps its data and its settings in a home on Linux, and where it does on macOS.
DEFAULT_FOLDERS: Final = (
    ".local/share/headway",
    ".local/state/headway",
    ".config/headway",
    "Library/Application Support/headway",
)
# npm and pip go on with their registries and what they have fetched.
_LENT: Final = (".npmrc", ".npm", ".cache", "Library/Caches", ".config/pip")
_SIGN: Final = "This is a test's throw-away home: name a database or a file of settings of the test's own.\n"


def move_in(home: Path, variables: MutableMapping[str, str] = os.environ) -> None:
    """Make `home` this process's, and its children's. Whatever falls back on a default folder in there fails."""
    before = Path(variables.get("HOME") or Path.home())
    for name in _LENT:
        if (before / name).exists():
            _below(home, name).symlink_to(before / name)
    for name in DEFAULT_FOLDERS:
        _below(home, name).write_text(_SIGN)
    for name in [one for one in variables if one.startswith("HEADWAY_")]:
        del variables[name]
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        variables.pop(name, None)
    variables["HOME"] = str(home)


def _below(home: Path, name: str) -> Path:
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    return home / name
