"""How long `headway demo` takes from the command to the first page."""

import argparse
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Final

from benchmarks.contenders import headway_path
from benchmarks.figures import FIGURE_HEADS, Figure, table
from benchmarks.servers import Broken, free_port

READY_S: Final = 10.0
PATIENCE_S: Final = 120.0
ROUNDS: Final = 3


def taken_s(folder: Path) -> float:
    """Seconds from the command to the first page."""
    port, began = free_port(), perf_counter()
    command = [headway_path(), "demo", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, env=os.environ, stdout=subprocess.DEVNULL) as demo:
        try:
            while not _is_there(port):
                if demo.poll() is not None or perf_counter() - began > PATIENCE_S:
                    raise Broken("headway demo did not come up")
                sleep(0.01)
            return perf_counter() - began
        finally:
            demo.terminate()


def _is_there(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5) as page:  # our own address
            return bool(page.status == 200)
    except OSError:
        return False


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo", description=__doc__)
    parser.add_argument("--strict", action="store_true", help="exit with 1 where the limit is broken")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        took = median(taken_s(Path(folder)) for _ in range(ROUNDS))
    found = Figure("headway demo, until its first page", took, "under", READY_S, ".1f", " s")
    print(table(FIGURE_HEADS, [found.row()]))
    return int(given.strict and not found.met)


if __name__ == "__main__":
    sys.exit(main())
