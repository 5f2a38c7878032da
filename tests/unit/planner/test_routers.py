"""Routers for hosts: each interface is two entries, and joins networks for whom they concern."""

import msgspec
from tests.unit.planner.world import World

from alcor.goal_state import codec
from alcor.goal_state.entries import Attachment, FixedIp, Helper, Route, Router, RouterInterface
from alcor.goal_state.slices import (
    attachment_key,
    exit_key,
    floating_key,
    forwarding_key,
    forwardings_slice,
    gateway_key,
    interface_key,
    network_slice,
    router_key,
    router_slice,
    uplink_node_key,
    uplink_slice,
)
from alcor.intent import records
from alcor.intent.records import HostRoute, PortRecord, RouterRecord
from alcor.intent.router_records import HelperRecord
from alcor.planner.graph import GoalChange, IntentChange
from alcor.values.addresses import Mac, address, prefix

ROUTER = RouterRecord(
    id="r",
    project_id="",
    routes=(HostRoute("10.9.0.0/16", "10.0.0.9"),),
    helpers=(HelperRecord(protocol=6, port=21, helper="ftp"),),
)


def interface(id_: str, router: str, network: str) -> PortRecord:
    return PortRecord(
        id=id_,
        network_id=network,
        project_id="",
        mac_address="fa:16:3e:00:00:01",
        fixed_ips=(records.FixedIp("s", "10.0.0.1"),),
        device_id=router,
        device_owner="network:router_interface",
    )


def machine(id_: str, network: str, host: str) -> PortRecord:
    return PortRecord(id=id_, network_id=network, project_id="", mac_address="fa:16:3e:00:00:02",
                      host=host)  # fmt: skip


def test_a_router_and_its_interface_are_three_entries() -> None:
    world = World()

    changes = {
        change.key: codec.decode(change.key, change.value)
        for change in (*world.tell(ROUTER), *world.tell(interface("i", "r", "n1")))
        if change.value is not None
    }

    fixed = (FixedIp("s", address("10.0.0.1")),)
    assert changes == {
        router_key("r"): Router(
            "r",
            True,
            (Route(prefix("10.9.0.0/16"), address("10.0.0.9")),),
            helpers=(Helper(6, 21, "ftp"),),
        ),
        interface_key("r", "i"): RouterInterface("i", "r", "n1", Mac(0xFA163E000001), fixed),
        attachment_key("n1", "i"): Attachment("i", "n1", "r"),
    }


def test_an_interface_that_goes_takes_its_entries_along() -> None:
    world = World(ROUTER, interface("i", "r", "n1"))

    gone = world.tell(interface("i", "r", "n1"), gone=True)

    assert {change.key for change in gone} == {interface_key("r", "i"), attachment_key("n1", "i")}
    assert {change.value for change in gone} == {None}


def test_routers_lead_the_hosts_of_a_network_to_all_that_are_joined_with_it() -> None:
    world = World(machine("p1", "n1", "h1"), machine("p2", "n2", "h2"), machine("p3", "n3", "h3"))
    assert world.hosts(network_slice("n2")) == {"h2"}

    world.tell(interface("i1", "r", "n1"))
    world.tell(interface("i2", "r", "n2"))
    world.tell(interface("i3", "other", "n2"))
    world.tell(interface("i4", "other", "n3"))

    for network in ("n1", "n2", "n3"):
        assert world.hosts(network_slice(network)) == {"h1", "h2", "h3"}
    assert (
        world.hosts(router_slice("r"))
        == world.hosts(router_slice("other"))
        == {
            "h1",
            "h2",
            "h3",
        }
    )

    world.tell(interface("i3", "other", "n2"), gone=True)

    assert world.hosts(network_slice("n1")) == world.hosts(router_slice("r")) == {"h1", "h2"}
    assert world.hosts(network_slice("n3")) == world.hosts(router_slice("other")) == {"h3"}


