"""What a project's member does in Horizon's network panels: each step stands on those before."""

from dataclasses import dataclass, field
from typing import Any

from acceptance.horizon.browser import Browser, Page, WalkError
from acceptance.horizon.compute import Compute

SERVER, OWNER = "vm-1", "walk:server"  # members delete no ports of Nova's
NETWORKS, ROUTERS = "/project/networks/", "/project/routers/"
GROUPS, FLOATING = "/project/security_groups/", "/project/floating_ips/"
FORWARDINGS = "/project/floating_ip_portforwardings/"


@dataclass(slots=True)
class Users:
    """A member of project `blue`, an administrator, and the ids of what steps have made."""

    member: Browser
    admin: Browser
    compute: Compute
    host: str
    id_by_name: dict[str, str] = field(default_factory=dict)

    def of(self, name: str) -> str:
        """The id of what an earlier step made."""
        if name not in self.id_by_name:
            raise WalkError(f"{name} was not made")
        return self.id_by_name[name]


def same(found: Any, wanted: Any) -> None:
    """That a page says what it should."""
    if found != wanted:
        raise WalkError(f"{found}, not {wanted}")


def gone(page: Page, text: str) -> None:
    """That no row has a cell with this text any more."""
    if any(text in row for row in page.rows.values()):
        raise WalkError(f"{page.url}: {text} is still there")


def ports_of(network: str, dashboard: str = "project") -> str:
    """The tab of a network's ports."""
    return f"/{dashboard}/networks/{network}/detail?tab=network_tabs__ports_tab"


def subnets_of(network: str, dashboard: str = "project") -> str:
    """The tab of a network's subnets."""
    return f"/{dashboard}/networks/{network}/detail?tab=network_tabs__subnets_tab"


def create_network(users: Users) -> None:
    """Create Network: with a subnet, its pool, name server and route."""
    page = users.member.get(f"{NETWORKS}create")
    form = page.form("net_name")
    users.member.submit(
        page,
        form,
        net_name="blue",
        mtu="1400",
        az_hints=form.choice("az_hints", "nova"),
        subnet_name="blue-v4",
        cidr="10.1.0.0/24",
        gateway_ip="10.1.0.1",
        allocation_pools="10.1.0.10,10.1.0.99",
        dns_nameservers="192.0.2.53",
        host_routes="192.0.2.0/24,10.1.0.2",
    )
    id_, cells = users.member.get(NETWORKS).row("blue")
    same(cells[2:7], ["blue-v4 10.1.0.0/24", "No", "No", "Active", "UP"])
    users.id_by_name["blue"] = id_


def edit_network(users: Users) -> None:
    """Edit Network."""
    page = users.member.get(f"{NETWORKS}{users.of('blue')}/update")
    users.member.submit(page, page.form("name"), name="azure")
    users.member.get(NETWORKS).row("azure")


def add_subnets(users: Users) -> None:
    """Create Subnet: IPv6 with SLAAC; and a network whose subnet a subnet pool chooses."""
    network = users.of("blue")
    page = users.member.get(f"{NETWORKS}{network}/subnets/create")
    form = page.form("cidr")
    v6 = {"ip_version": "6", "ipv6_modes": form.choice("ipv6_modes", "SLAAC: Address discovered f")}
    users.member.submit(page, form, subnet_name="blue-v6", cidr="2001:db8:1::/64", **v6)
    page = users.member.get(subnets_of(network))
    same(page.row("blue-v6")[1][2:5], ["2001:db8:1::/64", "IPv6", "2001:db8:1::1"])
    users.id_by_name["blue-v4"] = page.row("blue-v4")[0]
    page = users.member.get(f"{NETWORKS}create")
    form = page.form("net_name")
    pool = form.choice("subnetpool", "default-v4")
    chosen = {"address_source": "subnetpool", "subnetpool": pool, "prefixlen": "27"}
    users.member.submit(page, form, net_name="pooled", subnet_name="chosen", **chosen)
    id_, cells = users.member.get(NETWORKS).row("pooled")
    same(cells[2], "chosen 10.64.0.0/27")
    users.id_by_name["pooled"] = id_


def edit_subnet(users: Users) -> None:
    """Edit Subnet, read its details, delete another."""
    network, subnet = users.of("blue"), users.of("blue-v4")
    page = users.member.get(f"{NETWORKS}{network}/subnets/{subnet}/update")
    form = page.form("subnet_name")
    same(form.values["host_routes"], ["192.0.2.0/24,10.1.0.2"])
    users.member.submit(page, form, subnet_name="first", dns_nameservers="192.0.2.53\n192.0.2.54")
    users.member.get(f"{NETWORKS}subnets/{subnet}/detail").says("192.0.2.54", "10.1.0.99")
    page = users.member.get(subnets_of(users.of("pooled")))
    users.member.act(page, "delete", page.row("chosen")[0])
    gone(users.member.get(page.url), "chosen")


