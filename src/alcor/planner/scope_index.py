"""Which address scope each subnet is in: that of the pool which its prefix is of."""

from alcor.intent.records import Record, SubnetPoolRecord, SubnetRecord
from alcor.planner.pairs import Pairs


class ScopeIndex:
    """Follows pools and subnets, in whatever order they come."""

    def __init__(self) -> None:
        self._scope_by_pool: dict[str, str] = {}
        self._subnets_by_pool = Pairs()

    def put(self, record: Record) -> None:
        """A record has come."""
        match record:
            case SubnetPoolRecord():
                self._scope_by_pool[record.id] = record.address_scope_id
            case SubnetRecord(subnetpool_id=pool_id) if pool_id:
                self._subnets_by_pool.add(pool_id, record.id)

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        match record:
            case SubnetPoolRecord():
                self._scope_by_pool.pop(record.id, None)
            case SubnetRecord(subnetpool_id=pool_id) if pool_id:
                self._subnets_by_pool.remove(pool_id, record.id)

    def scope_of(self, pool_id: str) -> str:
        """The scope of a pool; empty when it is in none, or not known."""
        return self._scope_by_pool.get(pool_id, "")

    def subnets_of(self, pool_id: str) -> list[str]:
        """The subnets with a prefix of a pool."""
        return list(self._subnets_by_pool.of(pool_id))
