"""`alcor up`, `alcor agent` and `alcor config`: Alcor's own processes, and what they are set to."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from alcor.cli.options import (
    Bridge,
    BridgeMappings,
    ConfigFile,
    ControlPlane,
    DatapathType,
    Format,
    HostName,
    OvsRundir,
    StateDir,
    TunnelIp,
    given,
)
from alcor.cli.tables import Output, plain, write_json, write_table

_AGENTS, _HEALTH = "agents.listen", "served.health_listen"

config_app = typer.Typer(no_args_is_help=True, help="What Alcor is set to.")


def up(
    config: ConfigFile = None,
    data: Annotated[str, typer.Option(help="Folder of the databases.")] = "",
    listen: Annotated[str, typer.Option(help="The API's address, HOST:PORT.")] = "",
    agents_listen: Annotated[str, typer.Option(help="The agents' address, HOST:PORT.")] = "",
    insecure: Annotated[
        bool, typer.Option("--insecure", help="Listen beyond the loopback, asking nobody's name.")
    ] = False,
) -> None:
    """Run a control plane."""
    from alcor.assembly.config import Config
    from alcor.assembly.embedded import serve
    from alcor.runtime.config import load

    options = given(data=data, listen=listen, insecure=insecure or None)
    serve(load(Config, config, os.environ, options | given(**{_AGENTS: agents_listen})))


class Role(StrEnum):
    """What a process of a region does."""

    GATEWAY = "gateway"
    MANAGERS = "managers"
    DELIVERY = "delivery"


def serve(
    role: Annotated[Role, typer.Argument(help="What this process does.")],
    config: ConfigFile = None,
    listen: Annotated[str, typer.Option(help="A gateway's address, HOST:PORT.")] = "",
    health_listen: Annotated[
        str, typer.Option(help="Where managers and delivery answer /readyz, HOST:PORT.")
    ] = "",
    agents_listen: Annotated[str, typer.Option(help="The agents' address, HOST:PORT.")] = "",
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
    run(load(Config, config, os.environ, options), role, main)


@config_app.command("show", help="Show every setting of the control plane, and what it is now.")
def show(config: ConfigFile = None, output: Format = Output.TABLE) -> None:
    """Show the settings."""
    from alcor.assembly.config import Config
    from alcor.runtime.config import load, settings_of

    settings = load(Config, config, os.environ)
    if output is Output.JSON:
        write_json(settings)
        return
    rows = []
    for setting in settings_of(Config):
        value: object = settings
        for name in setting.name.split("."):
            value = getattr(value, name)
        changed = "" if value == setting.default else f"(default {plain(setting.default)})"
        shown = f"{plain(value)} {changed}".strip()
        rows.append([setting.name, shown, setting.environment, setting.description])
    write_table(["Setting", "Value", "Environment", "What it is"], rows)


def agent(
    config: ConfigFile = None,
    host: HostName = "",
    tunnel_ip: TunnelIp = "",
    control_plane: ControlPlane = "",
    ovs_rundir: OvsRundir = "",
    state_dir: StateDir = "",
    bridge: Bridge = "",
    datapath_type: DatapathType = "",
    bridge_mappings: BridgeMappings = "",
    lease: Annotated[int | None, typer.Option(min=60, help="Of DHCP, in seconds.")] = None,
    dns_resolvers: Annotated[
        str, typer.Option(help="Whom to ask for others' names, as in 192.0.2.53,[fd00::53]:5353.")
    ] = "",
    metadata_url: Annotated[
        str, typer.Option(help="Nova's metadata service, as in http://nova:8775.")
    ] = "",
    metadata_secret_file: Annotated[
        str, typer.Option(help="File of the secret that Nova knows hosts by.")
    ] = "",
    metrics_listen: Annotated[
        str, typer.Option(help="Serve Prometheus at HOST:PORT; empty: don't.")
    ] = "",
    tls_ca: Annotated[str, typer.Option(help="PEM file; with the other two: mutual TLS.")] = "",
    tls_certificate: Annotated[str, typer.Option(help="PEM file.")] = "",
    tls_key: Annotated[str, typer.Option(help="PEM file.")] = "",
    network_log_file: Annotated[
        str, typer.Option(help="File for what security groups decide of ports that are logged.")
    ] = "",
    log_form: Annotated[str, typer.Option(help="json or console.")] = "",
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "",
) -> None:
    """Run a host's agent. What no option says, the file or the environment may: docs/reference."""
    from alcor.agent.config import AgentConfig
    from alcor.assembly.host import serve
    from alcor.runtime import logs
    from alcor.runtime.config import load

    options = given(
        host=host,
        tunnel_ip=tunnel_ip,
        control_plane=control_plane,
        ovs_rundir=ovs_rundir,
        bridge=bridge,
        datapath_type=datapath_type,
        bridge_mappings=bridge_mappings,
        state_dir=state_dir,
        tls_ca=tls_ca,
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        lease_s=lease,
        dns_resolvers=dns_resolvers,
        metadata_url=metadata_url,
        metadata_secret_file=metadata_secret_file,
        metrics_listen=metrics_listen,
        network_log_file=network_log_file,
        log_form=log_form,
        log_level=log_level,
    )
    settings = load(AgentConfig, config, os.environ, options)
    logs.configure(settings.log_form, settings.log_level)
    serve(settings)
