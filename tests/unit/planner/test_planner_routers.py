"""Routers for hosts: each interface is two entries, and joins networks for whom they concern."""

from alcor.goal_state import codec
from alcor.goal_state.entries import Attachment, FixedIp, Route, Router, RouterInterface
from alcor.goal_state.slices import (
    attachment_key,
    interface_key,
    network_slice,
    router_key,
    router_slice,
)
from alcor.intent import records
from alcor.intent.records import HostRoute, PortRecord, Record, RouterRecord, key
from alcor.planner.graph import GoalChange, IntentChange, Planner
from alcor.values.addresses import Mac, address, prefix

ROUTER = RouterRecord(id="r", project_id="", routes=(HostRoute("10.9.0.0/16", "10.0.0.9"),))


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


class World:
    """A planner, told of records one after the other."""

    def __init__(self, *told: Record) -> None:
        self.planner = Planner()
        self.revision = 0
        for record in told:
            self.tell(record)

    def tell(self, record: Record) -> list[GoalChange]:
        kind = "router" if isinstance(record, RouterRecord) else "port"
        self.revision += 1
        return self.planner.apply(IntentChange(key(kind, record.id), record, self.revision))

    def forget(self, port_id: str) -> list[GoalChange]:
        self.revision += 1
        return self.planner.apply(IntentChange(key("port", port_id), None, self.revision))

    def hosts(self, slice_: str) -> set[str]:
        hosts = set(self.planner.index.hosts_of(slice_))
        everybody = ("h1", "h2", "h3")
        assert hosts == {host for host in everybody if self.planner.index.concerns(host, slice_)}
        return hosts


def test_a_router_and_its_interface_are_three_entries() -> None:
    world = World()

    changes = {
        change.key: codec.decode(change.key, change.value)
        for change in (*world.tell(ROUTER), *world.tell(interface("i", "r", "n1")))
        if change.value is not None
    }

    fixed = (FixedIp("s", address("10.0.0.1")),)
    assert changes == {
        router_key("r"): Router("r", True, (Route(prefix("10.9.0.0/16"), address("10.0.0.9")),)),
        interface_key("r", "i"): RouterInterface("i", "r", "n1", Mac(0xFA163E000001), fixed),
        attachment_key("n1", "i"): Attachment("i", "n1", "r"),
    }


def test_an_interface_that_goes_takes_its_entries_along() -> None:
    world = World(ROUTER, interface("i", "r", "n1"))

    gone = world.forget("i")

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

    world.forget("i3")

    assert world.hosts(network_slice("n1")) == world.hosts(router_slice("r")) == {"h1", "h2"}
    assert world.hosts(network_slice("n3")) == world.hosts(router_slice("other")) == {"h3"}


def test_one_more_port_behind_a_router_is_still_two_entries() -> None:
    joined = [interface(f"i{n}", "r", f"n{n}") for n in range(20)]
    node = records.NodeRecord(id="h1", tunnel_ip="192.0.2.1")
    world = World(*joined)
    world.planner.apply(IntentChange("node/h1", node, 1))

    assert len(world.tell(machine("p1", "n1", "h1"))) == 2
