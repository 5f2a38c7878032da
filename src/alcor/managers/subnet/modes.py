"""How the machines of an IPv6 subnet get their addresses: which modes make sense together. Pure.

Two fields with the same three words: `ipv6_ra_mode` says that a router of ours advertises the
prefix (null: somebody else does, or nobody), `ipv6_address_mode` that we give the addresses.
Source: Neutron API reference v2, "Subnets"; OpenStack networking guide, "IPv6".
"""

from collections.abc import Mapping
from typing import Any

from alcor.values.addresses import Prefix
from alcor.values.errors import InvalidInput

AUTOMATIC = frozenset({"slaac", "dhcpv6-stateless"})  # machines make addresses of their MAC
_eui64_length = 64  # of the prefix that an address is made in


def is_automatic(ra: str | None, assignment: str | None) -> bool:
    """Whether machines make their addresses themselves, by RFC 4862."""
    return ra in AUTOMATIC or assignment in AUTOMATIC


def check_modes(values: Mapping[str, Any], whole: Prefix) -> None:
    """That the modes of a checked body can be had together; `InvalidInput`."""
    ra, assignment = values["ipv6_ra_mode"], values["ipv6_address_mode"]
    if ra is None and assignment is None:
        return
    if whole.version == 4:
        for name in ("ipv6_ra_mode", "ipv6_address_mode"):
            if values[name] is not None:
                raise _invalid(f"{name} is not valid when ip_version is 4")
    check_dhcp(ra, assignment, values["enable_dhcp"])
    if ra and assignment and ra != assignment:
        raise _invalid(
            f"ipv6_ra_mode set to '{ra}' with ipv6_address_mode set to '{assignment}' is not "
            "valid. If both attributes are set, they must be the same value"
        )
    if is_automatic(ra, assignment) and whole.length != _eui64_length:
        raise _invalid(
            f"Invalid CIDR {whole} for IPv6 address mode. OpenStack uses the EUI-64 address "
            "format, which requires the prefix to be /64"
        )


def check_dhcp(ra: str | None, assignment: str | None, enable_dhcp: bool) -> None:
    """A subnet with modes is served by DHCP."""
    if (ra or assignment) and not enable_dhcp:
        raise _invalid(
            "ipv6_ra_mode or ipv6_address_mode cannot be set when enable_dhcp is set to False"
        )


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {reason}.")
