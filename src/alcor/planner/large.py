"""Which networks are large, and what that changes: the hosts that have ports of one are entries.

Pure. A network is large while more of its ports are bound than a threshold, whatever it was before,
so that the order of changes does not count.
"""

from collections.abc import Iterator
from typing import NamedTuple

from alcor.goal_state.entries import Presence
from alcor.goal_state.slices import reach_key
from alcor.intent.records import NodeRecord, PortRecord
from alcor.planner.index import Index
from alcor.values.addresses import address


class Spread(NamedTuple):
    """What a port's change means for its network: who has some of it, and whether it is large."""

    network_id: str
    decided: list[tuple[str, Presence]]
    touched: list[str]  # keys of entries that were, or are, of this
    becomes: bool | None  # large, or (False) not any more; None: as it was


NOTHING = Spread("", [], [], None)


def of_port(
    index: Index, above: int, before: PortRecord | None, after: PortRecord | None
) -> Spread:
    """What the change of a port means; the index is as it was before."""
    port = after or before
    assert port is not None, "it is a change"
    network_id = port.network_id
    count = index.bound(network_id)
    left, come = _hosts(before), _hosts(after)
    after_count = count - bool(left) + bool(come)
    if not left | come or max(count, after_count) <= above:
        return NOTHING
    was, is_large = count > above, after_count > above
    ports = index.ports_by_host(network_id)
    hosts = left | come if was == is_large else left | come | ports.keys()
    living = [each for each in hosts if ports.get(each, 0) - (each in left) + (each in come)]
    decided = list(_presence(index, network_id, living)) if is_large else []
    touched = [reach_key(network_id, host) for host in sorted(hosts)]
    return Spread(network_id, decided, touched, is_large if was != is_large else None)


def of_node(index: Index, above: int, node: NodeRecord) -> list[tuple[str, Presence]]:
    """A node in the large networks that it has ports of."""
    endpoint = address(node.tunnel_ip)
    networks = dict.fromkeys(port.network_id for port in index.ports_on(node.id))
    return [
        (reach_key(each, node.id), Presence(each, node.id, endpoint))
        for each in networks
        if index.bound(each) > above
    ]


def _hosts(port: PortRecord | None) -> set[str]:
    return set(port.hosts) if port is not None and port.host else set()


def _presence(index: Index, network_id: str, hosts: list[str]) -> Iterator[tuple[str, Presence]]:
    for host in sorted(hosts):
        node = index.node(host)
        if node is not None:
            yield (
                reach_key(network_id, host),
                Presence(network_id, host, address(node.tunnel_ip)),
            )
