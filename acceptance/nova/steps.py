"""The life of a server: boots, interfaces, addresses, moves.

Each step makes what it needs, and takes it away again.
"""

from collections.abc import Callable

from acceptance.nova.cloud import Cloud, Item, wait
from acceptance.nova.refusals import refused

Step = Callable[[Cloud], None]


def boot_on_a_network(cloud: Cloud) -> None:
    """A boot on a network: Nova makes the port, and deletes it with the server."""
    server = cloud.active(cloud.boot())
    port = cloud.port(server)
    assert port["device_owner"] == "compute:nova", port
    assert port["binding:host_id"] == server["OS-EXT-SRV-ATTR:host"], port
    assert port["status"] == "ACTIVE", port
    fixed = port["fixed_ips"][0]["ip_address"]
    assert cloud.addresses(server) == [fixed]
    assert port["dns_name"] == server["name"], port
    assert cloud.lease(port) == fixed
    cloud.gone(server)
    assert cloud.admin.get(f"/ports?id={port['id']}") == []


def waits_for_the_interface(cloud: Cloud) -> None:
    """Nova-compute waited for `network-vif-plugged`, and Nova took the event."""
    server = cloud.active(cloud.boot(host="h1"))
    port = cloud.port(server)
    event = f"network-vif-plugged-{port['id']}"
    assert f"Preparing to wait for external event {event}" in cloud.services.log("h1")
    assert f"Processing event {event}" in cloud.services.log("h1")
    cloud.gone(server)


def boot_with_a_port(cloud: Cloud) -> None:
    """A boot with a port of the tenant's, which stays, unbound."""
    port = cloud.mary.make("port", network_id=cloud.network, name="mine")
    server = cloud.active(cloud.boot([{"port": port["id"]}]))
    bound = cloud.port(server)
    assert bound["id"] == port["id"]
    assert bound["mac_address"] == port["mac_address"]
    cloud.gone(server)
    left = cloud.admin.get(f"/ports/{port['id']}")
    assert (left["device_id"], left["device_owner"], left["binding:host_id"]) == ("", "", "")
    assert left["status"] == "DOWN", left
    cloud.drop("ports", port)


def boot_with_an_address(cloud: Cloud) -> None:
    """A boot with an address, which a second server is refused."""
    wanted = [{"uuid": cloud.network, "fixed_ip": "10.20.0.77"}]
    server = cloud.active(cloud.boot(wanted))
    assert cloud.addresses(server) == ["10.20.0.77"]
    answer = refused(cloud, 400, networks=wanted)
    assert "10.20.0.77 is already in use" in answer, answer
    cloud.gone(server)


def boot_several(cloud: Cloud) -> None:
    """Six servers in one call."""
    cloud.boot(min_count=6, max_count=6, name="many")
    servers = cloud.mary.nova("GET", "/servers?name=many")["servers"]
    assert len(servers) == 6
    ready = [cloud.active(each) for each in servers]
    addresses = {tuple(cloud.addresses(each)) for each in ready}
    assert len(addresses) == 6, addresses
    for each in ready:
        cloud.gone(each)


def found_by_address(cloud: Cloud) -> None:
    """A server is found by a part of its address."""
    server = cloud.active(cloud.boot([{"uuid": cloud.network, "fixed_ip": "10.20.0.123"}]))
    for wanted, count in (("0.123", 1), ("10.20.0.123", 1), ("0.129", 0)):
        found = cloud.mary.nova("GET", f"/servers?ip={wanted}")["servers"]
        assert len(found) == count, (wanted, found)
    cloud.gone(server)


def boot_with_two(cloud: Cloud) -> None:
    """A server with two interfaces, each with a tag."""
    network = cloud.mary.make("network", name="red")
    subnet = {"network_id": network["id"], "ip_version": 4, "cidr": "10.21.0.0/24"}
    cloud.mary.make("subnet", **subnet)
    both = [{"uuid": cloud.network, "tag": "front"}, {"uuid": network["id"], "tag": "back"}]
    server = cloud.active(cloud.boot(both))
    ports = cloud.ports(server)
    assert {port["network_id"] for port in ports} == {cloud.network, network["id"]}
    attached = cloud.admin.nova("GET", f"/servers/{server['id']}/os-interface")
    tags = {each["net_id"]: each["tag"] for each in attached["interfaceAttachments"]}
    assert tags == {cloud.network: "front", network["id"]: "back"}, tags
    cloud.gone(server)
    cloud.drop("networks", network)


