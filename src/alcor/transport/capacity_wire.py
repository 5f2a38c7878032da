"""What a host has to guarantee, as its Hello carries it: a part of `wire.py`."""

import math

from alcor.goal_state.pb import transport_pb2 as pb
from alcor.values.capacity import (
    NOTHING,
    Bandwidth,
    Capacity,
    Inventory,
    PacketRates,
    devices_max,
    total_max,
)


def capacity_message(capacity: Capacity) -> pb.Capacity | None:
    """The message; of nothing none is sent."""
    if capacity == NOTHING:
        return None
    rates = capacity.packet_rates
    return pb.Capacity(
        hypervisor=capacity.hypervisor,
        bandwidths=[
            pb.Bandwidth(
                device=each.device,
                physical_network=each.physical_network,
                tunnels=each.tunnels,
                egress=each.egress,
                ingress=each.ingress,
            )
            for each in capacity.bandwidths
        ],
        bandwidth_inventory=_inventory_message(capacity.bandwidth_inventory),
        packet_rates=pb.PacketRates(egress=rates.egress, ingress=rates.ingress, any=rates.any),
        packet_rate_inventory=_inventory_message(capacity.packet_rate_inventory),
    )


def _inventory_message(inventory: Inventory) -> pb.Inventory:
    return pb.Inventory(
        allocation_ratio=inventory.allocation_ratio,
        min_unit=inventory.min_unit,
        max_unit=inventory.max_unit,
        step_size=inventory.step_size,
        reserved=inventory.reserved,
    )


def read_capacity(said: pb.Capacity) -> Capacity:
    """What the message says; `ValueError` when it can't be."""
    bandwidths = tuple(
        Bandwidth(
            each.device,
            each.physical_network,
            each.tunnels,
            _total(each.egress),
            _total(each.ingress),
        )
        for each in said.bandwidths
    )
    names = {each.device for each in bandwidths}
    if len(bandwidths) > devices_max or len(names) < len(bandwidths):
        raise ValueError("the same device twice, or too many of them")
    if not all(0 < len(name) <= 255 for name in names) or len(said.hypervisor) > 255:
        raise ValueError("a device without a name, or one that is too long")
    if any(len(each.physical_network) > 255 for each in bandwidths):
        raise ValueError("a physical network's name that is too long")
    rates = said.packet_rates
    return Capacity(
        hypervisor=said.hypervisor,
        bandwidths=bandwidths,
        bandwidth_inventory=_read_inventory(said.bandwidth_inventory),
        packet_rates=PacketRates(_total(rates.egress), _total(rates.ingress), _total(rates.any)),
        packet_rate_inventory=_read_inventory(said.packet_rate_inventory),
    )


def _read_inventory(said: pb.Inventory) -> Inventory:
    if not 0 < said.allocation_ratio < math.inf:
        raise ValueError("a ratio of allocations that is none")
    if not said.min_unit or not said.step_size:
        raise ValueError("allocations in units of nothing")
    return Inventory(
        said.allocation_ratio,
        _total(said.min_unit),
        _total(said.max_unit),
        _total(said.step_size),
        _total(said.reserved),
    )


def _total(number: int) -> int:
    if number > total_max:
        raise ValueError("more than Placement can count")
    return number
