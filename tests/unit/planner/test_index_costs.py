"""What the index is asked for each host costs the same, however many hosts there are."""

import tracemalloc

from alcor.goal_state.slices import addresses_slice, group_slice, members_slice, policy_slice
from alcor.intent.records import PortRecord, RuleRecord
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
