"""What commands print: data to standard output, all else to standard error."""

import codecs
import json
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Annotated, Any, Final, TypeAlias

import typer

from headway.domain.errors import HeadwayError

JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]

# Escape sequences for bold, dim and green text, and for the end of it.
BOLD, DIM, GREEN, END = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m"
# Control characters, and those that change the direction of text; CRLF stays, as in tables for Windows.
_ORDERS: Final = r"(?!\r\n)[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
_ORDER: Final = re.compile(_ORDERS)
_UNPAINTED: Final = re.compile(rf"({'|'.join(map(re.escape, (BOLD, DIM, GREEN, END)))})|{_ORDERS}")


class Misused(HeadwayError):
    """The command was called in a way that it does not understand."""

    code = "misused"


def show(text: str) -> None:
    """Print data."""
    typer.echo(harmless(text))


def show_json(value: Any) -> None:
    """Print data as JSON: indented for eyes, in one line for pipes."""
    indent = 2 if sys.stdout.isatty() else None
    typer.echo(harmless_json(json.dumps(value, indent=indent, ensure_ascii=not is_unicode())))


def show_parts(parts: Iterable[bytes], *, is_json: bool) -> None:
    """Print text in UTF-8 on a terminal, each part as it comes."""
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    for part in parts:
        text = decode(part)
        typer.echo(harmless_json(text) if is_json else harmless(text), nl=False)
        sys.stdout.flush()


def harmless(text: str) -> str:
    """Text without control characters, except our own colors: titles and names are chosen by others."""
    return _UNPAINTED.sub(lambda found: found[1] or " ", text)


def harmless_json(text: str) -> str:
    """JSON that means the same, with control characters escaped."""
    return _ORDER.sub(lambda found: found[0] if found[0] == "\r" else f"\\u{ord(found[0]):04x}", text)


def show_whatever_can_be() -> None:
    """Show what the terminal's encoding lacks as `?`: a course's title may hold anything.

    Standard error escapes that by itself.
    """
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")


def is_unicode() -> bool:
    """Whether standard output takes every character."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def say(text: str) -> None:
    """Tell the operator something that is no data."""
    typer.echo(harmless(text), err=True)


def counted(count: int, what: str, several: str | None = None) -> str:
    """A count and its noun: `several` for any count but one, by default `what` with an s."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {several or f'{what}s'}"


def agreeing(count: int, one: str, many: str) -> str:
    """The word that agrees with a count: `is` with one event, `are` with none or several."""
    return one if count == 1 else many


def now() -> int:
    """The time, in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Bar:
    """A progress bar, and a way to print text while it is shown."""

    def __init__(self, advance: Callable[[int], None], say: Callable[[str], None]) -> None:
        self.advance = advance
        self.say = say


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Bar]:
    """Show a bar on standard error while something runs; none if standard error is not a terminal."""
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
            console.print(harmless(text), markup=False, highlight=False, soft_wrap=True)

        yield Bar(lambda count: bar.advance(task, count), tell)
