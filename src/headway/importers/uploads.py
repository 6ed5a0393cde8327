"""Imports of files that an admin sent: run in the background, for a limited time, with a report that names nobody."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from threading import Event
from typing import Any, Final

import msgspec
import structlog

from headway.domain.errors import HeadwayError
from headway.importers.intake import Summary
from headway.importers.json_files import JsonFiles
from headway.importers.leftovers import FOLDER, folder_for_an_import
from headway.importers.records import Doubted, Importer, Read, Reject
from headway.importers.run import FORMATS, rehearse, run
from headway.importers.sent import Upload
from headway.ledger import importing
from headway.store.database import Database

log = structlog.get_logger()

# How many bytes `json-files` may hold unpacked, as each file is read whole: several times what a request can hold.
UNPACKED_MAX: Final = 8 * 1024 * 1024
SECONDS_MAX: Final = 600.0
SHOWN_MAX: Final = 100
# Each file lies in a folder named after its number in the upload.
_FILE: Final = re.compile(rf"{re.escape(gettempdir())}/{FOLDER}[^/]+/(\d+)/[A-Za-z0-9._-]+")


class _Stopped(HeadwayError):
    """The import was stopped before its end."""

    code = "import-stopped"


def run_upload(database: Database, run_id: str, upload: Upload, *, now: Callable[[], int], stopping: Event) -> None:
    """Import what was sent, and note how it ended: done, failed, stopped with the server, or timed-out.

    What was recorded by then stays; the same files can be sent again.
    """
    progress = _Progress(database, run_id, now, stopping)
    outcome, report = "failed", None
    try:
        with folder_for_an_import() as folder:
            summary = _import(database, upload, folder, progress)
        outcome, report = "done", _told(upload, summary)
    except _Stopped as stopped:
        outcome = stopped.detail
    except HeadwayError as refusal:
        report = msgspec.json.encode({"problem": _nameless(refusal.detail)}).decode()
    except Exception:
        log.exception("import_failed")
        raise
    finally:
        importing.end(database, run_id, (outcome, progress.done), report, now=now())
    log.info("imported", outcome=outcome, bytes=progress.done)


def _import(database: Database, upload: Upload, folder: Path, progress: "_Progress") -> Summary:
    paths = []
    for n, one in enumerate(upload.files):
        (folder / str(n)).mkdir()
        path = folder / str(n) / one.name
        path.write_bytes(one.content)
        paths.append(str(path))
    work = rehearse if upload.dry_run else run
    return work(database, _importer(upload, paths, progress), read=progress, rejected=progress.look, alone=False)


def _importer(upload: Upload, paths: list[str], look: Read) -> Importer:
    if upload.format == "json-files":
        return JsonFiles(paths, upload.course_map, most=UNPACKED_MAX, look=look)
    return FORMATS[upload.format](paths)


def _told(upload: Upload, summary: Summary) -> str:
    return msgspec.json.encode(
        {
            "dry_run": upload.dry_run,
            "read": summary.read,
            "recorded": summary.recorded,
            "duplicates": summary.duplicates,
            "doubted": dict(summary.doubted),
            "refused": dict(summary.refused),
            "left_out": dict(summary.left_out),
            "streaks": summary.streaks,
            "learners": summary.learners,
            "courses": [one.course for one in summary.courses],
            "doubts": [_line(one) for one in summary.doubts[:SHOWN_MAX]],
            "rejects": [_line(one) for one in summary.rejects[:SHOWN_MAX]],
        }
    ).decode()


def _line(one: Reject | Doubted) -> dict[str, Any]:
    """A reject or doubt with its file's number: a file's name can name a learner, who may be erased."""
    file = int(Path(one.place.file).parent.name)
    said = {"reason": one.reason, "message": _nameless(one.message)}
    return {"file": file, "line": one.place.line, "record": one.place.record} | said


def _nameless(message: str) -> str:
    said = _FILE.sub(r"files[\1]", message)
    return "a file cannot be read as one of this format" if FOLDER in said else said


class _Progress:
    """Counts bytes, notes their number every second, and stops an import that takes too long or whose server stops."""

    def __init__(self, database: Database, run_id: str, now: Callable[[], int], stopping: Event) -> None:
        self.done = 0
        self._database = database
        self._run_id = run_id
        self._now = now
        self._stopping = stopping
        self._began = self._noted = time.monotonic()

    def __call__(self, count: int) -> None:
        self.done += count
        self.look(None)

    def look(self, _: object) -> None:
        """Raise _Stopped if the import has to stop now."""
        if self._stopping.is_set():
            raise _Stopped("stopped")
        at = time.monotonic()
        if at - self._began > SECONDS_MAX:
            raise _Stopped("timed-out")
        if at - self._noted > 1:
            self._noted = at
            if not importing.note(self._database, self._run_id, self.done, now=self._now()):
                raise _Stopped("lost")
