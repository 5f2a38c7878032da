"""Which hosts have ports with a QoS policy of their own, and which networks have which policy."""

from collections.abc import Iterator

from alcor.intent.records import NetworkRecord, PortRecord, Record
from alcor.planner.group_index import Pairs


class QosIndex:
    """Follows ports and networks."""

    def __init__(self) -> None:
        self._hosts_by_policy = Pairs()
        self._networks_by_policy = Pairs()

    def put(self, record: Record) -> None:
        """A record has come."""
        for pairs, one, other in self._pairs(record):
            pairs.add(one, other)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        for pairs, one, other in self._pairs(record):
            pairs.remove(one, other)

    def hosts_of(self, policy_id: str) -> set[str]:
        """The hosts with a port that has the policy itself."""
        return set(self._hosts_by_policy.of(policy_id))

    def networks_of(self, policy_id: str) -> set[str]:
        """The networks that have the policy."""
        return set(self._networks_by_policy.of(policy_id))

    def _pairs(self, record: Record) -> Iterator[tuple[Pairs, str, str]]:
        match record:
            case PortRecord() if record.host and record.qos_policy_id:
                for host in record.hosts:
                    yield self._hosts_by_policy, record.qos_policy_id, host
            case NetworkRecord() if record.qos_policy_id:
                yield self._networks_by_policy, record.qos_policy_id, record.id
