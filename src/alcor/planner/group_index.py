"""Which security groups are on which hosts, and which remotes their rules lead to."""

from collections.abc import Collection, Iterable

from alcor.intent.records import PortRecord, Record, RuleRecord
from alcor.planner.pairs import PairIndex, Pairs


class GroupIndex(PairIndex):
    """Follows ports and rules: from groups to hosts, from remotes to the groups that name them."""

    def __init__(self) -> None:
        self._hosts_by_group = Pairs()
        self._groups_by_remote_group = Pairs()
        self._groups_by_addresses = Pairs()

    def hosts_of_group(self, group_id: str) -> Collection[str]:
        """The hosts with a port that the group's rules are for, as they are at each look."""
        return self._hosts_by_group.of(group_id).keys()

    def hosts_of_members(self, group_id: str) -> list[Collection[str]]:
        """The hosts that hold a rule which names the group as remote, by the rule's group."""
        return [*map(self.hosts_of_group, self._groups_by_remote_group.of(group_id))]

    def hosts_of_addresses(self, address_group_id: str) -> list[Collection[str]]:
        """The hosts that hold a rule which names the address group as remote, by its group."""
        return [*map(self.hosts_of_group, self._groups_by_addresses.of(address_group_id))]

    def _pairs(self, record: Record) -> Iterable[tuple[Pairs, str, str]]:
        match record:
            case PortRecord() if record.host:
                for group_id in record.security_groups:
                    for host in record.hosts:
                        yield self._hosts_by_group, group_id, host
            case RuleRecord(remote_group_id=remote) if remote:
                yield self._groups_by_remote_group, remote, record.group_id
            case RuleRecord(remote_address_group_id=remote) if remote:
                yield self._groups_by_addresses, remote, record.group_id
