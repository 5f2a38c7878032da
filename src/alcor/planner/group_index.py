"""Which security groups are on which hosts, and which remotes their rules lead to."""

from collections.abc import Iterable, Mapping

from alcor.intent.records import PortRecord, Record, RuleRecord

_NOTHING: Mapping[str, int] = {}


class Pairs:
    """How often each pair was added; the pairs of one thing are found at once."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, one: str, other: str) -> None:
        """Count the pair once more."""
        counts = self._counts.setdefault(one, {})
        counts[other] = counts.get(other, 0) + 1

    def remove(self, one: str, other: str) -> None:
        """Count a pair that was added once less."""
        counts = self._counts[one]
        counts[other] -= 1
        if not counts[other]:
            del counts[other]
        if not counts:
            del self._counts[one]

    def of(self, one: str) -> Mapping[str, int]:
        """What is paired with it, and how often."""
        return self._counts.get(one, _NOTHING)


class GroupIndex:
    """Follows ports and rules: from groups to hosts, from remotes to the groups that name them."""

    def __init__(self) -> None:
        self._hosts_by_group = Pairs()
        self._groups_by_remote_group = Pairs()
        self._groups_by_addresses = Pairs()

    def put(self, record: Record) -> None:
        """A record has come."""
        for pairs, one, other in self._pairs(record):
            pairs.add(one, other)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        for pairs, one, other in self._pairs(record):
            pairs.remove(one, other)

    def hosts_of_group(self, group_id: str) -> set[str]:
        """The hosts with a port that the group's rules are for."""
        return set(self._hosts_by_group.of(group_id))

    def hosts_of_members(self, group_id: str) -> set[str]:
        """The hosts that hold a rule which names the group as remote."""
        return self._hosts_of_groups(self._groups_by_remote_group.of(group_id))

    def hosts_of_addresses(self, address_group_id: str) -> set[str]:
        """The hosts that hold a rule which names the address group as remote."""
        return self._hosts_of_groups(self._groups_by_addresses.of(address_group_id))

    def _hosts_of_groups(self, group_ids: Iterable[str]) -> set[str]:
        return {host for group_id in group_ids for host in self._hosts_by_group.of(group_id)}

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
