"""`headway demo`: a server on a throw-away database, with a course and learners to look at."""

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from headway.cli.browsing import BrowserOption, open_page
from headway.cli.screen import now, say, show
from headway.domain.errors import HeadwayError

if TYPE_CHECKING:
    from socket import socket

    from headway.demo.stage import Staged
    from headway.ledger.audit import AuditReport

# No secret: it opens two invented accounts, on this machine alone.
PASSWORD: Final = "one-step-at-a-time"  # noqa: S105  # as said above
HOST: Final = "127.0.0.1"
PORT: Final = 8000
STEP, ANSWER = "one-folder-up", "b"
_LISTENED_TO: Final = ("HEADWAY_LOG_LEVEL", "HEADWAY_RATE_LIMITS")


class KeptAlready(HeadwayError):
    """There is a demo in the folder already."""

    code = "misused"


def demo(
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="The port to listen on.  [8000, or a free one]", show_default=False),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep the database in this folder.", show_default=False)
    ] = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Start the server.")] = True,
    browser: BrowserOption = True,
) -> None:
    """Start a server on a throw-away database with a course and learners. Ctrl-C stops it and leaves nothing behind."""
    with _stopping_cleanly(), _folder(keep) as folder:
        if serve:
            _serve(folder / "headway.db", port, browser=browser)
        else:
            _tell(*_set_up(folder / "headway.db"))
    say(f"The database is {keep / 'headway.db'}: {_again(keep)}." if keep else "Nothing is left of the demo.")


def _serve(path: Path, port: int | None, *, browser: bool) -> None:
    from headway.cli.serve import serve_on
    from headway.settings import load_settings

    with closing(_listening(port)) as listening:
        port = listening.getsockname()[1]
        staged, audited = _set_up(path)
        _tell(staged, audited)
        _tell_where(f"http://{HOST}:{port}", staged.course_id)
        if browser:
            open_page(f"http://{HOST}:{port}/")  # an early request waits: the port is listening
        _leave_other_settings()
        settings = load_settings(database_url=_url(path), host=HOST, port=port, demo=True, issuer_name="Headway demo")
        serve_on(settings, listening, str(path))


def _listening(port: int | None) -> "socket":
    """A socket on the requested port; without one, on the usual port, or on a free one if that is taken."""
    from headway.cli.serve import CannotServe, listen

    if port is not None:
        return listen(HOST, port)
    try:
        return listen(HOST, PORT)
    except CannotServe:
        say(f"Port {PORT} is taken: this takes a free one.")
        return listen(HOST, 0)


def _set_up(path: Path) -> "tuple[Staged, AuditReport]":
    """Fill a new database, and audit it."""
    import anyio

    from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL
    from headway.demo.stage import prove, stage
    from headway.http.logs import configure_logs
    from headway.http.passwords import Passwords
    from headway.store.database import Database
    from headway.store.migrate import migrate

    configure_logs("warning")
    say("Setting up a course and some months of learning …")
    hashes = {email: anyio.run(Passwords().hash, PASSWORD) for email in (LEARNER_EMAIL, CREATOR_EMAIL)}
    gc.disable()  # what is made here holds no cycles, and looking for some takes a tenth of the time
    try:
        with closing(Database(_url(path))) as database:
            migrate(database)
            return stage(database, now=now(), password_hashes=hashes), prove(database)
    finally:
        gc.enable()


def _tell(staged: "Staged", audited: "AuditReport") -> None:
    found = "no differences" if audited.clean else f"{audited.found:,} DIFFERENCES"
    show(f"Course {staged.course_id}: {staged.learners:,} people learn in it, {staged.recorded:,} events recorded")
    show(f"audit: {audited.learners:,} learners (its creator is one) with {audited.events:,} entries, {found}")


def _tell_where(url: str, course: str) -> None:
    from headway.demo.people import CREATOR_EMAIL, LEARNER_EMAIL

    api = f"{url}/api/v1"
    show(f"""
Look at       {url}/
The API       {url}/api/docs
Sign in as    {LEARNER_EMAIL} (a learner) or {CREATOR_EMAIL} (the course's creator)
Password      {PASSWORD}

Answer a question as a guest, and read your progress back:

  curl -sS -c guest.cookies {api}/courses/{course}/steps/{STEP}/attempts \\
    -w '\\n' -H 'Content-Type: application/json' -d '{{"answer": "{ANSWER}"}}'

  curl -sS -w '\\n' -b guest.cookies {api}/progress

Ctrl-C stops the demo.
""")


def _leave_other_settings() -> None:
    """Ignore settings meant for another server, above all its Redis; those in `_LISTENED_TO` still count."""
    from headway.settings import CONFIG_VARIABLE, PREFIX

    for name in [name for name in os.environ if name.startswith(PREFIX) and name not in _LISTENED_TO]:
        del os.environ[name]
    os.environ[CONFIG_VARIABLE] = os.devnull


def _again(keep: Path) -> str:
    return f"`headway serve --database {_url(keep / 'headway.db')}` starts it again"


def _url(path: Path) -> str:
    return f"sqlite:///{path}"


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to keep the database in, or a temporary one."""
    from tempfile import TemporaryDirectory

    if keep is None:
        with TemporaryDirectory(prefix="headway-demo-") as name:
            yield Path(name)
        return
    if (keep / "headway.db").exists():
        raise KeptAlready(f"there is a demo in {keep} already: {_again(keep)}; for a new one name another folder")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep


@contextmanager
def _stopping_cleanly() -> Iterator[None]:
    """Have SIGTERM, SIGHUP and Ctrl-C all end the demo normally, so that its folder is removed."""
    handlers = {signal.SIGTERM: _interrupt, signal.SIGHUP: _terminate}
    # A signal that is ignored stays so: somebody started the demo with nohup.
    heard = [number for number in handlers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handlers[number]) for number in heard}
    try:
        yield
    except KeyboardInterrupt:
        pass
    except SystemExit as end:  # how a server ends that was told to stop
        if end.code:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _terminate(_number: int, _frame: Any) -> None:
    """Pass SIGHUP on as SIGTERM, to the handler that is set by now: a running server stops by itself."""
    signal.raise_signal(signal.SIGTERM)
