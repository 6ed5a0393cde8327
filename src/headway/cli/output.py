"""What commands write into files: whole, or not at all."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def output(file: str) -> Iterator[IO[bytes]]:
    """A file to write to, or standard output for `-`; under its name stands nothing that was not finished.

    Pipes and devices are written to as they are.
    """
    path = Path(file)
    if file == "-" or (path.exists() and not path.is_file()):
        with path.open("wb") if file != "-" else _standard() as out:
            yield out
        return
    path = path.resolve()
    unfinished = path.with_name(f"{path.name}.part")
    try:
        with unfinished.open("wb") as out:
            if path.exists():
                shutil.copymode(path, unfinished)
            yield out
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


@contextmanager
def _standard() -> Iterator[IO[bytes]]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
