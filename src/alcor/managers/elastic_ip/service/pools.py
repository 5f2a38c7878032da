"""Pools of floating IPs: the IPv4 subnets of the external networks that a project may use.

Source: Neutron API reference v2, "Floating IP pools".
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.peers import Ids
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    ListQuery,
    ListReply,
    ListRequest,
    UpdateRequest,
    Written,
)
from alcor.contracts.sharing import Project
from alcor.intent.records import SubnetRecord
from alcor.managers.elastic_ip.needs import Peers
from alcor.values.errors import NotFound


class PoolService:
    """Keeps the contract ResourceManager; a pool is there as long as its subnet is."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers

    async def list_page(self, request: ListRequest) -> ListReply:
        caller, query = request.caller, request.query
        external = (await self._peers.reach.reachable(Project(caller.project_id))).external
        subnets = (await self._peers.subnets.subnets_of(Ids(sorted(external)))).subnets
        pools = [_pool(subnet) for subnet in subnets if subnet.ip_version == 4]
        return ListReply([Raw(msgspec.json.encode(pool)) for pool in _page(pools, query)])

    async def create(self, request: CreateRequest) -> Written:
        raise _none()

    async def update(self, request: UpdateRequest) -> Written:
        raise _none()

    async def delete(self, request: DeleteRequest) -> Written:
        raise _none()


def _pool(subnet: SubnetRecord) -> dict[str, Any]:
    return {
        "network_id": subnet.network_id,
        "subnet_id": subnet.id,
        "subnet_name": subnet.name,
        "tenant_id": subnet.project_id,
        "project_id": subnet.project_id,
        "cidr": subnet.cidr,
    }


def _page(pools: list[dict[str, Any]], query: ListQuery) -> list[dict[str, Any]]:
    """Few, so they are filtered and sorted here; the subnet's id stands for the pool's."""

    def value(pool: Mapping[str, Any], name: str) -> Any:
        return pool["subnet_id"] if name == "id" else pool[name]

    found = [p for p in pools if all(value(p, f.field) in f.values for f in query.filters)]
    found.sort(key=lambda pool: str(pool["subnet_id"]))
    for sort in reversed(query.sorts):
        found.sort(key=lambda pool: str(value(pool, sort.field)), reverse=sort.descending)
    if query.reverse:
        found.reverse()
    if query.marker:
        ids = [pool["subnet_id"] for pool in found]
        if query.marker not in ids:
            raise _none()
        found = found[ids.index(query.marker) + 1 :]
    page = found[: query.limit] if query.limit else found
    return page[::-1] if query.reverse else page


def _none() -> NotFound:
    return NotFound("The pool could not be found.", type="FloatingIPPoolNotFound")
