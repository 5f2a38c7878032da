"""Which further slices a host needs because of an entry that it holds. Pure."""

from collections.abc import Iterator

from alcor.goal_state.entries import (
    Attachment,
    FloatingIp,
    Gateway,
    GoalEntry,
    Network,
    Port,
    Router,
    RouterInterface,
    Rule,
    SubnetAcl,
    WayOut,
)
from alcor.goal_state.slices import (
    EVERYBODY,
    acl_slice,
    addresses_slice,
    forwardings_slice,
    group_slice,
    members_slice,
    metering_slice,
    network_slice,
    policy_slice,
    reach_slice,
    router_slice,
    uplink_slice,
)


def led_to_by(entry: GoalEntry | None) -> Iterator[str]:
    """The slices that an entry leads to."""
    match entry:
        case Port():
            yield network_slice(entry.network_id)
            yield from map(group_slice, entry.security_groups)
            if entry.qos_policy_id:
                yield policy_slice(entry.qos_policy_id)
        case Rule():
            if entry.remote_group_id:
                yield members_slice(entry.remote_group_id)
            if entry.remote_addresses_id:
                yield addresses_slice(entry.remote_addresses_id)
        case SubnetAcl():
            yield acl_slice(entry.acl_id)
        case Attachment() | WayOut():
            yield router_slice(entry.router_id)
        case RouterInterface() | Gateway():
            yield network_slice(entry.network_id)
        case Router():
            yield metering_slice(EVERYBODY)
            if entry.project_id:
                yield metering_slice(entry.project_id)
            if entry.qos_policy_id:
                yield policy_slice(entry.qos_policy_id)
        case FloatingIp():
            if not entry.port_id:
                yield forwardings_slice(entry.id)
            if entry.qos_policy_id:
                yield policy_slice(entry.qos_policy_id)
        case Network():
            if entry.physical_network:
                yield uplink_slice(entry.physical_network)
            if entry.lazy:
                yield reach_slice(entry.id)
            if entry.qos_policy_id:
                yield policy_slice(entry.qos_policy_id)
