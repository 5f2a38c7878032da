"""The addresses of one subnet: each is free or taken, never both.

Addresses are kept as bits of blocks of 4,096, made only when used, so a /8 or an IPv6 /64 costs
what is leased of it. Choosing is next-fit: a cursor goes round the pools, so an address given back
is not given out again while others are free. Pure: no clock, no await, no I/O.
"""

from collections.abc import Iterator, Set
from typing import NamedTuple, Protocol

from alcor.values.addresses import Address, Prefix
from alcor.values.errors import Conflict, Refusal

block_bits = 12
block_size = 1 << block_bits  # addresses


class IpAddressAlreadyAllocated(Conflict):
    """The address is taken."""


class InvalidIpForSubnet(Refusal):
    """The address is none that the subnet has for a port."""


class IpAddressGenerationFailure(Conflict):
    """Nothing is left to choose."""


class Range(NamedTuple):
    """An allocation pool: first and last address as numbers, both included."""

    first: int
    last: int


class AddressPool(NamedTuple):
    """What may be leased of a subnet: `ranges` (Neutron's allocation pools) to choose from, any
    usable address by name."""

    subnet_id: str
    network_id: str
    prefix: Prefix
    ranges: tuple[Range, ...]  # in order, disjoint, inside the prefix
    reserved: frozenset[int]  # never chosen, leased by name only: the gateway's

    def usable(self, number: int) -> bool:
        """Whether a port may hold it: in the CIDR, neither its network nor broadcast address.

        The first one of IPv6 is a router's only, if it is the gateway's.
        """
        prefix = self.prefix
        if not prefix.first <= number <= prefix.last:
            return False
        if prefix.length >= prefix.width - 1:  # RFC 3021, RFC 6164: both ends are hosts
            return True
        if prefix.version == 6 and number in self.reserved:
            return True
        return number != prefix.first and not (prefix.version == 4 and number == prefix.last)

    def unchoosable(self) -> list[int]:
        """The few addresses within the ranges that are not to be chosen."""
        ends = {self.prefix.first, self.prefix.last}
        odd = self.reserved | {number for number in ends if not self.usable(number)}
        return [n for n in odd if any(r.first <= n <= r.last for r in self.ranges)]

    @property
    def capacity(self) -> int:
        """How many addresses there are to choose from."""
        return sum(r.last - r.first + 1 for r in self.ranges) - len(self.unchoosable())

    def mask(self, block: int) -> int:
        """The bits of a block that may be chosen."""
        base, bits = block << block_bits, 0
        for r in self.ranges:
            low, high = max(r.first - base, 0), min(r.last - base, block_size - 1)
            if low <= high:
                bits |= ((1 << (high - low + 1)) - 1) << low
        for number in self.unchoosable():
            if number >> block_bits == block:
                bits &= ~(1 << (number - base))
        return bits

    def blocks_from(self, block: int) -> Iterator[int]:
        """Every block with a range in it, once round, starting after `block` and ending with it."""
        for first, last in self._spans():
            yield from range(max(first, block + 1), last + 1)
        for first, last in self._spans():
            yield from range(first, min(last, block) + 1)

    def _spans(self) -> Iterator[tuple[int, int]]:
        """First and last block of each range; a block that two ranges share is in one span."""
        done = -1
        for r in self.ranges:
            first, last = max(r.first >> block_bits, done + 1), r.last >> block_bits
            done = last
            yield first, last


class Blocks(Protocol):
    """The blocks of one subnet as they are kept; one that is not kept is all free."""

    def bits(self, block: int) -> int:
        """The addresses of a block that are taken."""
        ...

    def full(self) -> Set[int]:
        """The blocks that have nothing left to choose."""
        ...


