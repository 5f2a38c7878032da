"""What security groups cost on a host, as the remote group of their rules grows.

A host with ten ports of a group, whose two rules name a remote group of 1, 100 and 10,000 members:
flows a port, flows that a member's change touches, and the time from the change to the switch's
acknowledgement.
"""

import asyncio
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from alcor.agent.compiler.compiler import Change, Compiler
from alcor.agent.drivers.flow_tracker import FlowTracker
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.goal_state.entries import FixedIp, Group, Member, Network, Port, Rule
from alcor.lab import hosts
from alcor.lab import lab as labs
from alcor.lab.layout import layout
from alcor.ovs.connection import OpenFlow
from alcor.ovs.openflow.meters import Meter
from alcor.values.addresses import Address, Mac, Prefix
from bench.measure import spread
from bench.run import Bench
from bench.tables import Row, Section, at_most, between, seconds

ports, members = 10, (1, 100, 10_000)
_rounds, _rounds_quick = 30, 5
_bridge = (
    *("add-br", "br-int", "--", "set", "Bridge", "br-int", "datapath_type=netdev"),
    *("fail_mode=secure", "protocols=[OpenFlow13,OpenFlow14,OpenFlow15]"),
)


class Cost(NamedTuple):
    """Of one size of the remote group."""

    members: int
    flows_a_port: int  # of which a port is the owner, ten of one group
    flows_shared: int  # of the group's rules and the remote's members, whatever the ports
    flows_a_change: int  # put and taken when a member comes
    built: float  # seconds: all of it compiled, encoded and acknowledged
    changes: list[float]  # seconds, a member that comes or goes


def member(number: int) -> Member:
    """A member of the remote group."""
    return Member("web", f"m{number}", (Prefix(4, (11 << 24) + number, 32),))


def model_of(count: int) -> HostModel:
    """Ten ports of group `db`, whose rules let in two services from `count` members of `web`."""
    model = HostModel()
    model.set_tunnel(Tunnel(65_001, Address(4, 172 << 24 | 31 << 16 | 1)))
    model.put(Network("n", 7, 1450, True, ""))
    model.put(Group("db", True))
    for number in range(ports):
        own = (FixedIp("s", Address(4, (10 << 24) + number)),)
        mac = Mac(0x02_0000_000000 + number)
        model.put(Port(f"p{number}", "n", mac, own, True, True, "", "", ("db",), True))
        model.set_interface(f"p{number}", Interface(number + 1, True))
    for name, span in (("sql", (5432, 5432)), ("ssh", (22, 22))):
        model.put(Rule(name, "db", True, 4, 6, span, remote_group_id="web"))
    model.put(Rule("out", "db", False, 4))
    for number in range(count):
        model.put(member(number))
    return model


async def cost(socket: Path, count: int, rounds: int) -> Cost:
    """Bring it to an empty switch, then let members come and go."""
    model, tracker = model_of(count), FlowTracker()
    compiler = Compiler(model)
    session = await OpenFlow.connect(socket)
    try:
        await session.delete_flows(0, 0)
        began = perf_counter()
        change = compiler.update(set(model.units()))
        meters = {each.id: Meter(each.rate, each.burst) for each in change.meters_put}
        await session.set_meters(meters)
        await carry_out(session, tracker, change)
        built = perf_counter() - began
        changes, touched = [], 0
        for _ in range(rounds):
            for do in (model.put, model.remove):
                began = perf_counter()
                change = compiler.update(do(member(count)))
                await carry_out(session, tracker, change)
                changes.append(perf_counter() - began)
                touched = max(touched, change.flows)
    finally:
        session.close()
    return Cost(count, *_counted(compiler), touched, built, changes)


async def carry_out(session: OpenFlow, tracker: FlowTracker, change: Change) -> None:
    """Have the switch acknowledge a change."""
    tracker.want(change)
    for batch in tracker.plan():
        await session.bundle(batch.puts, batch.takes)
    await session.barrier()


def _counted(compiler: Compiler) -> tuple[int, int]:
    """Flows a port, and flows of rules and members."""
    kinds = [unit.kind.name for unit, _, _ in compiler.flows()]
    shared = sum(kinds.count(name) for name in ("GRANT", "REMOTE", "SERVICE"))
    return kinds.count("PORT") // ports, shared


def measure(bench: Bench) -> list[Section]:
    """Every size on a switch of its own."""
    rounds = bench.rounds(_rounds, _rounds_quick)
    lab = layout("benchfw")
    labs.down(lab.name)
    try:
        hosts.build(lab, lab.hosts(1))
        host = lab.host(1)
        hosts.vsctl(host, *_bridge)
        found = []
        for count in members:
            bench.tell(f"{count:,} members")
            found.append(asyncio.run(cost(host.folder / "br-int.mgmt", count, rounds)))
    finally:
        labs.down(lab.name)
    return [_section(found)]


def _section(found: list[Cost]) -> Section:
    least = spread(found[0].changes).median
    return Section(
        title="A security group whose remote group grows",
        about=(
            f"{ports} ports of one group on a host; its rules let in two services from a remote "
            "group. A member that comes or goes: from goal state to the switch's acknowledgement. "
            "Medians, with least and greatest."
        ),
        columns=["members", "flows a port", "of rules and members", "a member touches", "takes"],
        rows=[
            Row(
                cells=[
                    f"{each.members:,} (all of it: {seconds(each.built)})",
                    str(each.flows_a_port),
                    f"{each.flows_shared:,}",
                    f"{each.flows_a_change} flow",
                    between(spread(each.changes)),
                ],
                values={
                    "flows_a_port": each.flows_a_port,
                    "flows_shared": each.flows_shared,
                    "flows_a_change": each.flows_a_change,
                    "seconds": spread(each.changes).median,
                    "built": each.built,
                },
                verdict=at_most(1.3, spread(each.changes).median / least, "times that of 1 member"),
            )
            for each in found
        ],
    )
