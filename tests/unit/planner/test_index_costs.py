"""What the index is asked for each host costs the same, however many hosts there are."""

import tracemalloc

from alcor.goal_state.slices import (
    addresses_slice,
    group_slice,
    members_slice,
    network_slice,
    policy_slice,
)
from alcor.intent.records import FloatingIpRecord, PortRecord, RuleRecord
from alcor.planner.index import Index

_hosts = 2_000
_bytes_max = 4_096  # a set of so many hosts takes twenty times as much


def test_whether_a_slice_concerns_a_host_is_told_without_a_look_at_the_others() -> None:
    index = Index()
    for number in range(_hosts):
        port = PortRecord(
            id=f"p{number}",
            network_id="n",
            project_id="",
            mac_address="",
            host=f"h{number}",
            security_groups=("web",),
            qos_policy_id="gold",
        )
        index.put(f"port/p{number}", port, number + 1)
    rule = RuleRecord(id="r1", group_id="web", ingress=True, ip_version=4, remote_group_id="web")
    index.put("rule/r1", rule, 1)
    rule = RuleRecord(
        id="r2", group_id="web", ingress=True, ip_version=4, remote_address_group_id="office"
    )
    index.put("rule/r2", rule, 2)
    names = [
        *(group_slice("web"), members_slice("web")),
        *(addresses_slice("office"), policy_slice("gold")),
    ]

    tracemalloc.start()
    told = [(index.concerns("h7", name), index.concerns("elsewhere", name)) for name in names]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told == [(True, False)] * len(names)
    assert most < _bytes_max
    assert [len(index.hosts_of(name)) for name in names] == [_hosts] * len(names)


def test_an_external_network_of_many_routers_is_gone_through_once_and_not_for_each_host() -> None:
    index = Index()

    def put(id_: str, network_id: str, host: str = "", owner: str = "", router: str = "") -> None:
        port = PortRecord(
            id=id_,
            network_id=network_id,
            project_id="",
            mac_address="",
            host=host,
            device_owner=owner,
            device_id=router,
        )
        index.put(f"port/{id_}", port, 1)

    for n in range(_hosts):
        put(f"m{n}", f"n{n}", host=f"h{n}")
        put(f"i{n}", f"n{n}", owner="network:router_interface", router=f"r{n}")
        put(f"g{n}", "ext", owner="network:router_gateway", router=f"r{n}")
    assert index.concerns("h7", network_slice("ext"))
    floating = FloatingIpRecord(
        id="f",
        project_id="",
        floating_network_id="ext",
        floating_ip_address="203.0.113.9",
        floating_port_id="fp",
        mac_address="",
        router_id="r1",
    )
    index.put("floating_ip/f", floating, 1)  # which joins nothing

    tracemalloc.start()
    told = [index.concerns(host, network_slice("ext")) for host in ("h7", "h8", "elsewhere")]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert told == [True, True, False]
    assert most < _bytes_max
    assert len(index.hosts_of(network_slice("ext"))) == _hosts
    index.drop("port/i7")
    assert not index.concerns("h7", network_slice("ext"))
