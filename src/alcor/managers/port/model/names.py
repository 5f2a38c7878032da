"""Names of ports: what may be asked for, and what follows for each address. Pure.

A name is relative to the region's domain; one that ends with a dot must end with that domain, which
is then left out. An address without a name of its own has one made of it. Source: Neutron's API
reference v2, "DNS integration"; neutron.extensions.dns.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from alcor.intent.records import FixedIp
from alcor.resource.fields import shown
from alcor.values.errors import InvalidInput


class NameNotOfRegion(InvalidInput):
    """A name that ends with a dot, and not with the region's domain."""

    def __init__(self, name: str, domain: str) -> None:
        super().__init__(
            f"Invalid input for dns_name. Reason: {shown(name)} is a FQDN. Its higher level labels "
            f"must be equal to the dns_domain option, that has been set to '{domain}'. It must "
            f"also include one or more valid DNS labels to the left of '{domain}'."
        )


class Assignment(msgspec.Struct, frozen=True):
    """The name of one address."""

    ip_address: str
    hostname: str
    fqdn: str


def relative(name: str, domain: str) -> str:
    """A name without the region's domain; `NameNotOfRegion` when it is of another."""
    if not name.endswith("."):
        return name
    if not domain or not name.endswith(f".{domain}"):
        raise NameNotOfRegion(name, domain)
    return name.removesuffix(f".{domain}")


def within(item: dict[str, Any], domain: str) -> dict[str, Any]:
    """A checked body with its name relative to the region's domain."""
    name = item.get("dns_name", "")
    return {**item, "dns_name": relative(name, domain)} if name.endswith(".") else item


def assignments(name: str, fixed_ips: Iterable[FixedIp], domain: str) -> tuple[Assignment, ...]:
    """What each address is called; `name` is relative, or empty."""
    at = f".{domain}"
    return tuple(
        [
            Assignment(fixed.ip_address, host := name or host_name(fixed.ip_address), host + at)
            for fixed in fixed_ips
        ]
    )


def host_name(ip_address: str) -> str:
    """The name that an address has when nobody gave it one."""
    return "host-" + ip_address.replace(".", "-").replace(":", "-")
