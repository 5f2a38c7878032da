"""How help is written: plain text in sections, of which no terminal is too narrow to tell all.

Typer's own tables cut the names of options where there are 80 columns.
"""

from collections.abc import Callable, Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

width_max = 110  # columns; longer lines are hard to read


class Described(TyperCommand):
    """A command."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments, then the options of each panel."""
        _write_parameters(self.get_params(ctx), ctx, formatter)


class Group(TyperGroup):
    """A command of commands."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Options, then the commands of each panel."""
        _write_parameters(self.get_params(ctx), ctx, formatter)
        of_panel = []
        for name in self.list_commands(ctx):
            one: Any = self.get_command(ctx, name)
            of_panel.append((one.rich_help_panel or "Commands", (name, one.help)))
        _write(formatter, of_panel)


def _write_parameters(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    of_panel = []
    for one in parameters:
        if record := one.get_help_record(ctx):
            is_option = one.param_type_name == "option"
            usual = "Options" if is_option else "Arguments"
            of_panel.append((one.rich_help_panel or usual, record))
    _write(formatter, of_panel)


def _write(formatter: Any, of_panel: Iterable[tuple[str, tuple[str, str]]]) -> None:
    rows_by_panel: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for panel, row in of_panel:
        rows_by_panel.setdefault(panel, []).append(row)
    for panel, rows in rows_by_panel.items():
        if rows:
            with formatter.section(panel):
                formatter.write_dl(rows)


class Commands(typer.Typer):
    """Commands under one name, which alone shows its help."""

    def __init__(self, about: str, cls: type[TyperGroup] = Group, **how: Any) -> None:
        super().__init__(
            cls=cls,
            help=about,
            no_args_is_help=True,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            context_settings={"max_content_width": width_max},
            **how,
        )

    def command(self, name: str | None = None, **how: Any) -> Callable[..., Any]:
        """As Typer's."""
        return super().command(name, cls=Described, **how)
