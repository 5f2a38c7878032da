"""What clients ask first: versions, collections, extensions. Only what works is listed.

Source: Neutron API reference v2, "API versions" and "Extensions"; aliases are neutron-lib's.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from alcor.gateway.description import openapi
from alcor.gateway.errors import error_response
from alcor.gateway.requests import Request
from alcor.gateway.responses import Response, encode
from alcor.resource.declaration import Resource
from alcor.runtime.version import version


class Extension(NamedTuple):
    """One extension of the Networking API."""

    alias: str
    name: str
    description: str


EXTENSIONS = (
    Extension("availability_zone", "Availability Zone", "The zones, and whether they are alive."),
    Extension("network_availability_zone", "Network Availability Zone", "Zones of networks."),
    Extension("router_availability_zone", "Router Availability Zone", "Zones of routers."),
    Extension("network-ip-availability", "Network IP Availability", "Addresses of networks."),
    Extension(
        "network-ip-availability-details",
        "Network IP Availability Details Extension",
        "How many addresses are used in and outside of pools.",
    ),
    Extension("default-subnetpools", "Default Subnetpools", "The pool that is taken by default."),
    Extension(
        "subnet-dns-publish-fixed-ip",
        "Subnet DNS Publish Fixed IP",
        "Names lead to addresses of a subnet, where names are published.",
    ),
    Extension("subnet-service-types", "Subnet service types", "Subnets for one kind of port."),
    Extension("subnet_allocation", "Subnet Allocation", "Subnets are cut from pools."),
    Extension("subnet_onboard", "Subnet Onboard", "Subnets that are there come into a pool."),
    Extension("subnetpool-prefix-ops", "Subnet Pool Prefix Operations", "Prefixes come and go."),
    Extension(
        "data-plane-status", "Data plane status", "What others know of the packets of a port."
    ),
    Extension(
        "ip-substring-filtering", "IP address substring filtering", "Ports by a part of an address."
    ),
    Extension(
        "port-device-profile", "Port device profile", "The accelerators that a port asks for."
    ),
    Extension("port-trusted-vif", "Port trusted vif", "Kept for Nova, in the profile as well."),
    Extension("port-numa-affinity-policy", "Port NUMA affinity policy", "Where a machine may run."),
    Extension(
        "port-numa-affinity-policy-socket", "Port NUMA affinity policy socket", "On one socket."
    ),
    Extension(
        "uplink-status-propagation", "Port Uplink Status Propagation", "Kept for what plugs."
    ),
    Extension(
        "uplink-status-propagation-updatable", "Uplink status, writable", "It may be changed."
    ),
    Extension("allowed-address-pairs", "Allowed Address Pairs", "Other addresses of a port."),
    Extension(
        "aap-reject-multicast", "Address pairs without multicast", "No pair is a group's address."
    ),
    Extension("agent_sort_key", "Agents Sort Key", "Agents are sorted by keys."),
    Extension("availability_zone_filter", "Availability Zone Filter", "Zones by their fields."),
    Extension("sort-key-validation", "Sort keys validation", "Unknown sort keys are refused."),
    Extension(
        "security-groups-name-restrictions",
        "Security group name restrictions",
        "Names are printable, without spaces at their ends.",
    ),
    Extension(
        "security-groups-shared-filtering",
        "Security group filtering on the shared field",
        "Groups that are shared, or not.",
    ),
    Extension(
        "agent-resources-synced",
        "Agent's Resource View Synced to Placement",
        "Whether Placement knows what the hosts of agents have.",
    ),
    Extension("agent", "agent", "The agents of the hosts, and whether they are alive."),
    Extension("binding-extended", "Port Bindings Extended", "The bindings of ports that move."),
    Extension("binding", "Port Binding", "The host that a port is bound to."),
    Extension("dns-domain-ports", "dns_domain for ports", "Names of ports in other domains."),
    Extension(
        "dns-integration", "DNS Integration", "Names of ports and floating IPs, answered by hosts."
    ),
    Extension("empty-string-filtering", "Empty String Filtering", "Filters by the empty string."),
    Extension("extra_dhcp_opt", "Neutron Extra DHCP options", "Options for one port's machine."),
    Extension("filter-validation", "Filter parameters validation", "Unknown filters are refused."),
    Extension("ip_allocation", "IP Allocation", "When a port got its addresses."),
    Extension("l2_adjacency", "L2 Adjacency", "A network is one broadcast domain."),
    Extension("net-mtu", "Network MTU", "The MTU of a network."),
    Extension("net-mtu-writable", "Network MTU (writable)", "The MTU of a network may be set."),
    Extension("pagination", "Pagination support", "Lists come in pages."),
    Extension("port-security", "Port Security", "Machines may use only their own addresses."),
    Extension("project-id", "project_id field enabled", "project_id beside tenant_id."),
    Extension("port-mac-address-regenerate", "Port MAC address regenerate", "Null: a new MAC."),
    Extension("provider", "Provider Network", "The VNI or VLAN of a network."),
    Extension("quota-check-limit", "Quota engine limit check", "Limits not below what is used."),
    Extension(
        "quota-check-limit-default",
        "Quota engine limit check by default",
        "A limit below what is used is refused unless it is forced.",
    ),
    Extension("quota_details", "Quota details management support", "Limits with what is used."),
    Extension("quotas", "Quota management support", "How much a project may have."),
    Extension("rbac-policies", "RBAC Policies", "Networks are shared with other projects."),
    Extension("revision-if-match", "If-Match", "Changes on condition of the revision."),
    Extension("sorting", "Sorting support", "Lists are sorted by keys."),
    Extension("standard-attr-description", "standard-attr-description", "Descriptions."),
    Extension("standard-attr-revisions", "Resource revision numbers", "Revision numbers."),
    Extension("standard-attr-tag", "Tag support for resources", "Tags, and filters by them."),
    Extension("tag", "Tag support", "The older name of tags, of networks."),
    Extension("tag-ext", "Tag support for resources", "The older name of tags, of all else."),
    Extension("standard-attr-timestamp", "Resource timestamps", "created_at and updated_at."),
    Extension("tag-creation", "Tag creation", "POST adds tags to those that are there."),
    Extension(
        "tag-ports-during-bulk-creation", "Tag ports at creation", "POST of ports takes tags."
    ),
    Extension("address-group", "Address group", "Prefixes under a name, for security groups."),
    Extension("rbac-address-group", "RBAC of address groups", "They are shared, too."),
    Extension("rbac-subnetpool", "RBAC of subnet pools", "They are shared, too."),
    Extension("address-scope", "Address scope", "Between scopes routers translate, or stop."),
    Extension("rbac-address-scope", "RBAC of address scopes", "They are shared, too."),
    Extension("rbac-security-groups", "RBAC of security groups", "They are shared, too."),
    Extension("security-group", "security-group", "Which packets may reach and leave a port."),
    Extension(
        "security-groups-default-rules",
        "Default rules for security groups",
        "The rules that every new security group begins with.",
    ),
    Extension(
        "security-groups-normalized-cidr",
        "Normalized CIDR field for security group rules",
        "The prefix of a rule without host bits.",
    ),
    Extension(
        "port-security-groups-filtering",
        "Port filtering on security groups",
        "Ports are found by their security groups.",
    ),
    Extension(
        "security-groups-remote-address-group",
        "Remote address group id field for security group rules",
        "Rules about the addresses of an address group.",
    ),
    Extension(
        "security-groups-rules-belongs-to-default-sg",
        "Security group rule belongs to the project's default security group",
        "Whether a rule is of a default group.",
    ),
    Extension(
        "stateful-security-group",
        "Stateful security group",
        "Security groups without connection tracking.",
    ),
    Extension("external-net", "Neutron external network", "Networks of the outside world."),
    Extension(
        "subnet-external-network",
        "Subnet belongs to an external network",
        "Informs if the subnet belongs to an external network",
    ),
    Extension(
        "external-gateway-multihoming",
        "Neutron external gateway multihoming extension",
        "Several gateways of a router, to several networks or to one.",
    ),
    Extension(
        "enable-default-route-ecmp",
        "Enable Default Route ECMP",
        "What no route leads to leaves by all gateways of a router.",
    ),
    Extension(
        "enable-default-route-bfd",
        "Enable Default Route BFD",
        "Of these gateways those get no share whose next hops BFD finds down.",
    ),
    Extension("ext-gw-mode", "Neutron L3 Configurable external gateway mode", "SNAT or none."),
    Extension("extraroute", "Neutron Extra Route", "Routes of tenants."),
    Extension(
        "extraroute-atomic",
        "Atomically add/remove extra routes",
        "Routes come and go without those that are there being named.",
    ),
    Extension("fip-port-details", "Floating IP Port Details", "Floating IPs show their ports."),
    Extension(
        "floating-ip-router-writable",
        "Floating IP router writable",
        "Which router translates may be asked for: also one that others lead to.",
    ),
    Extension("floatingip-pools", "Floating IP Pools Extension", "Where floating IPs are from."),
    Extension(
        "l3-conntrack-helper",
        "Neutron L3 Conntrack Helper",
        "Routers read FTP and TFTP, which name further connections.",
    ),
    Extension("expose-l3-conntrack-helper", "Expose conntrack helpers", "Routers show them."),
    Extension("l3-ndp-proxy", "L3 NDP Proxy", "IPv6 addresses inside, answered for outside."),
    Extension("l3-ext-ndp-proxy", "Router support to enable NDP proxy", "enable_ndp_proxy."),
    Extension("router", "Neutron L3 Router", "Routers and floating IPs."),
    Extension(
        "expose-port-forwarding-in-fip",
        "Expose Port Forwarding in FIP",
        "Floating IPs show their port forwardings.",
    ),
    Extension(
        "floating-ip-port-forwarding",
        "Floating IP Port Forwarding",
        "Ports of a floating IP go to ports of internal addresses.",
    ),
    Extension(
        "floating-ip-port-forwarding-description",
        "Floating IP Port Forwarding new attribute description",
        "Port forwardings have descriptions.",
    ),
    Extension(
        "floating-ip-port-forwarding-detail",
        "Floating IP port forwarding detail",
        "Floating IPs show the ids and internal ports of their port forwardings.",
    ),
    Extension(
        "floating-ip-port-forwarding-port-ranges",
        "Floating IP Port Forwarding support port ranges",
        "Ranges of ports are forwarded.",
    ),
    Extension(
        "auto-allocated-topology",
        "Auto Allocated Topology Services",
        "A network that leads outside for who asks.",
    ),
    Extension(
        "network-segment-range",
        "Neutron Network Segment Range",
        "VNIs and VLANs that are kept for projects.",
    ),
    Extension("logging", "Logging API Extension", "What security groups decide is written down."),
    Extension("local_ip", "Local IP", "An address that each host answers with a port of its own."),
    Extension("metering", "Neutron Metering", "What passes routers' gateways is counted."),
    Extension(
        "metering_source_and_destination_fields",
        "Metering by source and destination",
        "Rules of metering labels name both ends.",
    ),
    Extension(
        "segment", "Segment", "How networks travel: by one segment, or each subnet by its own."
    ),
    Extension(
        "subnet-segmentid-writable", "Subnet segment ID", "A subnet may be put on the only segment."
    ),
    Extension("standard-attr-segment", "Standard attributes of segments", "Revisions, times."),
    Extension("flavors", "Neutron Service Flavors", "Ways to have a service, by name."),
    Extension("l3-flavors", "Router Flavor Extension", "Routers of a flavor."),
    Extension("service-type", "Neutron Service Type Management", "Who provides services."),
    Extension("tap-mirror", "Tap as a Service mirror", "Copies of a port's packets, by GRE."),
    Extension(
        "tap-mirror-both-direction",
        "Tap as a Service mirror with BOTH direction support",
        "One tunnel id for both directions.",
    ),
    Extension("taas", "Neutron Tap as a Service", "Copies of a port's packets, to another port."),
    Extension("trunk", "Trunk Extension", "Machines tell networks apart by VLAN tags."),
    Extension("trunk-details", "Trunk port details", "Ports show the trunk that they are on."),
    Extension("alcor-network-acl", "Network ACLs", "Ordered rules at the edge of subnets."),
    Extension("qos", "Quality of Service", "Policies of how much ports may send and receive."),
    Extension("qos-bw-limit-direction", "Direction of QoS bandwidth limits", "Both directions."),
    Extension("qos-default", "QoS default policy", "The policy of a project's new networks."),
    Extension("qos-bw-minimum-ingress", "Ingress QoS minimum bandwidth", "In both directions."),
    Extension("qos-pps-minimum", "QoS minimum packet rates", "What Placement keeps for a port."),
    Extension(
        "qos-pps-minimum-rule-alias",
        "QoS minimum packet rate rules by their ids alone",
        "Without naming their policies.",
    ),
    Extension("port-resource-request", "Port Resource Request", "What Placement is asked for."),
    Extension(
        "port-resource-request-groups",
        "Port Resource Request Groups",
        "One group for bandwidth, and one for packet rates.",
    ),
    Extension("qos-fip", "Floating IP QoS", "Policies of floating IPs."),
    Extension(
        "qos-fip-network-policy",
        "QoS floating IP network policy ID",
        "Floating IPs have the policy of their network, unless they have their own.",
    ),
    Extension("qos-gateway-ip", "Gateway IP QoS", "Policies of routers' own addresses outside."),
    Extension("qos-port-network-policy", "QoS port network policy", "Ports show their network's."),
    Extension("qos-pps", "QoS packet rate limits", "Packets a second, in both directions."),
    Extension("qos-rule-type-details", "Details of QoS rule types", "What hosts can be told."),
    Extension("qos-rule-type-filter", "QoS rule type filter", "All types, or those that are kept."),
    Extension("qos-rules-alias", "QoS rules by their ids alone", "Without naming their policies."),
)

_READING = Path(__file__).with_name("reading.html").read_bytes()


class Discovery:
    """Answers about the API itself."""

    def __init__(self, resources: Sequence[Resource], extensions: Sequence[Extension]) -> None:
        self._resources = [r for r in resources if r.path.startswith("/v2.0/") and not r.parent]
        self._document = openapi.document(resources, version())
        self._by_alias = {extension.alias: extension for extension in extensions}

    def versions(self, request: Request) -> Response:
        """`/`: the versions of the API."""
        links = [{"rel": "self", "href": f"{request.base_url}/v2.0/"}]
        versions = [{"id": "v2.0", "status": "CURRENT", "links": links}]
        return Response(200, encode({"versions": versions}))

    def document(self) -> Response:
        """`/openapi.json`."""
        return Response(200, encode(self._document))

    def reading(self) -> Response:
        """`/docs`: a page to read the document."""
        return Response(200, _READING, ((b"content-type", b"text/html; charset=utf-8"),))

    def collections(self, request: Request) -> Response:
        """`/v2.0`: its collections."""
        found = [
            {
                "links": [{"rel": "self", "href": f"{request.base_url}{resource.path}"}],
                "name": resource.name,
                "collection": resource.collection,
            }
            for resource in self._resources
        ]
        return Response(200, encode({"resources": found}))

    def extensions(self) -> Response:
        """`/v2.0/extensions`."""
        return Response(200, encode({"extensions": [_shown(e) for e in self._by_alias.values()]}))

    def extension(self, alias: str) -> Response:
        """`/v2.0/extensions/{alias}`; 404 is the usual way to find out that there is none."""
        extension = self._by_alias.get(alias)
        if extension is None:
            message = f"Extension with alias {alias[:255]} does not exist"
            return error_response(404, "HTTPNotFound", message)
        return Response(200, encode({"extension": _shown(extension)}))


def _shown(extension: Extension) -> dict[str, object]:
    updated = "2026-01-01T00:00:00-00:00"
    return extension._asdict() | {"updated": updated, "links": []}
