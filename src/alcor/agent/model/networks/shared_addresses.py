"""Addresses that several ports may have (allowed address pairs), and which port has each one now.

Pure. A part of `HostModel`. Who has an address is heard from the machine that says so
(`punts/shared_addresses.py`); only a port with a pair of just this address is believed, or, about
what is nobody's own, one that may have every address: with any MAC that is nobody's, as machines
inside a machine have their own. In a lazily held network, whose addresses a host doesn't know, such
a port is asked when nobody has the address, and not believed. In a physical one only its own host
believes it, and hosts that it tells: those that are on no wire, and all others where it is on none
itself, or whoever had the address before was. Else they find it by the wire.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from alcor.agent.model.unit import Unit, UnitKind
from alcor.goal_state.entries import AddressPair, Neighbour, Network
from alcor.values.addresses import Address, Mac, Prefix

# Of a network, and of a port in it: beyond, who may have every address is not believed.
holders_max, holders_of_port_max = 4_096, 512


Pairs = tuple[AddressPair, ...]


class Holder(NamedTuple):
    """The port that has a shared address, and the MAC that goes with it."""

    port_id: str
    mac: Mac


class _Owned(NamedTuple):
    """What ports of a network have of their own: it is nobody else's."""

    addresses: frozenset[Address]
    ports_by_mac: Mapping[Mac, frozenset[str]]  # also of MACs of their pairs


def _only(address: Address) -> Prefix:
    return Prefix(address.version, address.number, 32 if address.version == 4 else 128)


def _is_for(prefix: Prefix, address: Address) -> bool:
    return bool(prefix.length) and prefix.covers(address)


