"""Give ports the addresses that their machines make themselves in a subnet that is new to them.

By state, not by event: whatever made a subnet known (the log at start, a new subnet, a deletion
that was taken back), the ports of its network that have no address of it get one.
"""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from alcor.contracts.resources import Caller
from alcor.managers.port.model.addressing import ROUTER_OWNERS, SubnetView
from alcor.managers.port.model.jobs import Update
from alcor.managers.port.needs import Queue, Store
from alcor.values.errors import Refusal

page_max = 200  # ports that are readdressed together
again_s = 1.0  # after a failure

log = structlog.get_logger(__name__)
_NOBODY = Caller(project_id="", admin=True)


class AutomaticAddresses:
    """Goes over the ports of subnets that it is told of."""

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store = store
        self._queue = queue
        self._waiting: dict[str, SubnetView] = {}
        self._told = asyncio.Event()

    def take(self, subnets: Iterable[SubnetView]) -> None:
        """Look at these subnets soon; one at a time, however often it is told."""
        self._waiting |= {subnet.id: subnet for subnet in subnets if subnet.automatic}
        if self._waiting:
            self._told.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._told.wait()
            self._told.clear()
            while self._waiting:
                id_, subnet = self._waiting.popitem()
                try:
                    await self._fill(subnet)
                except Refusal as refusal:  # a database that is away: look at the subnet later
                    log.warning("no_automatic_addresses", subnet=id_, reason=refusal.message)
                    self._waiting.setdefault(id_, subnet)
                    await asyncio.sleep(again_s)

    async def _fill(self, subnet: SubnetView) -> None:
        after = ""
        while ports := await self._lacking(subnet, after):
            after = ports[-1][0]
            ids = [id_ for id_, owner in ports if owner not in ROUTER_OWNERS]
            await asyncio.gather(*(self._readdress(id_) for id_ in ids))

    async def _lacking(self, subnet: SubnetView, after: str) -> Sequence[tuple[str, str]]:
        return await self._store.read(
            lambda tx: tx.ports_lacking(subnet.network_id, subnet.id, after, page_max)
        )

    async def _readdress(self, port_id: str) -> None:
        job = Update(_NOBODY, port_id, {}, None, None, readdress=True)
        try:
            await self._queue.ask(job)
        except Refusal as refusal:  # the port or the subnet has gone, or the address is taken
            log.warning("no_automatic_address", port=port_id, reason=refusal.message)
