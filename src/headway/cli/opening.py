"""Opening the database that a command works on."""

import gc
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from headway.cli.screen import say
from headway.domain.errors import HeadwayError

if TYPE_CHECKING:
    from headway.store.database import Database

DatabaseOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--database", metavar="URL", help="sqlite:///FILE or postgresql://HOST/NAME.", show_default=False),
]
RedisOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--redis", metavar="URL", help="redis://HOST:PORT/NUMBER, a cache of the leaderboards.", show_default=False
    ),
]


class NotReady(HeadwayError):
    """The database is not ready for this command."""

    code = "not-ready"


@contextmanager
def database_of(flag: str | None, *, make: bool = False) -> Iterator["Database"]:
    """The database that the settings name, with the current tables; NotReady if it lacks them.

    With `make`, an empty one is set up. Tables of an older version are left alone: a server may be using them.
    """
    from headway.http.logs import configure_logs
    from headway.store.migrate import current, newest

    configure_logs("warning")
    # Folding a ledger makes thousands of small objects, of which hardly any is part of a cycle.
    gc.set_threshold(50_000, 20, 50)
    with connected(flag, make=make) as database:
        if make:
            database.make_file()  # else SQLite would make it when it is first read, readable by everybody
        with database.read() as connection:
            revision = current(connection)
        if revision is None and make:
            bring_up_to_date(database)
        elif revision is None:
            raise NotReady(f"there is nothing in {database.shown} yet: `headway serve` or `headway migrate` sets it up")
        elif revision != newest():
            raise NotReady(
                f"{database.shown} is at revision {revision}, this Headway needs {newest()}: run `headway migrate`"
                " (a server that starts does so by itself)"
            )
        yield database


def bring_up_to_date(database: "Database") -> None:
    """Migrate a database to the current tables; say where there were none, so that a mistyped address is noticed."""
    from headway.store.migrate import migrate

    before, _ = migrate(database)
    if before is None:
        say(f"There was nothing in {database.shown} yet: it was set up.")
    check_takes_writes(database)


def check_takes_writes(database: "Database") -> None:
    """Raise NotReady if the database is a PostgreSQL server that takes no writes."""
    from headway.store.condition import takes_writes

    with database.read() as connection:
        if not takes_writes(connection):
            raise NotReady(f"{database.shown} is a standby, or read-only: name the one that takes writes")


@contextmanager
def database_or_none(flag: str | None) -> Iterator["Database | None"]:
    """The database that the settings name, with the current tables, for a dry run to read; None if it is empty."""
    from headway.settings import load_settings
    from headway.store.database import Database
    from headway.store.migrate import current

    path = Database(load_settings(database_url=flag).database_url).path
    is_there = path is None or path.exists()
    if is_there:
        with connected(flag) as database, database.read() as connection:
            is_there = current(connection) is not None
    if not is_there:
        yield None
        return
    with database_of(flag) as database:
        yield database


@contextmanager
def database_to_try(flag: str | None) -> Iterator["Database"]:
    """As `database_or_none`, but a temporary, empty database instead of None, for a dry run that is as the real one."""
    from tempfile import TemporaryDirectory

    from headway.store.database import Database
    from headway.store.migrate import migrate

    with database_or_none(flag) as found:
        if found is not None:
            yield found
            return
        with (
            TemporaryDirectory(prefix="headway-try-") as folder,
            closing(Database(f"sqlite:///{folder}/headway.db")) as made,
        ):
            migrate(made)
            yield made


@contextmanager
def connected(flag: str | None, *, make: bool = False) -> Iterator["Database"]:
    """The database that the settings name, whatever is in it."""
    from headway.settings import load_settings

    settings = load_settings(database_url=flag)
    with opened(settings.database_url, settings.archive_folder, make=make) as database:
        yield database


@contextmanager
def opened(url: str, archive_folder: str | None = None, *, make: bool) -> Iterator["Database"]:
    """A database by its address. A SQLite file is made only where asked, a folder for it only in the usual place."""
    from headway.settings import data_folder
    from headway.store.database import Database

    database = Database(url, archive_folder)
    try:
        if database.path is not None:
            if make and database.path.parent == data_folder():
                database.path.parent.mkdir(parents=True, exist_ok=True)
            if not database.path.parent.is_dir():
                raise NotReady(f"there is no folder {database.path.parent} for the database; make it, or name another")
            if not make and not database.path.exists():
                raise NotReady(
                    f"there is no database {database.path} yet: `headway serve` or `headway migrate` makes it;"
                    " one that is elsewhere is named with --database"
                )
        yield database
    finally:
        database.close()
