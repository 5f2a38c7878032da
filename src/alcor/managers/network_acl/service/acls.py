"""Use cases of network ACLs."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from alcor.contracts.peers import Acls, AclsRequest, Ids
from alcor.contracts.resources import (
    Caller,
    CreateRequest,
    DeleteRequest,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.managers.network_acl.model.acl import (
    NetworkAclInUse,
    NetworkAclNotFound,
    acl,
    changed,
)
from alcor.managers.network_acl.model.rule import default_rule
from alcor.managers.network_acl.needs import NetworkPeer, Store, SubnetPeer, Transaction
from alcor.managers.network_acl.service.writes import written
from alcor.resource.revisions import check_revision
from alcor.runtime.managing.writes import Makers, seen_by
from alcor.values.errors import NotFound
from alcor.values.missing import NetworkNotFound


class AclService:
    """Keeps the contracts ResourceManager and NetworkAclPeer."""

    def __init__(
        self, store: Store, networks: NetworkPeer, subnets: SubnetPeer, makers: Makers
    ) -> None:
        self._store = store
        self._networks = networks
        self._subnets = subnets
        self._makers = makers

    async def list_page(self, request: ListRequest) -> ListReply:
        project, query = seen_by(request.caller), request.query
        return ListReply(await self._store.read(lambda tx: tx.acl_page(query, project)))

    async def living_acls(self, request: AclsRequest) -> Acls:
        project = request.project_id or None

        def work(tx: Transaction) -> Acls:
            found = []
            for id_ in request.ids:
                with suppress(NetworkAclNotFound):
                    found.append(tx.acl(id_, project).id)
            return Acls(found)

        return await self._store.read(work)

    async def create(self, request: CreateRequest) -> Written:
        await self._check_networks(request.items, request.caller)
        for network_id, subnet_ids in _subnets_by_network(request.items).items():
            await self._check_subnets(network_id, subnet_ids)
        now = self._makers.now()
        acls = [acl(e, e.get("id") or self._makers.new_id(), now) for e in request.items]

        def work(tx: Transaction) -> Written:
            documents = tx.insert_acls(acls)
            for each in acls:
                directions = ("ingress", "egress")
                tx.insert_rules([default_rule(each, d, self._makers.new_id()) for d in directions])
            return written(tx, documents)

        return await self._store.write(work, request.caller.request_id)

    async def update(self, request: UpdateRequest) -> Written:
        project, now = seen_by(request.caller), self._makers.now()
        if "subnet_ids" in request.changes:
            held = await self._store.read(lambda tx: tx.acl(request.id, project))
            await self._check_subnets(held.network_id, request.changes["subnet_ids"])

        def work(tx: Transaction) -> Written:
            old = tx.acl(request.id, project)
            check_revision(request.if_revision, old.revision_number)
            return written(tx, [tx.save_acl(changed(old, request.changes, now))])

        return await self._store.write(work, request.caller.request_id)

    async def delete(self, request: DeleteRequest) -> Written:
        def work(tx: Transaction) -> Written:
            held = tx.acl(request.id, seen_by(request.caller))
            if held.subnet_ids:
                raise NetworkAclInUse(held.id)
            tx.remove_acl(held.id)
            return written(tx, [])

        return await self._store.write(work, request.caller.request_id)

    async def _check_networks(self, items: Sequence[Mapping[str, Any]], caller: Caller) -> None:
        ids = sorted({item["network_id"] for item in items})
        found = (await self._networks.networks(Ids(ids))).networks
        project = seen_by(caller)
        visible = {n.id for n in found if project in (None, n.project_id)}
        for id_ in ids:
            if id_ not in visible:
                raise NetworkNotFound(id_)

    async def _check_subnets(self, network_id: str, subnet_ids: Iterable[str]) -> None:
        wanted = set(subnet_ids)
        if not wanted:
            return
        found = (await self._subnets.subnets_of(Ids([network_id]))).subnets
        for id_ in sorted(wanted - {subnet.id for subnet in found}):
            message = f"Subnet {id_} could not be found on network {network_id}."
            raise NotFound(message, type="SubnetNotFound")


def _subnets_by_network(items: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    subnets: dict[str, set[str]] = {}
    for item in items:
        subnets.setdefault(item["network_id"], set()).update(item["subnet_ids"])
    return subnets
