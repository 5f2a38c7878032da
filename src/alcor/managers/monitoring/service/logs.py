"""Use cases of logs."""

from collections.abc import Mapping, Sequence
from typing import Any

from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    ListReply,
    ListRequest,
    Written,
)
from alcor.managers.monitoring.model.log import (
    NETWORK_ACL,
    TYPES,
    InvalidResourceConstraint,
    Log,
    ResourceNotFound,
    TargetResourceNotFound,
    log,
)
from alcor.managers.monitoring.needs import Peers
from alcor.managers.monitoring.service.subjects import Subjects
from alcor.managers.monitoring.sql import LOGS, resource_of
from alcor.resource.revisions import revised
from alcor.resource.selection import Item
from alcor.runtime.managing.kept import KeptStore
from alcor.runtime.managing.kept_service import KeptService
from alcor.runtime.managing.writes import Makers, seen_by


class LogService(KeptService[Log]):
    """Keeps the contract ResourceManager."""

    def __init__(
        self,
        store: KeptStore,
        makers: Makers,
        peers: Peers,
        ports: Subjects,
        groups: Subjects,
        acls: Subjects,
    ) -> None:
        super().__init__(store, LOGS, makers)
        self._peers, self._ports, self._resources = peers, ports, (groups, acls)

    def new(self, values: Mapping[str, Any], id_: str, now: str) -> Log:
        return log(values, id_, now)

    def changed(self, old: Log, changes: Mapping[str, Any], now: str) -> Log:
        return revised(old, changes, now)

    async def list_page(self, request: ListRequest) -> ListReply:
        """What is about something that has gone meanwhile has gone, too."""
        project, query = seen_by(request.caller), request.query
        page = await self._store.read(lambda tx: tx.page(LOGS, query, project))
        found = [LOGS.decode(each) for each in page]
        await self._ports.look(each.target_id for each in found)
        for kind in self._resources:
            await kind.look(resource_of(each, kind.kind) for each in found)
        return await super().list_page(request)

    async def create(self, request: CreateRequest) -> Written:
        """All, or none."""
        for item in request.items:
            await self._check(item, request.caller)
        self._ports.watch(item["target_id"] for item in request.items)
        for kind in self._resources:
            mine = [item for item in request.items if item["resource_type"] == kind.kind]
            kind.watch(item["resource_id"] for item in mine)
        return await super().create(request)

    async def _check(self, item: Mapping[str, Any], caller: Caller) -> None:
        """That there is what it is about, in Neutron's order; what `log` refuses first."""
        log(item, "", "")
        if item["resource_type"] == NETWORK_ACL:
            if not await self._peers.has_acl(item["resource_id"], caller):
                raise ResourceNotFound(item["resource_id"])
            return
        group_id, port_id = item["resource_id"], item["target_id"]
        if group_id and not await self._peers.has_group(group_id, caller):
            raise ResourceNotFound(group_id)
        if port_id:
            port = await self._peers.port(port_id, caller)
            if port is None:
                raise TargetResourceNotFound(port_id)
            if group_id and group_id not in port.security_groups:
                raise InvalidResourceConstraint(group_id, port_id)


async def loggable(caller: Caller) -> Sequence[Item]:
    """What can be logged. A type's name is its id."""
    return [{"id": each, "type": each} for each in TYPES]
