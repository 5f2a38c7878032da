"""Addresses are counted once a subnet, however many networks are asked for."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import msgspec

from alcor.contracts.peers import Counts, Ids, Subnets
from alcor.contracts.resources import Caller, ListQuery, ListRequest
from alcor.intent.records import AddressRange, SubnetRecord
from alcor.managers.network.api import NETWORK
from alcor.managers.network.model.network import Limits, network
from alcor.managers.network.model.segment import VXLAN, segments
from alcor.managers.network.service.availability import AvailabilityService
from alcor.resource import body

NETWORKS = 300
LIMITS = Limits(1_500, 1, 10_000, VXLAN)


class CountedId(str):
    """An id that counts how often it is compared with another."""

    __slots__ = ()
    compared = 0

    def __eq__(self, other: object) -> bool:
        CountedId.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def document(number: int) -> msgspec.Raw:
    (values,) = body.created(NETWORK, b'{"network": {"project_id": "p"}}', 1).items
    (own,) = segments(values, LIMITS.vni_min, LIMITS.vni_max, LIMITS.tunnel_type)
    new = network(values, own, f"n{number}", "2026-01-31T00:00:00Z", LIMITS)
    return msgspec.Raw(msgspec.json.encode(new))


class Others:
    """The networks of a page, each with a subnet of which one address is used."""

    async def page(self, query: ListQuery, viewer: object) -> list[msgspec.Raw]:
        return [document(number) for number in range(NETWORKS)]

    async def subnets_of(self, request: Ids) -> Subnets:
        ranges = (AddressRange("10.0.0.2", "10.0.0.254"),)
        return Subnets(
            [
                SubnetRecord(
                    id=f"of-{id_}",
                    network_id=CountedId(id_),
                    project_id="p",
                    ip_version=4,
                    cidr="10.0.0.0/24",
                    allocation_pools=ranges,
                )
                for id_ in request.ids
            ]
        )

    async def addresses_held(self, request: Ids) -> Counts:
        return Counts(dict.fromkeys(request.ids, 1))

    async def used(self, request: Ids) -> Counts:
        return Counts(dict.fromkeys(request.ids, 1))


def test_each_subnet_is_looked_at_for_its_own_network_only() -> None:
    others = Others()
    peers = cast(Any, SimpleNamespace(ports=others, subnets=others, ips=others))
    service = AvailabilityService(cast(Any, others), peers)
    everything = ListRequest(Caller(project_id="p", admin=True), ListQuery())
    CountedId.compared = 0

    reply = asyncio.run(service.list_page(everything))

    shown = [msgspec.json.decode(each) for each in reply.items]
    assert {each["used_ips"] for each in shown} == {1}
    assert [each["network_id"] for each in shown] == [f"n{number}" for number in range(NETWORKS)]
    assert CountedId.compared <= 2 * NETWORKS
