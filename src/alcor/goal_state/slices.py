"""Which slice holds what, and the keys of its entries.

A slice is the unit of order and of subscription; its name is the prefix of its keys.

| slice | entries |
|---|---|
| `host/<host>/` | `port/<id>`: a port there; by id `exit/`, `log/`, `mirror/`, `tap/`, `tapflow/` |
| `network/<id>/` | `network`; and by id `subnet/`, `neighbour/`, `name/`, `attachment/`, `acl/` |
| `group/<id>/` | `group`: a security group; `rule/<id>`; `log/<id>`: of its decisions |
| `members/<id>/` | `member/<port id>`: the addresses of a security group's member |
| `addresses/<id>/` | `addresses`: an address group |
| `acl/<id>/` | `rule/<id>`: a rule of a network ACL; `log/<id>`: of its decisions |
| `policy/<id>/` | `policy`: a QoS policy |
| `router/<id>/` | `router`; by port `interface/`, `gateway/`; `floating/<id>`; `proxied/<id>` |
| `forwardings/<floating IP's id>/` | `forwarding/<id>`: ports of it that are somebody's |
| `metering/<project>/` | `rule/<id>`: what labels count at its routers' gateways; `*`: at all |
| `uplink/<name>/` | `node/<host>`: a living host with an uplink to this physical network |
| `reach/<network id>/` | `host/<host>`: a host with ports of a network that is held lazily |
| `found/<network id>,<what>/` | by port id `neighbour/`, `name/`: whose it is |

A host holds its own slice and what its entries lead to: ports to their network and groups, ports,
networks, routers and floating IPs to their QoS policies, rules to their remotes, subnets to their
ACLs, exits and a network's attachments to routers, a router's interfaces and gateways to networks,
a floating IP without a port to its forwardings, a router to what is metered of its project and of
all, a network to the uplinks of its physical network. (Names of physical networks and projects are
percent-encoded in keys.)

A network of many ports is held lazily (decision 0028): without neighbours and their names, but with
`reach/`, to which it leads, and with what the host has looked for in `found/`, by address, MAC,
port's id or name. Slices of that kind are in no log: they are made of the network's entries for who
asks.
"""

from urllib.parse import quote

HOST = "host"
NETWORK = "network"
GROUP = "group"
MEMBERS = "members"
ADDRESSES = "addresses"
ROUTER = "router"
FORWARDINGS = "forwardings"
ACL = "acl"
POLICY = "policy"

UPLINK = "uplink"
METERING = "metering"
REACH = "reach"
FOUND = "found"
EVERYBODY = "*"  # in place of a project

_LEADING = ("host/", "group/", "router/")


def host_slice(host: str) -> str:
    """The slice of one host's ports and of who leaves by it; that host subscribes to it."""
    return f"host/{host}/"


def network_slice(network_id: str) -> str:
    """The slice of one network; hosts with a port on it subscribe to it."""
    return f"network/{network_id}/"


def host_port_key(host: str, port_id: str) -> str:
    """The entry of a port in its host's slice (a `Port`)."""
    return f"host/{host}/port/{port_id}"


def exit_key(host: str, router_id: str) -> str:
    """The entry of a router whose packets leave, or may, by this host (a `WayOut`)."""
    return f"host/{host}/exit/{router_id}"


def host_log_key(host: str, log_id: str) -> str:
    """The entry of a log of a port there (a `PortLog`)."""
    return f"host/{host}/log/{log_id}"


def mirror_key(host: str, mirror_id: str) -> str:
    """The entry of a mirror of a port there (a `Mirror`)."""
    return f"host/{host}/mirror/{mirror_id}"


def tap_key(host: str, tap_id: str) -> str:
    """The entry of a port there that gets copies (a `Tap`)."""
    return f"host/{host}/tap/{tap_id}"


def tap_flow_key(host: str, flow_id: str) -> str:
    """The entry of a port there whose copies go to a port (a `TapFlow`)."""
    return f"host/{host}/tapflow/{flow_id}"


def group_log_key(group_id: str, log_id: str) -> str:
    """The entry of a log of a security group's ports (a `GroupLog`)."""
    return f"group/{group_id}/log/{log_id}"


def network_key(network_id: str) -> str:
    """The entry of the network itself (a `Network`)."""
    return f"network/{network_id}/network"


def subnet_key(network_id: str, subnet_id: str) -> str:
    """The entry of a subnet (a `Subnet`)."""
    return f"network/{network_id}/subnet/{subnet_id}"


def neighbour_key(network_id: str, port_id: str) -> str:
    """The entry of a bound port as its network's hosts see it (a `Neighbour`)."""
    return f"network/{network_id}/neighbour/{port_id}"


def reach_slice(network_id: str) -> str:
    """The slice of the hosts with ports of a network that is held lazily; its hosts subscribe."""
    return f"reach/{network_id}/"


def reach_key(network_id: str, host: str) -> str:
    """The entry of a host with ports of such a network (a `Presence`)."""
    return f"reach/{network_id}/host/{host}"


def found_slice(network_id: str, what: str) -> str:
    """The slice of who has an address, a MAC or a name in a network, or is a port, as its text is
    given."""
    return f"found/{network_id},{what}/"


def name_wanted(name: str) -> str:
    """A name as what is looked for: without domain, and not to be taken for a port's id."""
    return f"name={name.lower()}"


def found_name_key(network_id: str, what: str, port_id: str) -> str:
    """The entry of a name that was looked for, or of who was (a `FoundName`)."""
    return f"found/{network_id},{what}/name/{port_id}"


