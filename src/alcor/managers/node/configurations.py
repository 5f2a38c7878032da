"""What a host has to guarantee, as clients read it. Pure.

Source: `_report_state` of Neutron's Open vSwitch agent, whose keys these are; a rate that is not
promised is null.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from alcor.values.capacity import Bandwidth, Capacity, Inventory


def bandwidths(capacity: Capacity) -> Iterator[dict[str, Any]]:
    """What each way out of a host carries, in kbit/s."""
    for each in capacity.bandwidths:
        where = {"device": each.device, "physical_network": each.physical_network}
        yield where | {"tunnels": each.tunnels, **_directed(each)}


def bridges(physical_networks: Iterable[str], capacity: Capacity) -> dict[str, str]:
    """The bridge of each physical network; "" where the host did not say."""
    said = {each.physical_network: each.device for each in capacity.bandwidths}
    return {name: said.get(name, "") for name in physical_networks}


def resource_providers(host: str, capacity: Capacity) -> dict[str, Any]:
    """What Neutron's agents say of their resource providers."""
    hypervisor, rates = capacity.hypervisor or host, capacity.packet_rates
    directed = {"egress": rates.egress or None, "ingress": rates.ingress or None}
    prefix, packets = "resource_provider", "resource_provider_packet_processing"
    return {
        f"{prefix}_bandwidths": {each.device: _directed(each) for each in capacity.bandwidths},
        f"{prefix}_hypervisors": {each.device: hypervisor for each in capacity.bandwidths},
        f"{prefix}_inventory_defaults": _defaults(capacity.bandwidth_inventory),
        f"{packets}_with_direction": {hypervisor: directed} if any(directed.values()) else {},
        f"{packets}_without_direction": {hypervisor: {"any": rates.any}} if rates.any else {},
        f"{packets}_inventory_defaults": _defaults(capacity.packet_rate_inventory),
    }


def _directed(bandwidth: Bandwidth) -> dict[str, int | None]:
    return {"egress": bandwidth.egress or None, "ingress": bandwidth.ingress or None}


def _defaults(inventory: Inventory) -> dict[str, Any]:
    found = msgspec.structs.asdict(inventory)
    return {name: number for name, number in found.items() if name != "max_unit" or number}
