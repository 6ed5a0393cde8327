"""The folders in which imports keep what was sent, while they last."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

FOLDER: Final = "headway-import-"
# No import takes this long: whoever made an older folder was killed.
LIVES_S: Final = 3_600.0


@contextmanager
def folder_for_an_import() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    clear_leftovers()
    with TemporaryDirectory(prefix=FOLDER) as name:
        yield Path(name)


def clear_leftovers() -> None:
    """Remove what imports left whose process was killed: it is of learners, and nobody erases it there."""
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
