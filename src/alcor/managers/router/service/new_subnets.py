"""Gateways get addresses of subnets that come to their external networks later than they did.

Source: neutron.db.db_base_plugin_v2 (_update_router_gw_ports).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from alcor.intent.follow import id_of, record_of
from alcor.intent.records import SubnetRecord
from alcor.keyed_log.log import Entry
from alcor.managers.router.needs import Store
from alcor.values.errors import Refusal

log = structlog.get_logger(__name__)

# Gives the gateway of a router an address of a subnet, unless it has one of the family.
Extend = Callable[[str, SubnetRecord], Awaitable[None]]


class NewSubnets:
    """Follows the subnets' records; a subnet is offered to gateways once, when it is new."""

    def __init__(self, store: Store, extend: Extend) -> None:
        self._store = store
        self._extend = extend
        self._seen: set[str] | None = None  # None: nothing has been told in this life

    async def replace(self, entries: Sequence[Entry]) -> None:
        """All subnets. At first, which of them are new is not known: a gateway that has no address
        at all takes one."""
        subnets = [each for entry in entries if isinstance(each := record_of(entry), SubnetRecord)]
        seen, self._seen = self._seen, {each.id for each in subnets}
        if seen is not None:
            await self._offer(each for each in subnets if each.id not in seen)
        elif bare := await self._store.read(lambda tx: tx.networks_of_bare_gateways()):
            await self._offer(each for each in subnets if each.network_id in bare)

    async def apply(self, entries: Sequence[Entry]) -> None:
        """Changes of subnets, from the log."""
        assert self._seen is not None
        for entry in entries:
            record = record_of(entry)
            if not isinstance(record, SubnetRecord):
                self._seen.discard(id_of(entry))
            elif record.id not in self._seen:
                self._seen.add(record.id)
                await self._offer([record])

    async def _offer(self, subnets: Iterable[SubnetRecord]) -> None:
        for subnet in subnets:
            for router_id in await self._routers_to(subnet.network_id):
                try:
                    await self._extend(router_id, subnet)
                except Refusal as refusal:  # the router has gone, or the subnet is full or gone
                    log.warning("gateway_not_extended", router=router_id, reason=str(refusal))

    async def _routers_to(self, network_id: str) -> list[str]:
        return await self._store.read(lambda tx: tx.routers_to(network_id))
