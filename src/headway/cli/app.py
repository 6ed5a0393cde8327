"""The command `headway`: what commands there are, and how each failure is told."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from headway import __version__
from headway.cli.achievements import achievements
from headway.cli.admin import admin
from headway.cli.archive import archive
from headway.cli.backups import backup, restore
from headway.cli.boards import leaderboards
from headway.cli.course import course
from headway.cli.demo import demo
from headway.cli.doctor import doctor
from headway.cli.erase import erase, erasures
from headway.cli.export import export
from headway.cli.grades import grades
from headway.cli.guests import guests
from headway.cli.imports import import_
from headway.cli.keys import keys
from headway.cli.learner.api import api
from headway.cli.learner.catalog import courses, open_, start
from headway.cli.learner.completion import COMPLETE_VARIABLE, completion, prepare_completion
from headway.cli.learner.exercise import run_tests
from headway.cli.learner.handing_in import submit
from headway.cli.learner.quick import QuickCommand, QuickGroup
from headway.cli.learner.sign_in import login, logout, whoami
from headway.cli.learner.standing import history, leaderboard, status
from headway.cli.learner.waiting import outbox, sync
from headway.cli.learners import learners
from headway.cli.proof import audit, rebuild
from headway.cli.reset import reset
from headway.cli.screen import say, show_whatever_can_be
from headway.cli.serve import serve
from headway.cli.upkeep import migrate
from headway.client.errors import ClientError
from headway.domain.errors import HeadwayError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
LEARN, OPERATE = "Learn", "Operate"
_MISUSES = ("invalid-settings", "invalid-database-url", "misused", "invalid-event", "invalid-address")

app = typer.Typer(
    name="headway",
    cls=QuickGroup,
    help="Keeps learner progress: every event once, every figure derived from one ledger and provable.",
    epilog="Settings come from flags, then HEADWAY_* variables, then a TOML file.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    # `headway completion` explains it; typer's own options would cost every command a quarter of a second.
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(login)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(logout)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(whoami)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(courses)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(start)
app.command("open", cls=QuickCommand, rich_help_panel=LEARN)(open_)
app.command("test", cls=QuickCommand, rich_help_panel=LEARN)(run_tests)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(submit)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(status)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(history)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(leaderboard)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(sync)
app.add_typer(outbox, rich_help_panel=LEARN)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(api)
app.command(cls=QuickCommand, rich_help_panel=LEARN)(completion)
app.command(rich_help_panel=OPERATE)(serve)
app.command(rich_help_panel=OPERATE)(demo)
app.add_typer(course, rich_help_panel=OPERATE)
app.command("import", rich_help_panel=OPERATE)(import_)
app.add_typer(admin, rich_help_panel=OPERATE)
app.add_typer(grades, rich_help_panel=OPERATE)
app.add_typer(learners, rich_help_panel=OPERATE)
app.add_typer(guests, rich_help_panel=OPERATE)
app.add_typer(achievements, rich_help_panel=OPERATE)
app.add_typer(leaderboards, rich_help_panel=OPERATE)
app.add_typer(keys, rich_help_panel=OPERATE)
app.command(rich_help_panel=OPERATE)(erase)
app.add_typer(erasures, rich_help_panel=OPERATE)
app.command(rich_help_panel=OPERATE)(reset)
app.command(rich_help_panel=OPERATE)(export)
app.command(rich_help_panel=OPERATE)(audit)
app.command(rich_help_panel=OPERATE)(rebuild)
app.command(rich_help_panel=OPERATE)(backup)
app.command(rich_help_panel=OPERATE)(restore)
app.command(rich_help_panel=OPERATE)(archive)
app.command(rich_help_panel=OPERATE)(migrate)
app.command(rich_help_panel=OPERATE)(doctor)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"headway {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), nl=False)


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 failed, 2 misused, 75 kept on this device to be sent later, 130 stopped from the keyboard.
    """
    if COMPLETE_VARIABLE in os.environ:
        prepare_completion()
    show_whatever_can_be()
    try:
        _leave(app(prog_name="headway", standalone_mode=False))
    except typer.TyperException as error:
        _fail(_said_of_misuse(error), MISUSED)
    except typer.Abort:
        _fail("stopped at the prompt", FAILED)
    except (HeadwayError, ClientError) as error:
        _fail(error.detail, MISUSED if error.code in _MISUSES else FAILED)
    except BrokenPipeError:
        # The program that reads the output has gone, as `head` does: nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except Exception as error:
        from headway.cli.failures import explain

        explained = explain(error)
        if explained is None:
            raise
        _fail(explained, FAILED)


def _said_of_misuse(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "headway"
    # Values are converted by pydantic, which puts the kind of the error before what a check says.
    said = error.format_message().replace(": Value error, ", ": ", 1).rstrip(".")
    return f"{said}; see `{command} --help`"


def _leave(code: int | None) -> NoReturn:
    if code == INTERRUPTED:
        _fail("stopped", INTERRUPTED)
    sys.exit(code)


def _fail(said: str, code: int) -> NoReturn:
    say(f"headway: {said}")
    sys.exit(code)
