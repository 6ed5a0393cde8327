"""The temporary folders in which imports keep the files that were sent."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

FOLDER: Final = "headway-import-"
# No import takes this long; the process that made an older folder was killed.
LIVES_S: Final = 3_600.0


@contextmanager
def folder_for_an_import() -> Iterator[Path]:
    """A folder that is deleted afterwards."""
    clear_leftovers()
    with TemporaryDirectory(prefix=FOLDER) as name:
        yield Path(name)


def clear_leftovers() -> None:
    """Delete folders left by killed imports: they hold learners' data that no erasure would reach."""
    before = time.time() - LIVES_S
    for folder in Path(gettempdir()).glob(f"{FOLDER}*"):
        if _is_left(folder, before):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path, before: float) -> bool:
    try:
        told = folder.lstat()
    except OSError:  # another process was faster
        return False
    return told.st_mtime < before and told.st_uid == os.getuid()