def found_key(network_id: str, what: str, port_id: str) -> str:
    """The entry of a neighbour that was looked for (a `Found`)."""
    return f"found/{network_id},{what}/neighbour/{port_id}"


def looked_for(name: str) -> tuple[str, str] | None:
    """The network of a `found` slice, and what is looked for; None of another slice."""
    kind, _, rest = name.partition("/")
    if kind != FOUND:
        return None
    network_id, _, what = rest.removesuffix("/").partition(",")
    return network_id, what


def name_key(network_id: str, port_id: str) -> str:
    """The entry of a port that has a name (a `Name`)."""
    return f"network/{network_id}/name/{port_id}"


def group_slice(group_id: str) -> str:
    """The slice of a security group's rules; hosts with a filtered port of it subscribe."""
    return f"group/{group_id}/"


def members_slice(group_id: str) -> str:
    """The slice of a group's members; hosts that hold a rule which names the group subscribe."""
    return f"members/{group_id}/"


def addresses_slice(address_group_id: str) -> str:
    """The slice of an address group; hosts that hold a rule which names it subscribe."""
    return f"addresses/{address_group_id}/"


def group_key(group_id: str) -> str:
    """The entry of the security group itself (a `Group`)."""
    return f"group/{group_id}/group"


def rule_key(group_id: str, rule_id: str) -> str:
    """The entry of one of its rules (a `Rule`)."""
    return f"group/{group_id}/rule/{rule_id}"


def member_key(group_id: str, port_id: str) -> str:
    """The entry of a port that is a member of a group (a `Member`)."""
    return f"members/{group_id}/member/{port_id}"


def addresses_key(address_group_id: str) -> str:
    """The entry of an address group (an `Addresses`)."""
    return f"addresses/{address_group_id}/addresses"


def router_slice(router_id: str) -> str:
    """The slice of a router; its exits and hosts that hold a network of its legs subscribe."""
    return f"router/{router_id}/"


def router_key(router_id: str) -> str:
    """The entry of the router itself (a `Router`)."""
    return f"router/{router_id}/router"


def interface_key(router_id: str, port_id: str) -> str:
    """The entry of one of its interfaces (a `RouterInterface`)."""
    return f"router/{router_id}/interface/{port_id}"


def attachment_key(network_id: str, port_id: str) -> str:
    """The entry of a router interface in the slice of its network (an `Attachment`)."""
    return f"network/{network_id}/attachment/{port_id}"


def gateway_key(router_id: str, port_id: str) -> str:
    """The entry of a router's gateway (a `Gateway`)."""
    return f"router/{router_id}/gateway/{port_id}"


def floating_key(router_id: str, floating_ip_id: str) -> str:
    """The entry of a floating IP in the slice of the router that translates (a `FloatingIp`)."""
    return f"router/{router_id}/floating/{floating_ip_id}"


def proxied_key(router_id: str, ndp_proxy_id: str) -> str:
    """The entry of an NDP proxy in its router's slice (an `NdpProxy`)."""
    return f"router/{router_id}/proxied/{ndp_proxy_id}"


def forwardings_slice(floating_ip_id: str) -> str:
    """The slice of what a floating IP forwards; hosts of its router subscribe."""
    return f"forwardings/{floating_ip_id}/"


def forwarding_key(floating_ip_id: str, forwarding_id: str) -> str:
    """The entry of a port forwarding (a `Forwarding`)."""
    return f"forwardings/{floating_ip_id}/forwarding/{forwarding_id}"


def uplink_slice(physical_network: str) -> str:
    """The slice of a physical network; hosts that hold a network of it subscribe."""
    return f"uplink/{quote(physical_network, safe='')}/"


def uplink_node_key(physical_network: str, host: str) -> str:
    """The entry of a host with an uplink (an `UplinkNode`)."""
    return f"{uplink_slice(physical_network)}node/{host}"


def metering_slice(owner: str) -> str:
    """The slice of what is metered of a project, or of all; hosts of its routers subscribe."""
    return f"metering/{quote(owner, safe='')}/"


def metering_rule_key(owner: str, rule_id: str) -> str:
    """The entry of a rule of a metering label (a `MeteringRule`)."""
    return f"{metering_slice(owner)}rule/{rule_id}"


def acl_slice(acl_id: str) -> str:
    """The slice of a network ACL; hosts that hold a network with a subnet of it subscribe."""
    return f"acl/{acl_id}/"


def subnet_acl_key(network_id: str, subnet_id: str) -> str:
    """The entry that says which ACL a subnet has (a `SubnetAcl`)."""
    return f"network/{network_id}/acl/{subnet_id}"


def acl_rule_key(acl_id: str, rule_id: str) -> str:
    """The entry of a rule of an ACL (an `AclRule`)."""
    return f"acl/{acl_id}/rule/{rule_id}"


def acl_log_key(acl_id: str, log_id: str) -> str:
    """The entry of a log of an ACL (an `AclLog`)."""
    return f"acl/{acl_id}/log/{log_id}"


def policy_slice(policy_id: str) -> str:
    """The slice of a QoS policy; hosts that hold what has it subscribe."""
    return f"policy/{policy_id}/"


def policy_key(policy_id: str) -> str:
    """The entry of a QoS policy (a `QosPolicy`)."""
    return f"policy/{policy_id}/policy"


def leads(key: str) -> bool:
    """Whether the entry under `key` may lead its holder to other slices."""
    if key.startswith(_LEADING) or key.endswith("/network"):
        return True
    return "/attachment/" in key or "/acl/" in key


def slice_of(key: str) -> str:
    """The slice that holds `key`: its first two parts."""
    kind, _, rest = key.partition("/")
    owner, _, _ = rest.partition("/")
    return f"{kind}/{owner}/"
