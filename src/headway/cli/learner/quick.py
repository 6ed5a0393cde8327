"""Commands that start fast when they are called with nothing but switches, as they mostly are.

typer has pydantic convert every value, defaults as well, and importing pydantic takes longer than all that `headway
status` does. A switch, which is true or false, needs no conversion.
"""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class QuickGroup(TyperGroup):
    """A group whose `--help` is a switch without conversion."""

    def get_help_option(self, ctx: Any) -> Any:
        """The help option, with a default that needs no conversion."""
        return _off(super().get_help_option(ctx))


class QuickCommand(TyperCommand):
    """A command that does without conversion if it is given nothing but switches."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take switches and defaults as they are; leave all other arguments to typer."""
        switches = {
            name: (one.name, value)
            for one in self.params
            if getattr(one, "is_flag", False)
            for names, value in ((one.opts, True), (one.secondary_opts, False))
            for name in names
        }
        if any(one.required for one in self.params) or not all(arg in switches for arg in args):
            return super().parse_args(ctx, args)
        ctx.params |= {one.name: one.default for one in self.params}
        ctx.params |= dict(switches[arg] for arg in args)
        return []


def _off(option: Any) -> Any:
    if option is not None:
        option.default = False
    return option
