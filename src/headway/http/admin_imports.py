"""Imports by upload, for admins: files are read in the background, and the outcome can be read afterwards."""

import re
from base64 import b64decode
from binascii import Error as NoBase64
from functools import partial
from typing import Annotated, Any, Final, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, Struct, UnsetType
from sqlalchemy.engine import Connection, RowMapping

from headway.domain.errors import Invalid
from headway.domain.times import format_time
from headway.http import who
from headway.http.admin_achievements import administered, check_admin
from headway.http.bodies import read_json
from headway.http.cursors import LIMIT, Cursor, Limit, cut
from headway.http.exchange import Asked
from headway.http.ids import is_id
from headway.http.refusals import NotFound
from headway.http.reply import PERSONAL, Reply, json_reply
from headway.http.services import Services
from headway.http.who import Reader
from headway.importers.sent import Sent, Upload
from headway.ledger import importing
from headway.store import upkeep

FILES_MAX: Final = 200
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", re.ASCII)
_NAME_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9._-]*$"


class FileSent(Struct, forbid_unknown_fields=True):
    """A file: its name, and its content as base64, since it may be in any encoding."""

    # The pattern is for the contract alone: a name that does not match is refused in words.
    name: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": 200, "pattern": _NAME_PATTERN})]
    base64: str


class MapSent(Struct, forbid_unknown_fields=True):
    """For `json-files`: the course, and the step that each exercise is in it, by the exercise's old id."""

    course: str
    exercises: dict[str, str]


class ImportSent(Struct, forbid_unknown_fields=True):
    """Files to import, or with `dry_run` to check. A request holds 2 MiB: larger imports are for the command line."""

    # Formats that are single files; the others are folders, which the command line takes.
    format: Literal["json-files", "jsonl", "csv"]
    files: Annotated[list[FileSent], Meta(min_length=1, max_length=FILES_MAX)]
    dry_run: bool = False
    map: MapSent | UnsetType | None = UNSET


class ImportLine(Struct):
    """A remark on a record: the number of its file among those sent (from 0), its line, and what is wrong.

    `record` is its number in the file, from 1; null for files with a record in each line.
    """

    file: int
    line: int
    reason: str
    message: str
    record: int | None = None


class ImportReported(Struct):
    """The result of an import; `doubts` and `rejects` hold the first hundred."""

    dry_run: bool
    read: int
    recorded: int
    duplicates: int
    doubted: dict[str, int]
    refused: dict[str, int]
    left_out: dict[str, int]
    streaks: int
    learners: int
    courses: list[str]
    doubts: list[ImportLine]
    rejects: list[ImportLine]


class ImportShown(Struct):
    """An import: `done` of `total` bytes were read.

    `status` is running, done, failed (then `problem` says why), stopped (with its server), timed-out, or lost (its
    process ended). What was recorded stays, and the same files can be sent again. `report` is null until it is done.
    """

    id: str
    status: str
    began_at: str
    ended_at: str | None
    done: int
    total: int
    problem: str | None
    report: ImportReported | None


class ImportList(Struct):
    """The imports that are known, those that began last first; all but the latest are forgotten in time."""

    items: list[ImportShown]
    next_cursor: str | None


_sent: Final = msgspec.json.Decoder(ImportSent).decode


@post("/admin/imports", status_code=202)
async def start_import(request: Asked) -> Reply:
    """Import files in the background; one import is under way at a time."""
    services = await administered(request)
    sent = await read_json(request, _sent)
    upload = _upload(sent)
    total = sum(len(one.content) for one in upload.files)
    begun = await services.run(partial(importing.begin, services.database, total, now=who.now()))
    services.in_background(partial(_run, services, begun["id"], upload))
    return json_reply(_shown(begun), 202, (PERSONAL,))


@get("/admin/imports")
async def list_imports(request: Asked, limit: Limit = LIMIT, cursor: Cursor = None) -> Reply:
    """Imports by upload: the one that is under way, and past ones."""

    def look(connection: Connection, reader: Reader) -> ImportList:
        check_admin(reader)
        found, behind = cut(upkeep.newest(connection, importing.KIND), _place, tuple[int, str], limit, cursor)
        return ImportList([_shown(one) for one in found], behind)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), 200, (PERSONAL,))


@get("/admin/imports/{import_id:str}")
async def read_import(request: Asked, import_id: FromPath[str]) -> Reply:
    """An import: how far it has come, or what became of it."""

    def look(connection: Connection, reader: Reader) -> ImportShown:
        check_admin(reader)
        found = upkeep.one(connection, importing.KIND, import_id) if is_id(import_id) else None
        if found is None:
            raise NotFound("there is no import of that id, or it was long ago")
        return _shown(found)

    return json_reply(await who.read_as_caller(request, look, scope="admin"), 200, (PERSONAL,))


def _run(services: Services, import_id: str, upload: Upload) -> None:
    from headway.importers.uploads import run_upload  # noqa: PLC0415  # few need it, and a server starts sooner so

    run_upload(services.database, import_id, upload, now=who.now, stopping=services.stopping)


def _upload(sent: ImportSent) -> Upload:
    if sent.map and sent.format != "json-files":
        raise Invalid("a map goes with json-files; the other formats name their courses themselves", field="map")
    course_map: dict[str, Any] | None = msgspec.structs.asdict(sent.map) if sent.map else None
    return Upload(sent.format, [_file(n, one) for n, one in enumerate(sent.files)], course_map, sent.dry_run)


def _file(n: int, one: FileSent) -> Sent:
    if not _NAME.fullmatch(one.name):
        what = "must be 1 to 200 letters (a to z), digits, dots, hyphens and underscores, a letter or digit first"
        raise Invalid(f"files[{n}].name: {what}", field=f"files[{n}].name")
    try:
        return Sent(one.name, b64decode(one.base64, validate=True))
    except (NoBase64, ValueError):
        raise Invalid(f"files[{n}].base64: must be base64", field=f"files[{n}].base64") from None


def _place(row: RowMapping) -> tuple[int, str]:
    return -row["began_at"], row["id"]


def _shown(row: RowMapping) -> ImportShown:
    told = msgspec.json.decode(row["report"]) if row["report"] else {}
    report = msgspec.convert(told, ImportReported) if told and "problem" not in told else None
    ended_at = None if row["ended_at"] is None else format_time(row["ended_at"])
    times = (format_time(row["began_at"]), ended_at)
    return ImportShown(row["id"], _status(row), *times, row["done"], row["total"], told.get("problem"), report)


def _status(row: RowMapping) -> str:
    if row["outcome"]:
        return str(row["outcome"])
    return "lost" if row["noted_at"] < who.now() - importing.LOST_AFTER else "running"


handlers: Final = [start_import, list_imports, read_import]
