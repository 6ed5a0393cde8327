"""The archive's files: compressed lines of JSON, each written whole and read again before anything relies on it."""

import gzip
import os
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from headway.domain.errors import HeadwayError
from headway.store.folders import sync

# How many of the files read last are kept in memory: replaying a ledger moves between few at a time.
_KEPT: Final = 4
_COMPRESSION: Final = 6
_UNPACKED_MAX: Final = 64 * 1024**2


class ArchiveUnavailable(HeadwayError):
    """A part of the ledger lies in the archive, and cannot be read there."""

    code = "archive-unavailable"


class FileMissing(ArchiveUnavailable):
    """A file of the archive is not there."""


class Written(NamedTuple):
    """A file of the archive: its name, its size in bytes and its digest."""

    name: str
    size: int
    sha256: str


class Archive:
    """The folder that holds a database's archive, if the settings name one."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._kept: OrderedDict[str, list[bytes]] = OrderedDict()
        self._lock = Lock()

    @property
    def folder(self) -> Path:
        """The folder; ArchiveUnavailable where the settings name none."""
        if self._folder is None:
            raise ArchiveUnavailable(
                "where the archive lies is not said: name its folder by the setting archive_folder, the same to every"
                " server and command"
            )
        return self._folder

    def prepare(self) -> None:
        """Create the folder, for its owner alone; the folder above it must exist."""
        with suppress(FileExistsError):
            self.folder.mkdir(mode=0o700)

    def write(self, name: str, lines: Sequence[bytes]) -> Written:
        """Write a new file and read it back, so that it is known to be on the disk as given."""
        path = self.folder / name
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(gzip.compress(b"".join(line + b"\n" for line in lines), _COMPRESSION, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        sync(self.folder)
        if self._read(name) != list(lines):
            raise ArchiveUnavailable(
                f"{path} does not hold what was written into it: look at the disk; it moved nothing"
            )
        content = path.read_bytes()
        return Written(name, len(content), sha256(content).hexdigest())

    def lines(self, name: str) -> list[bytes]:
        """The lines of a file; FileMissing, or ArchiveUnavailable where it cannot be read."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        found = self._read(name)
        with self._lock:
            self._kept[name] = found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        with self._lock:
            self._kept.pop(name, None)
        with suppress(FileNotFoundError):
            (self.folder / name).unlink()
            sync(self.folder)

    def fault(self, file: Written) -> str | None:
        """What is wrong with a file, which is read whole; None if nothing is."""
        path = self.folder / file.name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return "is missing"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        is_whole = (len(content), sha256(content).hexdigest()) == (file.size, file.sha256)
        return None if is_whole else "is damaged: it is not what was written"

    def damaged(self, name: str, what: str) -> ArchiveUnavailable:
        """The error for a file without the right content; dropped from memory, it is read again once put back."""
        with self._lock:
            self._kept.pop(name, None)
        return _unavailable(self.folder / name, what)

    def _read(self, name: str) -> list[bytes]:
        path = self.folder / name
        try:
            with gzip.open(path) as file:
                content = file.read(_UNPACKED_MAX)
        except FileNotFoundError:
            raise FileMissing(_told(path, "is missing")) from None
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise _unavailable(path, "is damaged") from None
        except OSError as error:
            raise _unavailable(path, f"cannot be read ({error.strerror})") from None
        return content.split(b"\n")[:-1]


def _unavailable(path: Path, what: str) -> ArchiveUnavailable:
    return ArchiveUnavailable(_told(path, what))


def _told(path: Path, what: str) -> str:
    return (
        f"the archive's file {path} {what}: put it back from a copy of the folder, or restore a backup;"
        " `headway archive --check` looks at all files"
    )
