"""`headway serve`: the HTTP server."""

import errno
import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from headway.cli.opening import DatabaseOption, RedisOption, bring_up_to_date, opened
from headway.cli.screen import say
from headway.domain.errors import HeadwayError

if TYPE_CHECKING:
    from headway.settings import Settings

HostOption: TypeAlias = Annotated[str | None, typer.Option("--host", help="The address to listen on.  [127.0.0.1]")]
PortOption: TypeAlias = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, help="The port to listen on; 0 takes a free one.  [8000]")
]
WorkersOption: TypeAlias = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes that serve; more than one needs PostgreSQL.  [1]")
]


class CannotServe(HeadwayError):
    """The server cannot start."""

    code = "cannot-serve"


class WorkersOnSqlite(HeadwayError):
    """More than one worker on a SQLite file."""

    code = "misused"


def serve(
    host: HostOption = None,
    port: PortOption = None,
    database: DatabaseOption = None,
    redis: RedisOption = None,
    workers: WorkersOption = None,
) -> None:
    """Serve learners over HTTP. The database is set up or brought up to date first."""
    from headway.settings import load_settings

    settings = load_settings(database_url=database, redis_url=redis, host=host, port=port, workers=workers)
    run(settings)


def run(settings: "Settings") -> None:
    """Serve until told to stop."""
    gc.disable()  # while it starts: what is loaded stays, and looking for cycles in it takes a tenth of the time
    from headway.http.claim import claimed
    from headway.http.tracing import check_installed
    from headway.store.database import Database

    if settings.workers > 1 and Database(settings.database_url).path is not None:
        raise WorkersOnSqlite("a SQLite file has one server of one process; leave --workers out, or use PostgreSQL")
    if settings.tracing:
        check_installed()
    # The port is taken first, so that a server that cannot have it leaves no files behind.
    with (
        closing(listen(settings.host, settings.port)) as listening,
        opened(settings.database_url, settings.archive_folder, make=True) as database,
        claimed(database),
    ):
        bring_up_to_date(database)
        database.close()  # the server opens its own
        serve_on(settings, listening, database.shown)


def serve_on(settings: "Settings", listening: socket.socket, database: str) -> None:
    """Serve on a listening socket until told to stop; `database` is the database's address as it is shown."""
    import uvicorn
    from uvicorn.config import STARTUP_FAILURE

    from headway.http.proxies import proxy_options
    from headway.http.stopping import PROTOCOL
    from headway.http.workers import Workers

    # Every process that serves reads its settings from its environment.
    os.environ |= settings.environment()
    config = uvicorn.Config(
        "headway.http.app:from_environment",
        factory=True,
        loop="uvloop",
        http=PROTOCOL,
        access_log=False,
        log_level="warning",
        workers=settings.workers,
        server_header=False,
        timeout_graceful_shutdown=10,
        **proxy_options(settings),
    )
    host, port = listening.getsockname()[:2]
    say(f"Headway listens on http://{f'[{host}]' if ':' in host else host}:{port} (database {database})")
    server = uvicorn.Server(config)
    # After it has stopped gracefully, uvicorn raises the signal again for the previous handler, which is this one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if settings.workers > 1:
        workers = Workers(config, sockets=[listening])
        with _counting_together():
            workers.run()
        has_failed = any(one.exitcode == STARTUP_FAILURE for one in workers.processes)
    else:
        try:
            server.run(sockets=[listening])
        except SystemExit as ended:
            if ended.code != STARTUP_FAILURE:
                raise
        has_failed = not server.started
    if has_failed:
        raise CannotServe("the server could not start; what it logged above says why")


@contextmanager
def _counting_together() -> Iterator[None]:
    """Make a folder in which workers share what they count, for /metrics."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="headway-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; it is taken before anything starts, so that a port in use is told in one line."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise CannotServe(f"the address {host!r} is not known here: {error.strerror}") from None
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        which = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
        raise CannotServe(f"{host}:{port} cannot be used: {error.strerror}; choose another with {which}") from None
    listening.set_inheritable(True)
    return listening
