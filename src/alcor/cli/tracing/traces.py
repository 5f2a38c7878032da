"""`alcor trace`: whether and by which way a packet gets there, from intent; drawn for people."""

from pathlib import Path
from typing import Annotated

import typer

from alcor.cli.exits import Exit
from alcor.cli.options import WholeFormat, given, pair
from alcor.cli.session import Endpoint, Project, api, default_endpoint
from alcor.cli.tables import Output, console, write_whole
from alcor.client.api import PORT, Api, Item


def trace(
    sender: Annotated[str, typer.Option("--from", metavar="PORT", help="Name or id of a port.")],
    to: Annotated[str, typer.Option("--to", metavar="PORT|ADDRESS", help="Where it goes.")],
    protocol: Annotated[str, typer.Option("--proto", help="tcp, udp, icmp, or a number.")] = "icmp",
    port: Annotated[int, typer.Option(help="Of destination, of TCP and UDP.")] = 0,
    source_port: Annotated[int, typer.Option(help="Of TCP and UDP.")] = 40_000,
    source_address: Annotated[str, typer.Option(help="Other than the port's own.")] = "",
    icmp_type: Annotated[int | None, typer.Option(help="Other than an echo request's.")] = None,
    ttl: Annotated[int, typer.Option(help="Hops that the packet may take.")] = 64,
    size: Annotated[int, typer.Option(help="Bytes of the packet.")] = 100,
    revision: Annotated[str, typer.Option(help="As of this write, at least.")] = "",
    live: Annotated[
        bool, typer.Option("--live", help="Ask the switches as well: of a lab, or of --switch.")
    ] = False,
    switches: Annotated[
        list[str] | None,
        typer.Option("--switch", metavar="HOST=DIR", help="Where a host's switch has its sockets."),
    ] = None,
    lab: Annotated[str, typer.Option(help="The lab whose switches are asked.")] = "alcor",
    output: WholeFormat = Output.TABLE,
    endpoint: Endpoint = default_endpoint,
    project: Project = "",
) -> None:
    """Follow the first packet of a connection; exit status 1 when it does not get there."""
    from alcor.cli.tracing.way import ARRIVES, draw

    with api(endpoint, project) as client:
        asked = given(
            from_port=client.find(PORT, sender)["id"],
            protocol=protocol,
            port=port or None,
            source_port=source_port,
            source_address=source_address,
            icmp_type=icmp_type,
            ttl=ttl,
            size=size,
            revision=revision,
        )
        found = client.trace(asked | _destination(client, to))
    if live:
        found["live"] = _live(found, asked["from_port"], switches or [], lab)
    if output is Output.TABLE:
        console().print(draw(found))
    else:
        write_whole(found, output)
    if any(each["differs"] for each in found.get("live", ())):
        raise typer.Exit(Exit.FAILED)
    if found["verdict"] not in ARRIVES:
        raise typer.Exit(Exit.FAILED)


def _live(found: Item, from_port: str, switches: list[str], lab: str) -> list[Item]:
    """What the switches on the way say, in order."""
    import asyncio

    from alcor.cli.tracing.live import asked_of_switches

    run_dirs = {host: Path(folder) for host, folder in (pair(s, "HOST=DIR") for s in switches)}
    if not run_dirs:
        from alcor.lab.lab import open_lab

        run_dirs = {host.name: host.folder for host in open_lab(lab).hosts}
    said = asyncio.run(asked_of_switches(found, from_port, run_dirs))
    return [each._asdict() for each in said]


def _destination(client: Api, to: str) -> Item:
    """An address is one; all else is a port's name or id."""
    from ipaddress import ip_address

    try:
        return {"to_address": str(ip_address(to))}
    except ValueError:
        return {"to_port": client.find(PORT, to)["id"]}
