"""Use cases of mirrors."""

from collections.abc import Mapping, Sequence
from typing import Any

from alcor.contracts.resources import Caller, CreateRequest, ListReply, ListRequest, Written
from alcor.managers.monitoring.model.mirror import (
    TapMirror,
    TapMirrorTunnelConflict,
    mirror,
)
from alcor.managers.monitoring.needs import Peers
from alcor.managers.monitoring.service.subjects import Subjects
from alcor.managers.monitoring.sql import MIRRORS
from alcor.resource.revisions import different
from alcor.runtime.managing.kept import KeptStore, KeptTransaction
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.missing import PortNotFound


class MirrorService(KeptService[TapMirror]):
    """Keeps the contract ResourceManager."""

    def __init__(self, store: KeptStore, makers: Makers, peers: Peers, ports: Subjects) -> None:
        super().__init__(store, MIRRORS, makers)
        self._peers, self._ports = peers, ports

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> TapMirror:
        return mirror(values, id_)

    def changed(self, old: TapMirror, changes: Mapping[str, Any], now: str) -> TapMirror:
        return different(old, changes)

    def check_new(self, tx: KeptTransaction, things: Sequence[TapMirror], caller: Caller) -> None:
        """A tunnel id is of one mirror, whoever's: by it the receiver knows what is what."""
        taken: set[int] = set()
        for each in things:
            for tunnel_id in each.tunnel_ids.values():
                held = tx.where(MIRRORS, "in_tunnel = ? OR out_tunnel = ?", tunnel_id, tunnel_id)
                if held or tunnel_id in taken:
                    raise TapMirrorTunnelConflict(tunnel_id)
            taken.update(each.tunnel_ids.values())

    async def list_page(self, request: ListRequest) -> ListReply:
        """Whose port has gone meanwhile has gone, too."""
        project, query = seen_by(request.caller), request.query
        page = await self._store.read(lambda tx: tx.page(MIRRORS, query, project))
        await self._ports.look(MIRRORS.decode(each).port_id for each in page)
        return await super().list_page(request)

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        for item in request.items:
            if await self._peers.port(item["port_id"], request.caller) is None:
                raise PortNotFound(item["port_id"])
        self._ports.watch(item["port_id"] for item in request.items)
        return await super().create(request)
