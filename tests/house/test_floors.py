"""What import contracts cannot say of the floors: the domain is alone, and only the ledger writes."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import python_files, text_of

IMPURE = frozenset(
    [
        "asyncio",
        "concurrent",
        "http",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "random",
        "secrets",
        "shutil",
        "socket",
        "sqlite3",
        "ssl",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
    ]
)
IMPURE_CALLS = frozenset(["input", "now", "open", "print", "today", "utcnow", "uuid1", "uuid4"])
WRITES = re.compile(
    r"\bINSERT\s+(?:OR\s+\w+\s+)?INTO\b|\bUPDATE\s+\w+\s+SET\b|\bDELETE\s+FROM\b|\bREPLACE\s+INTO\b|\bTRUNCATE\b"
    r"|\bMERGE\s+INTO\b|\bCOPY\s+\w+.*\bFROM\b|from sqlalchemy.* import .*\b(?:insert|update|delete)\b"
    r"|\b(?:sa|sqlalchemy)\.(?:insert|update|delete)\(|\.transaction\("
)
# What the client writes is a file of its own, on the learner's device.
WRITERS = ("ledger", "store", "client")


def imported(source: str) -> Iterator[str]:
    """The full names of the modules that a source imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "."


def called(source: str) -> Iterator[str]:
    """The last names of what a source calls."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", ""))


def impurities(source: str) -> set[str]:
    """What a source of the domain uses and may not: the world outside, or what others wrote."""
    modules = {name for name in imported(source) if name.partition(".")[0] not in sys.stdlib_module_names - IMPURE}
    foreign = {name for name in modules if name != "headway.domain" and not name.startswith("headway.domain.")}
    return foreign | (set(called(source)) & IMPURE_CALLS)


def writes(source: str) -> list[str]:
    """The statements of a source that write to a database."""
    return [found.group() for found in WRITES.finditer(source)]


def package_of(path: Path) -> str:
    return path.parts[2].removesuffix(".py")


def test_the_domain_uses_the_standard_library_alone_and_nothing_of_the_world() -> None:
    found = {str(path): impurities(text_of(path)) for path in python_files("src") if package_of(path) == "domain"}
    assert not {path: names for path, names in found.items() if names}


def test_only_the_ledger_writes() -> None:
    found = {str(path): writes(text_of(path)) for path in python_files("src") if package_of(path) not in WRITERS}
    assert not {path: statements for path, statements in found.items() if statements}


@pytest.mark.parametrize(
    "source",
    [
        "import os.path",
        "from time import time",
        "import msgspec",
        "from headway.store import schema",
        "from headway import domain",
        "from . import errors",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "open('x')",
    ],
)
def test_an_impure_domain_is_found(source: str) -> None:
    assert impurities(source)


def test_a_pure_domain_passes() -> None:
    assert not impurities("import datetime\nfrom zoneinfo import ZoneInfo\nfrom headway.domain.errors import X\n")


@pytest.mark.parametrize(
    "source",
    [
        "text('INSERT INTO event VALUES (1)')",
        "text('INSERT OR REPLACE INTO event VALUES (1)')",
        "'update learner set x = 1'".upper(),
        "'DELETE  FROM event'",
        "from sqlalchemy import select, update",
        "sa.insert(event)",
        "with database.transaction() as connection:",
    ],
)
def test_a_write_is_found(source: str) -> None:
    assert writes(source)


@pytest.mark.parametrize("source", ["SELECT x FROM event FOR NO KEY UPDATE", "values.update(x)", "database.read()"])
def test_a_read_passes(source: str) -> None:
    assert not writes(source)
