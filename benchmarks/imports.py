"""How long `headway import oulad` and `headway audit` of it take, and how much memory the import needs."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.contenders import headway_path
from benchmarks.databases import DATABASES, SQLITE, Databases
from benchmarks.figures import FIGURE_HEADS, Figure, table
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


def figures(kind: str, data: Path, databases: Databases) -> list[Figure]:
    """Import the data into a new database and audit it."""
    url = databases.create(kind, f"imports_{kind}")
    import_s, import_mb = run("import", "oulad", str(data), "--database", url)
    audit_s, _ = run("audit", "--database", url)
    return [
        Figure(f"{kind}: import oulad", import_s, "under", IMPORT_S, ".1f", " s"),
        Figure(f"{kind}: import oulad, memory", import_mb, "under", IMPORT_MB, ".0f", " MB"),
        Figure(f"{kind}: audit", audit_s, "under", AUDIT_S, ".1f", " s"),
    ]


def options() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="the folder of OULAD's files")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default=SQLITE)
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 where a limit is broken or the data is absent"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--dir", type=Path, help="where the throw-away folder of the databases is made")
    return parser.parse_args()


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    given = options()
    if not given.data.is_dir():
        print(f"NOT MEASURED: OULAD's files are not in {given.data}; name their folder as the argument.")
        return int(given.strict)
    found: list[Figure] = []
    try:
        for kind in DATABASES:
            if given.database in {kind, "both"}:
                with Databases(given.dir) as databases:
                    found += figures(kind, given.data, databases)
    except Broken as error:
        print(error, file=sys.stderr)
        return 1
    print(table(FIGURE_HEADS, [figure.row() for figure in found]))
    if given.json:
        given.json.write_text(json.dumps([figure.plain() for figure in found], indent=2) + "\n")
    return int(given.strict and not all(figure.met for figure in found))


if __name__ == "__main__":
    sys.exit(main())
