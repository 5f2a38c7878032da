"""Which addresses a port asks for."""

import pytest

from alcor.contracts.peers import Wanted
from alcor.managers.port.model.addressing import (
    Interface,
    Subnets,
    SubnetView,
    Wish,
    subnets,
    wishes,
)
from alcor.managers.port.model.addressing import wanted as asked_of
from alcor.values.addresses import address, prefix
from alcor.values.errors import Refusal

FOUR_A = SubnetView("a", "n", prefix("10.0.0.0/24"))
FOUR_B = SubnetView("b", "n", prefix("10.0.1.0/24"))
SIX = SubnetView("c", "n", prefix("fd00::/64"))
AUTO = SubnetView("d", "n", prefix("fd01::/64"), automatic=True)
NIC = Interface("fa:16:3e:00:00:01", "compute:nova")
MADE = "fd01::f816:3eff:fe00:1"


def wanted(
    owner: str,
    network: str,
    wished: list[Wish] | None,
    known: Subnets,
    interface: Interface = NIC,
) -> list[Wanted]:
    return asked_of(owner, network, wished, known, interface)


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


@pytest.mark.parametrize("wished", [None, [], [Wish("a", None)], [Wish("d", None)]])
def test_a_machine_makes_its_address_of_its_mac_whatever_is_wished(
    wished: list[Wish] | None,
) -> None:
    asked = wanted("p", "n", wished, subnets([FOUR_A, AUTO]))

    assert [(w.subnet_ids, w.address) for w in asked if w.address] == [(("d",), MADE)]


def test_a_routers_interface_makes_no_address_of_its_mac() -> None:
    router = Interface("fa:16:3e:00:00:01", "network:router_interface")

    assert wanted("p", "n", None, subnets([AUTO]), router) == []
    (asked,) = wanted("p", "n", [Wish("d", address("fd01::1"))], subnets([AUTO]), router)
    assert asked.address == "fd01::1"


def test_no_address_is_chosen_for_a_machine_that_makes_its_own() -> None:
    with pytest.raises(Refusal) as caught:
        wanted("p", "n", [Wish("d", address("fd01::5"))], subnets([AUTO]))
    assert caught.value.type == "AllocationOnAutoAddressSubnet"

    # What clients read they may write back.
    held = Interface(NIC.mac_address, NIC.device_owner, frozenset({address("fd01::77")}))
    for known in (MADE, "fd01::77"):
        (asked,) = wanted("p", "n", [Wish("d", address(known))], subnets([AUTO]), held)
        assert asked.address == MADE


def test_subnets_for_a_kind_of_port_are_for_it_alone_and_come_first() -> None:
    own = SubnetView("e", "n", prefix("10.0.2.0/24"), service_types=("compute:nova",))
    other = SubnetView("f", "n", prefix("10.0.3.0/24"), service_types=("network:dhcp",))

    asked = wanted("p", "n", None, subnets([FOUR_A, own, other]))
    assert [wish.subnet_ids for wish in asked] == [("e", "a")]

    with pytest.raises(Refusal) as caught:
        wanted("p", "n", None, subnets([other]))
    assert caught.value.type == "IpAddressGenerationFailureNoMatchingSubnet"


def test_absent_and_empty_differ() -> None:
    assert wishes(None, 5) is None
    assert wishes([], 5) == []
