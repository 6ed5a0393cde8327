"""How long `headway demo` takes from the command to the first page."""

import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Final

from benchmarks.command import Found, options, tell
from benchmarks.contenders import headway_path
from benchmarks.figures import Figure
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


def measured(parent: Path | None) -> Iterator[Found]:
    """Start the demo some times."""
    with tempfile.TemporaryDirectory(prefix="headway-bench-", dir=parent) as folder:
        took = median(taken_s(Path(folder)) for _ in range(ROUNDS))
    yield "headway demo", [Figure("until its first page", took, "under", READY_S, ".1f", " s")]


def main() -> int:
    """Measure, print, and say by the exit code whether all went as it must."""
    given = options("demo", __doc__).parse_args()
    return tell(given, measured(given.dir))


if __name__ == "__main__":
    sys.exit(main())
