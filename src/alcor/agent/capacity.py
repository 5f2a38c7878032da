"""What the settings say that the host has to guarantee.

The settings are those of Neutron's Open vSwitch agent, by name and form, so that they can be taken
along: `resource_provider_bandwidths = br-ex:10000000:10000000` and so on.
"""

import math
from collections.abc import Iterator, Mapping

from alcor.agent.config import AgentConfig
from alcor.runtime.config import ConfigError
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates, total_max

_INVENTORY = ("min_unit", "max_unit", "step_size", "reserved")


def capacity_of(config: AgentConfig, mappings: Mapping[str, str]) -> Capacity:
    """What the host has, with the operator's bridges by physical network; `ConfigError`."""
    return Capacity(
        hypervisor=config.resource_provider_default_hypervisor,
        bandwidths=tuple(_bandwidths(config, mappings)),
        bandwidth_inventory=_inventory(config, "resource_provider_inventory_defaults"),
        packet_rates=_packet_rates(config),
        packet_rate_inventory=_inventory(
            config, "resource_provider_packet_processing_inventory_defaults"
        ),
    )


def holding(capacity: Capacity) -> dict[str, str]:
    """The bridges that have bandwidth to guarantee, by physical network; "": of tunnels."""
    found: dict[str, str] = {}
    for each in capacity.bandwidths:
        if each.physical_network and each.egress:  # else it is no bridge, or has nothing
            found[each.physical_network] = each.device
            if each.tunnels:
                found[""] = each.device
    return found


def _bandwidths(config: AgentConfig, mappings: Mapping[str, str]) -> Iterator[Bandwidth]:
    setting, tunnels = "resource_provider_bandwidths", config.tunnelled_network_rp_name
    network_by_bridge = {bridge: name for name, bridge in mappings.items()}
    for device, (egress, ingress) in _rates(config, setting, 2).items():
        network = network_by_bridge.get(device, "")
        if not network and device != tunnels:
            raise ConfigError(f"{setting}: bridge_mappings has no bridge '{device}'")
        yield Bandwidth(device, network, device == tunnels, egress, ingress)


def _packet_rates(config: AgentConfig) -> PacketRates:
    directed = "resource_provider_packet_processing_with_direction"
    whole = "resource_provider_packet_processing_without_direction"
    (egress, ingress), (any_,) = _of_host(config, directed, 2), _of_host(config, whole, 1)
    if any_ and (egress or ingress):
        raise ConfigError(f"{whole}: not beside {directed}")
    return PacketRates(egress, ingress, any_)


def _of_host(config: AgentConfig, setting: str, count: int) -> tuple[int, ...]:
    """The rates of the one hypervisor that this host is; its name may be left out."""
    found = _rates(config, setting, count)
    names = {"", config.resource_provider_default_hypervisor or config.host}
    if len(found) > 1 or not found.keys() <= names:
        raise ConfigError(f"{setting}: the host is one hypervisor, {max(names)}")
    return next(iter(found.values()), (0,) * count)


def _rates(config: AgentConfig, setting: str, count: int) -> dict[str, tuple[int, ...]]:
    """Whole numbers by name, from NAME:NUMBER:NUMBER with commas between; none there: 0."""
    found: dict[str, tuple[int, ...]] = {}
    for each in filter(None, (part.strip() for part in getattr(config, setting).split(","))):
        name, *numbers = each.split(":")
        if name in found or len(name) > 255 or len(numbers) not in (0, count):
            raise ConfigError(f"{setting}: '{each}' is not NAME{':RATE' * count}, once a name")
        found[name] = tuple(_whole(setting, text) for text in numbers or [""] * count)
    return found


def _inventory(config: AgentConfig, setting: str) -> Inventory:
    """How totals are given out, from NAME:NUMBER with commas between."""
    found: dict[str, float] = {}
    for each in filter(None, (part.strip() for part in getattr(config, setting).split(","))):
        name, _, text = each.partition(":")
        if name in _INVENTORY:
            found[name] = _whole(setting, text)
        elif name == "allocation_ratio":
            found[name] = _ratio(setting, text)
        else:
            known = ", ".join(("allocation_ratio", *_INVENTORY))
            raise ConfigError(f"{setting}: '{each}' is none of {known}, with its number")
    if not all(found.get(name, 1) for name in ("min_unit", "step_size")):
        raise ConfigError(f"{setting}: units and steps are at least 1")
    return Inventory(**found)  # type: ignore[arg-type]  # whole where it must be


def _whole(setting: str, text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and int(text[:11]) <= total_max):
        raise ConfigError(f"{setting}: '{text}' is not a number from 0 to {total_max}")
    return int(text or 0)


def _ratio(setting: str, text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = math.nan
    if not 0 < ratio < math.inf:
        raise ConfigError(f"{setting}: '{text}' is not a ratio above 0")
    return ratio
