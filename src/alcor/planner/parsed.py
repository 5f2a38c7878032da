"""Addresses as records write them, parsed once: several decisions need the same ones.

A port's own addresses are asked for twice in a row, the tunnel end of a host with every port on it.
`ValueError` when a text is no address.
"""

from functools import lru_cache

from alcor.goal_state.entries import AddressPair
from alcor.intent.records import PortRecord
from alcor.values import addresses

remembered_max = 10_000  # addresses

address = lru_cache(maxsize=remembered_max)(addresses.address)
mac = lru_cache(maxsize=remembered_max)(addresses.mac)
prefix = lru_cache(maxsize=remembered_max)(addresses.prefix)


def pairs_of(port: PortRecord) -> tuple[AddressPair, ...]:
    """The allowed address pairs of a port; `ValueError` when one is none."""
    return tuple(
        AddressPair(prefix(pair.ip_address), mac(pair.mac_address))
        for pair in port.allowed_address_pairs
    )
