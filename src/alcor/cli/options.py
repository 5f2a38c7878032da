"""Options that many commands share, and the client that they lead to."""

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from alcor.cli.tables import Output
from alcor.client.api import Api
from alcor.client.credentials import sign_in

default_endpoint = "http://127.0.0.1:9696"

Endpoint = Annotated[
    str,
    typer.Option(
        envvar="ALCOR_ENDPOINT", help="Where the control plane's API is.", rich_help_panel="Client"
    ),
]
Project = Annotated[
    str,
    typer.Option(envvar="ALCOR_PROJECT", help="Act in this project.", rich_help_panel="Client"),
]
Format = Annotated[
    Output,
    typer.Option("--format", "-f", help="How to write the result.", rich_help_panel="Client"),
]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field",
        metavar="FIELD=VALUE",
        help="Any other field of the API; VALUE is JSON, or else text. Repeatable.",
    ),
]
Wait = Annotated[
    float,
    typer.Option(
        "--wait", metavar="SECONDS", help="Wait this long for the hosts concerned; 0: don't wait."
    ),
]

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="ALCOR_CONFIG", help="A TOML file.", exists=True),
]

HostName = Annotated[str, typer.Option(help="This host's name, as in binding:host_id.")]
TunnelIp = Annotated[str, typer.Option(help="This host's address on the underlay.")]
ControlPlane = Annotated[
    str, typer.Option(help="Where the control plane waits for agents, HOST:PORT.")
]
OvsRundir = Annotated[str, typer.Option(help="Where the switch's sockets are.")]
StateDir = Annotated[str, typer.Option(help="Where the last goal state is kept.")]
Bridge = Annotated[str, typer.Option(help="The integration bridge.")]
DatapathType = Annotated[
    str, typer.Option(help="Of a bridge that the agent makes: netdev or system.")
]
BridgeMappings = Annotated[
    str, typer.Option(help="Uplinks to physical networks: NAME:BRIDGE,NAME:BRIDGE.")
]


def api(endpoint: str, project: str = "") -> Api:
    """The client of a command, signed in as the environment says."""
    signed = sign_in(os.environ)
    there = signed.endpoint if endpoint == default_endpoint and signed.endpoint else endpoint
    return Api(there, project, signed.token)


def pair(text: str, what: str) -> tuple[str, str]:
    """Split KEY=VALUE."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise typer.BadParameter(f"'{text}' is not of the form {what}")
    return key, value


def fields(given: list[str] | None) -> dict[str, Any]:
    """What `--field` says: JSON where it can be read as such, text otherwise."""
    values = {}
    for one in given or ():
        key, text = pair(one, "FIELD=VALUE")
        try:
            values[key] = msgspec.json.decode(text)
        except msgspec.DecodeError:
            values[key] = text
    return values


def given(**values: object) -> dict[str, Any]:
    """The fields that were given: not None, not empty text, not an empty list."""
    return {key: value for key, value in values.items() if value not in (None, "", [])}
