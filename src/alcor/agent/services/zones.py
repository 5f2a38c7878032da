"""The names of a network: which are known here, whose they are, and which addresses have names.

Pure. Every address of a network has a name made of itself; ports that were given one have that as
well. Names are relative: the same in the region's zone, and in the domains of network and port.
Those of the floating IPs of a network's routers are whole, and the domains are others' as well.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from alcor.agent.model.model import HostModel
from alcor.agent.packets.names import can_be_written, host_label
from alcor.goal_state.entries import FloatingIp, Name, Neighbour, Network, Subnet
from alcor.values.addresses import Address, Prefix

networks_kept_max = 1_000  # zones that are kept between questions

Labels = tuple[bytes, ...]  # of a domain name, in lower case


class Zone(NamedTuple):
    """The names of one network."""

    suffixes: tuple[Labels, ...]  # domains that names of this network end with; the own one first
    shared: tuple[Labels, ...]  # those of them that all its names end with
    addresses_by_name: Mapping[Labels, tuple[Address, ...]]  # by whole name
    above: frozenset[Labels]  # names that others end with, and perhaps none themselves
    name_by_address: Mapping[Address, Labels]
    prefixes: tuple[Prefix, ...]


def labels_of(domain: str) -> Labels:
    """The labels of a domain as text."""
    return tuple(part.encode() for part in domain.lower().rstrip(".").split(".") if part)


def zone_of(
    network: Network,
    subnets: Iterable[Subnet],
    neighbours: Iterable[Neighbour],
    names: Iterable[Name],
    floating: Iterable[FloatingIp] = (),
) -> Zone:
    """The names of a network."""
    own = labels_of(network.zone)
    shared = [own, labels_of(network.dns_domain)] if network.dns_domain else [own]
    by_name: dict[Labels, dict[Address, None]] = {}
    by_address: dict[Address, Labels] = {}
    suffixes = dict.fromkeys(shared)
    for neighbour in neighbours:
        for address in neighbour.addresses:
            label: Labels = (host_label(address),)
            by_address[address] = label + own
            for domain in shared:
                by_name.setdefault(label + domain, {})[address] = None
    for name in names:
        label = labels_of(name.name)
        domains = dict.fromkeys([*shared, labels_of(name.domain)] if name.domain else shared)
        suffixes.update(domains)
        whole = label + own
        for address in name.addresses:
            if can_be_written(whole):  # else it keeps the name made of itself
                by_address[address] = whole
            for domain in ((), *domains):
                by_name.setdefault(label + domain, {})[address] = None
    for each in floating:
        if each.name:
            by_name.setdefault(labels_of(each.name), {})[each.address] = None
    forward = {name: tuple(found) for name, found in by_name.items()}
    prefixes = tuple(each.prefix for each in subnets)
    above = names_above(by_name) | {own}
    return Zone(tuple(suffixes), tuple(shared), forward, above, by_address, prefixes)


def names_above(names: Iterable[Labels]) -> frozenset[Labels]:
    """What these names end with: zones and the "empty non-terminals" of RFC 8020."""
    above: set[Labels] = set()
    for name in names:
        for at in range(1, len(name)):
            if name[at:] in above:
                break
            above.add(name[at:])
    return frozenset(above)


class Zones:
    """Zones as they are asked for, made again when something of their network has changed."""

    def __init__(self, model: HostModel) -> None:
        self._model = model
        self._kept: dict[str, tuple[int, Zone]] = {}

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def zone(self, network: Network) -> Zone:
        """The zone of a network."""
        model = self._model
        # Neither ever becomes less.
        stamp = model.stamp_by_network.get(network.id, 0) + model.exits.outside.renamed
        kept = self._kept.pop(network.id, None)
        if kept is None:
            self._forget_gone()
        if kept is None or kept[0] != stamp:
            kept = stamp, self._made(network)
        self._kept[network.id] = kept
        if len(self._kept) > networks_kept_max:
            del self._kept[next(iter(self._kept))]
        return kept[1]

    def _forget_gone(self) -> None:
        for network_id in self._kept.keys() - self._model.networks.keys():
            del self._kept[network_id]

    def _made(self, network: Network) -> Zone:
        model = self._model
        return zone_of(
            network,
            model.subnets.get(network.id, {}).values(),
            model.neighbours.get(network.id, {}).values(),
            model.names.get(network.id, {}).values(),
            (
                each
                for router_id in sorted(model.routing.routers_on(network.id))
                for each in model.exits.outside.floating.get(router_id, {}).values()
            ),
        )
