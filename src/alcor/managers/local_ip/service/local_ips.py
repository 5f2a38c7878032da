"""Use cases of local IPs."""

import asyncio
from collections.abc import Mapping
from typing import Any

from alcor.contracts.peers import Ids
from alcor.contracts.resources import Caller, CreateRequest, DeleteRequest, Written
from alcor.contracts.sharing import allows
from alcor.managers.local_ip.model import (
    LocalIp,
    LocalIPInUse,
    LocalIPPortOrNetworkRequired,
    changed,
    local_ip,
)
from alcor.managers.local_ip.needs import Peers
from alcor.managers.local_ip.service.ports import Ports, wish
from alcor.managers.local_ip.sql import ASSOCIATIONS, LOCAL_IPS
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.errors import BadRequest
from alcor.values.missing import NetworkNotFound


class LocalIpService(KeptService[LocalIp]):
    """Keeps the contract ResourceManager."""

    def __init__(self, store: KeptStore, makers: Makers, peers: Peers, ports: Ports) -> None:
        super().__init__(store, LOCAL_IPS, makers)
        self._peers = peers
        self._ports = ports

    def changed(self, old: LocalIp, changes: Mapping[str, Any], now: str) -> LocalIp:
        return changed(old, changes, now)

    def check_gone(self, tx: KeptTransaction, held: LocalIp) -> None:
        if tx.where(ASSOCIATIONS, "local_ip_id = ?", held.id):
            raise LocalIPInUse(held.id)

    async def create(self, request: CreateRequest) -> Written:
        """All, or none; a port is made for those that name none."""
        making: list[str] = []
        try:
            things = [await self._new(each, request.caller, making) for each in request.items]

            def work(tx: KeptTransaction) -> Written:
                return tx.written(tx.insert(LOCAL_IPS, things))

            return await self._store.write(work, request.caller.request_id)
        except BaseException:
            # Whatever went wrong, the ports that were made go again.
            self._ports.made(making)
            await asyncio.shield(self._ports.drop_orphans())
            raise
        finally:
            self._ports.made(making)

    async def delete(self, request: DeleteRequest) -> Written:
        done = await super().delete(request)
        await self._ports.drop_orphans()
        return done

    async def _new(self, values: Mapping[str, Any], caller: Caller, making: list[str]) -> LocalIp:
        id_, now = values.get("id") or self._makers.new_id(), self._makers.now()
        if port_id := values.get("local_port_id"):
            held = await self._ports.held([port_id], seen_by(caller))
            if port_id not in held:
                raise BadRequest(f"Bad local_ip request: Port {port_id} not found.")
            return local_ip(values, id_, held[port_id], now)
        if not values.get("network_id"):
            raise LocalIPPortOrNetworkRequired
        await self._check_network(values["network_id"], caller)
        making.append(self._makers.new_id())
        wanted = wish(values, id_, making[-1], caller.request_id)
        return local_ip(values, id_, await self._ports.make(id_, making[-1], wanted), now)

    async def _check_network(self, id_: str, caller: Caller) -> None:
        project = seen_by(caller)
        for each in (await self._peers.networks.networks(Ids([id_]))).networks:
            if project in (None, each.project_id) or allows(each.shared_with, str(project)):
                return
        raise NetworkNotFound(id_)
