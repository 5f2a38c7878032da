"""What a project is told of a trace: nothing of what others have outside, or of the operator's."""

from collections.abc import Iterator

import pytest
from tests.unit.tracing.regions import region_of

from alcor.intent.records import (
    FixedIp,
    FloatingIpRecord,
    NetworkRecord,
    NodeRecord,
    PortRecord,
    Record,
    RouterGateway,
    RouterRecord,
    SubnetRecord,
)
from alcor.tracing.packet import TCP, Packet
from alcor.tracing.path import About, Stage, Step, Trace, Verdict, as_seen_by
from alcor.tracing.walk import trace
from alcor.values.addresses import address

NOBODYS, ROUTERS, FLOATING, UNPLUGGED = (f"203.0.113.{n}" for n in (77, 20, 21, 22))
PROJECTS = {"p": (1, 10), "o": (2, 20)}  # networks, and the ends of routers' addresses outside


def port(id_: str, project: str, network: str, at: str, *held: str, host: str = "") -> PortRecord:
    owner, device = held or ("", "")
    return PortRecord(id=id_, network_id=network, project_id=project, host=host,
                      mac_address="02:00:00:00:00:01", fixed_ips=(FixedIp(f"s-{network}", at),),
                      port_security_enabled=False, device_owner=owner,
                      device_id=device)  # fmt: skip


def records(*uplinked: str) -> Iterator[Record]:
    """Projects p and o, each a machine on h1 behind a router to the same external network."""
    for number, host in enumerate(("h1", "h2"), start=1):
        names = ("secretnet",) if host in uplinked else ()
        yield NodeRecord(id=host, tunnel_ip=f"172.31.0.{number}", physical_networks=names)
    yield NetworkRecord(id="ext", project_id="a", vni=9, mtu=1500, external=True,
                        network_type="flat", physical_network="secretnet")  # fmt: skip
    yield SubnetRecord(id="s-ext", network_id="ext", project_id="a", ip_version=4,
                       cidr="203.0.113.0/24", gateway_ip="203.0.113.1")  # fmt: skip
    for project, (n, low) in PROJECTS.items():
        net, router = f"n{n}", f"r-{project}"
        yield NetworkRecord(id=net, project_id=project, vni=n, mtu=1450)
        yield SubnetRecord(id=f"s-{net}", network_id=net, project_id=project, ip_version=4,
                           cidr=f"10.{n}.0.0/24", gateway_ip=f"10.{n}.0.1")  # fmt: skip
        gateway = RouterGateway(network_id="ext", port_id=f"gw-{project}")
        yield RouterRecord(id=router, project_id=project, gateway=gateway)
        yield port(f"m-{project}", project, net, f"10.{n}.0.5", host="h1")
        yield port(f"if-{project}", project, net, f"10.{n}.0.1", "network:router_interface", router)
        at = f"203.0.113.{low}"
        yield port(f"gw-{project}", project, "ext", at, "network:router_gateway", router)
    for floating, to in ((FLOATING, "m-o"), (UNPLUGGED, "")):
        yield FloatingIpRecord(id=floating, project_id="o", floating_network_id="ext",
                               floating_port_id="x", mac_address="02:00:00:00:00:02",
                               floating_ip_address=floating, port_id=to, router_id="r-o",
                               fixed_ip_address="10.2.0.5" if to else "")  # fmt: skip


def traced(to: str, *uplinked: str) -> Trace:
    region = region_of(records(*uplinked))
    sender = region.one(PortRecord, "m-p")
    assert sender is not None
    return trace(region, sender, Packet(address("10.1.0.5"), address(to), TCP, 4000, 22))


def in_words(seen: Trace, to: str) -> str:
    return repr(seen).replace(to, "TO").replace(str(address(to).number), "TO")


@pytest.mark.parametrize("uplinked", [("h1",), ("h2",), ("h1", "h2")])
@pytest.mark.parametrize("to", [ROUTERS, FLOATING, UNPLUGGED])
def test_whether_an_address_outside_is_anothers_here_is_not_told(
    to: str, uplinked: tuple[str, ...]
) -> None:
    theirs, nobodys = traced(to, *uplinked), traced(NOBODYS, *uplinked)
    assert theirs.verdict != nobodys.verdict == Verdict.LEAVES

    seen = as_seen_by(theirs, "p")

    assert in_words(seen, to) == in_words(as_seen_by(nobodys, "p"), NOBODYS)
    assert seen.packet is not None
    assert str(seen.packet.source) == "203.0.113.10"


@pytest.mark.parametrize("to", [NOBODYS, FLOATING, "203.0.113.1"])
def test_the_names_of_physical_networks_and_of_hosts_are_the_operators(to: str) -> None:
    said = repr(as_seen_by(traced(to, "h1", "h2"), "p"))

    assert "secretnet" not in said
    assert "'h1'" not in said
    assert "'h2'" not in said


def test_that_ways_differ_where_others_decide_is_not_told() -> None:
    mine, foreign = About("router", "r", "p"), About("port", "x", "o")
    on_the_way = Step(Stage.ROUTE, "h1", "n", "route", mine)
    ends = [
        Trace(verdict, (on_the_way, Step(Stage.FW_IN, "h2", "n", f"{verdict}", foreign)))
        for verdict in (Verdict.DELIVERED, Verdict.DROPPED)
    ]

    seen = as_seen_by(ends[0]._replace(verdict=Verdict.DEPENDS, ways=tuple(ends)), "p")

    assert (seen.verdict, seen.ways) == (Verdict.UNSEEN, ())
