"""The rules of network ACLs. Pure.

Rules are tried in order of their numbers, and the first that matches decides. The last of each
direction, number 32767, denies everything; it is there from the start and stays as it is.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.managers.network_acl.model.acl import NetworkAcl
from alcor.resource.revisions import revised
from alcor.values.addresses import prefix
from alcor.values.errors import Conflict, InvalidInput, NotFound
from alcor.values.protocols import ICMP, ICMPV6, OF_IPV6_ONLY, WITH_PORTS, protocol_number

default_number = 32_767
number_max = default_number - 1


class NetworkAclRuleNotFound(NotFound):
    """There is no such rule, or it is not theirs."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"Network ACL rule {id_[:255]} could not be found.")


class NetworkAclRuleIdInUse(Conflict):
    """The id that the client chose is taken."""

    def __init__(self) -> None:
        super().__init__("Unable to create the network ACL rule. Its id is in use.")


class NetworkAclRuleNumberInUse(Conflict):
    """Two rules of one direction can't have the same place."""

    def __init__(self, number: int, direction: str) -> None:
        super().__init__(f"The number {number} is that of another {direction} rule of the ACL.")


class NetworkAclDefaultRuleInUse(Conflict):
    """The last rule, which denies everything, stays as it is."""

    def __init__(self) -> None:
        super().__init__("The default rule of a network ACL can't be changed or deleted.")


class NetworkAclRuleLimitExceeded(Conflict):
    """The ACL would have too many rules."""

    def __init__(self, acl_id: str, rules_max: int) -> None:
        super().__init__(f"Network ACL {acl_id} may have at most {rules_max} rules.")


class AclRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as clients see it; null is any."""

    id: str
    name: str = ""
    tenant_id: str
    project_id: str
    network_acl_id: str
    number: int
    direction: str  # ingress: into the subnet; egress: out of it
    action: str  # allow or deny
    ethertype: str | None = "IPv4"  # null (both) only of the default rules
    ip_prefix: str | None = None  # of the peer, without host bits
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    description: str = ""
    revision_number: int = 1
    created_at: str
    updated_at: str

    @property
    def is_default(self) -> bool:
        """One of the two that every ACL has."""
        return self.number == default_number

    @property
    def protocol_number(self) -> int | None:
        """IANA's number; null is any."""
        return None if self.protocol is None else protocol_number(self.protocol)


def rule(values: Mapping[str, Any], acl: NetworkAcl, id_: str, now: str) -> AclRule:
    """The rule that a checked body asks for."""
    given = {name: values[name] for name in AclRule.__struct_fields__ if name in values}
    given |= {"id": id_, "tenant_id": acl.project_id, "project_id": acl.project_id}
    return _checked(AclRule(**given, created_at=now, updated_at=now))


def default_rule(acl: NetworkAcl, direction: str, id_: str) -> AclRule:
    """The last rule of a direction."""
    return AclRule(
        id=id_,
        tenant_id=acl.project_id,
        project_id=acl.project_id,
        network_acl_id=acl.id,
        number=default_number,
        direction=direction,
        action="deny",
        ethertype=None,
        description="What no other rule allows is denied",
        created_at=acl.created_at,
        updated_at=acl.created_at,
    )


def changed(old: AclRule, changes: Mapping[str, Any], now: str) -> AclRule:
    """The rule after a checked PUT; the very same value when nothing is different."""
    if old.is_default:
        raise NetworkAclDefaultRuleInUse
    new = revised(old, changes, now)
    return old if new is old else _checked(new)


def _checked(wanted: AclRule) -> AclRule:
    if wanted.number > number_max:
        raise _invalid(f"the number of a rule is at most {number_max}")
    if wanted.ethertype is None:
        raise _invalid("ethertype is IPv4 or IPv6")
    number = wanted.protocol_number
    if wanted.ip_prefix is not None:
        version = prefix(wanted.ip_prefix).version
        if wanted.ethertype != f"IPv{version}":
            raise _invalid(f"ip_prefix {wanted.ip_prefix} is not of {wanted.ethertype}")
    if number in OF_IPV6_ONLY and wanted.ethertype == "IPv4":
        raise _invalid(f"protocol {wanted.protocol} is of IPv6 only")
    if number == ICMP and wanted.ethertype == "IPv6":
        raise _invalid("the ICMP of IPv6 is ipv6-icmp")
    _check_ports(wanted, number)
    _check_icmp(wanted, number)
    return wanted


def _check_ports(wanted: AclRule, number: int | None) -> None:
    low, high = wanted.port_range_min, wanted.port_range_max
    if low is None and high is None:
        return
    if number not in WITH_PORTS.values():
        raise _invalid(f"only {', '.join(WITH_PORTS)} have ports")
    if low is None or high is None or low > high:
        raise _invalid("port_range_min must be <= port_range_max")


def _check_icmp(wanted: AclRule, number: int | None) -> None:
    if wanted.icmp_type is None and wanted.icmp_code is None:
        return
    if number not in (ICMP, ICMPV6):
        raise _invalid("only ICMP has types and codes")
    if wanted.icmp_type is None:
        raise _invalid("an ICMP code needs its type")


def _invalid(reason: str) -> InvalidInput:
    return InvalidInput(f"Invalid input for operation: {reason}.")