def create_port(users: Users) -> None:
    """Create Port: with an address, a MAC, a security group, for a server."""
    page = users.member.get(f"{NETWORKS}{users.of('blue')}/ports/create")
    form = page.form("device_owner")
    subnet = form.choice("subnet_id", "10.1.0.0/24")
    users.member.submit(
        page,
        form,
        name="web",
        device_id=SERVER,
        device_owner=OWNER,
        specify_ip="fixed_ip",
        subnet_id=subnet,
        fixed_ip="10.1.0.20",
        mac_address="fa:16:3e:00:00:20",
    )
    users.compute.start(SERVER, "web")
    id_, cells = users.member.get(ports_of(users.of("blue"))).row("web")
    both = "10.1.0.20 2001:db8:1:0:f816:3eff:fe00:20"
    same(cells[2:6], [both, "fa:16:3e:00:00:20", OWNER, "Down"])
    users.id_by_name["web"] = id_


def edit_port(users: Users) -> None:
    """Edit Port: its name, and without port security; then with it, and a group."""
    where = f"{NETWORKS}{users.of('blue')}/ports/{users.of('web')}/update"
    page = users.member.get(where)
    form = page.form("admin_state")
    same(form.values["port_security_enabled"], ["on"])
    none: dict[str, Any] = {"update_security_groups_role_member": [], "port_security_enabled": []}
    users.member.submit(page, form, name="web1", **none)
    form = (page := users.member.get(where)).form("admin_state")
    same(form.values.get("port_security_enabled"), None)
    group = form.choice("update_security_groups_role_member", "default")
    again = {"update_security_groups_role_member": group, "port_security_enabled": "on"}
    users.member.submit(page, form, name="web", **again)
    detail = users.member.get(f"{NETWORKS}ports/{users.of('web')}/detail")
    detail.says("web", "10.1.0.20", "ALLOW IPv4 from default")


def allow_addresses(users: Users) -> None:
    """Allowed address pairs: add one; an administrator deletes it, as Horizon lets no member."""
    port = users.of("web")
    page = users.member.get(f"{NETWORKS}ports/{port}/addallowedaddresspairs")
    users.member.submit(page, page.form("ip"), ip="10.1.0.128/25", mac="fa:16:3e:00:00:99")
    tab = f"/admin/networks/ports/{port}/detail?tab=port_details__allowed_address_pairs"
    page = users.admin.get(tab)
    id_, cells = page.row("10.1.0.128/25")
    same(cells[2], "fa:16:3e:00:00:99")
    users.admin.act(page, "delete", id_)
    gone(users.admin.get(tab), "10.1.0.128/25")


def create_router(users: Users) -> None:
    """Create Router with a gateway; its interface, its static route."""
    page = users.member.get(f"{ROUTERS}create/")
    form = page.form("external_network")
    network = form.choice("external_network", "public")
    zone = form.choice("az_hints", "nova")
    users.member.submit(page, form, name="edge", external_network=network, az_hints=zone)
    id_, cells = users.member.get(ROUTERS).row("edge")
    same(cells[2:5], ["Active", "public", "UP"])
    users.id_by_name["edge"] = id_
    page = users.member.get(f"{ROUTERS}{id_}/addinterface")
    form = page.form("subnet_id")
    users.member.submit(page, form, subnet_id=form.choice("subnet_id", "10.1.0.0/24"))
    page = users.member.get(f"{ROUTERS}{id_}/addrouterroute")
    users.member.submit(
        page, page.form("nexthop"), destination="203.0.113.0/24", nexthop="10.1.0.9"
    )
    users.member.get(f"{ROUTERS}{id_}/?tab=router_details__interfaces").says(
        "10.1.0.1", "External Gateway", "Internal Interface"
    )
    page = users.member.get(f"{ROUTERS}{id_}/?tab=router_details__extra_routes")
    users.member.act(page, "delete", page.row("203.0.113.0/24")[0])
    gone(users.member.get(page.url), "203.0.113.0/24")


