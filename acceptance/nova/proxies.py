"""Nova's first microversion, in which it passes on much to the Networking API; and odd networks."""

import json
from typing import Any

from acceptance.nova.cloud import Cloud, Item, wait
from acceptance.nova.refusals import logged, refused


def old_addresses(cloud: Cloud) -> None:
    """Fixed and floating addresses by the actions and lists of Nova's first API."""
    outside = cloud.external_network()
    router = cloud.router(outside)
    server = cloud.active(cloud.boot())
    old(
        cloud,
        "POST",
        f"/servers/{server['id']}/action",
        {"addFixedIp": {"networkId": cloud.network}},
    )
    wait("two", lambda: len(cloud.addresses(server)) == 2)
    second = max(cloud.addresses(server), key=lambda a: a not in str(server["addresses"]))
    old(cloud, "POST", f"/servers/{server['id']}/action", {"removeFixedIp": {"address": second}})
    wait("one", lambda: len(cloud.addresses(server)) == 1)
    pools = old(cloud, "GET", "/os-floating-ip-pools")["floating_ip_pools"]
    assert [each["name"] for each in pools] == ["outside"], pools
    made = old(cloud, "POST", "/os-floating-ips", {"pool": "outside"})["floating_ip"]
    add = {"addFloatingIp": {"address": made["ip"]}}
    old(cloud, "POST", f"/servers/{server['id']}/action", add)
    shown = old(cloud, "GET", f"/os-floating-ips/{made['id']}")["floating_ip"]
    assert shown["instance_id"] == server["id"], shown
    assert shown["fixed_ip"] == cloud.addresses(server)[0]
    wait("it to be seen", lambda: cloud.addresses(server, "floating") == [made["ip"]])
    remove = {"removeFloatingIp": {"address": made["ip"]}}
    old(cloud, "POST", f"/servers/{server['id']}/action", remove)
    wait("it to go", lambda: cloud.addresses(server, "floating") == [])
    old(cloud, "DELETE", f"/os-floating-ips/{made['id']}")
    assert old(cloud, "GET", "/os-floating-ips")["floating_ips"] == []
    cloud.gone(server)
    cloud.unroute(router)
    cloud.drop("networks", outside)


def old_groups(cloud: Cloud) -> None:
    """Security groups, their rules and networks by Nova's first API."""
    group = {"security_group": {"name": "old", "description": "of before"}}
    made = old(cloud, "POST", "/os-security-groups", group)["security_group"]
    rule = {"parent_group_id": made["id"], "ip_protocol": "tcp", "from_port": 22, "to_port": 22,
            "cidr": "10.0.0.0/8"}  # fmt: skip
    opened = old(cloud, "POST", "/os-security-group-rules", {"security_group_rule": rule})
    shown = old(cloud, "GET", f"/os-security-groups/{made['id']}")["security_group"]
    assert [each["from_port"] for each in shown["rules"]] == [22], shown
    again = cloud.mary.ask_old("POST", "/os-security-group-rules", {"security_group_rule": rule})
    assert again.status_code == 400, again.text
    old(cloud, "DELETE", f"/os-security-group-rules/{opened['security_group_rule']['id']}")
    server = cloud.active(cloud.boot(security_groups=[{"name": made["name"]}]))
    used = cloud.mary.ask_old("DELETE", f"/os-security-groups/{made['id']}", None)
    assert used.status_code == 400, used.text
    cloud.gone(server)
    old(cloud, "DELETE", f"/os-security-groups/{made['id']}")
    names = {each["label"] for each in old(cloud, "GET", "/os-networks")["networks"]}
    assert "blue" in names, names
    tenant = old(cloud, "GET", "/os-tenant-networks")["networks"]
    assert "blue" in {each["label"] for each in tenant}, tenant


