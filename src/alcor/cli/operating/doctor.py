"""`alcor doctor`: what is wrong with this host, and what to do next."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alcor.agent.config import AgentConfig
from alcor.cli.exits import Exit
from alcor.cli.options import ConfigFile, RowsFormat, given, named, of_agent
from alcor.cli.session import with_parameters
from alcor.cli.tables import Output, write_records

if TYPE_CHECKING:
    from alcor.agent.doctor.finding import Finding

_TITLES = {
    "check": "Check",
    "health": "Health",
    "says": "What was seen",
    "next_step": "What to do",
}
_Endpoint = Annotated[
    str, typer.Option(envvar="ALCOR_ENDPOINT", help="The API, which is asked for the time.")
]


def _look(config: Path | None, endpoint: str, output: Output, **options: Any) -> None:
    """Look at the host of an agent, told as the agent is; exit status 1 when something is wrong."""
    from alcor.agent.agent import endpoint_of
    from alcor.agent.doctor.examine import examine
    from alcor.agent.doctor.underlay import opened
    from alcor.runtime.clock import now_s
    from alcor.runtime.config import load

    settings = load(AgentConfig, config, os.environ, given(**options))
    with opened(endpoint_of(settings.tunnel_ip)) as underlay:
        findings = asyncio.run(examine(settings, endpoint, now_s, underlay))
    tell_findings(findings, output)


def tell_findings(findings: Sequence["Finding"], output: Output) -> None:
    """Write them; exit status 1 when something is wrong."""
    from alcor.agent.doctor.finding import sick

    write_records([each._asdict() for each in findings], _TITLES, output)
    if sick(findings):
        raise typer.Exit(Exit.FAILED)


doctor = with_parameters(
    _look,
    [
        named("config", ConfigFile),
        *of_agent(),
        named("endpoint", _Endpoint, ""),
        named("output", RowsFormat, Output.TABLE),
    ],
)
