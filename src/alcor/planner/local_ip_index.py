"""Which local IPs ports have."""

from collections.abc import Collection

from alcor.intent.local_ip_records import LocalIpAssociationRecord
from alcor.intent.records import Record


class LocalIpIndex:
    """Follows associations."""

    def __init__(self) -> None:
        self._by_port: dict[str, dict[str, LocalIpAssociationRecord]] = {}

    def put(self, record: Record) -> None:
        """A record has come."""
        if isinstance(record, LocalIpAssociationRecord):
            self._by_port.setdefault(record.port_id, {})[record.id] = record

    def drop(self, record: Record) -> None:
        """A record that came has gone."""
        if isinstance(record, LocalIpAssociationRecord):
            held = self._by_port[record.port_id]
            del held[record.id]
            if not held:
                del self._by_port[record.port_id]

    def of(self, port_id: str) -> Collection[LocalIpAssociationRecord]:
        """Those of a port."""
        held = self._by_port.get(port_id)
        return held.values() if held else ()

    def with_(
        self, port_id: str, before: Record | None, after: Record | None
    ) -> list[LocalIpAssociationRecord]:
        """Those of a port, once one record has become another."""
        held = [each for each in self.of(port_id) if each != before]
        if isinstance(after, LocalIpAssociationRecord) and after.port_id == port_id:
            held.append(after)
        return held
