"""Which ACL each subnet has, and which networks an ACL's subnets are of."""

from collections.abc import Iterator, Mapping

from alcor.intent.records import NetworkAclRecord, Record, SubnetRecord
from alcor.planner.pairs import PairIndex, Pairs


class AclIndex(PairIndex):
    """Follows ACLs and subnets, in whatever order they come."""

    def __init__(self) -> None:
        self._acls_by_subnet = Pairs()
        self._subnets_by_acl = Pairs()
        self._network_by_subnet: dict[str, str] = {}

    def put(self, record: Record) -> None:
        """A record has come."""
        if isinstance(record, SubnetRecord):
            self._network_by_subnet[record.id] = record.network_id
        super().put(record)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        if isinstance(record, SubnetRecord):
            self._network_by_subnet.pop(record.id, None)
        super().drop(record)

    def network_of(self, subnet_id: str) -> str:
        """The network of a subnet; empty while it is not known."""
        return self._network_by_subnet.get(subnet_id, "")

    def acl_of(self, subnet_id: str, without: str = "", with_: str = "") -> str:
        """The subnet's ACL; empty when it has none.

        While it moves from one to another both may say that it is theirs: then the lesser id has
        it, whichever came first. `without` and `with_` are as if that ACL's record were another.
        """
        claims: Mapping[str, int] = self._acls_by_subnet.of(subnet_id)
        return min((claims.keys() - {without}) | ({with_} - {""}), default="")

    def networks_of(self, acl_id: str) -> set[str]:
        """The networks with a subnet of the ACL."""
        networks = map(self.network_of, self._subnets_by_acl.of(acl_id))
        return {network_id for network_id in networks if network_id}

    def _pairs(self, record: Record) -> Iterator[tuple[Pairs, str, str]]:
        if isinstance(record, NetworkAclRecord):
            for subnet_id in record.subnet_ids:
                yield self._acls_by_subnet, subnet_id, record.id
                yield self._subnets_by_acl, record.id, subnet_id
