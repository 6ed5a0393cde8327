"""Where words go: data to standard output, all else to standard error."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeAlias

import typer

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Advance: TypeAlias = Callable[[int], None]


def show(text: str) -> None:
    """Print data."""
    typer.echo(text)


def show_json(value: Any) -> None:
    """Print data as JSON: indented for eyes, in one line for pipes."""
    indent = 2 if sys.stdout.isatty() else None
    typer.echo(json.dumps(value, indent=indent, ensure_ascii=False))


def say(text: str) -> None:
    """Tell the operator something that is no data."""
    typer.echo(text, err=True)


def now() -> int:
    """The time, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Advance]:
    """A bar on standard error while something runs, gone when it is done; none where nobody looks."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
