"""`headway completion`: the script by which a shell completes commands, courses and steps."""

from enum import StrEnum
from typing import Annotated, Final

import typer

from headway.cli.screen import show

COMPLETE_VARIABLE: Final = "_HEADWAY_COMPLETE"


_REGISTERED: Final = "compdef _headway_completion headway"
# zsh loads a function's file when it is first called: without the call here, the first Tab would propose nothing.
_REGISTERED_OR_CALLED: Final = f"""if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _headway_completion "$@"
else
  {_REGISTERED}
fi"""


class Shell(StrEnum):
    """A shell that there is a completion script for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", show_default=False)]) -> None:
    """Print what makes a shell complete commands, courses and steps, for its start-up file."""
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name="headway", complete_var=COMPLETE_VARIABLE, shell=shell.value)
    show(script.replace(_REGISTERED, _REGISTERED_OR_CALLED))


def prepare_completion() -> None:
    """Have typer answer a shell that asks what could come next."""
    from typer._completion_classes import completion_init

    completion_init()
