"""Keep the ports' status by what their hosts report.

A report counts only from the host that the port is bound to, and only when it says something new.
The intent log is not told: what tenants want has not changed. But for gateways of routers: whether
their next hops live all hosts of the router must know.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from alcor.goal_state.reports import PortReport
from alcor.intent.records import NodeRecord
from alcor.keyed_log.log import Entry
from alcor.managers.port.model.port import Port, heard_of, is_gateway, reported
from alcor.managers.port.needs import Store, Transaction

_decode = msgspec.msgpack.Decoder(PortReport).decode


class StatusKeeper:
    """Takes reports in batches, each in one transaction."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], str],
        host: Callable[[str], NodeRecord | None],  # what is known of it
    ) -> None:
        self._store = store
        self._host = host
        self._now = now

    async def take(self, entries: Sequence[Entry]) -> None:
        """Apply what the report log says of ports."""
        reports = [_decode(entry.value) for entry in entries if entry.value is not None]
        by_port: dict[str, dict[str, PortReport]] = {}  # and by host
        for report in reports:
            by_port.setdefault(report.port_id, {})[report.host] = report
        changed = await self._store.read(lambda tx: self._changed(tx, by_port))
        if changed:
            again = {port.id: by_port[port.id] for port in changed}
            await self._store.write(lambda tx: self._save(tx, again))

    def _save(self, tx: Transaction, reports: Mapping[str, Mapping[str, PortReport]]) -> None:
        changed = self._changed(tx, reports)
        tx.show([port for port in changed if not is_gateway(port)])
        for port in filter(is_gateway, changed):
            tx.replace(port, port, "")

    def _changed(
        self, tx: Transaction, reports_by_port: Mapping[str, Mapping[str, PortReport]]
    ) -> list[Port]:
        at = self._now()
        changed: list[Port] = []
        for port_id, old in tx.ports(list(reports_by_port)).items():
            new = old
            for report in reports_by_port[port_id].values():
                if is_gateway(old):  # whose word counts its delivery knows
                    new = heard_of(new, report.said, at)
                    continue
                new = reported(new, report.host, report.status, at, self._host(report.host))
            if new is not old:
                changed.append(new)
        return changed
