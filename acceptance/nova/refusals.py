"""Boots that must fail, and how: Nova makes its errors of the Networking API's."""

from typing import Any
from uuid import uuid4

from acceptance.nova.cloud import Cloud, Item
from acceptance.nova.services import HOSTS


def over_quota(cloud: Cloud) -> None:
    """Over the quota of ports: refused, or fewer servers where that is allowed."""
    held = len(cloud.mary.get("/ports?fields=id"))
    quota = f"/v2.0/quotas/{cloud.project}"
    cloud.admin.call("network", "PUT", quota, {"quota": {"port": held + 2}})
    try:
        assert "Maximum number of ports exceeded" in refused(cloud, 403, min_count=3)
        cloud.boot(name="few", min_count=1, max_count=5)
        servers = cloud.mary.nova("GET", "/servers?name=few")["servers"]
        assert len(servers) == 2, servers
        for each in servers:
            cloud.active(each)
        server = servers[0]
        attach = {"interfaceAttachment": {"net_id": cloud.network}}
        path = f"/servers/{server['id']}/os-interface"
        answer = cloud.mary.ask("compute", "POST", path, attach)
        assert answer.status_code == 403, answer.text
        assert "Maximum number of ports exceeded" in answer.text
        for each in servers:
            cloud.gone(each)
    finally:
        cloud.admin.call("network", "DELETE", quota)


def no_more_addresses(cloud: Cloud) -> None:
    """No free address: the server fails, saying so, and no port is left."""
    network = cloud.mary.make("network", name="small")
    small = {"network_id": network["id"], "ip_version": 4, "cidr": "10.22.0.0/30"}
    subnet = cloud.mary.make("subnet", **small)
    pool = subnet["allocation_pools"][0]["start"]
    only = {"subnet_id": subnet["id"], "ip_address": pool}
    cloud.mary.make("port", network_id=network["id"], fixed_ips=[only])
    cloud.mary.put("subnet", subnet["id"], allocation_pools=[{"start": pool, "end": pool}])
    server = cloud.settled(cloud.boot([{"uuid": network["id"]}]), "ERROR")
    assert "No fixed IP addresses available" in server["fault"]["message"], server["fault"]
    assert cloud.ports(server) == []
    cloud.gone(server)
    for port in cloud.mary.get(f"/ports?network_id={network['id']}"):
        cloud.drop("ports", port)
    cloud.drop("networks", network)


def wrong_networks(cloud: Cloud) -> None:
    """Networks that are not there, another tenant's, or without a subnet."""
    theirs = cloud.admin.make("network", name="theirs")
    bare = cloud.mary.make("network", name="bare")
    for id_, words in (
        (str(uuid4()), "could not be found"),
        (theirs["id"], "could not be found"),
        (bare["id"], "requires a subnet"),
    ):
        answer = refused(cloud, 400, networks=[{"uuid": id_}])
        assert words in answer, answer
    for network in (theirs, bare):
        cloud.drop("networks", network)


def which_network(cloud: Cloud) -> None:
    """With several networks one must be named; with none wanted there is no port."""
    other = cloud.mary.make("network", name="other")
    cloud.mary.make("subnet", network_id=other["id"], ip_version=4, cidr="10.23.0.0/24")
    body = {"name": "vm", "flavorRef": "1", "imageRef": cloud.image}
    path = "/servers"
    answer = cloud.mary.ask_old("POST", path, {"server": body})
    assert answer.status_code == 409, answer.text
    assert "Multiple possible networks found" in answer.text
    server = cloud.active(cloud.boot("none"))
    assert cloud.ports(server) == []
    cloud.gone(server)
    cloud.drop("networks", other)


def ports_that_cannot_be_used(cloud: Cloud) -> None:
    """Ports that another server has, or that are not there; addresses that are taken."""
    port = cloud.mary.make("port", network_id=cloud.network)
    server = cloud.active(cloud.boot([{"port": port["id"]}]))
    cases: tuple[tuple[str, int, str], ...] = (
        (port["id"], 409, "is still in use"),
        (str(uuid4()), 400, "could not be found"),
    )
    for id_, status, words in cases:
        answer = refused(cloud, status, networks=[{"port": id_}])
        assert words in answer, answer
    other = cloud.active(cloud.boot())
    path = f"/servers/{other['id']}/os-interface"
    for body, status, words in (
        ({"port_id": port["id"]}, 409, "is still in use"),
        ({"net_id": cloud.network, "fixed_ips": [taken(port)]}, 409, "is already in use"),
    ):
        answered = cloud.mary.ask("compute", "POST", path, {"interfaceAttachment": body})
        assert answered.status_code == status, (body, answered.status_code, answered.text)
        assert words in answered.text, (body, answered.text)
    for each in (server, other):
        cloud.gone(each)
    cloud.drop("ports", port)


def no_security_here(cloud: Cloud) -> None:
    """Security groups on a network without port security: the boot fails; without them it runs."""
    network = cloud.mary.make("network", name="free", port_security_enabled=False)
    subnet = {"network_id": network["id"], "ip_version": 4, "cidr": "10.24.0.0/24"}
    cloud.mary.make("subnet", **subnet)
    group = cloud.mary.make("security_group", name="some")
    where = [{"uuid": network["id"]}]
    failed = cloud.settled(cloud.boot(where, security_groups=[{"name": "some"}]), "ERROR")
    words = "port_security_enabled and subnet associated in order to apply security groups"
    assert logged(cloud, words)
    server = cloud.active(cloud.boot(where))
    assert cloud.port(server)["security_groups"] == []
    for each in (failed, server):
        cloud.gone(each)
    cloud.drop("networks", network)
    cloud.drop("security-groups", group)


def taken(port: Item) -> dict[str, Any]:
    """A port's address, as Nova takes it."""
    return {"ip_address": port["fixed_ips"][0]["ip_address"]}


def logged(cloud: Cloud, words: str) -> bool:
    """Whether a nova-compute has written these: a failed boot names but the last host's answer."""
    return any(words in cloud.services.log(host) for host in HOSTS)


def refused(cloud: Cloud, status: int, **fields: Any) -> str:
    """What a boot that Nova refuses at once is answered."""
    wanted = {"name": "vm", "flavorRef": "1", "imageRef": cloud.image}
    body = wanted | {"networks": [{"uuid": cloud.network}]} | fields
    answer = cloud.mary.ask("compute", "POST", "/servers", {"server": body})
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    return str(answer.text)


STEPS = (
    over_quota,
    no_more_addresses,
    wrong_networks,
    which_network,
    ports_that_cannot_be_used,
    no_security_here,
)
