"""`alcor lab`: hosts and machines in network namespaces of this computer, on real Open vSwitch."""

import os
import signal
from types import FrameType
from typing import Annotated

import typer

from alcor.cli.exits import Exit
from alcor.cli.help import Commands
from alcor.cli.options import WholeFormat, given
from alcor.cli.tables import Output, write_table, write_whole
from alcor.client.api import PORT
from alcor.lab.layout import LabError

app = Commands("Hosts and machines on this computer, on real Open vSwitch. Needs root.")

Name = Annotated[str, typer.Option(help="The lab's name; labs of other names stay untouched.")]
Machines = Annotated[list[str] | None, typer.Argument(metavar="MACHINE", help="None: all.")]
Hosts = Annotated[int, typer.Option(help="How many.")]
Endpoint = Annotated[str, typer.Option(help="Use this control plane instead of its own.")]
AgentsTarget = Annotated[
    str, typer.Option(help="Where agents connect, with --endpoint: HOST:PORT.")
]
lab_default = "alcor"


@app.command(
    "up", help="Build a lab: an underlay, hosts with a switch and an agent, a control plane."
)
def up(
    hosts: Hosts = 3,
    name: Name = lab_default,
    endpoint: Endpoint = "",
    agents_target: AgentsTarget = "",
    uplinks: Annotated[
        int, typer.Option(help="How many hosts have an uplink to a world outside.")
    ] = 0,
    output: WholeFormat = Output.TABLE,
) -> None:
    """Build a lab."""
    from alcor.lab import lab as labs

    signal.signal(signal.SIGTERM, _end)
    lab = labs.up(name, hosts, endpoint, agents_target, uplinks)
    if output is not Output.TABLE:
        write_whole(lab.record, output)
        return
    typer.echo(f"lab '{name}' is up: {', '.join(host.name for host in lab.hosts)}")
    typer.secho(f"export ALCOR_ENDPOINT={lab.record.endpoint}", bold=True)


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)  # through every `finally`: what was begun is taken down


@app.command("down", help="End a lab and leave nothing of it behind, also after a crash.")
def down(
    name: Name = lab_default,
    everything: Annotated[bool, typer.Option("--all", help="Every lab that is here.")] = False,
) -> None:
    """End a lab."""
    from alcor.lab import lab as labs

    for one in labs.names() if everything else [name]:
        there = labs.down(one)
        typer.echo(f"lab '{one}' is down" if there else f"there was no lab '{one}'")


@app.command("status", help="Show the lab's hosts and machines.")
def status(name: Name = lab_default, output: WholeFormat = Output.TABLE) -> None:
    """Show the lab."""
    from alcor.lab import lab as labs
    from alcor.lab import outside

    lab = labs.open_lab(name)
    hosts, machines = lab.status(), lab.machines()
    if output is not Output.TABLE:
        rows = [{**h._asdict(), "host": h.host.name, "tunnel_ip": h.host.tunnel_ip} for h in hosts]
        write_whole({"lab": lab.record, "hosts": rows, "machines": machines}, output)
        return
    typer.echo(f"API {lab.record.endpoint}, agents at {lab.record.agents_target}")
    write_table(
        ["Host", "Tunnel IP", "Switch", "Agent", "Flows", "Machines"],
        [
            [
                h.host.name,
                h.host.tunnel_ip,
                _yes(h.switch),
                _yes(h.agent),
                str(h.flows),
                str(h.machines),
            ]
            for h in hosts
        ],
    )
    if lab.record.uplinks:
        typer.echo(
            f"outside ({outside.physical_network}): {outside.cidr} and {outside.cidr6},"
            f" by {', '.join(host.name for host in lab.hosts[: lab.record.uplinks])}"
        )
    write_table(
        ["Machine", "Host", "MAC", "Addresses", "Port"],
        [[m.name, f"h{m.host}", m.mac, ", ".join(m.addresses), m.port_id] for m in machines],
    )
    if others := [one for one in labs.names() if one != name]:
        typer.echo(f"other labs here: {', '.join(others)} (--name)")


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


