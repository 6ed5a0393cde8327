"""What went wrong outside of Headway, said in a line: the database, the disk, files."""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

_ADVICE: Final = {
    errno.EACCES: "give the user who runs this the right to it, or name another place",
    errno.EROFS: "name a place that can be written to",
    errno.ENOSPC: "make room",
}


def explain(error: Exception) -> str | None:
    """One line for a failure that is no defect of Headway's; None for one that is, which deserves its traceback."""
    if isinstance(error, DBAPIError):
        return _of_database(error)
    if isinstance(error, OSError):
        return _of_system(error)
    if isinstance(error, SQLAlchemyError):
        return f"the database refused: {_first_line(error)}"
    return None


def _of_database(error: DBAPIError) -> str | None:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        if isinstance(cause, sqlite3.ProgrammingError):
            return None
        return f"the SQLite database cannot be used: {cause}; `headway doctor` tells more"
    state = getattr(cause, "sqlstate", None)
    if state is None or state[:2] in ("08", "57", "53", "28", "3D"):
        return f"PostgreSQL cannot be used: {_first_line(cause)}; see that it runs and that --database names it rightly"
    return None


def _of_system(error: OSError) -> str | None:
    if not error.strerror:
        return None
    place = "the system refused" if error.filename is None else str(Path(str(error.filename)))
    advice = _ADVICE.get(error.errno or 0)
    return f"{place}: {error.strerror}{f'; {advice}' if advice else ''}"


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0].strip()
