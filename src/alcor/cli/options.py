"""Options that many commands share, and options that are made of settings."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Optional

import msgspec
import typer

from alcor.agent.config import AgentConfig
from alcor.cli.tables import Output
from alcor.runtime.config import settings_of


def _one_of(*outputs: Output) -> Callable[[Output], Output]:
    """Refuse a form that a command's result does not have."""

    def checked(output: Output) -> Output:
        if output not in outputs:
            raise typer.BadParameter(f"it is written as {', '.join(outputs)}")
        return output

    return checked


_HOW = "How to write the result."
# Of resources; of rows of anything else; and of what is no rows.
Format = Annotated[Output, typer.Option("--format", "-f", help=_HOW, rich_help_panel="Client")]
RowsFormat = Annotated[
    Output,
    typer.Option(
        "--format",
        "-f",
        help=_HOW,
        metavar="table|json|yaml|csv|value",
        callback=_one_of(Output.TABLE, Output.JSON, Output.YAML, Output.CSV, Output.VALUE),
        rich_help_panel="Client",
    ),
]
WholeFormat = Annotated[
    Output,
    typer.Option(
        "--format",
        "-f",
        help=_HOW,
        metavar="table|json|yaml",
        callback=_one_of(Output.TABLE, Output.JSON, Output.YAML),
        rich_help_panel="Client",
    ),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="FIELD=VALUE",
        help="Any field of the API by its name; VALUE is JSON, or else text. Repeatable.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="ALCOR_CONFIG", help="A TOML file.", exists=True),
]

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SETTING=VALUE",
        help="Any setting by its name, as `alcor config show` tells them. Repeatable.",
    ),
]

_TYPES: Mapping[str, Any] = {"int": int, "float": float, "bool": bool}


def setting_parameters(
    type_: type[msgspec.Struct], short: Mapping[str, str] = MappingProxyType({})
) -> list[Parameter]:
    """An option for every setting of a type without sections; `short` has other names for some.

    None is what no option says: then the environment, the file or the default does.
    """
    made = []
    for setting in settings_of(type_):
        names = [setting.name.replace("_", "-"), *filter(None, [short.get(setting.name)])]
        about = setting.description
        metavar = "NUMBER" if setting.type in ("int", "float") else "TEXT"
        decls = [f"--{name}" for name in names]
        option = typer.Option(*decls, help=about, metavar=metavar, show_default=False)
        kind: Any = _TYPES.get(setting.type, str)
        annotation = Annotated[Optional[kind], option]  # noqa: UP045 - a value, not a type
        parameter = Parameter(setting.name, Parameter.KEYWORD_ONLY, annotation=annotation)
        made.append(parameter.replace(default=None))
    return made


def of_agent() -> list[Parameter]:
    """The options of an agent, which are also those of who looks at its host."""
    return setting_parameters(AgentConfig, {"lease_s": "lease"})


def named(name: str, annotation: Any, default: object = None) -> Parameter:
    """A parameter of a command that is put together."""
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def pair(text: str, what: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(f"'{text}' is not of the form {what}")
    return key, value


def fields(given: Sequence[str] | None) -> dict[str, Any]:
    """What `--field` says: JSON where it can be read as such, text otherwise."""
    values = {}
    for one in given or ():
        key, text = pair(one, "FIELD=VALUE")
        try:
            values[key] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            values[key] = text
    return values


def settings(given: Sequence[str] | None) -> dict[str, str]:
    """What `--set` says."""
    return dict(pair(one, "SETTING=VALUE") for one in given or ())


def given(**values: object) -> dict[str, Any]:
    """The fields that were given: not None, not empty text, not an empty list."""
    return {key: value for key, value in values.items() if value not in (None, "", [])}