@app.command("plug", help="Plug a machine into each of these ports, on the port's host.")
def plug(
    ports: Annotated[list[str] | None, typer.Argument(metavar="PORT", help="Names or ids.")] = None,
    network: Annotated[
        str, typer.Option(help="All ports of this network (name or id) that have no machine yet.")
    ] = "",
    dhcp: Annotated[bool, typer.Option("--dhcp/--no-dhcp", help="Get leases at once.")] = True,
    name: Name = lab_default,
) -> None:
    """Plug machines in."""
    from alcor.client.api import NETWORK
    from alcor.lab import lab as labs

    lab = labs.open_lab(name)
    items = [lab.api.find(PORT, port) for port in ports or ()]
    if network:
        found = lab.api.find(NETWORK, network)["id"]
        items += lab.without_machine(found)
    if not ports and not network:
        raise typer.BadParameter("name ports, or a network with --network")
    if not items:
        typer.echo("all its ports have machines")
        return
    machines = lab.plug(items)
    # By IPv4 only: with IPv6 a machine's kernel hears from routers by itself.
    asking = [m for m in machines if dhcp and any(":" not in each for each in m.addresses)]
    leases = lab.get_leases(asking)
    rows = [
        [m.name, f"h{m.host}", leases[m.name].address if m.name in leases else ""] for m in machines
    ]
    write_table(["Machine", "Host", "Lease"], rows)
    if without := [each for each in asking if each.name not in leases]:
        kept = lab.keep_evidence(without)
        typer.secho(f"not all got a lease; what is known of it is kept in {kept}", fg="red")
        raise typer.Exit(Exit.FAILED)


@app.command("unplug", help="Take machines away; their ports stay.")
def unplug(machines: Machines = None, name: Name = lab_default) -> None:
    """Take machines away."""
    from alcor.lab import lab as labs

    lab = labs.open_lab(name)
    lab.unplug(lab.machines(machines or ()))


@app.command(
    "exec",
    help="Run a command inside a machine, or inside a host.",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def exec_(
    context: typer.Context,
    machine: Annotated[str, typer.Argument(metavar="MACHINE_OR_HOST")],
    name: Name = lab_default,
) -> None:
    """Become the command, inside."""
    from alcor.lab import lab as labs
    from alcor.lab.commands import environment
    from alcor.lab.hosts import switch_environment

    lab = labs.open_lab(name)
    namespace = lab.namespace(machine)
    hosts = [host for host in lab.hosts if host.name == machine]
    env = switch_environment(hosts[0]) if hosts else environment()
    argv = context.args[1:] if context.args[:1] == ["--"] else context.args
    os.execvpe("ip", ["ip", "netns", "exec", namespace, *(argv or ["bash"])], env)


@app.command("ping", help="Let every machine ping every other, all at once.")
def ping(
    machines: Machines = None,
    version: Annotated[int, typer.Option(metavar="4|6", help="The version of IP.")] = 4,
    timeout: Annotated[float, typer.Option(help="Seconds.")] = 10.0,
    name: Name = lab_default,
    output: WholeFormat = Output.TABLE,
) -> None:
    """Ping all pairs."""
    from alcor.lab import lab as labs

    if version not in (4, 6):
        raise typer.BadParameter("it is 4 or 6", param_hint="--version")
    lab = labs.open_lab(name)
    addresses = given(**{m.name: m.address(version) for m in lab.machines(machines or ())})
    if len(addresses) < 2:
        raise LabError(f"fewer than two of these machines have an IPv{version} address")
    result = lab.ping_all(addresses, timeout)
    if output is not Output.TABLE:
        write_whole({"pings_ok": result.ok, "pings_total": result.total}, output)
    else:
        typer.echo(f"{result.ok} of {result.total} pings")
        for pair in result.unanswered:
            typer.secho(
                f"{pair.source} has no answer from {pair.target} ({pair.address})", fg="red"
            )
    if result.unanswered:
        raise typer.Exit(Exit.FAILED)


@app.command("demo", help="The main job: ports in one call, their leases, and all-pairs ping.")
def demo(
    hosts: Hosts = 3,
    ports: Annotated[int, typer.Option(help="How many, over the hosts in turn.")] = 20,
    name: Annotated[str, typer.Option(help="The lab's name.")] = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON for scripts.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab up.")] = False,
    endpoint: Endpoint = "",
    agents_target: AgentsTarget = "",
) -> None:
    """Do the main job."""
    from rich.console import Console

    from alcor.cli.lab.drawing import ProgressView, draw
    from alcor.lab import demo as main_job

    signal.signal(signal.SIGTERM, _end)
    with ProgressView(Console(stderr=True)) as view:
        job = main_job.run(
            name,
            hosts,
            ports,
            view.watch,
            keep=keep,
            endpoint=endpoint,
            agents_target=agents_target,
        )
    if as_json:
        write_whole(job.summary(), Output.JSON)
    else:
        Console().print(draw(job))
        if keep:
            typer.echo(f"the lab stays up; end it with `alcor lab down --name {name}`")
    if not job.done:
        raise typer.Exit(Exit.FAILED)
