"""Make the ports that a checked POST asks for. Pure.

Ports that are made together have all but a few fields alike, and a port has many fields: what they
have in common is worked out once, and each is a copy of that with what is its own.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, NamedTuple

from msgspec import UNSET, structs

from alcor.intent.records import FixedIp, NodeRecord
from alcor.managers.port.model import binding, dhcp_options, names, pairs
from alcor.managers.port.model.port import Port, Status, is_trusted, status_of
from alcor.managers.port.model.segments import DEFERRED, IMMEDIATE, NO_ADDRESSES, OnSegment

# Of an item: what is worked out once for all that have the same.
_shared_of = itemgetter(
    *("network_id", "admin_state_up", "device_owner", "binding:vnic_type", "binding:profile"),
    *("extra_dhcp_opts", "dns_domain", "propagate_uplink_status", "numa_affinity_policy"),
    *("device_profile", "trusted", "qos_policy_id", "description", "tags"),
)


class Own(NamedTuple):
    """What a port is given besides what its item says."""

    id: str
    project_id: str
    mac_address: str
    fixed_ips: tuple[FixedIp, ...]
    security_groups: tuple[str, ...]
    secured: bool  # port security, as the client or the network says
    node: NodeRecord | None  # its host; None when that can't plug it in
    segment: OnSegment | None = None  # where subnets are of segments
    deferred: bool = False  # it waits for a host to get addresses there


class PortMaker:
    """Makes ports at one moment; `zone` is the region's domain."""

    def __init__(self, at: str, zone: str) -> None:
        self.at = at
        self._zone = zone
        self._shared: tuple[object, ...] = ()
        self._common: Port

    def new(self, item: Mapping[str, Any], own: Own) -> Port:
        """The port of a checked item; a `Refusal` when its fields contradict each other."""
        shared = (own.project_id, own.secured, *_shared_of(item))
        if shared != self._shared:
            self._common = _common(item, own, self.at)
            self._shared = shared
        common, host, given = self._common, item["binding:host_id"], item["allowed_address_pairs"]
        if given and not common.port_security_enabled:
            raise pairs.AddressPairAndPortSecurityRequired
        plug = binding.plug(host, own.node, common.vnic_type)
        return structs.replace(
            common,
            id=own.id,
            name=item["name"],
            status=status_of(common.device_owner, item["device_id"]),
            mac_address=own.mac_address,
            fixed_ips=own.fixed_ips,
            device_id=item["device_id"],
            host=host,
            vif_type=plug.vif_type,
            vif_details=plug.vif_details,
            allowed_address_pairs=pairs.made(given, own.mac_address) if given else (),
            security_groups=own.security_groups,
            dns_name=item["dns_name"],
            dns_assignment=names.assignments(item["dns_name"], own.fixed_ips, self._zone),
            ip_allocation=_allocation(item, own),
            segment=own.segment or UNSET,
        )


def _allocation(item: Mapping[str, Any], own: Own) -> str:
    """When its addresses are chosen."""
    if item.get("fixed_ips") == []:
        return NO_ADDRESSES
    return DEFERRED if own.deferred else IMMEDIATE


def _common(item: Mapping[str, Any], own: Own, at: str) -> Port:
    """A port without what is its own."""
    return Port(
        id="",
        name="",
        network_id=item["network_id"],
        tenant_id=own.project_id,
        project_id=own.project_id,
        admin_state_up=item["admin_state_up"],
        status=Status.DOWN,
        mac_address="",
        fixed_ips=(),
        device_id="",
        device_owner=item["device_owner"],
        host="",
        vif_type=binding.UNBOUND,
        vif_details={},
        vnic_type=item["binding:vnic_type"],
        profile=binding.with_trust(item["binding:profile"], item["trusted"]),
        port_security_enabled=own.secured and not is_trusted(item["device_owner"]),
        extra_dhcp_opts=dhcp_options.merged((), item["extra_dhcp_opts"]),
        dns_domain=item["dns_domain"],
        propagate_uplink_status=item["propagate_uplink_status"],
        numa_affinity_policy=item["numa_affinity_policy"],
        device_profile=item["device_profile"],
        trusted=item["trusted"],
        qos_policy_id=item["qos_policy_id"],
        description=item["description"],
        tags=tuple(item["tags"]),
        revision_number=1,
        created_at=at,
        updated_at=at,
    )
