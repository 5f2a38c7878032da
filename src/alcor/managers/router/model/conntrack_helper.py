"""Conntrack helpers: of a protocol that names further connections inside of its packets, what of a
router's translations must read along. Pure.

A switch reads FTP and TFTP (ovs-actions(7), "ct", alg); whatever else Neutron knows is not allowed.
Source: neutron_lib's l3_conntrack_helper, neutron.services.conntrack_helper.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from alcor.managers.router.model.refusals import (
    BadConntrackHelperRequest,
    ConntrackHelperNotAllowed,
    InvalidProtocolForHelper,
)

PROTOCOLS = ("tcp", "udp", "icmp", "ipv6-icmp", "sctp", "dccp")  # that a body may name
PROTOCOL_BY_HELPER = {"ftp": "tcp", "tftp": "udp"}
helpers_max = 16  # of a router


class ShownHelper(msgspec.Struct, frozen=True, kw_only=True):
    """A helper as its router shows it."""

    protocol: str
    port: int
    helper: str


class ConntrackHelper(ShownHelper, frozen=True, kw_only=True):
    """A helper as clients see it."""

    id: str

    @property
    def shown(self) -> ShownHelper:
        """As its router shows it."""
        return ShownHelper(protocol=self.protocol, port=self.port, helper=self.helper)


class HeldHelper(NamedTuple):
    """A helper, and whose it is: its router's project's."""

    helper: ConntrackHelper
    router_id: str
    project_id: str


def conntrack_helper(values: Mapping[str, Any], id_: str) -> ConntrackHelper:
    """The helper that a checked body asks for."""
    helper = ConntrackHelper(
        id=id_, protocol=values["protocol"], port=values["port"], helper=values["helper"]
    )
    return _possible(helper)


def changed(old: ConntrackHelper, changes: Mapping[str, Any]) -> ConntrackHelper:
    """The helper after a checked PUT."""
    return _possible(msgspec.structs.replace(old, **changes))


def check_beside(new: ConntrackHelper, others: Iterable[ConntrackHelper]) -> None:
    """That the router's other helpers leave it room; `BadConntrackHelperRequest`."""
    count = 1
    for other in others:
        count += 1
        if other.shown == new.shown:
            raise BadConntrackHelperRequest(
                "A duplicate conntrack helper entry with same attributes already exists, "
                f"conflicting values are protocol={new.protocol}, port={new.port}, "
                f"helper={new.helper}"
            )
    if count > helpers_max:
        raise BadConntrackHelperRequest(f"A router can have {helpers_max} helpers at most")


def _possible(helper: ConntrackHelper) -> ConntrackHelper:
    protocol = PROTOCOL_BY_HELPER.get(helper.helper)
    if protocol is None:
        raise ConntrackHelperNotAllowed(helper.helper)
    if helper.protocol != protocol:
        raise InvalidProtocolForHelper(helper.helper, helper.protocol, protocol)
    return helper
