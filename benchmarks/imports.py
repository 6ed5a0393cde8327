"""How long `headway import oulad` and `headway audit` of it take, and how much memory the import needs."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks.command import on_each, options_of_databases, tell
from benchmarks.contenders import headway_path
from benchmarks.databases import SQLITE, Databases
from benchmarks.figures import Figure
from benchmarks.servers import ROOT, Broken

DATA = ROOT.parent / "shared" / "data" / "oulad"
IMPORT_S = 60.0
IMPORT_MB = 500.0
AUDIT_S = 30.0


def run(*arguments: str) -> tuple[float, float]:
    """The seconds that a Headway command took and the most memory that it held, in MB; it must succeed."""
    started = perf_counter()
    process = subprocess.Popen([headway_path(), *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Broken(f"headway {' '.join(arguments)} exited with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return seconds, usage.ru_maxrss * unit / 2**20


def figures(kind: str, databases: Databases, data: Path) -> list[Figure]:
    """Import the data into a new database and audit it."""
    url = databases.create(kind, f"imports_{kind}")
    import_s, import_mb = run("import", "oulad", str(data), "--database", url)
    audit_s, _ = run("audit", "--database", url)
    return [
        Figure("import oulad", import_s, "under", IMPORT_S, ".1f", " s"),
        Figure("import oulad, memory", import_mb, "under", IMPORT_MB, ".0f", " MB"),
        Figure("audit", audit_s, "under", AUDIT_S, ".1f", " s"),
    ]


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    parser = options_of_databases("imports", __doc__, default=SQLITE)
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="the folder of OULAD's files")
    given = parser.parse_args()
    if not given.data.is_dir():
        print(f"NOT MEASURED: OULAD's files are not in {given.data}; name their folder as the argument.")
        return int(given.strict)
    return tell(given, on_each(given, partial(figures, data=given.data)))


if __name__ == "__main__":
    sys.exit(main())