def attach_and_detach(cloud: Cloud) -> None:
    """Interfaces attached by network and by port, and detached: the tenant's port stays."""
    server = cloud.active(cloud.boot())
    own = cloud.mary.make("port", network_id=cloud.network)
    path = f"/servers/{server['id']}/os-interface"
    for wanted in ({"net_id": cloud.network}, {"port_id": own["id"]}):
        cloud.mary.nova("POST", path, {"interfaceAttachment": wanted})
    ports = cloud.ports(server)
    assert len(ports) == 3, ports
    wait("all to be active", lambda: all(p["status"] == "ACTIVE" for p in cloud.ports(server)))
    assert len(cloud.addresses(server)) == 3
    first = server["addresses"]["blue"][0]["addr"]
    for port in ports:
        if port["fixed_ips"][0]["ip_address"] != first:
            cloud.mary.nova("DELETE", f"{path}/{port['id']}")
    wait("two to be gone", lambda: len(cloud.ports(server)) == 1)
    wait("Nova to see it", lambda: len(cloud.addresses(server)) == 1)
    assert cloud.admin.get(f"/ports/{own['id']}")["device_id"] == ""
    cloud.gone(server)
    cloud.drop("ports", own)


def a_port_that_is_deleted(cloud: Cloud) -> None:
    """A port deleted under a running server goes from it (`network-vif-deleted`)."""
    server = cloud.active(cloud.boot())
    cloud.drop("ports", cloud.port(server))
    wait("Nova to see it", lambda: cloud.addresses(server) == [])
    cloud.gone(server)


def addresses_of_a_port(cloud: Cloud) -> None:
    """Addresses that a port gets and loses are the server's (`network-changed`)."""
    server = cloud.active(cloud.boot())
    port = cloud.port(server)
    held = port["fixed_ips"][0]
    more = [held, {"subnet_id": cloud.subnet, "ip_address": "10.20.0.88"}]
    cloud.mary.put("port", port["id"], fixed_ips=more)
    wait("the second", lambda: len(cloud.addresses(server)) == 2)
    cloud.mary.put("port", port["id"], fixed_ips=[held])
    wait("one", lambda: cloud.addresses(server) == [held["ip_address"]])
    cloud.gone(server)


def floating_address(cloud: Cloud) -> None:
    """A floating IP is seen at the server, until it is taken away."""
    outside = cloud.external_network()
    router = cloud.router(outside)
    server = cloud.active(cloud.boot())
    floating = cloud.mary.make(
        "floatingip", floating_network_id=outside["id"], port_id=cloud.port(server)["id"]
    )
    address = floating["floating_ip_address"]
    wait("it to be seen", lambda: cloud.addresses(server, "floating") == [address])
    cloud.mary.put("floatingip", floating["id"], port_id=None)
    wait("it to go", lambda: cloud.addresses(server, "floating") == [])
    cloud.drop("floatingips", floating)
    cloud.gone(server)
    cloud.unroute(router)
    cloud.drop("networks", outside)


def security_groups(cloud: Cloud) -> None:
    """Security groups by name: at boot, added, removed; Nova lists what the port has."""
    web = cloud.mary.make("security_group", name="web")
    ssh = cloud.mary.make("security_group", name="ssh")
    server = cloud.active(cloud.boot(security_groups=[{"name": "web"}]))
    assert cloud.port(server)["security_groups"] == [web["id"]]
    path = f"/servers/{server['id']}"
    cloud.mary.nova("POST", f"{path}/action", {"addSecurityGroup": {"name": "ssh"}})
    assert set(cloud.port(server)["security_groups"]) == {web["id"], ssh["id"]}
    listed = cloud.mary.nova("GET", f"{path}/os-security-groups")["security_groups"]
    assert {each["name"] for each in listed} == {"web", "ssh"}
    cloud.mary.nova("POST", f"{path}/action", {"removeSecurityGroup": {"name": "web"}})
    assert cloud.port(server)["security_groups"] == [ssh["id"]]
    cloud.gone(server)
    for group in (web, ssh):
        cloud.drop("security-groups", group)


def metadata(cloud: Cloud) -> None:
    """Nova's metadata reach the machine through its host, which signs who asks."""
    server = cloud.active(cloud.boot(name="curious"))
    port = cloud.port(server)
    cloud.lease(port)
    url = "http://169.254.169.254/latest/meta-data"
    assert cloud.inside(port, "curl", "-sS", f"{url}/hostname").startswith("curious")
    assert cloud.inside(port, "curl", "-sS", f"{url}/local-ipv4") == cloud.addresses(server)[0]
    openstack = "http://169.254.169.254/openstack/latest/network_data.json"
    assert port["mac_address"] in cloud.inside(port, "curl", "-sS", openstack)
    cloud.gone(server)


def rebuild(cloud: Cloud) -> None:
    """A rebuilt server has its port and address still."""
    server = cloud.active(cloud.boot())
    before = cloud.port(server)
    cloud.act(server, rebuild={"imageRef": cloud.image})
    cloud.active(server)
    after = cloud.port(server)
    same(before, after, "id", "mac_address", "fixed_ips", "binding:host_id")
    cloud.gone(server)


