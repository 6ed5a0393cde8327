"""`headway completion`: what makes a shell complete commands, courses and steps."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from headway.cli.screen import show

COMPLETE_VARIABLE: Final = "_HEADWAY_COMPLETE"


class Shell(StrEnum):
    """A shell that can be told how to complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", show_default=False)]) -> None:
    """Print what makes a shell complete commands, courses and steps, for its start-up file."""
    from typer._completion_shared import get_completion_script

    show(get_completion_script(prog_name="headway", complete_var=COMPLETE_VARIABLE, shell=shell.value))


def prepare_completion() -> None:
    """A shell asks what could come next: have typer answer it."""
    from typer._completion_classes import completion_init

    completion_init()
