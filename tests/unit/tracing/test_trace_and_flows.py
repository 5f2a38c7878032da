"""What a trace says of intent is what the flows do that are compiled of it."""

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from tests.unit.tracing.fabric import Fabric, Fate
from tests.unit.tracing.regions import region_of
from tests.unit.tracing.worlds import BESIDE, EXTERNAL, OUTSIDE, SECOND, world

from alcor.intent.records import (
    FixedIp,
    HostRoute,
    NetworkRecord,
    NodeRecord,
    PortRecord,
    Record,
    RouterGateway,
    RouterRecord,
    SubnetRecord,
)
from alcor.tracing.packet import Packet
from alcor.tracing.path import Stage, Trace, Verdict
from alcor.tracing.walk import next_hop, trace
from alcor.values.addresses import address
from alcor.values.protocols import ICMPV6

_SERVICES = {"service", "dhcp4", "dhcp6", "ra", "answered"}
_OF_ROUTERS = {
    *(Stage.ROUTER_IN, Stage.ROUTE, Stage.ROUTE_SCOPE),
    *(Stage.NAT_OUT, Stage.ROUTE_SIZE, Stage.NEIGHBOUR),
}
_ALSO = {
    Stage.L2_DST: {"CLASSIFY"},  # which knows no network without ports
    Stage.NAT_OUT: {"NAT_DONE"},
    Stage.NAT_IN: {"NAT_CAME"},
}


def agrees(said: Trace, done: Fate) -> bool:
    """Whether a packet ended as the trace says."""
    if done.what == "wanted" and _was_on_the_wire(said):
        return True  # who has it next is asked for there first
    match said.verdict:
        case Verdict.DELIVERED | Verdict.HANDED:
            assert said.packet is not None
            source = str(said.packet.source)
            return done[::2] == ("delivered", said.port_id) and done.source == source
        case Verdict.ANSWERED:
            return done.what in ({"answered"} if said.stage is Stage.ROUTER_IN else _SERVICES)
        case Verdict.LEAVES:
            assert said.packet is not None
            return done.what == "wanted" or (done.what, done.source) == (
                "left",
                str(said.packet.source),
            )
        case Verdict.REFUSED if said.stage is Stage.NEIGHBOUR and done.what == "shared":
            return done.stage == "NEIGHBOUR"  # machines without port security are asked first
        case Verdict.REFUSED:
            return done.what == "router"
        case Verdict.DROPPED if said.stage is Stage.UPLINK_OUT:
            return done.what == "left"
        case Verdict.DROPPED if said.stage is Stage.L2_DST and _was_on_the_wire(said):
            return done.what == "left"  # no host takes it from there
    return done.what == "dropped" and _same_stage(said.stage, done.stage)


def _was_on_the_wire(said: Trace) -> bool:
    return any(step.stage is Stage.UPLINK_OUT for step in said.steps)


def _same_stage(said: Stage, done: str) -> bool:
    """What is one decision may be several stages, and what nobody can be told of has one."""
    if done == "ROUTER_FAULT":
        return said in _OF_ROUTERS
    return done.startswith(said.value) or done in _ALSO.get(said, ())


@seed(1)
@settings(max_examples=250)
@given(st.integers(0, 2**32 - 1))
def test_a_trace_says_what_the_flows_do(number: int) -> None:
    asked = world(number)
    region = region_of(asked.records)
    sender = region.one(PortRecord, asked.sender)
    assert sender is not None

    said = trace(region, sender, asked.packet)

    if said.stage in (Stage.MACHINE, Stage.CLASSIFY) and said.steps[0].stage is said.stage:
        return  # it is not sent
    hop = next_hop(region, sender, asked.packet)
    assert hop is not None
    outside = [(EXTERNAL, address(OUTSIDE)), (SECOND, address(BESIDE))]
    fabric = Fabric(asked.records, outside)
    done = fabric.send(asked.sender, hop.address, asked.packet)
    assert agrees(said.ways[0] if said.ways else said, done), (said, done)


def test_what_a_router_answers_and_routers_send_round_ends_by_its_hops() -> None:
    records: list[Record] = [NodeRecord(id="h1", tunnel_ip="172.31.0.1")]
    for n in (1, 2):
        records += [
            NetworkRecord(id=f"n{n}", project_id="p", vni=n, mtu=1450),
            SubnetRecord(id=f"s{n}", network_id=f"n{n}", project_id="p", ip_version=4,
                         cidr=f"10.{n}.0.0/24", gateway_ip=f"10.{n}.0.1"),
        ]  # fmt: skip
    for router, net, low in (("r1", 1, 1), ("r1", 2, 1), ("r2", 2, 2)):
        records.append(
            PortRecord(
                id=f"{router}{net}",
                network_id=f"n{net}",
                project_id="p",
                device_id=router,
                mac_address=f"02:00:00:00:0{net}:0{low}",
                device_owner="network:router_interface",
                fixed_ips=(FixedIp(f"s{net}", f"10.{net}.0.{low}"),),
            )
        )
    back = {"r1": ("10.1.0.9/32", "10.2.0.2"), "r2": ("10.1.0.0/24", "10.2.0.1")}
    records += [
        RouterRecord(id=id_, project_id="p", routes=(HostRoute(*route),))
        for id_, route in back.items()
    ]
    records.append(
        PortRecord(
            id="p1",
            network_id="n1",
            project_id="p",
            mac_address="02:00:00:00:00:09",
            host="h1",
            fixed_ips=(FixedIp("s1", "10.1.0.9"),),
            port_security_enabled=False,
        )
    )
    asks = Packet(address("10.1.0.9"), address("10.2.0.2"), 1, icmp_type=8)

    fate = Fabric(records).send("p1", address("10.1.0.1"), asks)

    assert fate.what == "answered"