def both_families(cloud: Cloud) -> None:
    """IPv4 and IPv6 on one network: addresses, and what the network data of the metadata say."""
    network = cloud.mary.make("network", name="both")
    v4 = {"network_id": network["id"], "ip_version": 4, "cidr": "10.26.0.0/24"}
    modes = {"ipv6_ra_mode": "dhcpv6-stateful", "ipv6_address_mode": "dhcpv6-stateful"}
    v6 = {"network_id": network["id"], "ip_version": 6, "cidr": "fd00:26::/64"} | modes
    cloud.mary.make("subnet", **v4, dns_nameservers=["192.0.2.53"])
    cloud.mary.make("subnet", **v6)
    server = cloud.active(cloud.boot([{"uuid": network["id"]}]))
    port = cloud.port(server)
    assert len(cloud.addresses(server)) == 2
    cloud.lease(port)
    url = "http://169.254.169.254/openstack/latest/network_data.json"
    told = json.loads(cloud.inside(port, "curl", "-sS", url))
    (link,) = told["links"]
    shown = cloud.admin.get(f"/networks/{network['id']}")
    assert (link["ethernet_mac_address"], link["mtu"]) == (port["mac_address"], shown["mtu"]), told
    kinds = {each["type"] for each in told["networks"]}
    assert kinds == {"ipv4_dhcp", "ipv6_dhcpv6-stateful"}, told
    cloud.gone(server)
    cloud.drop("networks", network)


def networks_of_others(cloud: Cloud) -> None:
    """A shared network boots; an external one is refused to tenants; a port of another's, too."""
    shared = cloud.admin.make("network", name="shared", shared=True)
    cloud.admin.make("subnet", network_id=shared["id"], ip_version=4, cidr="10.27.0.0/24")
    server = cloud.active(cloud.boot([{"uuid": shared["id"]}]))
    port = cloud.port(server)
    assert port["project_id"] == cloud.project, port
    cloud.gone(server)
    theirs = cloud.admin.make("port", network_id=shared["id"])
    assert "could not be found" in refused(cloud, 400, networks=[{"port": theirs["id"]}])
    outside = cloud.external_network()
    failed = cloud.settled(cloud.boot([{"uuid": outside["id"]}]), "ERROR")
    assert logged(cloud, "not allowed to create an interface on external network")
    cloud.gone(failed)
    cloud.drop("ports", theirs)
    for network in (shared, outside):
        cloud.drop("networks", network)


def groups_that_are_not_there(cloud: Cloud) -> None:
    """A security group that is not there, or of which there are two."""
    two = [cloud.mary.make("security_group", name="two") for _ in range(2)]
    words = refused(cloud, 400, security_groups=[{"name": "none"}])
    assert "none" in words, words
    words = refused(cloud, 409, security_groups=[{"name": "two"}])
    assert "Multiple security_group matches found for name 'two'" in words, words
    server = cloud.active(cloud.boot(security_groups=[{"name": two[0]["id"]}]))
    assert cloud.port(server)["security_groups"] == [two[0]["id"]]
    cloud.gone(server)
    for each in two:
        cloud.drop("security-groups", each)


def deleted_while_built(cloud: Cloud) -> None:
    """Servers deleted while they are built leave no port."""
    cloud.boot(name="short", min_count=4, max_count=4)
    servers: list[Item] = cloud.mary.nova("GET", "/servers?name=short")["servers"]
    for each in servers:
        cloud.mary.nova("DELETE", f"/servers/{each['id']}")
    wait("none", lambda: cloud.mary.nova("GET", "/servers?name=short")["servers"] == [])
    wait("no port", lambda: all(not cloud.ports(each) for each in servers))


def a_virtual_function(cloud: Cloud) -> None:
    """A port that wants a virtual function of hardware finds no host."""
    port = cloud.mary.make("port", network_id=cloud.network, **{"binding:vnic_type": "direct"})
    server = cloud.settled(cloud.boot([{"port": port["id"]}]), "ERROR")
    cloud.gone(server)
    cloud.drop("ports", port)


def old(cloud: Cloud, method: str, path: str, body: Any = None) -> Any:
    """What Nova's first microversion answers when it does as told."""
    answer = cloud.mary.ask_old(method, path, body)
    assert answer.status_code < 300, f"{method} {path}: {answer.status_code} {answer.text}"
    return answer.json() if answer.content else None


STEPS = (
    old_addresses,
    old_groups,
    both_families,
    networks_of_others,
    groups_that_are_not_there,
    deleted_while_built,
    a_virtual_function,
)
