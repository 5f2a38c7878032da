"""The rules that hold unless the operator's file says otherwise.

Named as in Neutron, so that an operator's file for Neutron works here: `create_port` for a verb,
`create_port:mac_address` for a field of it. `get_<kind>` says who sees one, `get_<kind>:<field>`
who sees a field. Source: neutron.conf.policies of Neutron 29.
"""

ADMIN = "rule:admin_only"
MEMBER = "rule:admin_only or rule:project_member"
READER = "rule:admin_only or rule:project_reader"
MANAGER = "rule:admin_only or rule:project_manager"
SERVICE = "rule:admin_only or rule:service_api"
NETWORK_OWNER = f"{SERVICE} or rule:network_owner"
EVERYBODY = "@"

SHARED = "True:%(shared)s"
EXTERNAL = "True:%(router:external)s"
ON_SHARED = "(role:member and True:%(network:shared)s)"
ON_EXTERNAL = "True:%(network:router:external)s"

COMMON = {
    "context_is_admin": "role:admin",
    "context_is_advsvc": "role:advsvc",
    "service_api": "role:service",
    "admin_only": "rule:context_is_admin",
    "admin_or_owner": "rule:context_is_admin or rule:owner",
    "owner": "project_id:%(project_id)s",
    "project_member": "role:member and rule:owner",
    "project_reader": "role:reader and rule:owner",
    "project_manager": "role:manager and rule:owner",
    "network_owner": "role:member and project_id:%(network:project_id)s",
    "network_manager": "role:manager and project_id:%(network:project_id)s",
    "network_reader": "role:reader and project_id:%(network:project_id)s",
    "network_device": "field:port:device_owner=~^network:",
    # Ports of these are deleted by their service: one that is taken from under a machine is a hole.
    "device_of_service": "field:port:device_owner=~^compute: or "
    "field:port:device_owner=~^baremetal: or field:port:device_owner=~^manila:",
    "restrict_wildcard": "rule:admin_only or not field:rbac_policy:target_tenant=*",
    "device_of_owner": "not rule:network_device and rule:project_member",
}

_NETWORK = {
    "get_network": f"{READER} or rule:service_api or {SHARED} or {EXTERNAL} "
    "or rule:context_is_advsvc",
    **{
        f"{verb}_network:{field}": ADMIN
        for verb in ("create", "update")
        for field in ("shared", "router:external", "is_default")
    },
    **{
        f"{verb}_network:{field}": ADMIN
        for verb in ("create", "update", "get")
        for field in (
            "segments",
            "provider:network_type",
            "provider:physical_network",
            "provider:segmentation_id",
        )
    },
    "get_network:alcor:vni": ADMIN,
}

_SUBNET = {
    "create_subnet": f"{ADMIN} or rule:network_owner",
    "get_subnet": f"{READER} or rule:service_api or rule:network_reader or {SHARED} "
    f"or True:%(network:shared)s or {ON_EXTERNAL}",
    "update_subnet": f"{MEMBER} or rule:network_owner",
    "delete_subnet": f"{MEMBER} or rule:network_owner",
    # Neutron has rules for service_types, but asks none of them (its declaration does not say so).
    **{f"{verb}_subnet:segment_id": ADMIN for verb in ("create", "update", "get")},
    "get_subnet:alcor:physical_network": ADMIN,
}

_PORT = {
    "create_port": f"{NETWORK_OWNER} or rule:project_member",
    "get_port": f"{READER} or rule:service_api or rule:network_reader",
    "update_port": f"{MEMBER} or rule:service_api",
    "delete_port": f"{SERVICE} or ((service_roles:service or not rule:device_of_service) "
    "and (rule:network_owner or rule:project_member))",
    "create_port:fixed_ips": f"{NETWORK_OWNER} or {ON_SHARED}",
    "create_port:fixed_ips:subnet_id": f"{NETWORK_OWNER} or {ON_SHARED}",
    "create_port:fixed_ips:ip_address": NETWORK_OWNER,
    "create_port:mac_address": NETWORK_OWNER,
    "update_port:mac_address": f"{SERVICE} or rule:network_manager",
    **{
        f"update_port:{field}": NETWORK_OWNER
        for field in ("fixed_ips", "fixed_ips:subnet_id", "fixed_ips:ip_address")
    },
    "update_port:data_plane_status": f"{ADMIN} or role:data_plane_integrator",
    **{
        f"{verb}_port:{field}": NETWORK_OWNER
        for verb in ("create", "update")
        for field in (
            *("allowed_address_pairs", "port_security_enabled"),
            *("allowed_address_pairs:mac_address", "allowed_address_pairs:ip_address"),
        )
    },
    **{
        f"{verb}_port:device_owner": f"{NETWORK_OWNER} or rule:device_of_owner"
        for verb in ("create", "update")
    },
    **{
        f"{verb}_port:{field}": SERVICE
        for verb in ("create", "update", "get")
        for field in ("binding:host_id", "binding:profile")
    },
    **{f"get_port:{field}": SERVICE for field in ("binding:vif_type", "binding:vif_details")},
    "get_port:resource_request": ADMIN,
    "get_port:alcor:next_hop": ADMIN,
    "get_port:alcor:segment": ADMIN,
    **{
        f"{verb}_port:{field}": ADMIN
        for verb in ("create", "update", "get")
        for field in ("hints", "trusted")
    },
}