def test_a_solicitation_of_routers_is_answered_where_a_host_advertises_for_them() -> None:
    records: list[Record] = [
        NodeRecord(id="h1", tunnel_ip="172.31.0.1"),
        NetworkRecord(id="n1", project_id="p", vni=1, mtu=1450),
    ]
    for subnet, mode in (("s1", "slaac"), ("s2", None)):
        records.append(
            SubnetRecord(
                id=subnet,
                network_id="n1",
                project_id="p",
                ip_version=6,
                cidr=f"fd0{subnet[1]}::/64",
                ipv6_ra_mode=mode,
                ipv6_address_mode=mode,
            )
        )
    for n in (1, 2):
        records += [
            PortRecord(
                id=f"{who}{n}",
                network_id="n1",
                project_id="p",
                mac_address=f"02:00:00:00:0{n}:0{low}",
                host="h1",
                fixed_ips=(FixedIp(f"s{n}", f"fd0{n}::{low}"),),
            )
            for low, who in ((1, "asks"), (2, "near"))
        ]
    region, fabric = region_of(records), Fabric(records)

    for n, verdict, what in ((1, Verdict.ANSWERED, "ra"), (2, Verdict.DROPPED, "dropped")):
        sender = region.one(PortRecord, f"asks{n}")
        assert sender is not None
        near = address(f"fd0{n}::2")
        asks = Packet(address(f"fd0{n}::1"), near, ICMPV6, icmp_type=133)
        said, done = trace(region, sender, asks), fabric.send(sender.id, near, asks)

        assert (said.verdict, done.what) == (verdict, what)
        assert agrees(said, done)


@pytest.mark.parametrize(
    ("bfd", "next_hops", "leaves_by"),
    [
        (True, ("down", "up"), 2),
        (True, ("down", ""), 2),
        (True, ("up", "down"), 1),
        (True, ("down", "down"), 1),
        (False, ("down", "up"), 1),
    ],
)
def test_a_gateway_whose_next_hop_is_down_is_used_only_if_all_are(
    bfd: bool, next_hops: tuple[str, str], leaves_by: int
) -> None:
    uplinks = ("ext1", "ext2")
    records: list[Record] = [
        NodeRecord(id="h1", tunnel_ip="172.31.0.1", physical_networks=uplinks),
        NetworkRecord(id="n", project_id="p", vni=9, mtu=1450),
        SubnetRecord(id="s", network_id="n", project_id="p", ip_version=4,
                     cidr="10.0.0.0/24", gateway_ip="10.0.0.1"),
        machine("p1", "10.0.0.9"),
        held("i", "n", "router_interface", FixedIp("s", "10.0.0.1")),
    ]  # fmt: skip
    gateways = []
    for n, heard in zip((1, 2), next_hops, strict=True):
        net = f"198.18.{n}"
        records += [
            NetworkRecord(id=f"x{n}", project_id="p", vni=n, mtu=1500,
                          physical_network=f"ext{n}", external=True),
            SubnetRecord(id=f"sx{n}", network_id=f"x{n}", project_id="p", ip_version=4,
                         cidr=f"{net}.0/24", gateway_ip=f"{net}.1"),
            held(f"g{n}", f"x{n}", "router_gateway", FixedIp(f"sx{n}", f"{net}.7"), heard),
        ]  # fmt: skip
        gateways.append(RouterGateway(network_id=f"x{n}", port_id=f"g{n}"))
    records.append(
        RouterRecord(
            id="r",
            project_id="p",
            gateway=gateways[0],
            more_gateways=(gateways[1],),
            bfd=bfd,
        )
    )
    region = region_of(records)
    sender = region.one(PortRecord, "p1")
    assert sender is not None
    asks = Packet(address("10.0.0.9"), address("203.0.113.1"), 17, 1_000, 53)

    said = trace(region, sender, asks)
    outside = [(f"x{n}", address(f"198.18.{n}.1")) for n in (1, 2)]
    done = Fabric(records, outside).send("p1", address("10.0.0.1"), asks)

    assert said.packet is not None
    assert {str(said.packet.source), done.source} == {f"198.18.{leaves_by}.7"}


def held(id_: str, network_id: str, owner: str, fixed: FixedIp, next_hop: str = "") -> PortRecord:
    return PortRecord(
        id=id_,
        network_id=network_id,
        project_id="p",
        device_id="r",
        mac_address=f"02:00:00:00:{ord(id_[0]):02x}:{ord(id_[-1]):02x}",
        device_owner=f"network:{owner}",
        fixed_ips=(fixed,),
        next_hop=next_hop,
    )


def machine(id_: str, own: str) -> PortRecord:
    return PortRecord(
        id=id_,
        network_id="n",
        project_id="p",
        mac_address="02:00:00:00:00:09",
        host="h1",
        fixed_ips=(FixedIp("s", own),),
        port_security_enabled=False,
    )
