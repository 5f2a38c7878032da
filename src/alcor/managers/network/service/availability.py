"""How many addresses networks have, and how many of them ports hold: read, never written.

Source: Neutron API reference v2, "Network IP availability and usage stats"; of the details
neutron.db.network_ip_availability_details_db.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from alcor.contracts.peers import Ids
from alcor.contracts.resources import (
    CreateRequest,
    DeleteRequest,
    Filter,
    ListQuery,
    ListReply,
    ListRequest,
    Sort,
    UpdateRequest,
    Written,
)
from alcor.intent.records import SubnetRecord
from alcor.managers.network.model.network import Network
from alcor.managers.network.needs import Peers, Store
from alcor.runtime.tables.sharing import viewer_of
from alcor.values.addresses import address, prefix
from alcor.values.errors import Refusal

DETAILS = "ip_availability_details"
COUNTED = (
    *("total_ips_in_subnet", "total_ips_in_allocation_pool"),
    *("used_ips_in_subnet", "used_ips_in_allocation_pool"),
)
IP_VERSION = "ip_version"  # a filter: only subnets of this family are counted
_FIELD_BY_NAME = {"network_id": "id", "network_name": "name"}
_network = msgspec.json.Decoder(Network).decode


class AvailabilityService:
    """Keeps the contract ResourceManager, for reading only."""

    def __init__(self, store: Store, peers: Peers) -> None:
        self._store = store
        self._ports = peers.ports
        self._subnets = peers.subnets
        self._ips = peers.ips

    async def list_page(self, request: ListRequest) -> ListReply:
        caller, query = request.caller, request.query
        versions = {
            value for f in query.filters if f.field == IP_VERSION for value in f.values
        } or {4, 6}
        viewer = viewer_of(caller)
        networks = list(map(_network, await self._store.page(_of_networks(query), viewer)))
        ids = Ids([network.id for network in networks])
        subnets = (await self._subnets.subnets_of(ids)).subnets if ids.ids else []
        subnets = [subnet for subnet in subnets if subnet.ip_version in versions]
        asked = Ids([subnet.id for subnet in subnets])
        held = (await self._ports.addresses_held(asked)).count_by_id
        pooled = (await self._ips.used(asked)).count_by_id if asked.ids else {}
        parts: dict[str, list[dict[str, Any]]] = {id_: [] for id_ in ids.ids}
        for each in subnets:
            part = _part(each, held.get(each.id, 0), pooled.get(each.id, 0))
            parts[each.network_id].append(part)
        return ListReply([_shown(network, parts[network.id]) for network in networks])

    async def create(self, request: CreateRequest) -> Written:
        raise _READ_ONLY

    async def update(self, request: UpdateRequest) -> Written:
        raise _READ_ONLY

    async def delete(self, request: DeleteRequest) -> Written:
        raise _READ_ONLY


_READ_ONLY = Refusal("Availability is read only.")  # the door lets nobody ask


def _of_networks(query: ListQuery) -> ListQuery:
    filters = [
        Filter(_FIELD_BY_NAME.get(f.field, f.field), f.values)
        for f in query.filters
        if f.field != IP_VERSION
    ]
    sorts = [Sort(_FIELD_BY_NAME.get(s.field, s.field), s.descending) for s in query.sorts]
    return msgspec.structs.replace(query, filters=tuple(filters), sorts=tuple(sorts))


def _part(subnet: SubnetRecord, held: int, pooled: int) -> dict[str, Any]:
    """One subnet: `held` addresses are ports', and of its pools `pooled` are taken."""
    return {
        "subnet_id": subnet.id,
        "subnet_name": subnet.name,
        "cidr": subnet.cidr,
        "ip_version": subnet.ip_version,
        "total_ips": total(subnet),
        "used_ips": held,
        DETAILS: {
            "total_ips_in_subnet": usable(subnet),
            "total_ips_in_allocation_pool": total(subnet),
            "used_ips_in_subnet": held,
            "used_ips_in_allocation_pool": pooled,
        },
    }


def _shown(network: Network, parts: Sequence[Mapping[str, Any]]) -> Raw:
    document = {
        "network_id": network.id,
        "network_name": network.name,
        "tenant_id": network.tenant_id,
        "project_id": network.project_id,
        "total_ips": sum(part["total_ips"] for part in parts),
        "used_ips": sum(part["used_ips"] for part in parts),
        "subnet_ip_availability": parts,
        DETAILS: {name: sum(part[DETAILS][name] for part in parts) for name in COUNTED},
    }
    # The standard library's: a few /64s have more addresses than 64 bits can count.
    return Raw(json.dumps(document).encode())


def usable(subnet: SubnetRecord) -> int:
    """The addresses of the whole prefix that a port may have, whatever the pools."""
    whole = prefix(subnet.cidr)
    ends = 2 if whole.version == 4 and whole.length < whole.width - 1 else 0
    return whole.last - whole.first + 1 - ends


def total(subnet: SubnetRecord) -> int:
    """The addresses that may be chosen for ports."""
    return sum(
        address(pool.end).number - address(pool.start).number + 1
        for pool in subnet.allocation_pools
    )
