"""Which addresses a port asks for."""

import pytest

from alcor.managers.port.addressing import SubnetView, Wish, subnets, wanted, wishes
from alcor.values.addresses import address, prefix
from alcor.values.errors import Refusal

FOUR_A = SubnetView("a", "n", prefix("10.0.0.0/24"))
FOUR_B = SubnetView("b", "n", prefix("10.0.1.0/24"))
SIX = SubnetView("c", "n", prefix("fd00::/64"))


def test_by_default_each_family_is_asked_once_of_all_its_subnets() -> None:
    asked = wanted("p", "n", None, subnets([FOUR_A, SIX, FOUR_B]))

    assert [wish.subnet_ids for wish in asked] == [("a", "b"), ("c",)]


def test_an_address_alone_finds_its_subnet() -> None:
    (asked,) = wanted("p", "n", [Wish("", address("10.0.1.9"))], subnets([FOUR_A, FOUR_B]))

    assert (asked.subnet_ids, asked.address) == (("b",), "10.0.1.9")


@pytest.mark.parametrize(
    ("wish", "type_"),
    [
        (Wish("", address("10.0.2.1")), "InvalidIpForNetwork"),
        (Wish("", address("fd01::1")), "InvalidIpForNetwork"),
        (Wish("a", address("10.0.1.1")), "InvalidIpForSubnet"),
        (Wish("a", address("fd00::1")), "InvalidIpForSubnet"),
        (Wish("x", None), "InvalidInput"),
    ],
)
def test_what_no_subnet_has_is_refused(wish: Wish, type_: str) -> None:
    with pytest.raises(Refusal) as caught:
        wanted("p", "n", [wish], subnets([FOUR_A, FOUR_B, SIX]))

    assert caught.value.type == type_


def test_absent_and_empty_differ() -> None:
    assert wishes(None, 5) is None
    assert wishes([], 5) == []