def move_gateway(users: Users) -> None:
    """Clear Gateway, Set Gateway, Edit Router."""
    router = users.of("edge")
    users.member.act(users.member.get(ROUTERS), "clear", router)
    same(users.member.get(ROUTERS).row("edge")[1][3], "-")
    page = users.member.get(f"{ROUTERS}{router}/setgateway")
    form = page.form("network_id")
    users.member.submit(page, form, network_id=form.choice("network_id", "public"))
    page = users.member.get(f"{ROUTERS}{router}/update")
    users.member.submit(page, page.form("name"), name="edge1")
    same(users.member.get(ROUTERS).row("edge1")[1][2:5], ["Active", "public", "UP"])


_RULES: tuple[tuple[dict[str, str], list[str]], ...] = (
    (
        {"rule_menu": "tcp", "port_or_range": "port", "port": "8080", "cidr": "192.0.2.0/24"},
        ["Ingress", "IPv4", "TCP", "8080", "192.0.2.0/24"],
    ),
    (
        {"rule_menu": "udp", "port_or_range": "range", "from_port": "5000", "to_port": "5010"},
        ["Ingress", "IPv4", "UDP", "5000 - 5010", "0.0.0.0/0"],
    ),
    (
        {"rule_menu": "tcp", "port_or_range": "all", "cidr": "::/0"},
        ["Ingress", "IPv6", "TCP", "Any", "::/0"],
    ),
    (
        {"rule_menu": "icmp", "icmp_type": "8", "icmp_code": "0", "direction": "egress"},
        ["Egress", "IPv4", "ICMP", "8 - 0", "0.0.0.0/0"],
    ),
    ({"rule_menu": "all_icmp"}, ["Ingress", "IPv4", "ICMP", "Any", "0.0.0.0/0"]),
    ({"rule_menu": "custom", "ip_protocol": "112"}, ["Ingress", "IPv4", "112", "Any", "0.0.0.0/0"]),
    (
        {"rule_menu": "custom", "ip_protocol": "-1", "cidr": "198.51.100.0/24"},
        ["Ingress", "IPv4", "Any", "Any", "198.51.100.0/24"],
    ),
    ({"rule_menu": "https"}, ["Ingress", "IPv4", "TCP", "443 (HTTPS)", "0.0.0.0/0"]),
)


def create_group(users: Users) -> None:
    """Create Security Group; rules of every kind, one for members of the group itself."""
    page = users.member.get(f"{GROUPS}create/")
    users.member.submit(page, page.form("name"), name="web", description="those who serve")
    id_, _ = users.member.get(GROUPS).row("web")
    users.id_by_name["web group"] = id_
    where = f"{GROUPS}{id_}/add_rule/"
    for fields, cells in _RULES:
        page = users.member.get(where)
        users.member.submit(page, page.form("rule_menu"), description="said", **fields)
        rows = users.member.get(f"{GROUPS}{id_}/").rows
        if not any(row[1:6] == cells for row in rows.values()):
            raise WalkError(f"no {cells} in {list(rows.values())}")
    form = (page := users.member.get(where)).form("rule_menu")
    group = form.choice("security_group", "web")
    member = {"remote": "sg", "security_group": group, "ethertype": "IPv6"}
    users.member.submit(page, form, rule_menu="ssh", **member)
    page = users.member.get(f"{GROUPS}{id_}/")
    found = next(id_ for id_, row in page.rows.items() if "22 (SSH)" in row)
    same(page.rows[found][1:7], ["Ingress", "IPv6", "TCP", "22 (SSH)", "-", "web"])
    users.member.act(page, "delete", found)
    page = users.member.get(f"{GROUPS}{id_}/update/")
    users.member.submit(page, page.form("description"), name="web2", description="served")
    users.member.get(GROUPS).row("web2")


def allocate_address(users: Users) -> None:
    """Allocate IP To Project, Associate it with a server, see it, Disassociate it."""
    page = users.member.get(f"{FLOATING}allocate/")
    form = page.form("pool")
    users.member.submit(page, form, description="front")
    id_, cells = users.member.get(FLOATING).row("front")
    same(cells[6:8], ["public", "Down"])
    users.id_by_name["front"] = id_
    page = users.member.get(f"{FLOATING}associate/", ip_id=id_)
    form = page.form("port_id")
    port = form.choice("port_id", "web: 10.1.0.20")
    users.member.submit(page, form, ip_id=id_, port_id=port)
    page = users.member.get(FLOATING)
    same(page.rows[id_][5:8], ["10.1.0.20", "public", "Active"])
    users.member.act(page, "disassociate", id_)