def test_one_more_port_behind_a_router_is_still_two_entries() -> None:
    joined = [interface(f"i{n}", "r", f"n{n}") for n in range(20)]
    node = records.NodeRecord(id="h1", tunnel_ip="192.0.2.1")
    world = World(*joined)
    world.tell(node)

    assert len(world.tell(machine("p1", "n1", "h1"))) == 2


def gateway(router: str, network: str) -> PortRecord:
    return msgspec.structs.replace(
        interface(f"gw-{router}", router, network), device_owner="network:router_gateway"
    )


def test_a_gateway_leads_outward_only() -> None:
    world = World(machine("in", "n1", "h1"), machine("out", "world", "h2"))
    world.tell(interface("i1", "r", "n1"))

    changes = world.tell(gateway("r", "world"))

    assert {change.key for change in changes} == {gateway_key("r", "gw-r")}
    assert world.hosts(network_slice("world")) == {"h1", "h2"}
    assert world.hosts(network_slice("n1")) == world.hosts(router_slice("r")) == {"h1"}
    assert {change.value for change in world.tell(gateway("r", "world"), gone=True)} == {None}
    assert world.hosts(network_slice("world")) == {"h2"}


def test_a_host_with_uplinks_is_an_entry_for_each_while_it_lives() -> None:
    world = World(machine("p1", "n1", "h1"), interface("i1", "r", "n1"), gateway("r", "world"))
    physical = records.NetworkRecord(
        id="world", project_id="", vni=9, mtu=1500, physical_network="rack/1"
    )
    world.planner.apply(IntentChange("network/world", physical, 1))
    node = records.NodeRecord(id="h9", tunnel_ip="192.0.2.9", physical_networks=("rack/1", "x"))

    born = world.planner.apply(IntentChange("node/h9", node, 1))
    dead = msgspec.structs.replace(node, alive=False)
    gone = world.planner.apply(IntentChange("node/h9", dead, 2))

    keys = {uplink_node_key("rack/1", "h9"), uplink_node_key("x", "h9"), exit_key("h9", "r")}
    assert {change.key for change in born} == {change.key for change in gone} == keys
    assert {change.value for change in gone} == {None}
    assert world.hosts(uplink_slice("rack/1")) == {"h1"}
    assert world.hosts(uplink_slice("x")) == set()


def test_a_floating_ip_and_its_forwardings_concern_the_hosts_of_its_router() -> None:
    world = World(machine("p1", "n1", "h1"), interface("i1", "r", "n1"))
    floating = records.FloatingIpRecord(
        id="f",
        project_id="",
        floating_network_id="world",
        floating_ip_address="203.0.113.9",
        floating_port_id="fp",
        mac_address="fa:16:3e:00:00:09",
    )
    forwarding = records.PortForwardingRecord(
        id="w",
        floating_ip_id="f",
        protocol=6,
        external_ports=(80, 80),
        internal_port_id="p1",
        internal_ip="10.0.0.5",
        internal_ports=(8080, 8080),
    )
    planner = world.planner
    assert planner.apply(IntentChange("floating_ip/f", floating, 1)) == []

    routed = msgspec.structs.replace(floating, router_id="r")
    (told,) = planner.apply(IntentChange("floating_ip/f", routed, 2))
    (forwarded,) = planner.apply(IntentChange("port_forwarding/w", forwarding, 1))

    assert told.key == floating_key("r", "f")
    assert forwarded.key == forwarding_key("f", "w")
    assert world.hosts(forwardings_slice("f")) == {"h1"}
    given = msgspec.structs.replace(routed, port_id="p1", fixed_ip_address="10.0.0.5")
    planner.apply(IntentChange("floating_ip/f", given, 3))
    assert world.hosts(forwardings_slice("f")) == set()
    (gone,) = planner.apply(IntentChange("floating_ip/f", None, 4))
    assert gone == GoalChange(floating_key("r", "f"), None)
