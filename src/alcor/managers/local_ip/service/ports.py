"""The ports that local IPs need: those that are made for them, and what goes when one is gone."""

from collections.abc import Iterable, Mapping

import structlog

from alcor.contracts.held_ports import LOCAL_IP, AddressWish, Claim, HeldPort
from alcor.contracts.peers import Ids
from alcor.intent.records import PortRecord
from alcor.managers.local_ip.needs import Peers
from alcor.managers.local_ip.sql import (
    ASSOCIATIONS,
    LOCAL_IPS,
    begin_port,
    end_ports,
    orphans,
    ports_in_use,
)
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.watching import Watching
from alcor.values.errors import BadRequest, Refusal

_log = structlog.get_logger("alcor.local_ip")


class Ports(Watching):
    """Makes ports, drops them again, and watches those that are used."""

    def __init__(self, store: KeptStore, peers: Peers) -> None:
        super().__init__()
        self._store = store
        self._peers = peers
        self._making: set[str] = set()  # ports of local IPs that are about to be there

    async def in_use(self) -> set[str]:
        return await self._store.read(lambda tx: ports_in_use(tx.connection))

    async def held(self, ids: Iterable[str], project: str | None) -> Mapping[str, PortRecord]:
        """Those of the ports that there are, and the project may use."""
        views = (await self._peers.ports.views(Ids(sorted(set(ids))))).ports
        records = [view.port for view in views if project in (None, view.port.project_id)]
        self.watch(record.id for record in records)
        return {record.id: record for record in records}

    async def make(self, local_ip_id: str, port_id: str, wish: HeldPort) -> PortRecord:
        """A port of this id for a local IP that is to be saved; `made` or `drop_orphans` follow."""
        self._making.add(port_id)
        await self._store.write(lambda tx: begin_port(tx.connection, local_ip_id, port_id))
        view = await self._peers.ports.make(wish)
        if not any(":" not in fixed.ip_address for fixed in view.port.fixed_ips):
            raise BadRequest(
                f"Bad local_ip request: Network {view.port.network_id} does not contain any IPv4 "
                "subnet."
            )
        self.watch([port_id])
        return view.port

    def made(self, port_ids: Iterable[str]) -> None:
        """Their local IPs were saved, or never will be."""
        self._making.difference_update(port_ids)

    async def drop_orphans(self) -> None:
        """Delete the ports of local IPs that are not there; what can't be deleted stays noted."""
        dropped: list[str] = []
        for port_id, local_ip_id in await self._store.read(lambda tx: orphans(tx.connection)):
            if port_id in self._making:
                continue
            claim = Claim(port_id=port_id, device_owner=LOCAL_IP, device_id=local_ip_id)
            try:
                await self._peers.ports.drop(claim)
            except Refusal as refusal:
                _log.warning("port not dropped", port=port_id, reason=refusal.message)
                continue
            dropped.append(port_id)
        if dropped:
            await self._store.write(lambda tx: end_ports(tx.connection, dropped))

    async def look(self, ids: Iterable[str]) -> None:
        wanted = set(ids)
        gone = wanted - (await self.held(wanted, None)).keys() if wanted else set[str]()
        if gone:
            await self._store.write(lambda tx: _forget(tx, gone))
            self._watched -= gone


def wish(values: Mapping[str, object], local_ip_id: str, port_id: str, trace: str) -> HeldPort:
    """The port that a local IP on a network needs."""
    address = values.get("local_ip_address")
    return HeldPort(
        id=port_id,
        network_id=str(values["network_id"]),
        project_id=str(values["project_id"]),
        device_owner=LOCAL_IP,
        device_id=local_ip_id,
        fixed_ips=(AddressWish(ip_address=str(address)),) if address else None,
        trace=trace,
    )


def _forget(tx: KeptTransaction, port_ids: Iterable[str]) -> None:
    for port_id in port_ids:
        lost = tx.where(LOCAL_IPS, "local_port_id = ?", port_id)
        associations = tx.where(ASSOCIATIONS, "fixed_port_id = ?", port_id)
        for each in lost:
            associations += tx.where(ASSOCIATIONS, "local_ip_id = ?", each.id)
        tx.remove(ASSOCIATIONS, dict.fromkeys(each.id for each in associations))
        tx.remove(LOCAL_IPS, [each.id for each in lost])
