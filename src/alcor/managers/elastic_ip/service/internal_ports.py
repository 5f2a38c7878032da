"""The internal ports that floating IPs are given to, and what becomes of these with them."""

from collections.abc import Iterable, Mapping, Sequence

from alcor.contracts.held_ports import PortView
from alcor.contracts.peers import Ids
from alcor.intent.follow import id_of, record_of
from alcor.intent.records import PortRecord
from alcor.keyed_log.log import Entry
from alcor.managers.elastic_ip.model.floating_ip import changed, forwarding, given
from alcor.managers.elastic_ip.model.port_forwarding import Forwarding
from alcor.managers.elastic_ip.needs import HeldPortPeer, Store, Transaction
from alcor.runtime.managing.watching import Watching
from alcor.runtime.managing.writes import Makers


class InternalPorts(Watching):
    """Watches the ports of associations and port forwardings, and the addresses that they have."""

    def __init__(self, store: Store, ports: HeldPortPeer, makers: Makers) -> None:
        super().__init__()
        self._store = store
        self._ports = ports
        self._makers = makers

    async def in_use(self) -> set[str]:
        return await self._store.read(lambda tx: tx.internal_ports())

    async def look(self, ids: Iterable[str]) -> None:
        await self.views(ids)

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Changes of ports, from the log."""
        suspect: dict[str, set[str]] = {}
        for entry in entries:
            id_ = id_of(entry)
            if id_ in self._watched:
                record = record_of(entry)
                suspect[id_] = _addresses(record) if isinstance(record, PortRecord) else set()
        await self._settle(suspect)
        self._watched.difference_update(id_of(each) for each in entries if each.value is None)

    async def views(self, port_ids: Iterable[str]) -> Mapping[str, PortView]:
        """How these ports are; what is given to one that is gone is taken back first."""
        ids = sorted(port_ids)
        if not ids:
            return {}
        found = {view.port.id: view for view in (await self._ports.views(Ids(ids))).ports}
        held = {id_: _addresses(found[id_].port) if id_ in found else set() for id_ in ids}
        await self._settle(held)
        self._watched -= held.keys() - found.keys()
        return found

    async def _settle(self, addresses_by_port: Mapping[str, set[str]]) -> None:
        """Take back what goes to addresses that the ports have not."""
        if not addresses_by_port:
            return
        stale: bool = await self._store.read(lambda tx: _stale(tx, addresses_by_port))
        if stale:
            now = self._makers.now()
            await self._store.write(lambda tx: _take_back(tx, addresses_by_port, now))


def _addresses(port: PortRecord) -> set[str]:
    return {ip.ip_address for ip in port.fixed_ips}


def _stale(tx: Transaction, addresses_by_port: Mapping[str, set[str]]) -> bool:
    ids = list(addresses_by_port)
    return (
        any(
            held.ip.fixed_ip_address not in addresses_by_port[held.ip.port_id or ""]
            for held in tx.given_to(ids)
        )
        or any(
            each.shown.internal_ip_address not in addresses_by_port[each.shown.internal_port_id]
            for each in tx.forwardings_to(ids)
        )
        or any(
            each.ip_address not in addresses_by_port[each.port_id] for each in tx.proxies_to(ids)
        )
    )


def _take_back(tx: Transaction, addresses_by_port: Mapping[str, set[str]], now: str) -> None:
    ids = list(addresses_by_port)
    for held in tx.given_to(ids):
        if held.ip.fixed_ip_address not in addresses_by_port[held.ip.port_id or ""]:
            tx.save(changed(held, given(held, None), {}, now))
    for each in tx.forwardings_to(ids):
        if each.shown.internal_ip_address not in addresses_by_port[each.shown.internal_port_id]:
            drop_forwarding(tx, each, now)
    for proxy in tx.proxies_to(ids):
        if proxy.ip_address not in addresses_by_port[proxy.port_id]:
            tx.remove_proxy(proxy.id)


def drop_forwarding(tx: Transaction, going: Forwarding, now: str) -> None:
    """Remove a port forwarding; with the last one, the floating IP has no router any more."""
    tx.remove_forwarding(going.shown.id)
    held = tx.floating_ip(going.floatingip_id, None)
    left = tx.forwardings_of([going.floatingip_id])
    new = held if left else forwarding(held, None)
    saved = changed(held, new, {}, now)
    if saved is not held:
        tx.save(saved)