class Space:
    """One subnet's addresses during one decision; what was decided is in the public fields."""

    def __init__(self, pool: AddressPool, cursor: int, used: int, blocks: Blocks) -> None:
        self.pool = pool
        self.cursor = cursor  # where the search for the next address starts
        self.used = used  # taken among those that can be chosen
        self.changed: set[int] = set()  # blocks
        self._bits_by_block: dict[int, int] = {}
        self._blocks = blocks
        self._mask_by_block: dict[int, int] = {}
        self._free_until = 0  # from the cursor up to here all can be chosen, in one block
        self._full: Set[int] | None = None
        self._capacity = pool.capacity

    def taken(self, number: int) -> bool:
        """Whether somebody holds the address."""
        block, offset = divmod(number, block_size)
        return bool(self.bits(block) >> offset & 1)

    def take(self, number: int) -> None:
        """Take one address by name; a `Refusal` when it can't be had."""
        address = Address(self.pool.prefix.version, number)
        if not self.pool.usable(number):
            raise InvalidIpForSubnet(
                f"IP address {address} is not a valid IP for the specified subnet."
            )
        if self.taken(number):
            raise IpAddressAlreadyAllocated(
                f"IP address {address} already allocated in subnet {self.pool.subnet_id}"
            )
        self._set(number)

    def take_run(self, count: int) -> range:
        """Take the next free addresses of the pools, at most `count`, as long as they follow each
        other; none when all are taken."""
        if self.used >= self._capacity:
            return range(0)
        if self.cursor >= self._free_until:
            self._look_ahead()
        first = self.cursor
        block, offset = divmod(first, block_size)
        length = min(count, self._free_until - first)
        self._bits_by_block[block] |= ((1 << length) - 1) << offset
        self.changed.add(block)
        self.used += length
        self.cursor = first + length
        return range(first, self.cursor)

    def _look_ahead(self) -> None:
        """Go to the next free address, and see how many more follow it in its block."""
        first = self._next_free()
        assert first is not None, f"{self.pool.subnet_id}: {self.used} of {self._capacity} used"
        block, offset = divmod(first, block_size)
        free = (self._mask(block) & ~self.bits(block)) >> offset
        self.cursor = first
        self._free_until = first + (free ^ (free + 1)).bit_length() - 1  # the ones it ends with

    def give_back(self, number: int) -> None:
        """Make a taken address free."""
        block, offset = divmod(number, block_size)
        bits = self.bits(block)
        assert bits >> offset & 1, f"{self.pool.subnet_id}: {number} is free already"
        self._bits_by_block[block] = bits & ~(1 << offset)
        self.changed.add(block)
        self.used -= self._mask(block) >> offset & 1

    def bits(self, block: int) -> int:
        """The addresses of a block that are taken."""
        bits = self._bits_by_block.get(block)
        if bits is None:
            bits = self._bits_by_block[block] = self._blocks.bits(block)
        return bits

    def used_in(self, block: int) -> int:
        """How many addresses that can be chosen are taken in the block."""
        return (self._mask(block) & self.bits(block)).bit_count()

    def free_in(self, block: int) -> int:
        """How many addresses of the block can be chosen."""
        return (self._mask(block) & ~self.bits(block)).bit_count()

    def _set(self, number: int) -> None:
        self._free_until = 0
        block, offset = divmod(number, block_size)
        self._bits_by_block[block] = self.bits(block) | 1 << offset
        self.changed.add(block)
        self.used += self._mask(block) >> offset & 1

    def _next_free(self) -> int | None:
        start, offset = divmod(self.cursor, block_size)
        found = self._lowest_free(start, offset)
        if found is not None:
            return found
        if self._full is None:
            self._full = self._blocks.full()
        for block in self.pool.blocks_from(start):
            if block in self._bits_by_block or block not in self._full:
                found = self._lowest_free(block, 0)
                if found is not None:
                    return found
        return None

    def _lowest_free(self, block: int, offset: int) -> int | None:
        free = (self._mask(block) & ~self.bits(block)) >> offset
        if not free:
            return None
        return (block << block_bits) + offset + (free & -free).bit_length() - 1

    def _mask(self, block: int) -> int:
        mask = self._mask_by_block.get(block)
        if mask is None:
            mask = self._mask_by_block[block] = self.pool.mask(block)
        return mask
