"""The command as a whole: it answers at once, knows its version, and every command tells what it does."""

import re

import pytest

from headway import __version__
from tests.house.tree import ROOT, loaded_by
from tests.torture.server import Command

COMMANDS = (
    "login",
    "logout",
    "whoami",
    "courses",
    "start",
    "open",
    "test",
    "submit",
    "status",
    "history",
    "leaderboard",
    "sync",
    "outbox",
    "outbox retry",
    "outbox adopt",
    "outbox drop",
    "api",
    "completion",
    "serve",
    "demo",
    "course check",
    "course publish",
    "course import",
    "import",
    "admin create",
    "admin log",
    "grades list",
    "grades give",
    "grades override",
    "grades waive",
    "grades regrade",
    "achievements list",
    "leaderboards rebuild",
    "achievements backfill",
    "learners find",
    "learners roles",
    "learners claim-code",
    "learners link",
    "guests clear",
    "keys list",
    "keys new",
    "keys retire",
    "erase",
    "reset",
    "export",
    "erasures export",
    "erasures apply",
    "audit",
    "rebuild",
    "backup",
    "restore",
    "archive",
    "migrate",
    "doctor",
)
# What a command of any kind needs is imported when it runs.
HEAVY = ("sqlalchemy", "litestar", "uvicorn", "yaml", "alembic", "rich", "psycopg", "msgspec", "structlog")
OF_ALL = {"--help", "--database", "--json"}
REFERENCE = ROOT / "docs" / "reference" / "commands.md"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_does_and_stands_in_the_reference(command: str) -> None:
    done = Command(*command.split(), "--help")
    assert done.code == 0
    row = re.search(rf"^\| `headway {command}\b.*$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert row is not None, f"docs/reference/commands.md says nothing of headway {command}"
    assert flags_in(done.out) - OF_ALL <= flags_in(row.group())


def flags_in(text: str) -> set[str]:
    """The flags that a text names; those that switch something off stand for what they switch."""
    return {flag.replace("--no-", "--") for flag in re.findall(r"--[a-z][a-z-]+", text)}


def test_there_is_no_command_that_the_reference_does_not_have() -> None:
    listed = set(re.findall(r"^│ ([a-z]+) ", Command("--help").out, re.MULTILINE))
    assert listed == {command.split()[0] for command in COMMANDS}


def test_the_version_is_told() -> None:
    assert Command("--version").out == f"headway {__version__}\n"


def test_nothing_heavy_is_imported_before_a_command_runs() -> None:
    assert loaded_by("import headway.cli.app", *HEAVY) == []


def test_a_server_loads_nothing_that_only_others_need() -> None:
    starts = (
        "from headway.http.app import create_app, load_settings; create_app(load_settings(database_url='sqlite:///x'))"
    )
    others = ("psycopg", "redis", "requests", "opentelemetry.sdk", "alembic")
    assert loaded_by(starts, *others, "headway.http.contract", "headway.importers.run") == []
