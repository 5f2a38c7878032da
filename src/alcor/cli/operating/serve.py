"""`alcor up`, `alcor agent` and `alcor config`: Alcor's own processes, and what they are set to."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from alcor.agent.config import AgentConfig
from alcor.cli.help import Commands
from alcor.cli.options import ConfigFile, RowsFormat, Settings, given, named, of_agent, settings
from alcor.cli.session import with_parameters
from alcor.cli.tables import Output, plain, write_records, write_whole

_TITLES = {
    "setting": "Setting",
    "value": "Value",
    "environment": "Environment",
    "description": "What it is",
}
_AGENTS, _HEALTH = "agents.listen", "served.health_listen"

config_app = Commands("What Alcor is set to.")


def up(
    config: ConfigFile = None,
    data: Annotated[str, typer.Option(help="Folder of the databases.")] = "",
    listen: Annotated[str, typer.Option(help="The API's address, HOST:PORT.")] = "",
    agents_listen: Annotated[str, typer.Option(help="The agents' address, HOST:PORT.")] = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond the loopback, asking nobody's name.")
    ] = False,
    more: Settings = None,
) -> None:
    """Run a control plane."""
    from alcor.assembly.config import Config
    from alcor.assembly.embedded import serve
    from alcor.runtime.config import load

    options = given(data=data, listen=listen, insecure=insecure or None)
    options |= given(**{_AGENTS: agents_listen}) | settings(more)
    serve(load(Config, config, os.environ, options))


class Role(StrEnum):
    """What a process of a region does."""

    GATEWAY = "gateway"
    MANAGERS = "managers"
    DELIVERY = "delivery"


def serve(
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="What this process does.")],
    config: ConfigFile = None,
    listen: Annotated[str, typer.Option(help="A gateway's address, HOST:PORT.")] = "",
    health_listen: Annotated[
        str, typer.Option(help="Where managers and delivery answer /readyz, HOST:PORT.")
    ] = "",
    agents_listen: Annotated[str, typer.Option(help="The agents' address, HOST:PORT.")] = "",
    more: Settings = None,
) -> None:
    """Run one role of a control plane that is many processes."""
    from alcor.assembly import roles
    from alcor.assembly.config import Config
    from alcor.assembly.role import run
    from alcor.runtime.config import load

    options = given(**{"listen": listen, _HEALTH: health_listen, _AGENTS: agents_listen})
    main = {
        Role.GATEWAY: roles.gateway,
        Role.MANAGERS: roles.managers,
        Role.DELIVERY: roles.delivery,
    }[role]
    run(load(Config, config, os.environ, options | settings(more)), role, main)


@config_app.command("show", help="Show every setting of the control plane, and what it is now.")
def show(config: ConfigFile = None, output: RowsFormat = Output.TABLE) -> None:
    """Show the settings."""
    from alcor.assembly.config import Config
    from alcor.runtime.config import load, settings_of

    settings = load(Config, config, os.environ)
    if output in (Output.JSON, Output.YAML):
        write_whole(settings, output)
        return
    rows = []
    for setting in settings_of(Config):
        value: object = settings
        for name in setting.name.split("."):
            value = getattr(value, name)
        changed = "" if value == setting.default else f"(default {plain(setting.default)})"
        shown = f"{plain(value)} {changed}".strip()
        rows.append(
            {
                "setting": setting.name,
                "value": shown if output is Output.TABLE else plain(value),
                "environment": setting.environment,
                "description": setting.description,
            }
        )
    write_records(rows, _TITLES, output)


def _agent(config: Path | None, **options: Any) -> None:
    """Run a host's agent; what no option says, the file or the environment may."""
    from alcor.runtime.config import load
    from alcor.runtime.observability import logs

    settings = load(AgentConfig, config, os.environ, given(**options))
    logs.configure(settings.log_form, settings.log_level)
    from alcor.assembly.host import serve  # only now: gRPC reads what it may log as it is loaded

    serve(settings)


agent = with_parameters(_agent, [named("config", ConfigFile), *of_agent()])
