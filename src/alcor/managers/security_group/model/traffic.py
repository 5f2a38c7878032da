"""Which packets a rule is about: checked, in canonical form, and comparable. Pure.

Rules and templates share it. Source: Neutron API reference v2, "Security group rules"; the order
of the checks is Neutron's, so that a body with two faults gets the same answer.
"""

import ipaddress
from collections.abc import Mapping
from typing import Any

import msgspec

from alcor.managers.security_group.model.refusals import (
    SecurityGroupEthertypeConflictWithProtocol,
    SecurityGroupInvalidIcmpValue,
    SecurityGroupInvalidPortRange,
    SecurityGroupInvalidPortValue,
    SecurityGroupInvalidProtocolForPort,
    SecurityGroupMissingIcmpType,
    SecurityGroupMultipleRemoteEntites,
    SecurityGroupProtocolRequiredWithPorts,
    SecurityGroupRuleParameterConflict,
)
from alcor.values.protocols import ICMP, ICMPV6, OF_IPV6_ONLY, WITH_PORTS, protocol_number

_ICMPV6_BY_OLDER = {"icmp": "ipv6-icmp", "icmpv6": "ipv6-icmp", "1": "58"}
_ANYBODY = ("0.0.0.0/0", "::/0")


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """One direction's packets of one family; null is any.

    `protocol` is a name or digits, as the client wrote it. The port range is the ICMP type and
    code where the protocol is ICMP. At most one of the three remotes is given.
    """

    direction: str  # ingress or egress
    ethertype: str  # IPv4 or IPv6
    protocol: str | None
    port_range_min: int | None
    port_range_max: int | None
    remote_ip_prefix: str | None  # may have host bits
    remote_group_id: str | None
    remote_address_group_id: str | None

    @property
    def protocol_number(self) -> int | None:
        """IANA's number; null is any."""
        return None if self.protocol is None else protocol_number(self.protocol)

    @property
    def cidr(self) -> str | None:
        """The remote prefix without host bits."""
        if self.remote_ip_prefix is None:
            return None
        return str(ipaddress.ip_interface(self.remote_ip_prefix).network)

    @property
    def key(self) -> str:
        """Equal for rules that let the same packets pass: a group holds each once."""
        prefix = None if self.remote_ip_prefix in _ANYBODY else self.remote_ip_prefix
        parts = (
            self.direction,
            self.ethertype,
            self.protocol_number,
            self.port_range_min,
            self.port_range_max,
            prefix,
            self.remote_group_id,
            self.remote_address_group_id,
        )
        return "_".join("+" if part is None else str(part) for part in parts)


def traffic(values: Mapping[str, Any]) -> Traffic:
    """What a body asks for, whose values are of their fields' types; a `Refusal` if it can't be."""
    wanted = _canonical(Traffic(**{name: values[name] for name in Traffic.__struct_fields__}))
    _check_ports(wanted)
    _check_family(wanted)
    remotes = (wanted.remote_ip_prefix, wanted.remote_group_id, wanted.remote_address_group_id)
    if sum(remote is not None for remote in remotes) > 1:
        raise SecurityGroupMultipleRemoteEntites
    return wanted


def _canonical(wanted: Traffic) -> Traffic:
    """Older names of ICMPv6 become its own; the whole range of ports is no range."""
    if wanted.ethertype == "IPv6" and wanted.protocol in _ICMPV6_BY_OLDER:
        wanted = msgspec.structs.replace(wanted, protocol=_ICMPV6_BY_OLDER[wanted.protocol])
    if (wanted.port_range_min, wanted.port_range_max) == (1, 65_535):
        wanted = msgspec.structs.replace(wanted, port_range_min=None, port_range_max=None)
    return wanted


def _check_ports(wanted: Traffic) -> None:
    low, high = wanted.port_range_min, wanted.port_range_max
    if low is None and high is None:
        return
    number = wanted.protocol_number
    if number is None:
        raise SecurityGroupProtocolRequiredWithPorts
    if number in WITH_PORTS.values():
        if 0 in (low, high):
            raise SecurityGroupInvalidPortValue(0)
        if low is None or high is None or low > high:
            raise SecurityGroupInvalidPortRange
    elif number in (ICMP, ICMPV6):
        _check_icmp(low, high)
    else:
        raise SecurityGroupInvalidProtocolForPort(number)


def _check_icmp(type_: int | None, code: int | None) -> None:
    if type_ is not None and type_ > 255:
        raise SecurityGroupInvalidIcmpValue("type", "port_range_min", type_)
    if code is not None and code > 255:
        raise SecurityGroupInvalidIcmpValue("code", "port_range_max", code)
    if type_ is None and code is not None:
        raise SecurityGroupMissingIcmpType(code)


def _check_family(wanted: Traffic) -> None:
    prefix, protocol = wanted.remote_ip_prefix, wanted.protocol
    if prefix is not None:
        version = ipaddress.ip_interface(prefix).version
        if wanted.ethertype != f"IPv{version}":
            raise SecurityGroupRuleParameterConflict(wanted.ethertype, prefix)
    of_ipv6 = wanted.protocol_number in OF_IPV6_ONLY
    if protocol is not None and of_ipv6 and wanted.ethertype == "IPv4":
        raise SecurityGroupEthertypeConflictWithProtocol(wanted.ethertype, protocol)