_ROUTER = {
    **{
        f"{verb}_router:{field}": ADMIN
        for verb in ("create", "update", "get")
        for field in ("ha", "distributed")
    },
    **{
        f"{verb}_router:enable_default_route_{what}": ADMIN
        for verb in ("create", "update")
        for what in ("ecmp", "bfd")
    },
    **{
        f"{verb}_router:external_gateway_info:{part}": ADMIN
        for verb in ("create", "update")
        for part in ("enable_snat", "external_fixed_ips")
    },
    **{
        f"{verb}_external_gateways:external_gateways:{part}": ADMIN
        for verb in ("add", "update")
        for part in ("enable_snat", "external_fixed_ips")
    },
}

_OTHERS = {
    "create_floatingip:floating_ip_address": MANAGER,
    "get_floatingip_pool": "rule:admin_only or role:reader",
    # Whoever owns the floating IP owns its port forwardings: the manager takes no others.
    **{
        f"{verb}_floatingip_port_forwarding": "rule:admin_only or role:member"
        for verb in ("create", "update", "delete")
    },
    "get_floatingip_port_forwarding": "rule:admin_only or role:reader",
    # Whoever owns a router owns its conntrack helpers: the manager takes no others.
    **{
        f"{verb}_router_conntrack_helper": "rule:admin_only or role:member"
        for verb in ("create", "update", "delete")
    },
    "get_router_conntrack_helper": "rule:admin_only or role:reader",
    # Whoever owns a local IP says which ports have it: the manager takes no others.
    **{
        f"{verb}_local_ip_port_association": "rule:admin_only or role:member"
        for verb in ("create", "update", "delete")
    },
    "get_local_ip_port_association": "rule:admin_only or role:reader",
    "get_security_group": f"{READER} or {SHARED}",
    # Whoever owns a rule's group owns the rule: the manager shows and changes no others.
    "get_security_group_rule": "rule:admin_only or role:reader",
    **{
        f"{verb}_security_group_rule": "rule:admin_only or role:member"
        for verb in ("create", "update", "delete")
    },
    "get_address_group": f"{READER} or {SHARED}",
    "get_subnetpool": f"{READER} or {SHARED}",
    "get_address_scope": f"{READER} or {SHARED}",
    "get_policy": f"{READER} or {SHARED}",
    "create_subnetpool:shared": ADMIN,
    "create_subnetpool:is_default": ADMIN,
    "update_subnetpool:is_default": ADMIN,
    "create_address_scope:shared": ADMIN,
    "update_address_scope:shared": ADMIN,
    "get_network_ip_availability": SERVICE,
    "create_metering_label:shared": ADMIN,
    **{
        f"{verb}_rbac_policy:target_tenant": "rule:restrict_wildcard"
        for verb in ("create", "update")
    },
    # The manager shows and changes only what is theirs, and says that all else is not there.
    "update_address_group": "rule:admin_only or role:member",
    "delete_address_group": "rule:admin_only or role:member",
    "get_quota": READER,
    "update_quota": ADMIN,
    "delete_quota": ADMIN,
}


def _verbs(kind: str, write: str, read: str) -> dict[str, str]:
    rules = {f"{verb}_{kind}": write for verb in ("create", "update", "delete")}
    return rules | {f"get_{kind}": read}


# While a machine moves, its service says where its port is.
_BINDING = {
    **{f"{verb}_port_binding": "rule:service_api" for verb in ("create", "update", "delete")},
    "activate": "rule:service_api",
    "get_port_binding": SERVICE,
}

# Whoever owns a QoS policy owns its rules: the manager shows and changes no others.
_QOS_RULES = {
    name: rule
    for type_ in (
        "bandwidth_limit",
        "dscp_marking",
        "minimum_bandwidth",
        "minimum_packet_rate",
        "packet_rate_limit",
    )
    for kind in (f"policy_{type_}_rule", f"alias_{type_}_rule")
    for name, rule in _verbs(
        kind, "rule:admin_only or role:manager", "rule:admin_only or role:reader"
    ).items()
}

# A kind that is not named here is of its project: members change it, readers see it.
DEFAULTS: dict[str, str] = (
    COMMON
    | _NETWORK
    | _SUBNET
    | _PORT
    | _BINDING
    | _ROUTER
    | _OTHERS
    | _QOS_RULES
    | _verbs("default_security_group_rule", ADMIN, EVERYBODY)
    | _verbs("flavor", ADMIN, EVERYBODY)
    | _verbs("flavor_service_profile", ADMIN, EVERYBODY)
    | _verbs("availability_zone", ADMIN, EVERYBODY)
    | _verbs("service_provider", ADMIN, EVERYBODY)
    | _verbs("rule_type", ADMIN, EVERYBODY)
    | _verbs("service_profile", ADMIN, ADMIN)
    | _verbs("agent", ADMIN, ADMIN)
    | _verbs("node", ADMIN, ADMIN)
    | _verbs("segment", ADMIN, ADMIN)
    | _verbs("network_segment_range", ADMIN, ADMIN)
    | _verbs("policy", MANAGER, _OTHERS["get_policy"])
    | _verbs("metering_label", MANAGER, f"{READER} or {SHARED}")
    | _verbs("metering_label_rule", MANAGER, READER)
    | _verbs("log", MANAGER, MANAGER)
    | _verbs("tap_service", MEMBER, MEMBER)
    | _verbs("tap_flow", MEMBER, MEMBER)
    | {"get_loggable_resource": "rule:admin_only or role:manager"}
)


def default_of(name: str) -> str:
    """The rule of a verb that nobody has named."""
    return READER if name.startswith("get_") else MEMBER
