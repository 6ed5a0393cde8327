"""Text that commands are given: from a file or from standard input, in UTF-8."""

import sys
from pathlib import Path

import typer

from headway.cli.screen import Misused, say

STDIN = "-"


def text_of(file: str | Path) -> str:
    """The text of a file, or of standard input for `-`, with newlines as line ends; Misused if it is not UTF-8."""
    data = sys.stdin.buffer.read() if str(file) == STDIN else Path(file).read_bytes()
    return _decoded(data, _shown(file)).replace("\r\n", "\n").replace("\r", "\n")


def line_of_stdin() -> str:
    """The first line of standard input, without its end; Misused if it is not UTF-8."""
    return _decoded(sys.stdin.buffer.readline(), _shown(STDIN)).rstrip("\r\n")


def password(prompt: str = "Password", *, is_new: bool = False) -> str:
    """A password from the prompt, asked twice if it is new; without a terminal, the first line of standard input."""
    if sys.stdin.isatty():
        asked: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=is_new, err=True)
        return asked
    return line_of_stdin()


def confirm(question: str) -> None:
    """Ask before what cannot be undone; Abort if the answer is no, Misused if nobody is there to answer."""
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():
            raise
        say("")  # ends the line of the question
        raise Misused("nobody was there to answer: --yes does it without asking") from None
    if not agreed:
        raise typer.Abort


def _shown(file: str | Path) -> str:
    return "standard input" if str(file) == STDIN else str(file)


def _decoded(data: bytes, shown: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Misused(f"{shown}:{line}: this is not UTF-8; save it as UTF-8") from None
