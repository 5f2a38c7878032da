"""Which resource providers a host has in Placement. Pure.

Ids, names, traits and the tree are those of Neutron's Open vSwitch agent, so that who comes from
Neutron finds the same providers, and what is allocated there stays true:

    HOST                                 nova-compute's own
      HOST:Open vSwitch agent            packets
        HOST:Open vSwitch agent:DEVICE   bandwidth, one for each

Source: neutron.agent.common.placement_report, neutron_lib.placement.utils.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID, uuid5

import msgspec

from alcor.intent.records import NodeRecord
from alcor.values.capacity import Bandwidth, Inventory
from alcor.values.placement import (
    RESOURCE_CLASSES,
    TUNNEL_TRAIT,
    physical_network_trait,
    vnic_type_trait,
)

_OPEN_VSWITCH = UUID("87ee7d5c-73bb-11e8-9008-c4d987b2a692")  # of Neutron's mechanism driver
_AGENT = "Open vSwitch agent"
_VNIC_TYPE = vnic_type_trait("normal")


class Total(msgspec.Struct, frozen=True):
    """How much there is of a resource class, and how it is given out."""

    total: int
    inventory: Inventory


class Provider(msgspec.Struct, frozen=True):
    """A resource provider of ours."""

    id: str
    hypervisor: str  # whose tree it is in
    name: str
    parent: str  # the id of ours that it is below; empty: the compute host's
    traits: tuple[str, ...]  # in order
    totals: dict[str, Total]  # by resource class


class Wish(msgspec.Struct, frozen=True):
    """What Placement is to know of a host."""

    hypervisor: str  # whose provider is above ours
    providers: tuple[Provider, ...] = ()  # each after its parent


def wish(node: NodeRecord) -> Wish:
    """What a host is to have; nothing when it says that it has nothing to guarantee."""
    capacity = node.capacity
    hypervisor = capacity.hypervisor or node.id
    rates = capacity.packet_rates
    packets = _totals(
        "minimum_packet_rate",
        (("egress", rates.egress), ("ingress", rates.ingress), ("any", rates.any)),
        capacity.packet_rate_inventory,
    )
    if not capacity.bandwidths and not packets:
        return Wish(hypervisor)
    name = f"{hypervisor}:{_AGENT}"
    agent = Provider(
        str(uuid5(_OPEN_VSWITCH, hypervisor)), hypervisor, name, "", (_VNIC_TYPE,), packets
    )
    devices = (
        Provider(
            str(uuid5(_OPEN_VSWITCH, f"{hypervisor}:{each.device}")),
            hypervisor,
            f"{name}:{each.device}",
            agent.id,
            tuple(sorted(_traits(each))),
            _totals(
                "minimum_bandwidth",
                (("egress", each.egress), ("ingress", each.ingress)),
                capacity.bandwidth_inventory,
            ),
        )
        for each in capacity.bandwidths
    )
    return Wish(hypervisor, (agent, *devices))


def _totals(
    type_: str, totals: Iterable[tuple[str, int]], inventory: Inventory
) -> dict[str, Total]:
    return {
        RESOURCE_CLASSES[type_, direction]: Total(total, inventory)
        for direction, total in totals
        if total
    }


def _traits(bandwidth: Bandwidth) -> Iterator[str]:
    yield _VNIC_TYPE
    if bandwidth.physical_network:
        yield physical_network_trait(bandwidth.physical_network)
    if bandwidth.tunnels:
        yield TUNNEL_TRAIT
