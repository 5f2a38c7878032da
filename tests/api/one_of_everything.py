"""A region's one of everything, and changes of it: what imports are tried with."""

from typing import Any

RED, BLUE = "red", "blue"  # the projects that have it


def fill(api: Any) -> None:
    """One of everything, at least."""
    make = api.make
    scope = make(
        "/v2.0/address-scopes", "address_scope", name="s", ip_version=4, project_id=RED, shared=True
    )
    pool = make(
        "/v2.0/subnetpools", "subnetpool", name="p", prefixes=["10.50.0.0/16"],
        address_scope_id=scope["id"], default_prefixlen=26, project_id=RED, shared=True,
    )  # fmt: skip
    tag(api, "subnetpools", pool, "pooled")
    gold = make("/v2.0/qos/policies", "policy", name="gold", project_id=RED, description="d")
    rules = f"/v2.0/qos/policies/{gold['id']}"
    make(f"{rules}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=9_000)
    make(f"{rules}/bandwidth_limit_rules", "bandwidth_limit_rule", max_kbps=8, direction="ingress")
    make(f"{rules}/dscp_marking_rules", "dscp_marking_rule", dscp_mark=16)
    make(f"{rules}/packet_rate_limit_rules", "packet_rate_limit_rule", max_kpps=7)
    least = make("/v2.0/qos/policies", "policy", name="least", project_id=RED, is_default=True)
    rules = f"/v2.0/qos/policies/{least['id']}"
    make(f"{rules}/minimum_bandwidth_rules", "minimum_bandwidth_rule", min_kbps=100)
    make(f"{rules}/minimum_packet_rate_rules", "minimum_packet_rate_rule", min_kpps=5)
    profile = make("/v2.0/service_profiles", "service_profile", description="d", metainfo="{}")
    flavor = make(
        "/v2.0/flavors", "flavor", name="f", service_type="L3_ROUTER_NAT",
        service_profiles=[profile["id"]],
    )  # fmt: skip
    make(
        "/v2.0/network-segment-ranges", "network_segment_range", name="r", network_type="vxlan",
        minimum=70_000, maximum=70_010, shared=False, project_id=RED,
    )  # fmt: skip
    make(
        "/v2.0/default-security-group-rules", "default_security_group_rule", direction="ingress",
        protocol="tcp", port_range_min=22, port_range_max=22,
    )  # fmt: skip
    office = make(
        "/v2.0/address-groups", "address_group", name="office", project_id=RED,
        addresses=["203.0.113.0/24", "2001:db8::/64"],
    )  # fmt: skip
    default = api.listed(f"/v2.0/security-groups?project_id={RED}")[0]
    going = default["security_group_rules"][0]
    assert api.call("DELETE", f"/v2.0/security-group-rules/{going['id']}").status == 204
    make("/v2.0/security-groups", "security_group", name="loose", project_id=RED, stateful=False)
    web = make("/v2.0/security-groups", "security_group", name="web", project_id=RED)
    tag(api, "security-groups", web, "x", "y")
    for more in (
        {"protocol": "tcp", "port_range_min": 443, "port_range_max": 443},
        {"remote_group_id": default["id"], "ethertype": "IPv6"},
        {"remote_address_group_id": office["id"], "protocol": "icmp"},
    ):
        make(
            "/v2.0/security-group-rules", "security_group_rule", security_group_id=web["id"],
            direction="ingress", description="why", **more,
        )  # fmt: skip
    public = make(
        "/v2.0/networks", "network", name="public", **{"router:external": True}, is_default=True,
        project_id="admin",
    )  # fmt: skip
    api.subnet(public["id"], "198.18.0.0/24", project_id="admin", enable_dhcp=False)
    net = make(
        "/v2.0/networks", "network", name="net", project_id=RED, mtu=1400, description="d",
        qos_policy_id=gold["id"], dns_domain="example.org.", shared=True,
    )  # fmt: skip
    tag(api, "networks", net, "a", "b")
    make(
        "/v2.0/networks", "network", name="vlan", project_id=RED, port_security_enabled=False,
        **{"provider:network_type": "vlan", "provider:physical_network": "phys",
           "provider:segmentation_id": 7},
    )  # fmt: skip
    racks = make(
        "/v2.0/networks", "network", name="racks", project_id=RED,
        segments=[
            {"provider:network_type": "vlan", "provider:physical_network": "phys",
             "provider:segmentation_id": number}
            for number in (31, 32)
        ],
    )  # fmt: skip
    for segment in api.listed(f"/v2.0/segments?network_id={racks['id']}"):
        number = segment["segmentation_id"]
        said = {"segment": {"name": f"rack {number}", "description": "in a row"}}
        assert api.call("PUT", f"/v2.0/segments/{segment['id']}", said).status == 200
        api.subnet(racks["id"], f"10.{number}.0.0/24", project_id=RED, segment_id=segment["id"])
    api.port(racks["id"], project_id=RED, name="waits")
    four = api.subnet(
        net["id"], "10.0.0.0/24", name="four", project_id=RED,
        dns_nameservers=["192.0.2.2", "192.0.2.1"],
        allocation_pools=[{"start": "10.0.0.10", "end": "10.0.0.200"}],
        host_routes=[{"destination": "10.9.0.0/16", "nexthop": "10.0.0.3"}],
    )  # fmt: skip
    api.subnet(net["id"], "10.1.0.0/24", project_id=RED, gateway_ip=None)
    six = api.subnet(
        net["id"], "2001:db8:1::/64", project_id=RED, ipv6_ra_mode="slaac",
        ipv6_address_mode="slaac",
    )  # fmt: skip
    tag(api, "subnets", four, "t")
    pooled = make("/v2.0/networks", "network", name="pooled", project_id=RED)
    make(
        "/v2.0/subnets", "subnet", network_id=pooled["id"], subnetpool_id=pool["id"], ip_version=4,
        project_id=RED,
    )  # fmt: skip
    for action, target in (("access_as_shared", BLUE), ("access_as_external", BLUE)):
        make(
            "/v2.0/rbac-policies", "rbac_policy", object_type="network", object_id=pooled["id"],
            action=action, target_tenant=target, project_id=RED,
        )  # fmt: skip
    for type_, id_ in (
        ("qos_policy", gold["id"]), ("security_group", web["id"]), ("address_group", office["id"]),
        ("address_scope", scope["id"]),
    ):  # fmt: skip
        make(
            "/v2.0/rbac-policies", "rbac_policy", object_type=type_, object_id=id_,
            action="access_as_shared", target_tenant=BLUE, project_id=RED,
        )  # fmt: skip
    vm = api.port(
        net["id"], project_id=RED, name="vm", device_owner="compute:nova", device_id="m-1",
        security_groups=[web["id"], default["id"]], tags=["p"], dns_name="vm",
        allowed_address_pairs=[{"ip_address": "10.0.0.250"}],
        extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": "1400", "ip_version": 4}],
        **{"binding:host_id": "h1", "binding:profile": {"a": "b"}},
    )  # fmt: skip
    plain = api.port(
        pooled["id"], project_id=RED, name="plain", port_security_enabled=False, fixed_ips=[],
        qos_policy_id=gold["id"], admin_state_up=False,
    )  # fmt: skip
    sub = api.port(pooled["id"], project_id=RED, name="sub", fixed_ips=[])
    api.port(net["id"], project_id=BLUE, name="guest")
    tapped = api.port(net["id"], project_id=RED, name="tapped")["id"]
    router = make(
        "/v2.0/routers", "router", name="edge", project_id=RED, flavor_id=flavor["id"],
        enable_ndp_proxy=False,
        external_gateway_info={"network_id": public["id"], "enable_snat": False},
    )  # fmt: skip
    tag(api, "routers", router, "r")
    path = f"/v2.0/routers/{router['id']}"
    for subnet in (four, six):
        act(api, f"{path}/add_router_interface", {"subnet_id": subnet["id"]})
    routes = [{"destination": "172.16.0.0/12", "nexthop": "10.0.0.9"}]
    act(api, path, {"router": {"routes": routes}})
    make(f"{path}/conntrack_helpers", "conntrack_helper", protocol="tcp", port=21, helper="ftp")
    fixed = next(ip["ip_address"] for ip in vm["fixed_ips"] if ip["subnet_id"] == four["id"])
    public_id = {"floating_network_id": public["id"], "project_id": RED}
    one = make(
        "/v2.0/floatingips", "floatingip", **public_id, port_id=vm["id"], fixed_ip_address=fixed,
        description="d", qos_policy_id=gold["id"],
    )  # fmt: skip
    tag(api, "floatingips", one, "f")
    two = make("/v2.0/floatingips", "floatingip", **public_id)
    make("/v2.0/floatingips", "floatingip", **public_id)
    inner = next(each for each in api.listed(f"/v2.0/ports?network_id={net['id']}&name=guest"))
    address = next(ip["ip_address"] for ip in inner["fixed_ips"] if "." in ip["ip_address"])
    for number, ports in ((80, {"internal_port": 8080, "external_port": 80}),
                          (90, {"internal_port_range": "90:95",
                                "external_port_range": "90:95"})):  # fmt: skip
        make(
            f"/v2.0/floatingips/{two['id']}/port_forwardings", "port_forwarding", protocol="tcp",
            internal_port_id=inner["id"], internal_ip_address=address, description=str(number),
            **ports,
        )  # fmt: skip
    trunk = make(
        "/v2.0/trunks", "trunk", name="t", port_id=plain["id"], project_id=RED,
        sub_ports=[{"port_id": sub["id"], "segmentation_type": "vlan", "segmentation_id": 5}],
    )  # fmt: skip
    tag(api, "trunks", trunk, "u")
    label = make("/v2.0/metering/metering-labels", "metering_label", name="l", project_id=RED)
    make(
        "/v2.0/metering/metering-label-rules", "metering_label_rule", direction="ingress",
        metering_label_id=label["id"], remote_ip_prefix="10.0.0.0/8", project_id=RED,
    )  # fmt: skip
    ndp_proxy(api, public)
    other = make(
        "/v2.0/networks", "network", name="other-way", project_id="admin",
        **{"router:external": True},
    )  # fmt: skip
    api.subnet(other["id"], "198.19.0.0/24", project_id="admin")
    ways = [
        {"network_id": public["id"], "qos_policy_id": gold["id"]},
        {"network_id": other["id"], "enable_snat": False},
    ]
    several = make("/v2.0/routers", "router", name="several", project_id=RED)
    several_path = f"/v2.0/routers/{several['id']}/add_external_gateways"
    act(api, several_path, {"router": {"external_gateways": ways}})
    local = make("/v2.0/local-ips", "local_ip", name="own", network_id=pooled["id"], project_id=RED)
    make("/v2.0/local-ips", "local_ip", name="theirs", local_port_id=sub_with(api, net["id"]),
         project_id=RED)  # fmt: skip
    make(f"/v2.0/local-ips/{local['id']}/port_associations", "port_association",
         fixed_port_id=api.port(pooled["id"], project_id=RED)["id"])  # fmt: skip
    make(
        "/v2.0/log/logs", "log", name="log", resource_type="security_group", project_id=RED,
        resource_id=web["id"], event="DROP",
    )  # fmt: skip
    make(
        "/v2.0/taas/tap_mirrors", "tap_mirror", name="m", port_id=vm["id"], project_id=RED,
        directions={"IN": 101}, remote_ip="192.0.2.9", mirror_type="gre",
    )  # fmt: skip
    tap = make("/v2.0/taas/tap_services", "tap_service", name="s", port_id=tapped, project_id=RED)
    make(
        "/v2.0/taas/tap_flows", "tap_flow", name="f", tap_service_id=tap["id"], project_id=RED,
        source_port=vm["id"], direction="BOTH",
    )  # fmt: skip
    act(api, f"/v2.0/quotas/{RED}", {"quota": {"network": 5, "port": 77}})


def ndp_proxy(api: Any, public: dict[str, Any]) -> None:
    """A port whose address is answered for outside, and all that this takes."""
    scope = api.make(
        "/v2.0/address-scopes", "address_scope", name="s6", ip_version=6, project_id="admin"
    )
    pool = api.make(
        "/v2.0/subnetpools", "subnetpool", name="p6", prefixes=["2001:db8:7::/48"],
        address_scope_id=scope["id"], default_prefixlen=64, project_id="admin",
    )  # fmt: skip
    inner = api.network(name="six", project_id=RED)
    subnets = [
        api.make(
            "/v2.0/subnets", "subnet", network_id=each["id"], subnetpool_id=pool["id"],
            ip_version=6, project_id=each["project_id"],
        )
        for each in (public, inner)
    ]  # fmt: skip
    way = {"network_id": public["id"], "external_fixed_ips": [{"subnet_id": subnets[0]["id"]}]}
    router = api.make(
        "/v2.0/routers", "router", name="ndp", project_id=RED, external_gateway_info=way,
        enable_ndp_proxy=True,
    )  # fmt: skip
    path = f"/v2.0/routers/{router['id']}/add_router_interface"
    act(api, path, {"subnet_id": subnets[1]["id"]})
    port = api.port(inner["id"], project_id=RED, name="six")
    api.make(
        "/v2.0/ndp_proxies", "ndp_proxy", name="n", router_id=router["id"], port_id=port["id"],
        project_id=RED, description="d",
    )  # fmt: skip


def sub_with(api: Any, network: str) -> str:
    return str(api.port(network, project_id=RED, name="local")["id"])


def tag(api: Any, collection: str, item: dict[str, Any], *tags: str) -> None:
    act(api, f"/v2.0/{collection}/{item['id']}/tags", {"tags": list(tags)})


def act(api: Any, path: str, body: dict[str, Any]) -> None:
    answer = api.call("PUT", path, body)
    assert answer.status == 200, answer


def change(api: Any) -> None:
    """Change some of everything; an address goes from one port to another."""

    def one(path: str, **fields: str) -> Any:
        query = "&".join(f"{name}={value}" for name, value in fields.items())
        return api.listed(f"/v2.0/{path}?{query}")[0]

    net, web, office = (
        one("networks", name="net"),
        one("security-groups", name="web"),
        one("address-groups", name="office"),
    )
    act(api, f"/v2.0/networks/{net['id']}", {"network": {"name": "other", "qos_policy_id": None}})
    tag(api, "networks", net, "c")
    four, edge = one("subnets", name="four"), one("routers", name="edge")
    act(api, f"/v2.0/subnets/{four['id']}", {"subnet": {"dns_nameservers": ["192.0.2.1"]}})
    act(api, f"/v2.0/security-groups/{web['id']}", {"security_group": {"description": "new"}})
    rule = one("security-group-rules", security_group_id=web["id"], protocol="tcp")
    gone = [f"security-group-rules/{rule['id']}"]
    act(api, f"/v2.0/address-groups/{office['id']}/remove_addresses",
        {"addresses": ["203.0.113.0/24"]})  # fmt: skip
    act(api, f"/v2.0/address-groups/{office['id']}/add_addresses", {"addresses": ["192.0.2.0/24"]})
    trunk, sub = one("trunks", name="t"), one("ports", name="sub")
    act(api, f"/v2.0/trunks/{trunk['id']}/remove_subports", {"sub_ports": [{"port_id": sub["id"]}]})
    gone += [
        f"ports/{sub['id']}",
        f"tap_flows/{one('taas/tap_flows')['id']}".replace("tap", "taas/tap", 1),
    ]
    six = next(each for each in api.listed("/v2.0/subnets") if each["ip_version"] == 6)
    act(api, f"/v2.0/routers/{edge['id']}/remove_router_interface", {"subnet_id": six["id"]})
    act(api, f"/v2.0/routers/{edge['id']}", {"router": {"routes": []}})
    addresses = one("floatingips", description="d")
    act(api, f"/v2.0/floatingips/{addresses['id']}", {"floatingip": {"port_id": None}})
    two = next(each for each in api.listed("/v2.0/floatingips") if each["port_forwardings"])
    path = f"floatingips/{two['id']}/port_forwardings"
    first = api.listed(f"/v2.0/{path}")[0]
    gone.append(f"{path}/{first['id']}")
    gold = one("qos/policies", name="gold")
    marking = next(each for each in gold["rules"] if each["type"] == "dscp_marking")
    act(api, f"/v2.0/qos/policies/{gold['id']}/dscp_marking_rules/{marking['id']}",
        {"dscp_marking_rule": {"dscp_mark": 8}})  # fmt: skip
    local = one("ports", name="local")
    gone += [f"local-ips/{one('local-ips', name='theirs')['id']}", f"ports/{local['id']}"]
    for path in gone:
        answer = api.call("DELETE", f"/v2.0/{path}")
        assert answer.status == 204, (path, answer)
    address = next(each for each in local["fixed_ips"] if each["subnet_id"] == four["id"])
    api.port(net["id"], project_id=BLUE, name="heir", fixed_ips=[address])
    act(api, f"/v2.0/quotas/{RED}", {"quota": {"port": 78}})
