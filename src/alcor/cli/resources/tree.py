"""The tree of commands where it grows from declarations: a branch is built when it is asked for.

`alcor agent` should not wait for the declarations of forty kinds, nor `alcor port list` for the
options of all their commands.
"""

from collections.abc import Callable, Mapping
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from alcor.cli.help import Commands, Group

Command = tuple[str, Callable[..., None]]  # its help, and what it does
RESOURCES = "Resources"


class Branch(Group):
    """The commands of one kind."""

    def __init__(self, builders: Mapping[str, Callable[[], Command]], **attrs: Any) -> None:
        super().__init__(
            no_args_is_help=True, rich_help_panel=RESOURCES, rich_markup_mode=None, **attrs
        )
        self._builders = builders
        for name in builders:
            self.commands[name] = TyperGroup(name=name)  # until it is built

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, built now if it has not been."""
        known = self.commands.get(cmd_name)
        if isinstance(known, TyperGroup):
            self.commands[cmd_name] = known = built(cmd_name, *self._builders[cmd_name]())
        return known


class Tree(Group):
    """The top: what it was given, and a branch a kind."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command or branch; declarations are read for one that is nothing else."""
        if cmd_name not in self.commands:
            self._grow()
        return super().get_command(ctx, cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        """All of them."""
        self._grow()
        return super().list_commands(ctx)

    def _grow(self) -> None:
        from alcor.cli.kinds import plural, resources
        from alcor.cli.resources.commands import commands_of

        for name, kind in resources().items():
            if name not in self.commands:
                several = plural(kind)
                about = f"{several[:1].upper()}{several[1:]}."
                self.add_command(Branch(commands_of(name), name=name, help=about))


def built(name: str, about: str, function: Callable[..., None]) -> TyperCommand:
    """The command of a function."""
    one = Commands(about, add_completion=False)
    one.command(name, help=about)(function)
    command = get_command(one)
    assert isinstance(command, TyperCommand)
    return command
