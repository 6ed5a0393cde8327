"""Where words go: data to standard output, all else to standard error."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Annotated, Any, TypeAlias

import typer

from headway.domain.errors import HeadwayError

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Misused(HeadwayError):
    """The command was called in a way that it does not understand."""

    code = "misused"


def show(text: str) -> None:
    """Print data."""
    typer.echo(text)


def show_json(value: Any) -> None:
    """Print data as JSON: indented for eyes, in one line for pipes."""
    indent = 2 if sys.stdout.isatty() else None
    typer.echo(json.dumps(value, indent=indent, ensure_ascii=not is_unicode()))


def show_whatever_can_be() -> None:
    """What the encoding of a terminal does not know is shown as `?`: a course's title may hold anything.

    Standard error escapes that by itself.
    """
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def is_unicode() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def say(text: str) -> None:
    """Tell the operator something that is no data."""
    typer.echo(text, err=True)


def counted(count: int, what: str, several: str | None = None) -> str:
    """So many of something, in words; `several` where more of it are not called so with an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {several or f'{what}s'}"


def agreeing(count: int, one: str, many: str) -> str:
    """The form that goes with so many: `is` with one event, `are` with none or several."""
    return one if count == 1 else many


def now() -> int:
    """The time, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Bar:
    """A progress bar, and a way to say something while it is there."""

    def __init__(self, advance: Callable[[int], None], say: Callable[[str], None]) -> None:
        self.advance = advance
        self.say = say


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Bar]:
    """A bar on standard error while something runs, gone when it is done; none where nobody looks."""
    if not sys.stderr.isatty():
        yield Bar(lambda _: None, say)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)

        def tell(text: str) -> None:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

        yield Bar(lambda count: bar.advance(task, count), tell)
