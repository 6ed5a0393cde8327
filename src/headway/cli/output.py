"""What commands write into files: whole, or not at all."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from headway.cli.screen import Misused

# What SQLite's files begin with: a database, its log (in either order of bytes), its journal.
_SQLITE: Final = (b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7")
_BEGINNING: Final = max(map(len, _SQLITE))


@contextmanager
def output(file: str) -> Iterator[IO[bytes]]:
    """Yield a file to write to, or standard output for `-`; the file gets its name when it is finished.

    A new file can be read by its owner alone. Pipes and devices are written to directly, SQLite databases never.
    """
    path = Path(file)
    if file == "-" or (path.exists() and not path.is_file()):
        with path.open("wb") if file != "-" else _standard() as out:
            yield out
        return
    path = path.resolve()
    if path.exists() and _is_database(path):
        raise Misused(f"{file} is a SQLite database, or part of one, which nothing is written over: name another file")
    with whole(path, mode=0o600) as out:
        yield out


@contextmanager
def whole(path: Path, *, mode: int) -> Iterator[IO[bytes]]:
    """Yield a file to write to, which gets its name when it is finished; a file that it replaces keeps its mode."""
    from headway.store.folders import sync

    # Under a random name, so that each of two processes that write one file at once writes a whole one.
    unfinished = path.with_name(f".headway-{os.urandom(8).hex()}.part")
    try:
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            if path.exists():
                unfinished.chmod(stat.S_IMODE(path.stat().st_mode))
            yield out
            out.flush()
            os.fsync(descriptor)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync(path.parent)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_BEGINNING).startswith(_SQLITE)


@contextmanager
def _standard() -> Iterator[IO[bytes]]:
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()
