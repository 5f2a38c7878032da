"""Use cases of NDP proxies."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.resources import Caller, CreateRequest, ListReply, ListRequest, Written
from alcor.contracts.routing import Path, PathRequest, ProxyingRouter
from alcor.intent.records import PortRecord
from alcor.managers.elastic_ip.model.ndp_proxy import NdpProxy, candidates, ndp_proxy
from alcor.managers.elastic_ip.model.refusals import (
    AddressScopeConflict,
    InvalidAddress,
    PortUnreachableRouter,
    RouterNDPProxyNotEnable,
)
from alcor.managers.elastic_ip.needs import Peers
from alcor.managers.elastic_ip.service.associating import Associating
from alcor.managers.elastic_ip.service.internal_ports import InternalPorts
from alcor.managers.elastic_ip.sql.ndp_proxies import NDP_PROXIES
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.network_scopes import ipv6_scope
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.runtime.tables import fences

_HIDDEN = ("interface_port_id", "gateway_port_id")


class NdpProxyService(KeptService[NdpProxy]):
    """Keeps the contract ResourceManager."""

    def __init__(
        self,
        store: KeptStore,
        peers: Peers,
        associating: Associating,
        internal_ports: InternalPorts,
        makers: Makers,
    ) -> None:
        super().__init__(store, NDP_PROXIES, makers)
        self._peers = peers
        self._associating = associating
        self._internal_ports = internal_ports

    async def list_page(self, request: ListRequest) -> ListReply:
        """Whose port has gone meanwhile has gone, too."""
        project, query = seen_by(request.caller), request.query
        page = await self._store.read(lambda tx: tx.page(NDP_PROXIES, query, project))
        await self._internal_ports.views({NDP_PROXIES.decode(each).port_id for each in page})
        return await super().list_page(request)

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        new = [await self._made(item, request.caller) for item in request.items]

        def work(tx: KeptTransaction) -> Written:
            for each in new:
                if fences.fenced(tx.connection, [each.interface_port_id, each.gateway_port_id]):
                    raise PortUnreachableRouter(each.router_id, each.port_id)
            return tx.written(self.documents(tx, tx.insert(NDP_PROXIES, new)))

        for each in new:
            self._internal_ports.watch([each.port_id])
        return await self._store.write(work, request.caller.request_id)

    def changed(self, old: NdpProxy, changes: Mapping[str, Any], now: str) -> NdpProxy:
        return msgspec.structs.replace(old, **changes)

    def documents(self, tx: KeptTransaction, documents: Sequence[Raw]) -> Sequence[Raw]:
        return [_shown(each) for each in documents]

    async def _made(self, item: Mapping[str, Any], caller: Caller) -> NdpProxy:
        router = await self._associating.router(item["router_id"], caller)
        port = await self._associating.port(item["port_id"], item["project_id"], caller)
        if not router.ndp_proxy:
            raise RouterNDPProxyNotEnable(router.id)
        ip_address, path = await self._reached(router, port, item["ip_address"])
        outside = await self._scope(router.external_network_id)
        inside = await self._scope(port.network_id)
        if outside != inside:
            raise AddressScopeConflict(outside, inside)
        return ndp_proxy(item, item.get("id") or self._makers.new_id(), ip_address, path)

    async def _reached(
        self, router: ProxyingRouter, port: PortRecord, wanted: str | None
    ) -> tuple[str, Path]:
        """The address of the port that the router is to answer for, and how it reaches it."""
        for ip in candidates(port, wanted):
            request = PathRequest(
                subnet_id=ip.subnet_id, external_network_id=router.external_network_id
            )
            for path in (await self._peers.routers.paths(request)).paths:
                if path.router_id == router.id:
                    return ip.ip_address, path
        if wanted is not None:
            raise InvalidAddress(wanted, f"This address cannot reach the router {router.id}")
        raise PortUnreachableRouter(router.id, port.id)

    async def _scope(self, network_id: str) -> str:
        return await ipv6_scope(network_id, self._peers.subnets, self._peers.pools)


def _shown(document: Raw) -> Raw:
    fields = msgspec.json.decode(document)
    return Raw(msgspec.json.encode({k: v for k, v in fields.items() if k not in _HIDDEN}))
