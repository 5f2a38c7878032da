"""Which MAC addresses a block has. Pure.

The range is cut into blocks of equal size; block number n (from 1 on, for ever) is the n-th of
them, counted round and round. So a block's addresses come again only after the whole range.
"""

from typing import NamedTuple

from alcor.values.addresses import Mac


class MacRange(NamedTuple):
    """The MAC addresses that this deployment gives out."""

    base: Mac
    bits: int  # the low bits of an address that vary
    block_size: int  # addresses

    @property
    def blocks(self) -> int:
        """How many blocks the range has."""
        return (1 << self.bits) // self.block_size


default_range = MacRange(Mac(0xFA163E000000), 24, 1024)  # Neutron's prefix


def checked(range_: MacRange) -> MacRange:
    """The range, or `ValueError` when it makes no sense."""
    if not 1 <= range_.bits <= 40 or range_.base & ((1 << range_.bits) - 1):
        raise ValueError(f"{range_}: the base must end in `bits` zero bits")
    if range_.base >> 40 & 1:
        raise ValueError(f"{range_}: the base is a multicast address")
    if not 1 <= range_.block_size <= 1 << range_.bits:
        raise ValueError(f"{range_}: the range holds no block")
    return range_


def first_of(range_: MacRange, number: int) -> int:
    """The first address of block `number`."""
    assert number >= 1
    return range_.base + (number - 1) % range_.blocks * range_.block_size
