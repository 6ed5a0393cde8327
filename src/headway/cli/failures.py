"""One line for what went wrong outside of Headway: the database, the disk, files."""

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
# By SQLSTATE, or by its class, the first two characters.
_ADVICE_ON_POSTGRESQL: Final = {
    **dict.fromkeys(("08", "28", "3D", "53", "57"), "see that it runs and that --database names it rightly"),
    "25006": "it is a standby, or read-only: name with --database the one that takes writes",
    "42501": "give the role in --database the right to it, or name the role that Headway's tables belong to",
    "55P03": "another session holds what this needs: once it has ended, run this again",
    "58": "`headway doctor` and PostgreSQL's own log tell more",
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
    state = getattr(cause, "sqlstate", None) or "08"
    advice = _ADVICE_ON_POSTGRESQL.get(state) or _ADVICE_ON_POSTGRESQL.get(state[:2])
    return f"PostgreSQL cannot be used: {_first_line(cause)}; {advice}" if advice else None


def _of_system(error: OSError) -> str | None:
    if not error.strerror:
        return None
    place = "the system refused" if error.filename is None else str(Path(str(error.filename)))
    advice = _ADVICE.get(error.errno or 0)
    return f"{place}: {error.strerror}{f'; {advice}' if advice else ''}"


def _first_line(error: object) -> str:
    return str(error).strip().partition("\n")[0].strip()
