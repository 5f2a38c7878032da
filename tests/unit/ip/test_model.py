"""Laws of a subnet's addresses."""

from collections.abc import Iterable, Set

import pytest

from alcor.managers.ip.model import (
    AddressPool,
    InvalidIpForSubnet,
    IpAddressAlreadyAllocated,
    Range,
    Space,
)
from alcor.values.addresses import address, prefix


class KeptBlocks:
    """Blocks in a dict, as a store would keep them; counts what is read."""

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}
        self.full_blocks: set[int] = set()
        self.reads = 0

    def bits(self, block: int) -> int:
        self.reads += 1
        return self.kept.get(block, 0)

    def full(self) -> Set[int]:
        return self.full_blocks

    def save(self, space: Space) -> None:
        for block in space.changed:
            self.kept[block] = space.bits(block)
            if space.free_in(block):
                self.full_blocks.discard(block)
            else:
                self.full_blocks.add(block)


def next_of(space: Space) -> int | None:
    """Take one address."""
    run = space.take_run(1)
    return run[0] if run else None


def number(text: str) -> int:
    return address(text).number


def pool_of(cidr: str, *ranges: tuple[str, str], reserved: Iterable[str] = ()) -> AddressPool:
    return AddressPool(
        "subnet",
        "network",
        prefix(cidr),
        tuple(Range(number(first), number(last)) for first, last in ranges),
        frozenset(number(text) for text in reserved),
    )


def space_of(pool: AddressPool, blocks: KeptBlocks | None = None) -> Space:
    return Space(pool, pool.ranges[0].first, 0, blocks or KeptBlocks())


TINY = pool_of("10.0.0.0/29", ("10.0.0.2", "10.0.0.6"), reserved=["10.0.0.1"])


def test_addresses_are_chosen_in_turn_and_each_once() -> None:
    space = space_of(TINY)

    taken = [next_of(space) for _ in range(5)]

    assert taken == list(range(number("10.0.0.2"), number("10.0.0.7")))
    assert next_of(space) is None


def test_an_address_given_back_is_chosen_again_only_when_its_turn_comes() -> None:
    space = space_of(TINY)
    first, second = next_of(space), next_of(space)
    assert first is not None

    space.give_back(first)

    rest = [next_of(space) for _ in range(4)]
    assert rest[-1] == first
    assert second not in rest
    assert next_of(space) is None


def test_a_named_address_may_be_outside_the_pools_but_not_outside_the_subnet() -> None:
    pool = pool_of("10.0.0.0/24", ("10.0.0.10", "10.0.0.11"))
    space = space_of(pool)

    space.take(number("10.0.0.200"))

    assert space.used == 0
    for outside in ("10.0.1.1", "9.255.255.255", "10.0.0.0", "10.0.0.255"):
        with pytest.raises(InvalidIpForSubnet):
            space.take(number(outside))


def test_a_taken_address_is_refused_and_the_gateways_is_had_by_name_once() -> None:
    space = space_of(TINY)
    for text in ("10.0.0.1", "10.0.0.2"):
        space.take(number(text))

        with pytest.raises(IpAddressAlreadyAllocated):
            space.take(number(text))


@pytest.mark.parametrize(
    ("cidr", "gateway", "usable"),
    [
        ("2001:db8::/64", "2001:db8::", True),  # RFC 4291 section 2.6.1: the routers' address
        ("2001:db8::/64", "2001:db8::1", False),
        ("10.0.0.0/29", "10.0.0.0", False),
    ],
)
def test_the_first_address_is_usable_only_by_a_gateway_of_ipv6(
    cidr: str, gateway: str, usable: bool
) -> None:
    pool = pool_of(cidr, reserved=[gateway])

    assert pool.usable(prefix(cidr).first) is usable


def test_a_reserved_address_inside_the_pools_is_never_chosen() -> None:
    pool = pool_of("10.0.0.0/29", ("10.0.0.1", "10.0.0.3"), reserved=["10.0.0.2"])
    space = space_of(pool)

    chosen = [next_of(space) for _ in range(3)]

    assert chosen == [number("10.0.0.1"), number("10.0.0.3"), None]