def forward_ports(users: Users) -> None:
    """Port forwardings of a floating IP: create, edit, list. Horizon lets no member delete one."""
    ip = users.of("front")
    page = users.member.get(f"{FORWARDINGS}create/", floating_ip_id=ip)
    form = page.form("external_port")
    inside = form.choice("internal_ip_address", "10.1.0.20")
    to = {"internal_ip_address": inside, "protocol": form.choice("protocol", "TCP")}
    users.member.submit(page, form, external_port="8022", internal_port="22", **to)
    page = users.member.get(FORWARDINGS)
    id_ = next(iter(id_ for id_ in page.rows if id_))
    page.says("8022", "10.1.0.20")
    page = users.member.get(f"{FORWARDINGS}edit/", floating_ip_id=ip, pfwd_id=id_)
    users.member.submit(page, page.form("external_port"), external_port="8023")
    page = users.member.get(f"{FORWARDINGS}show", floating_ip_id=ip)
    same(page.rows[id_][1:5], ["tcp", "8023", "22", "10.1.0.20"])


def draw_topology(users: Users) -> None:
    """Network Topology: what its picture is drawn from."""
    users.member.get("/project/network_topology/")
    drawn = users.member.json("GET", "/project/network_topology/json")
    same({each["name"] for each in drawn["networks"]}, {"azure", "pooled", "public"})
    same([each["name"] for each in drawn["routers"]], ["edge1"])
    same([each["name"] for each in drawn["servers"]], ["web"])
    of = {each["id"]: each["network_id"] for each in drawn["ports"]}
    same(of.get(users.of("web")), users.of("blue"))


def trunk(users: Users) -> None:
    """Trunks: as the panel's scripts make, change and delete one."""
    api = users.member
    network = users.of("blue")
    ports = api.json("GET", f"/api/neutron/ports/?network_id={network}")["items"]
    web = next(each for each in ports if each["name"] == "web")
    made = api.json(
        "POST", "/api/neutron/trunks/", {"name": "t", "port_id": web["id"], "sub_ports": []}
    )
    found = api.json("GET", "/api/neutron/trunks/")["items"]
    same([(each["name"], each["port_id"]) for each in found], [("t", web["id"])])
    old = api.json("GET", f"/api/neutron/trunks/{made['id']}/")
    api.json("PATCH", f"/api/neutron/trunks/{made['id']}/", [old, old | {"name": "t2"}])
    same(api.json("GET", f"/api/neutron/trunks/{made['id']}/")["name"], "t2")
    api.json("DELETE", f"/api/neutron/trunks/{made['id']}/")


def quality(users: Users) -> None:
    """Network QoS Policies: as the panel's scripts make, fill and delete one."""
    api, policies = users.admin, "/api/neutron/qos_policies/"
    made = api.json("POST", policies, {"name": "q", "shared": True, "description": "slow"})
    policy = f"{policies}{made['id']}/"
    rules = (
        ("bandwidth_limit_rules", {"max_kbps": 1000, "max_burst_kbps": 100, "direction": "egress"}),
        ("dscp_marking_rules", {"dscp_mark": 26}),
        ("minimum_bandwidth_rules", {"min_kbps": 100, "direction": "egress"}),
        ("minimum_packet_rate_rules", {"min_kpps": 10, "direction": "egress"}),
    )
    for kind, rule in rules:
        api.json("POST", f"/api/neutron/qos/policies/{made['id']}/{kind}/", rule)
    same([each["name"] for each in api.json("GET", policies)["items"]], ["q"])
    held = api.json("GET", policy)
    same(
        sorted(r["type"] for r in held["rules"]), sorted(k.removesuffix("_rules") for k, _ in rules)
    )
    users.id_by_name["q"] = made["id"]


def delete_all(users: Users) -> None:
    """Everything is deleted again, by the buttons of lists; with the port go its forwardings."""
    member = users.member
    member.act(member.get(ports_of(users.of("blue"))), "delete", users.of("web"))
    member.act(member.get(FLOATING), "release", users.of("front"))
    router = users.of("edge")
    page = member.get(f"{ROUTERS}{router}/?tab=router_details__interfaces")
    for id_, row in page.rows.items():
        if id_ and "Internal Interface" in " ".join(row):
            member.act(page, "delete", id_)
    member.act(member.get(ROUTERS), "delete", router)
    for name in ("blue", "pooled"):
        member.act(member.get(NETWORKS), "delete", users.of(name))
    member.act(member.get(GROUPS), "delete", users.of("web group"))
    for path, name in ((NETWORKS, "azure"), (ROUTERS, "edge1"), (GROUPS, "web2")):
        gone(member.get(path), name)