class SharedAddresses:
    """The pairs of neighbours, which it finds in what the model holds, and who was heard."""

    def __init__(
        self,
        neighbours: Mapping[str, Mapping[str, Neighbour]],
        networks: Mapping[str, Network],
    ) -> None:
        self._neighbours, self._networks = neighbours, networks
        self._ports: dict[str, set[str]] = {}  # with pairs, by network
        self._count: dict[str, Counter[Prefix]] = {}  # how many ports have it, by network
        self._holders: dict[str, dict[Address, Holder]] = {}  # by network
        self._owned: dict[str, _Owned] = {}  # of networks that were asked for since they changed

    def change(self, network_id: str) -> None:
        """A neighbour has come, has gone, or is another now."""
        self._owned.pop(network_id, None)

    def note(self, network_id: str, port_id: str, before: Pairs, pairs: Pairs) -> set[Unit]:
        """A neighbour that has pairs, or had some, is another now."""
        ports = self._ports.setdefault(network_id, set())
        (ports.add if pairs else ports.discard)(port_id)
        count = self._count.setdefault(network_id, Counter())
        count.update(pair.prefix for pair in pairs)
        count.subtract(pair.prefix for pair in before)
        self._count[network_id] = +count
        units = self.units_of(network_id)
        if not ports:
            del self._ports[network_id], self._count[network_id]
        for address in list(self._holders.get(network_id, ())):
            if self.holder(network_id, address) is None:
                self._forget(network_id, address)
        return units

    def lose_holder(self, network_id: str, address: Address) -> set[Unit]:
        """Nobody is known any more to have an address."""
        if address not in self._holders.get(network_id, ()):
            return set()
        self._forget(network_id, address)
        return {Unit(UnitKind.HOLDER, str(address), network_id)}

    def set_holder(self, network_id: str, address: Address, holder: Holder) -> set[Unit]:
        """Somebody has an address. Whatever else has its MAC is there as well: a MAC is in one
        place, and a machine that is moved from one port to another takes all its addresses along.
        """
        held = self._holders.setdefault(network_id, {})
        if held.get(address) == holder:
            return set()
        held[address] = holder
        along = [
            each
            for each, other in held.items()
            if other.mac == holder.mac
            and other.port_id != holder.port_id
            and self._may_go_along(network_id, each, holder)
        ]
        held.update(dict.fromkeys(along, holder))
        return {Unit(UnitKind.HOLDER, str(each), network_id) for each in (address, *along)}

    def _may_go_along(self, network_id: str, address: Address, holder: Holder) -> bool:
        neighbour = self._neighbours.get(network_id, {}).get(holder.port_id)
        return neighbour is not None and self.may_hold(neighbour, address, holder.mac)

    def displace(
        self, network_id: str, port_id: str, addresses: Iterable[Address], mac: Mac
    ) -> set[Unit]:
        """A port or a router has these of its own: whoever may have every address has them not."""
        held, own = self._holders.get(network_id, {}), set(addresses)
        lost = [
            address
            for address, holder in held.items()
            if (address in own or (holder.mac == mac and holder.port_id != port_id))
            and not self.has_pair(network_id, address, holder)
        ]
        for address in lost:
            self._forget(network_id, address)
        return {Unit(UnitKind.HOLDER, str(address), network_id) for address in lost}

    def prefixes(self, network_id: str) -> list[Prefix]:
        """What ports of a network may have besides their own addresses, in a fixed order."""
        network = self._networks.get(network_id)
        known = network is not None and not network.lazy
        every = self._count.get(network_id, ())
        return sorted(each for each in every if each.length or known)

    def asks_last(self, network_id: str) -> bool:
        """Whether ports of a network that is held lazily may have every address."""
        network = self._networks.get(network_id)
        every = self._count.get(network_id, ())
        return network is not None and network.lazy and any(not each.length for each in every)

    def asked(self, network_id: str, address: Address) -> list[Neighbour]:
        """The ports that are asked for an address: on a physical network those with a pair for it,
        as all others hear questions there as on any wire."""
        network = self._networks.get(network_id)
        every = self.candidates(network_id, address)
        if network is None or not network.physical_network:
            return every
        return [each for each in every if any(_is_for(pair.prefix, address) for pair in each.pairs)]

    def candidates(self, network_id: str, address: Address) -> list[Neighbour]:
        """The ports that may have an address."""
        return [
            each
            for each in self._with_pairs(network_id)
            if any(pair.prefix.covers(address) for pair in each.pairs)
        ]

    def may_hold(self, neighbour: Neighbour, address: Address, mac: Mac) -> bool:
        """Whether a port has a pair of just this address and MAC, or of every address."""
        every = Prefix(address.version, 0, 0)
        if any(pair.prefix == every for pair in neighbour.pairs):
            return True
        return AddressPair(_only(address), mac) in neighbour.pairs

    def has_pair(self, network_id: str, address: Address, holder: Holder) -> bool:
        """Whether the holder's port has a pair of just this address and MAC."""
        neighbour = self._neighbours.get(network_id, {}).get(holder.port_id)
        return neighbour is not None and AddressPair(_only(address), holder.mac) in neighbour.pairs

    def is_free(self, network_id: str, port_id: str, address: Address, mac: Mac) -> bool:
        """Whether an address is no port's own, and a MAC no other port's, and there is room."""
        if not self._has_room(network_id, port_id, address):
            return False
        owned = self._owned_in(network_id)
        return address not in owned.addresses and owned.ports_by_mac.get(mac, set()) <= {port_id}

    def _owned_in(self, network_id: str) -> _Owned:
        owned = self._owned.get(network_id)
        if owned is None:
            ports = self._neighbours.get(network_id, {}).values()
            ports_by_mac: dict[Mac, frozenset[str]] = {}
            for each in ports:
                for mac in {each.mac, *(pair.mac for pair in each.pairs)}:
                    ports_by_mac[mac] = ports_by_mac.get(mac, frozenset()) | {each.port_id}
            addresses = frozenset(address for each in ports for address in each.addresses)
            owned = self._owned[network_id] = _Owned(addresses, ports_by_mac)
        return owned

    def _has_room(self, network_id: str, port_id: str, address: Address) -> bool:
        held = self._holders.get(network_id, {})
        if address in held:
            return True
        of_port = sum(holder.port_id == port_id for holder in held.values())
        return len(held) < holders_max and of_port < holders_of_port_max

    def holder(self, network_id: str, address: Address) -> tuple[Neighbour, Holder] | None:
        """The port that was heard to have an address, as long as it may."""
        holder = self._holders.get(network_id, {}).get(address)
        neighbour = self._neighbours.get(network_id, {}).get(holder.port_id) if holder else None
        if holder is None or neighbour is None:
            return None
        return (neighbour, holder) if self.may_hold(neighbour, address, holder.mac) else None

    def held(self) -> Iterator[tuple[str, Address, Holder]]:
        """Who was heard to have which address of which network, as far as they may."""
        for network_id, holders in self._holders.items():
            for address, holder in holders.items():
                if self.holder(network_id, address) is not None:
                    yield network_id, address, holder

    def networks(self) -> list[str]:
        """Those with ports that have pairs."""
        return list(self._ports)

    def units_of(self, network_id: str) -> set[Unit]:
        """What a network's pairs decide, besides flows of its ports."""
        holders = self._holders.get(network_id, ())
        units = {Unit(UnitKind.HOLDER, str(address), network_id) for address in holders}
        return units | {Unit(UnitKind.SHARED, network_id)} if network_id in self._ports else units

    def _with_pairs(self, network_id: str) -> list[Neighbour]:
        held = self._neighbours.get(network_id, {})
        return [held[each] for each in sorted(self._ports.get(network_id, ())) if each in held]

    def _forget(self, network_id: str, address: Address) -> None:
        held = self._holders[network_id]
        del held[address]
        if not held:
            del self._holders[network_id]
