"""Make, take and drop ports for the managers that hold them, through the queue of all writes."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Raw

from alcor.contracts.held_ports import (
    AddressWish,
    Claim,
    HeldPort,
    PortAddress,
    PortView,
    PortViews,
    Readdressing,
)
from alcor.contracts.peers import Done, Ids
from alcor.contracts.resources import Caller
from alcor.managers.port import intent
from alcor.managers.port.model.addressing import Wish, wishes
from alcor.managers.port.model.jobs import Create, Delete, Draft, Job, Update
from alcor.managers.port.model.port import Port, PortIdInUse, decode
from alcor.managers.port.needs import Queue, Store, Transaction
from alcor.values.errors import Refusal
from alcor.values.missing import PortNotFound

addresses_max = 100  # of one held port


class HeldPorts:
    """Keeps the contract HeldPortPeer; `defaults` is what a POST leaves out."""

    def __init__(self, store: Store, queue: Queue, defaults: Mapping[str, Any]) -> None:
        self._store = store
        self._queue = queue
        self._defaults = defaults

    async def make(self, request: HeldPort) -> PortView:
        if held := await self._ports([request.id]):  # before it leases what the port may not have
            return _view(held[0])
        # The id is not one that a client gave, so a fence on it holds: once dropped, never made.
        item = {
            **self._defaults,
            "network_id": request.network_id,
            "project_id": request.project_id,
            "device_owner": request.device_owner,
            "device_id": request.device_id,
            "port_security_enabled": False,
        }
        wished = _wishes(request.fixed_ips)
        draft = Draft(request.id, request.project_id, request.network_id, "", wished, item)
        try:
            return await self._done(Create(_caller(request.trace), [draft], ()))
        except PortIdInUse:  # the same was asked for twice at once
            if held := await self._ports([request.id]):
                return _view(held[0])
            raise

    async def claim(self, request: Claim) -> PortView:
        changes = {"device_owner": request.device_owner, "device_id": request.device_id}
        return await self._done(self._update(request.port_id, request.device_id, changes, request))

    async def give_back(self, request: Claim) -> Done:
        changes = {"device_owner": "", "device_id": ""}
        try:
            await self._done(self._update(request.port_id, request.device_id, changes, request))
        except Refusal as refusal:
            if refusal.type not in ("PortNotFound", "PortInUse"):
                raise
        return Done()

    async def readdress(self, request: Readdressing) -> PortView:
        job = Update(
            _caller(request.trace),
            request.port_id,
            {},
            _wishes(request.fixed_ips),
            None,
            request.device_id,
        )
        return await self._done(job)

    async def drop(self, request: Claim) -> Done:
        job = Delete(_caller(request.trace), request.port_id, request.device_id)
        try:
            await self._queue.ask(job)
        except PortNotFound:
            await self._store.write(lambda tx: _fence(tx, request.port_id))
        return Done()

    async def views(self, request: Ids) -> PortViews:
        return PortViews([_view(port) for port in await self._ports(request.ids)])

    async def at(self, request: PortAddress) -> PortViews:
        ids = await self._store.read(lambda tx: tx.ports_at(request.subnet_id, request.address))
        return await self.views(Ids(ids))

    async def _ports(self, ids: Sequence[str]) -> list[Port]:
        return list((await self._store.read(lambda tx: tx.ports(ids))).values())

    async def _done(self, job: Job) -> PortView:
        document: Raw = (await self._queue.ask(job)).items[0]
        return _view(decode(bytes(document)))

    def _update(
        self, port_id: str, holder: str, changes: Mapping[str, Any], request: Claim
    ) -> Update:
        return Update(_caller(request.trace), port_id, changes, None, None, holder)


def _fence(tx: Transaction, port_id: str) -> None:
    if not tx.existing([port_id]):
        tx.fence([port_id])


def _caller(trace: str) -> Caller:
    """Whoever holds ports acts for no tenant."""
    return Caller(project_id="", admin=True, request_id=trace)


def _view(port: Port) -> PortView:
    return PortView(intent.record(port), port.status)


def _wishes(fixed_ips: Sequence[AddressWish] | None) -> list[Wish] | None:
    if fixed_ips is None:
        return None
    items = [{"subnet_id": w.subnet_id, "ip_address": w.ip_address} for w in fixed_ips]
    return wishes(items, addresses_max)