def stop_start_reboot(cloud: Cloud) -> None:
    """Stopped, started and rebooted, it is active with its port."""
    server = cloud.active(cloud.boot())
    cloud.act(server, **{"os-stop": None})
    cloud.settled(server, "SHUTOFF")
    cloud.act(server, **{"os-start": None})
    cloud.active(server)
    cloud.act(server, reboot={"type": "HARD"})
    cloud.active(server)
    assert cloud.port(server)["status"] == "ACTIVE"
    cloud.gone(server)


def shelve(cloud: Cloud) -> None:
    """A shelved server's port is bound to no host; unshelved it has its address again."""
    server = cloud.active(cloud.boot())
    before = cloud.port(server)
    cloud.act(server, shelve=None)
    shelved = wait("shelving", lambda: _is(cloud, server, "SHELVED", "SHELVED_OFFLOADED"))
    if shelved["status"] == "SHELVED":
        cloud.act(server, shelveOffload=None)
    cloud.settled(server, "SHELVED_OFFLOADED")
    unbound = cloud.port(server)
    assert unbound["binding:host_id"] == "", unbound
    assert unbound["status"] == "DOWN", unbound
    cloud.act(server, unshelve=None)
    running = cloud.active(server)
    after = cloud.port(server)
    same(before, after, "id", "mac_address", "fixed_ips")
    assert after["binding:host_id"] == running["OS-EXT-SRV-ATTR:host"]
    assert cloud.lease(after) == after["fixed_ips"][0]["ip_address"]
    cloud.gone(server)


def cold_migration(cloud: Cloud) -> None:
    """A cold migration moves the port, and back when it is reverted."""
    server = cloud.active(cloud.boot(host="h1"))
    for ending, host in (("revertResize", "h1"), ("confirmResize", "h2")):
        cloud.act(server, migrate=None)
        cloud.settled(server, "VERIFY_RESIZE")
        assert cloud.port(server)["binding:host_id"] == "h2"
        cloud.act(server, **{ending: None})
        cloud.active(server)
        port = cloud.port(server)
        assert port["binding:host_id"] == host, port
        assert port["status"] == "ACTIVE", port
        assert cloud.lease(port) == port["fixed_ips"][0]["ip_address"]
    cloud.gone(server)


def resize(cloud: Cloud) -> None:
    """A resize to a larger flavor keeps port and address."""
    server = cloud.active(cloud.boot())
    before = cloud.port(server)
    cloud.act(server, resize={"flavorRef": "2"})
    cloud.settled(server, "VERIFY_RESIZE")
    cloud.act(server, confirmResize=None)
    cloud.active(server)
    same(before, cloud.port(server), "id", "mac_address", "fixed_ips")
    cloud.gone(server)


def live_migration(cloud: Cloud) -> None:
    """A live migration and back: two bindings, then the new one alone."""
    server = cloud.active(cloud.boot(host="h1"))
    port = cloud.port(server)
    for there, back in (("h2", "h1"), ("h1", "h2")):
        cloud.act(server, **{"os-migrateLive": {"host": there, "block_migration": "auto"}})
        cloud.moved(server, there)
        # Its old host gives up its binding last.
        wait("one binding", lambda: len(cloud.bindings(port)) == 1)
        assert cloud.bindings(port) == [(there, "ACTIVE")]
        now = wait("it to be active", lambda: _active(cloud.port(server)))
        assert now["binding:host_id"] == there
        assert cloud.plugged(now, there)
        assert not cloud.plugged(now, back)
        assert cloud.lease(now) == now["fixed_ips"][0]["ip_address"]
    log = cloud.services.log("h1")
    assert f"Processing event network-vif-plugged-{port['id']}" in log
    cloud.gone(server)


def same(before: Item, after: Item, *names: str) -> None:
    """These fields have not changed."""
    for name in names:
        assert before[name] == after[name], (name, before[name], after[name])


def _is(cloud: Cloud, server: Item, *statuses: str) -> Item | None:
    one = cloud.server(server["id"])
    settled = one["OS-EXT-STS:task_state"] is None
    return one if one["status"] in statuses and settled else None


def _active(port: Item) -> Item | None:
    return port if port["status"] == "ACTIVE" else None


STEPS: tuple[Step, ...] = (
    boot_on_a_network,
    waits_for_the_interface,
    boot_with_a_port,
    boot_with_an_address,
    boot_several,
    found_by_address,
    boot_with_two,
    attach_and_detach,
    a_port_that_is_deleted,
    addresses_of_a_port,
    floating_address,
    security_groups,
    metadata,
    rebuild,
    stop_start_reboot,
    shelve,
    cold_migration,
    resize,
    live_migration,
)
