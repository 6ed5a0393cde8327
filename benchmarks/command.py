"""The commands of all benchmarks: what they can be asked, what they print, what they end with."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from benchmarks.databases import DATABASES, Databases
from benchmarks.figures import FIGURE_HEADS, Figure, table
from benchmarks.servers import Broken
from headway.http.logs import configure_logs

Found: TypeAlias = tuple[str, Sequence[Figure]]


def options(name: str, about: str | None) -> argparse.ArgumentParser:
    """What every benchmark can be asked."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=about)
    parser.add_argument("--strict", action="store_true", help="exit with 1 where a limit is broken")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--dir", type=Path, help="where the throw-away folder of what it makes is made")
    return parser


def options_of_databases(name: str, about: str | None, default: str = "both") -> argparse.ArgumentParser:
    """What a benchmark of databases can be asked."""
    parser = options(name, about)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default=default, help=f"[{default}]")
    return parser


def kinds(given: argparse.Namespace) -> list[str]:
    """The kinds of database that were asked for."""
    return [kind for kind in DATABASES if given.database in {kind, "both"}]


def on_each(given: argparse.Namespace, figures: Callable[[str, Databases], Iterable[Figure]]) -> Iterator[Found]:
    """What is found on each kind of database, in a folder of its own."""
    for kind in kinds(given):
        with Databases(given.dir) as databases:
            yield kind, list(figures(kind, databases))


def tell(given: argparse.Namespace, measured: Iterable[Found]) -> int:
    """Measure, print each part as it is there, and say by the exit code whether all went as it must."""
    configure_logs("warning")
    found: dict[str, Sequence[Figure]] = {}
    try:
        for part, figures in measured:
            found[part] = figures
            print(f"== {part}\n\n{table(FIGURE_HEADS, [one.row() for one in figures])}\n", flush=True)
    except Broken as error:
        print(error, file=sys.stderr)
        return 1
    if given.json:
        plain = {part: [one.plain() for one in figures] for part, figures in found.items()}
        given.json.write_text(json.dumps(plain, indent=2) + "\n")
    return int(given.strict and not all(one.met for figures in found.values() for one in figures))
