"""Folders: a change of their entries survives a power cut only once the folder itself is synced."""

import os
from pathlib import Path


def sync(folder: Path) -> None:
    """Make files created, renamed or removed in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
