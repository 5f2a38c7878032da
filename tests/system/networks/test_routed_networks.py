"""One network over racks that only a router of the operator's joins: each has its own segment."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from tests.system.conftest import hears
from tests.system.networks.test_vlan_networks import Wire, answers, open_up

from alcor.client.api import NETWORK, PORT, SUBNET, Kind
from alcor.client.connection import Refused
from alcor.lab import namespaces
from alcor.lab.commands import ip_batch
from alcor.lab.interfaces import checksum_in_software
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, broadcast, udp4
from alcor.values.addresses import mac

lab_name = "sysrouted"
lab_hosts = 3
lab_uplinks, lab_apart = 2, True  # h1 is in rack1, h2 in rack2, h3 in neither

MakeMachines = Callable[..., list[Machine]]

SEGMENT = Kind("segment", "segments", "/v2.0/segments")
MACS = ("02:a1:c0:ff:01:01", "02:a1:c0:ff:02:01")  # of the operator's router, by rack
converge_s = 30.0


class Racks(NamedTuple):
    """The network, and the machines `a1` and `b1` of rack 1 and `a2` of rack 2."""

    network_id: str
    a1: Machine
    b1: Machine
    a2: Machine


def gateway(rack: int) -> str:
    return f"10.7{rack}.0.1"


def gateway6(rack: int) -> str:
    return f"fd7{rack}::1"


@pytest.fixture
def operators_router(lab: Lab) -> Iterator[None]:
    """Two racks, each a wire of its own, and between them somebody who forwards."""
    space = lab.layout.outside_namespace
    for rack, own in enumerate(MACS, start=1):
        wire = [
            f"link set h{rack} nomaster address {own}",
            f"addr add {gateway(rack)}/24 dev h{rack}",
            f"addr add {gateway6(rack)}/64 dev h{rack} nodad",
        ]
        ip_batch(wire, space)
        with namespaces.inside(space):
            checksum_in_software(f"h{rack}")
    yield
    for rack in (1, 2):
        joined = [f"addr del {gateway(rack)}/24 dev h{rack}", f"link set h{rack} master br0"]
        joined.append(f"addr del {gateway6(rack)}/64 dev h{rack}")
        ip_batch(joined, space)


@pytest.fixture
def racks(lab: Lab, operators_router: None, make_machines: MakeMachines) -> Iterator[Racks]:
    first, second = ({"network_type": "flat", "physical_network": f"rack{rack}"} for rack in (1, 2))
    body = {f"provider:{name}": value for name, value in first.items()}
    network_id: str = lab.api.create(NETWORK, [body]).items[0]["id"]
    further = lab.api.create(SEGMENT, [second | {"network_id": network_id}]).items[0]["id"]
    for rack, segment_id in ((1, network_id), (2, further)):
        subnet = {"network_id": network_id, "segment_id": segment_id}
        for version, cidr in ((4, f"10.7{rack}.0.0/24"), (6, f"fd7{rack}::/64")):
            lab.api.create(SUBNET, [subnet | {"ip_version": version, "cidr": cidr}])
    machines = make_machines(network_id, "a1 b1 a2", "h1 h1 h2")
    for machine in machines:
        route = [f"route replace default via {gateway(machine.host)}"]
        route.append(f"route replace default via {gateway6(machine.host)}")
        ip_batch(route, lab.layout.machine_namespace(machine.name))
    yield Racks(network_id, *machines)
    lab.unplug(machines)
    for port in lab.api.list_page(PORT, [("network_id", network_id)]):
        lab.api.delete(PORT, port["id"])
    lab.api.delete(NETWORK, network_id)


@pytest.mark.proves("Routed networks of several segments", "IPv4 IPv6", "same across")
def test_machines_have_addresses_of_their_rack_and_reach_each_other_by_its_router(
    lab: Lab, racks: Racks
) -> None:
    a1, b1, a2 = racks[1:]
    assert [each.address(4).rpartition(".")[0] for each in (a1, b1, a2)] == [
        "10.71.0", "10.71.0", "10.72.0",
    ]  # fmt: skip

    with Wire(lab, "h1") as near, Wire(lab, "h2") as far:
        for source, target in ((a1, b1), (a1, a2), (a2, b1)):
            for version in (4, 6):
                answers(lab, source, target.address(version))

        # What one rack says to the other goes to the router, and comes from it.
        assert _said(near, a1.mac, to=MACS[0])
        assert _said(far, MACS[1], to=a2.mac)
        for wire, strangers in ((near, (a2, MACS[1])), (far, (a1, b1, MACS[0]))):
            macs = [each if isinstance(each, str) else each.mac for each in strangers]
            assert not [each for each in macs if _said(wire, each)]


def test_what_a_rack_says_to_all_is_not_heard_in_another(lab: Lab, racks: Racks) -> None:
    a1, b1, a2 = racks[1:]
    everybody = (broadcast, "255.255.255.255", 4000)
    open_up(lab, [a1, b1, a2])

    with (
        FrameSocket(lab.layout.machine_namespace(a1.name)) as says,
        FrameSocket(lab.layout.machine_namespace(b1.name)) as neighbour,
        FrameSocket(lab.layout.machine_namespace(a2.name)) as elsewhere,
        Wire(lab, "h1") as near,
        Wire(lab, "h2") as far,
    ):
        says.send(udp4((a1.mac, a1.address(4), 4000), everybody, b"of rack 1"))
        near.wait_for("rack 1's wire", lambda h: b"of rack 1" in h.frame)
        far.say(udp4((MACS[1], gateway(2), 4000), everybody, b"to rack 2"))
        near.say(udp4((MACS[0], gateway(1), 4000), everybody, b"to rack 1"))
        for socket, text in ((elsewhere, b"to rack 2"), (neighbour, b"to rack 1")):
            hears(socket, text)
        assert not [f for f in elsewhere.heard() if b"rack 1" in f]
        assert not [f for f in neighbour.heard() if b"to rack 2" in f]
        assert not [h for h in far.heard() if b"rack 1" in h.frame]


def test_a_machine_leases_the_address_that_its_port_got_with_its_host(
    lab: Lab, racks: Racks
) -> None:
    (port,) = lab.api.create(PORT, [{"network_id": racks.network_id, "name": "late"}]).items
    assert (port["fixed_ips"], port["ip_allocation"]) == ([], "deferred")

    bound, revision = lab.api.update(PORT, port["id"], {"binding:host_id": "h2"})
    assert lab.api.wait(revision, converge_s).converged
    (late,) = lab.plug([bound])
    try:
        lease = lab.get_leases([late])["late"]
    finally:
        lab.unplug([late])

    assert lease.address == bound["fixed_ips"][0]["ip_address"]
    assert lease.address.startswith("10.72.0.")
    assert lease.routers == gateway(2)


def test_a_host_in_no_rack_gets_no_machine_of_the_network(lab: Lab, racks: Racks) -> None:
    with pytest.raises(Refused, match="is not connected to any segments"):
        lab.api.create(PORT, [{"network_id": racks.network_id, "binding:host_id": "h3"}])


def _said(wire: Wire, source: str, to: str = "") -> bool:
    """Whether a frame of this MAC was heard on a wire, to that one if it is named."""
    own = mac(source).to_bytes(6, "big")
    heard = [each.frame[:6] for each in wire.heard() if each.frame[6:12] == own]
    return mac(to).to_bytes(6, "big") in heard if to else bool(heard)
