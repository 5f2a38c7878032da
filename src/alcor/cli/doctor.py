"""`alcor doctor`: what is wrong with this host, and what to do next."""

import asyncio
import os
from typing import Annotated

import typer

from alcor.cli.exits import Exit
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
from alcor.cli.tables import Output, write_json, write_table


def doctor(
    config: ConfigFile = None,
    host: HostName = "",
    tunnel_ip: TunnelIp = "",
    control_plane: ControlPlane = "",
    ovs_rundir: OvsRundir = "",
    state_dir: StateDir = "",
    bridge: Bridge = "",
    datapath_type: DatapathType = "",
    bridge_mappings: BridgeMappings = "",
    endpoint: Annotated[
        str, typer.Option(envvar="ALCOR_ENDPOINT", help="The API, which is asked for the time.")
    ] = "",
    output: Format = Output.TABLE,
) -> None:
    """Look at the host of an agent, told as the agent is; exit status 1 when something is wrong."""
    from alcor.agent.agent import endpoint_of
    from alcor.agent.config import AgentConfig
    from alcor.agent.doctor.examine import examine, sick
    from alcor.agent.doctor.underlay import opened
    from alcor.runtime.clock import now_s
    from alcor.runtime.config import load

    options = given(
        host=host,
        tunnel_ip=tunnel_ip,
        control_plane=control_plane,
        ovs_rundir=ovs_rundir,
        state_dir=state_dir,
        bridge=bridge,
        datapath_type=datapath_type,
        bridge_mappings=bridge_mappings,
    )
    settings = load(AgentConfig, config, os.environ, options)
    with opened(endpoint_of(settings.tunnel_ip)) as underlay:
        findings = asyncio.run(examine(settings, endpoint, now_s, underlay))
    if output is Output.JSON:
        write_json([each._asdict() for each in findings])
    else:
        rows = [[each.check, each.health, each.says, each.next_step] for each in findings]
        write_table(["Check", "Health", "What was seen", "What to do"], rows)
    if sick(findings):
        raise typer.Exit(Exit.FAILED)
