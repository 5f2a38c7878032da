"""What a host says becomes the resource providers that Neutron's agent would have there."""

from alcor.integrations.placement.hosts import Hosts
from alcor.integrations.placement.providers import Total, Wish, wish
from alcor.intent.records import NodeRecord
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates


def node(host: str = "host", **capacity: object) -> NodeRecord:
    return NodeRecord(
        id=host,
        tunnel_ip="192.0.2.1",
        capacity=Capacity(**capacity),  # type: ignore[arg-type]
    )


TUNNELS = Bandwidth("rp_tunnelled", tunnels=True, egress=5_000)


def test_ids_and_names_are_those_of_neutrons_agents() -> None:
    agent, device = wish(node(bandwidths=(TUNNELS,))).providers

    # uuid -v5 87ee7d5c-73bb-11e8-9008-c4d987b2a692 host, as in Neutron's own tests
    assert agent.id == "791f63f0-1a1a-5c38-8972-5e43014fd58b"
    assert (agent.name, agent.parent) == ("host:Open vSwitch agent", "")
    # and of host:rp_tunnelled
    assert device.id == "8f1def87-d8c6-5e3f-acd0-a5540f292f74"
    assert (device.name, device.parent) == ("host:Open vSwitch agent:rp_tunnelled", agent.id)


def test_uplinks_have_the_trait_of_their_network_and_tunnels_theirs() -> None:
    uplink = Bandwidth("br-ex", "physnet-1", egress=10, ingress=20)
    both = Bandwidth("br-two", "two", tunnels=True, egress=30)

    _, *devices = wish(node(bandwidths=(uplink, both, TUNNELS))).providers

    normal, tunnel = "CUSTOM_VNIC_TYPE_NORMAL", "CUSTOM_NETWORK_TUNNEL_PROVIDER"
    assert [each.traits for each in devices] == [
        ("CUSTOM_PHYSNET_PHYSNET_1", normal),
        (tunnel, "CUSTOM_PHYSNET_TWO", normal),
        (tunnel, normal),
    ]
    assert devices[0].totals == {
        "NET_BW_EGR_KILOBIT_PER_SEC": Total(10, Inventory()),
        "NET_BW_IGR_KILOBIT_PER_SEC": Total(20, Inventory()),
    }


def test_packets_are_the_agents() -> None:
    (agent,) = wish(
        node(packet_rates=PacketRates(any=9), packet_rate_inventory=Inventory(2.0))
    ).providers

    assert agent.totals == {"NET_PACKET_RATE_KILOPACKET_PER_SEC": Total(9, Inventory(2.0))}


def test_a_host_with_nothing_to_guarantee_has_no_providers() -> None:
    assert wish(node(hypervisor="h1.example")) == Wish("h1.example")


def test_the_parent_is_what_nova_calls_the_host() -> None:
    found = wish(node("h1", hypervisor="h1.example", bandwidths=(TUNNELS,)))

    assert found.hypervisor == "h1.example"
    assert found.providers[0].name == "h1.example:Open vSwitch agent"


def test_no_host_speaks_of_another_one() -> None:
    hosts = Hosts()
    own = node("h1", bandwidths=(TUNNELS,))
    hosts.put("h1", own)

    assert hosts.put("h2", node("h2", hypervisor="h1", bandwidths=(TUNNELS,))) == {"h1", "h2"}
    assert hosts.wish("h1") == wish(own)
    assert hosts.wish("h2") == Wish("h1")

    # It is nobody's once that host is gone, and that host's again when it comes back.
    assert hosts.put("h1", None) == {"h1", "h2"}
    assert hosts.wish("h2").providers
    assert hosts.put("h1", node("h1")) == {"h1", "h2"}
    assert not hosts.wish("h2").providers


def test_of_two_that_say_the_same_one_is_believed() -> None:
    for order in (("a", "b"), ("b", "a")):
        hosts = Hosts()
        for host in order:
            hosts.put(host, node(host, hypervisor="x", bandwidths=(TUNNELS,)))
        assert hosts.wish("a").providers
        assert not hosts.wish("b").providers
