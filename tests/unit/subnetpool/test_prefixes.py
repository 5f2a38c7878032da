"""Sets of prefixes and what is cut from them, against a plain set of addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.contracts.subnetpools import PrefixWish
from alcor.managers.subnetpool.model import prefixes as sets
from alcor.managers.subnetpool.model.allocation import Allocation, cut
from alcor.managers.subnetpool.model.pool import SubnetPool, pool
from alcor.values.addresses import Prefix, prefix
from alcor.values.errors import Refusal

NOW = "2026-01-01T00:00:00Z"


def small(number: int, length: int) -> Prefix:
    """One of 10.0.0.0/24."""
    base = prefix("10.0.0.0/24").number
    return Prefix(4, (base + number) >> (32 - length) << (32 - length), length)


PREFIXES = st.lists(
    st.builds(small, st.integers(0, 255), st.integers(24, 32)), min_size=1, max_size=8
)


def numbers(prefixes: list[Prefix]) -> set[int]:
    return {n for each in prefixes for n in range(each.first, each.last + 1)}


@given(PREFIXES, PREFIXES)
def test_what_is_left_and_what_is_free_are_the_addresses_of_the_one_and_not_the_other(
    whole: list[Prefix], taken: list[Prefix]
) -> None:
    compact = sets.compact(whole)
    assert numbers(compact) == numbers(whole)
    wanted = numbers(whole) - numbers(taken)
    assert numbers(list(sets.without(compact, taken))) == wanted
    free = list(sets.free(compact, taken))
    assert numbers(free) == wanted
    assert sum(each.last - each.first + 1 for each in free) == len(wanted)  # none twice
    assert sets.within(free, compact)


def made(**fields: object) -> SubnetPool:
    values = {
        "name": "p",
        "project_id": "mine",
        "prefixes": ["10.0.0.0/24"],
        "min_prefixlen": 25,
        "is_default": False,
        "shared": False,
        "address_scope_id": None,
        "description": "",
    }
    return pool(values | fields, "pool", NOW)


def wish(id_: str, **fields: object) -> PrefixWish:
    return PrefixWish(**{"subnet_id": id_, "project_id": "mine", "ip_version": 4} | fields)  # type: ignore[arg-type]


@given(st.lists(st.integers(25, 32), max_size=40))
def test_no_two_subnets_of_a_pool_share_an_address_and_none_is_refused_while_there_is_room(
    lengths: list[int],
) -> None:
    held: list[Allocation] = []
    for i, length in enumerate(lengths):
        free = list(sets.free([prefix("10.0.0.0/24")], [each.prefix for each in held]))
        if any(each.length <= length for each in free):
            held.append(cut(made(), wish(str(i), prefixlen=length), held))
            continue
        with pytest.raises(Refusal) as caught:
            cut(made(), wish(str(i), prefixlen=length), held)
        assert caught.value.type == "SubnetAllocationError"
    taken = [each.prefix for each in held]
    assert len(numbers(taken)) == sum(each.last - each.first + 1 for each in taken)


def test_a_small_subnet_is_cut_from_the_smallest_free_piece() -> None:
    held = [cut(made(), wish("a", prefixlen=27), [])]
    held.append(cut(made(), wish("b", prefixlen=25), held))
    assert [each.cidr for each in held] == ["10.0.0.0/27", "10.0.0.128/25"]
    assert cut(made(), wish("c", prefixlen=27), held).cidr == "10.0.0.32/27"


@pytest.mark.parametrize(
    ("fields", "asked", "type_"),
    [
        ({}, {"prefixlen": 24}, "MinPrefixSubnetAllocationError"),
        ({"max_prefixlen": 26}, {"prefixlen": 27}, "MaxPrefixSubnetAllocationError"),
        ({}, {"cidr": "10.0.1.0/25"}, "SubnetAllocationError"),
        ({}, {"cidr": "10.0.0.0/26"}, "SubnetAllocationError"),  # taken
        ({}, {"ip_version": 6}, "BadRequest"),
        ({"default_quota": 127}, {"prefixlen": 26}, "SubnetPoolQuotaExceeded"),
    ],
)
def test_what_a_pool_does_not_give_is_refused(
    fields: dict[str, object], asked: dict[str, object], type_: str
) -> None:
    held = [Allocation("a", "pool", "mine", "10.0.0.0/26")]
    with pytest.raises(Refusal) as caught:
        cut(made(**fields), wish("b", **asked), held)
    assert caught.value.type == type_


def test_a_quota_counts_one_project_only() -> None:
    held = [Allocation("a", "pool", "another", "10.0.0.0/25")]
    assert cut(made(default_quota=64), wish("b", prefixlen=26), held)


@pytest.mark.parametrize(
    ("fields", "type_"),
    [
        ({"prefixes": []}, "EmptySubnetPoolPrefixList"),
        ({"prefixes": ["10.0.0.0/24", "fd00::/48"]}, "PrefixVersionMismatch"),
        ({"min_prefixlen": 30, "max_prefixlen": 28}, "IllegalSubnetPoolPrefixBounds"),
        ({"max_prefixlen": 33}, "IllegalSubnetPoolPrefixBounds"),
        ({"default_prefixlen": 24}, "IllegalSubnetPoolPrefixBounds"),
        ({"default_prefixlen": 30, "max_prefixlen": 28}, "IllegalSubnetPoolPrefixBounds"),
    ],
)
def test_a_pool_that_contradicts_itself_is_refused(fields: dict[str, object], type_: str) -> None:
    with pytest.raises(Refusal) as caught:
        made(**fields)
    assert caught.value.type == type_