@pytest.mark.parametrize(
    ("cidr", "first", "last", "count"),
    [
        ("10.0.0.4/31", "10.0.0.4", "10.0.0.5", 2),
        ("10.0.0.4/32", "10.0.0.4", "10.0.0.4", 1),
        ("fd00::/127", "fd00::", "fd00::1", 2),
        ("fd00::8/128", "fd00::8", "fd00::8", 1),
        ("10.0.0.0/30", "10.0.0.1", "10.0.0.2", 2),
    ],
)
def test_the_smallest_subnets_give_all_they_have(
    cidr: str, first: str, last: str, count: int
) -> None:
    space = space_of(pool_of(cidr, (first, last)))

    chosen = [next_of(space) for _ in range(count)]

    assert chosen == list(range(number(first), number(last) + 1))
    assert next_of(space) is None


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [
        ("10.0.0.0/8", "10.0.0.2", "10.255.255.254"),
        ("fd00::/64", "fd00::2", "fd00::ffff:ffff:ffff:ffff"),
        ("2000::/3", "2000::2", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ],
)
def test_a_huge_subnet_costs_what_is_leased_of_it(cidr: str, first: str, last: str) -> None:
    blocks = KeptBlocks()
    space = space_of(pool_of(cidr, (first, last)), blocks)

    chosen = [next_of(space) for _ in range(10_000)]
    blocks.save(space)

    assert len(set(chosen)) == 10_000
    assert len(blocks.kept) == blocks.reads == 3


def test_full_blocks_are_passed_without_being_read() -> None:
    blocks = KeptBlocks()
    pool = pool_of("10.0.0.0/16", ("10.0.0.0", "10.0.255.255"))
    space = space_of(pool, blocks)
    for _ in range(pool.capacity):
        next_of(space)
    given_back = number("10.0.200.7")
    space.give_back(given_back)
    blocks.save(space)
    blocks.reads = 0

    later = Space(pool, pool.ranges[0].first, space.used, blocks)

    assert next_of(later) == given_back
    assert next_of(later) is None
    assert blocks.reads <= 2


def test_pools_that_share_a_block_are_chosen_from_in_order() -> None:
    pool = pool_of(
        "10.0.0.0/16",
        ("10.0.0.5", "10.0.0.6"),
        ("10.0.0.9", "10.0.0.9"),
        ("10.0.64.1", "10.0.64.1"),
    )
    space = space_of(pool)

    chosen = [next_of(space) for _ in range(5)]

    names = ("10.0.0.5", "10.0.0.6", "10.0.0.9", "10.0.64.1")
    assert chosen == [*(number(text) for text in names), None]


def one_in_each_of_four_blocks() -> Space:
    names = ("10.0.0.2", "10.0.16.0", "10.0.32.0", "10.0.48.0")
    return space_of(pool_of("10.0.0.0/18", *((each, each) for each in names)))


def test_blocks_that_were_filled_meanwhile_are_passed() -> None:
    space = one_in_each_of_four_blocks()
    for each in ("10.0.16.0", "10.0.32.0"):
        space.take(number(each))

    chosen = [next_of(space) for _ in range(3)]

    assert chosen == [number("10.0.0.2"), number("10.0.48.0"), None]


def test_what_is_given_back_in_a_block_before_waits_for_those_behind() -> None:
    space = one_in_each_of_four_blocks()
    first, _ = next_of(space), next_of(space)
    assert first is not None
    space.give_back(first)

    chosen = [next_of(space) for _ in range(4)]

    assert chosen == [number("10.0.32.0"), number("10.0.48.0"), first, None]


def test_a_cursor_outside_the_pools_finds_them() -> None:
    pool = pool_of("fd00::/64", ("fd00::10", "fd00::11"))
    for cursor in ("fd00::1", "fd00::9999:0:0:0"):
        space = Space(pool, number(cursor), 0, KeptBlocks())

        assert next_of(space) == number("fd00::10")


def test_a_run_ends_before_what_is_taken_and_the_next_one_begins_behind_it() -> None:
    space = space_of(pool_of("10.0.0.0/24", ("10.0.0.1", "10.0.0.9")))
    space.take(number("10.0.0.4"))

    runs = [space.take_run(5), space.take_run(2), space.take_run(5), space.take_run(5)]

    assert [len(run) for run in runs] == [3, 2, 3, 0]
    assert [run[0] - number("10.0.0.0") for run in runs[:3]] == [1, 5, 7]
