"""Address groups: prefixes without host bits, none twice, all or nothing."""

import pytest

from alcor.managers.security_group.model.address_group import (
    AddressesAlreadyExist,
    AddressesNotFound,
    AddressGroup,
    AddressLimitExceeded,
    address_group,
    with_addresses,
    without_addresses,
)
from alcor.values.errors import InvalidInput


def group(*addresses: str) -> AddressGroup:
    values = {"name": "n", "project_id": "p", "description": "", "addresses": addresses}
    return address_group(values, "id", "then", 3)


def test_prefixes_lose_their_host_bits_and_doubles() -> None:
    made = group("10.0.0.3/24", "10.0.0.0/24", "2001:db8::f00/64")

    assert made.addresses == ("10.0.0.0/24", "2001:db8::/64")


def test_an_address_without_length_is_the_prefix_of_itself() -> None:
    assert with_addresses(group(), ["10.0.0.1"], "now", 3).addresses == ("10.0.0.1/32",)
    assert with_addresses(group(), ["::1"], "now", 3).addresses == ("::1/128",)


def test_adding_what_is_there_adds_nothing() -> None:
    with pytest.raises(AddressesAlreadyExist):
        with_addresses(group("10.0.0.0/24"), ["10.1.0.0/24", "10.0.0.9/24"], "now", 3)


def test_removing_what_is_not_there_removes_nothing() -> None:
    with pytest.raises(AddressesNotFound):
        without_addresses(group("10.0.0.0/24"), ["10.0.0.0/24", "10.1.0.0/24"], "now")


def test_what_is_no_prefix_is_refused() -> None:
    with pytest.raises(InvalidInput):
        with_addresses(group(), ["this is bad IP address"], "now", 3)
    with pytest.raises(InvalidInput):
        without_addresses(group(), ["10.0.0.300"], "now")


def test_a_group_holds_no_more_addresses_than_its_limit() -> None:
    full = with_addresses(group("10.0.0.0/24"), ["10.1.0.0/24", "10.2.0.0/24"], "now", 3)

    with pytest.raises(AddressLimitExceeded):
        with_addresses(full, ["10.3.0.0/24"], "now", 3)


def test_every_change_is_a_revision_and_the_rest_stays() -> None:
    changed = without_addresses(
        with_addresses(group("10.0.0.0/24"), ["10.1.0.0/24"], "now", 3), ["10.0.0.0/24"], "later"
    )

    assert changed.addresses == ("10.1.0.0/24",)
    assert (changed.revision_number, changed.updated_at) == (3, "later")
    assert changed.created_at == "then"
