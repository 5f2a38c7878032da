"""Who has QoS policies: the hosts of ports that have their own, networks, and routers.

A router has the policies of its gateway and of its floating IPs.
"""

from collections.abc import Collection, Iterator

from alcor.intent.records import (
    FloatingIpRecord,
    NetworkRecord,
    PortRecord,
    Record,
    RouterRecord,
)
from alcor.planner.pairs import PairIndex, Pairs


class QosIndex(PairIndex):
    """Follows ports, networks, routers and floating IPs."""

    def __init__(self) -> None:
        self._hosts_by_policy = Pairs()
        self._networks_by_policy = Pairs()
        self._routers_by_policy = Pairs()

    def hosts_of(self, policy_id: str) -> Collection[str]:
        """The hosts with a port that has the policy itself, as they are at each look."""
        return self._hosts_by_policy.of(policy_id).keys()

    def networks_of(self, policy_id: str) -> set[str]:
        """The networks that have the policy."""
        return set(self._networks_by_policy.of(policy_id))

    def routers_of(self, policy_id: str) -> set[str]:
        """The routers at whose gateways the policy holds."""
        return set(self._routers_by_policy.of(policy_id))

    def _pairs(self, record: Record) -> Iterator[tuple[Pairs, str, str]]:
        match record:
            case PortRecord() if record.host and record.qos_policy_id:
                for host in record.hosts:
                    yield self._hosts_by_policy, record.qos_policy_id, host
            case NetworkRecord() if record.qos_policy_id:
                yield self._networks_by_policy, record.qos_policy_id, record.id
            case FloatingIpRecord() if record.qos_policy_id and record.router_id:
                yield self._routers_by_policy, record.qos_policy_id, record.router_id
            case RouterRecord(gateway=gateway) if gateway is not None and gateway.qos_policy_id:
                yield self._routers_by_policy, gateway.qos_policy_id, record.id
