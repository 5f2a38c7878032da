"""What the API has, for processes that don't keep it: the declarations of every manager."""

from alcor.contracts.resources import ActingManager, ResourceManager
from alcor.managers.elastic_ip.api import (
    FLOATING_IP,
    FLOATING_IP_POOL,
    NDP_PROXY,
    PORT_FORWARDING,
)
from alcor.managers.flavor.api import (
    FLAVOR,
    FLAVOR_SERVICE_PROFILE,
    SERVICE_PROFILE,
    SERVICE_PROVIDER,
)
from alcor.managers.local_ip.api import LOCAL_IP, PORT_ASSOCIATION
from alcor.managers.metering.api import METERING_LABEL, METERING_LABEL_RULE
from alcor.managers.monitoring.api import (
    LOG,
    LOGGABLE_RESOURCE,
    TAP_FLOW,
    TAP_MIRROR,
    TAP_SERVICE,
)
from alcor.managers.network.api import (
    NETWORK,
    NETWORK_IP_AVAILABILITY,
    NETWORK_SEGMENT_RANGE,
    SEGMENT,
)
from alcor.managers.network_acl.api import NETWORK_ACL, NETWORK_ACL_RULE
from alcor.managers.node.api import AGENT, AVAILABILITY_ZONE, NODE
from alcor.managers.port.api import BINDING, PORT
from alcor.managers.qos.api import ALIASED, POLICY, RULE_TYPE, alias_of, rules_of
from alcor.managers.qos.model.rule import TYPES as RULE_TYPES
from alcor.managers.quota.api import QUOTA
from alcor.managers.rbac.api import RBAC_POLICY
from alcor.managers.router.api import CONNTRACK_HELPER, ROUTER
from alcor.managers.security_group.api import (
    ADDRESS_GROUP,
    DEFAULT_SECURITY_GROUP_RULE,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
)
from alcor.managers.subnet.api import SUBNET
from alcor.managers.subnetpool.api import ADDRESS_SCOPE, SUBNETPOOL
from alcor.managers.topology.api import AUTO_ALLOCATED_TOPOLOGY
from alcor.managers.trunk.api import TRUNK
from alcor.resource.declaration import Resource


def declared() -> list[Resource]:
    """Every resource, in the order of `Control`'s."""
    return [
        TRUNK,
        NETWORK,
        NETWORK_IP_AVAILABILITY,
        NETWORK_SEGMENT_RANGE,
        SEGMENT,
        SUBNETPOOL,
        ADDRESS_SCOPE,
        SUBNET,
        NODE,
        AGENT,
        AVAILABILITY_ZONE,
        PORT,
        BINDING,
        SECURITY_GROUP,
        SECURITY_GROUP_RULE,
        DEFAULT_SECURITY_GROUP_RULE,
        ADDRESS_GROUP,
        NETWORK_ACL,
        NETWORK_ACL_RULE,
        POLICY,
        *(rules_of(each) for each in RULE_TYPES),
        *(alias_of(each) for each in ALIASED),
        RULE_TYPE,
        ROUTER,
        CONNTRACK_HELPER,
        FLOATING_IP,
        PORT_FORWARDING,
        FLOATING_IP_POOL,
        NDP_PROXY,
        FLAVOR,
        SERVICE_PROFILE,
        FLAVOR_SERVICE_PROFILE,
        SERVICE_PROVIDER,
        METERING_LABEL,
        METERING_LABEL_RULE,
        LOCAL_IP,
        PORT_ASSOCIATION,
        LOG,
        LOGGABLE_RESOURCE,
        TAP_MIRROR,
        TAP_SERVICE,
        TAP_FLOW,
        AUTO_ALLOCATED_TOPOLOGY,
        QUOTA,
        RBAC_POLICY,
    ]


def contract_of(resource: Resource) -> type[ResourceManager]:
    """What the gateway asks of the resource's manager."""
    return ActingManager if resource.actions else ResourceManager
