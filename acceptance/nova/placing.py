"""Where servers may run: bandwidth by Placement, trunks, zones, and what is lost or down."""

from functools import partial

from acceptance.nova.cloud import Cloud, Item, wait
from alcor.lab import parts
from alcor.lab.layout import layout
from alcor.lab.record import load_lab

_EGRESS = "NET_BW_EGR_KILOBIT_PER_SEC"
_TRAITS = {"CUSTOM_NETWORK_TUNNEL_PROVIDER", "CUSTOM_VNIC_TYPE_NORMAL"}


def guaranteed_bandwidth(cloud: Cloud) -> None:
    """Minimum bandwidth: the host that says it has it is chosen; none when too little is left."""
    provider = _guarantees(cloud, 2, kilobits=10_000)
    policy = _policy(cloud, kilobits=6_000)
    ports = [_port(cloud, policy) for _ in range(2)]
    server = cloud.active(cloud.boot([{"port": ports[0]["id"]}]))
    assert server["OS-EXT-SRV-ATTR:host"] == "h2", server
    assert _allocation(cloud, server) == {provider: 6_000}
    too_much = cloud.settled(cloud.boot([{"port": ports[1]["id"]}]), "ERROR")
    assert "No valid host" in too_much["fault"]["message"], too_much["fault"]
    for each in (server, too_much):
        cloud.gone(each)
    after = cloud.admin.get(f"/ports/{ports[0]['id']}")
    assert "allocation" not in after["binding:profile"], after["binding:profile"]
    for port in ports:
        cloud.drop("ports", port)
    cloud.drop("qos/policies", policy)
    _guarantees_nothing(cloud, 2)


def bandwidth_that_moves(cloud: Cloud) -> None:
    """Bandwidth moves along with a live migration, and comes and goes with an interface."""
    first = _guarantees(cloud, 1, kilobits=10_000)
    policy = _policy(cloud, kilobits=6_000)
    small = _policy(cloud, kilobits=3_000)
    own, more, much = (_port(cloud, each) for each in (policy, small, policy))
    server = cloud.active(cloud.boot([{"port": own["id"]}]))
    assert _allocation(cloud, server) == {first: 6_000}
    second = _guarantees(cloud, 2, kilobits=10_000)
    cloud.act(server, **{"os-migrateLive": {"host": "h2", "block_migration": "auto"}})
    cloud.moved(server, "h2")
    assert _allocation(cloud, server) == {second: 6_000}
    path = f"/servers/{server['id']}/os-interface"
    cloud.admin.nova("POST", path, {"interfaceAttachment": {"port_id": more["id"]}})
    assert _allocation(cloud, server) == {second: 9_000}
    body = {"interfaceAttachment": {"port_id": much["id"]}}
    answer = cloud.admin.ask("compute", "POST", path, body)
    assert answer.status_code == 400, answer.text
    cloud.admin.nova("DELETE", f"{path}/{more['id']}")
    wait("less", lambda: _allocation(cloud, server) == {second: 6_000})
    cloud.act(server, migrate=None)
    cloud.settled(server, "VERIFY_RESIZE")
    assert _allocation(cloud, server) == {first: 6_000}
    cloud.act(server, revertResize=None)
    cloud.active(server)
    assert _allocation(cloud, server) == {second: 6_000}
    cloud.admin.put("port", own["id"], **{"binding:profile": {}})
    cloud.admin.call("placement", "DELETE", f"/allocations/{server['id']}")
    cloud.services.manage("placement", "heal_allocations", "--instance", server["id"])
    assert _allocation(cloud, server) == {second: 6_000}
    cloud.gone(server)
    for port in (own, more, much):
        cloud.drop("ports", port)
    for each in (policy, small):
        cloud.drop("qos/policies", each)
    for host in (1, 2):
        _guarantees_nothing(cloud, host)


def _policy(cloud: Cloud, kilobits: int) -> Item:
    """One that promises egress."""
    body = {"policy": {"name": "gold", "shared": True}}
    made: Item = cloud.admin.call("network", "POST", "/v2.0/qos/policies", body)["policy"]
    rule = {"minimum_bandwidth_rule": {"min_kbps": kilobits, "direction": "egress"}}
    path = f"/v2.0/qos/policies/{made['id']}/minimum_bandwidth_rules"
    cloud.admin.call("network", "POST", path, rule)
    return made


def _port(cloud: Cloud, policy: Item) -> Item:
    return cloud.mary.make("port", network_id=cloud.network, qos_policy_id=policy["id"])


def _allocation(cloud: Cloud, server: Item) -> dict[str, int]:
    """Egress by provider, in kbit/s, as Placement has it; ports name the same providers."""
    held = cloud.admin.call("placement", "GET", f"/allocations/{server['id']}")["allocations"]
    found = {id_: each["resources"].get(_EGRESS, 0) for id_, each in held.items()}
    kept = {id_: kilobits for id_, kilobits in found.items() if kilobits}
    named = [port["binding:profile"].get("allocation", {}) for port in cloud.ports(server)]
    assert {id_ for each in named for id_ in each.values()} == kept.keys(), (named, kept)
    return kept


def _guarantees(cloud: Cloud, host: int, kilobits: int) -> str:
    """Have a host's agent say what tunnels carry; the resource provider that Alcor makes of it."""
    _restart(cloud, host, "--resource-provider-bandwidths", f"rp_tunnelled:{kilobits}:")
    name = f"h{host}:Open vSwitch agent:rp_tunnelled"
    wait("the provider", lambda: _egress(cloud, name) == kilobits)
    wait("the agent to say so", lambda: _agent(cloud, f"h{host}")["resources_synced"] is True)
    (found,) = _providers(cloud, name)
    traits = cloud.admin.call("placement", "GET", f"/resource_providers/{found['uuid']}/traits")
    assert set(traits["traits"]) == _TRAITS, traits
    return str(found["uuid"])


def _guarantees_nothing(cloud: Cloud, host: int) -> None:
    """Have a host's agent say nothing any more: Alcor takes the providers away."""
    _restart(cloud, host)
    wait("the agent to say so", lambda: _agent(cloud, f"h{host}")["resources_synced"] is None)
    for name in (f"h{host}:Open vSwitch agent:rp_tunnelled", f"h{host}:Open vSwitch agent"):
        wait("no provider", partial(_has_no_provider, cloud, name))


def _has_no_provider(cloud: Cloud, name: str) -> bool:
    return not _providers(cloud, name)


def _agent(cloud: Cloud, host: str) -> Item:
    (found,) = cloud.admin.get(f"/agents?host={host}")
    one: Item = found
    return one


def _restart(cloud: Cloud, host: int, *more: str) -> None:
    where = layout(cloud.lab)
    parts.stop_agent(where.host(host))
    parts.start_agent(where.host(host), load_lab(where), *cloud.agent, *more)


def _providers(cloud: Cloud, name: str) -> list[Item]:
    found: list[Item] = cloud.admin.call("placement", "GET", f"/resource_providers?name={name}")[
        "resource_providers"
    ]
    return found


def _egress(cloud: Cloud, name: str) -> int:
    """In kbit/s, of the provider of that name; 0 while there is none."""
    for found in _providers(cloud, name):
        path = f"/resource_providers/{found['uuid']}/inventories"
        held = cloud.admin.call("placement", "GET", path)["inventories"]
        return int(held.get(_EGRESS, {}).get("total", 0))
    return 0


def trunk(cloud: Cloud) -> None:
    """A server on a trunk's port: the sub-ports are where it is, and the trunk is active."""
    parent = cloud.mary.make("port", network_id=cloud.network)
    child = cloud.mary.make("port", network_id=cloud.network)
    below = {"port_id": child["id"], "segmentation_type": "vlan", "segmentation_id": 7}
    made = cloud.mary.make("trunk", port_id=parent["id"], sub_ports=[below])
    server = cloud.active(cloud.boot([{"port": parent["id"]}]))
    host = server["OS-EXT-SRV-ATTR:host"]
    wait("the trunk", lambda: cloud.admin.get(f"/trunks/{made['id']}")["status"] == "ACTIVE")
    assert cloud.admin.get(f"/ports/{child['id']}")["binding:host_id"] == host
    cloud.gone(server)
    wait("the sub-port", lambda: not cloud.admin.get(f"/ports/{child['id']}")["binding:host_id"])
    cloud.drop("trunks", made)
    for port in (parent, child):
        cloud.drop("ports", port)


def by_command(cloud: Cloud) -> None:
    """`openstack server`: create, add and remove ports, addresses and networks, delete."""
    words = "server create --flavor one --image nothing --network blue --wait cli -f value -c id"
    id_ = cloud.openstack(*words.split()).strip().splitlines()[-1]
    server = cloud.server(id_)
    cloud.openstack("port", "create", "--network", "blue", "cli")
    cloud.openstack("server", "add", "port", "cli", "cli")
    cloud.openstack("server", "add", "fixed", "ip", "cli", "blue")
    wait("three", lambda: len(cloud.addresses(server)) == 3)
    cloud.openstack("server", "remove", "port", "cli", "cli")
    wait("two", lambda: len(cloud.addresses(server)) == 2)
    cloud.openstack("server", "remove", "network", "cli", "blue")
    wait("none", lambda: cloud.addresses(server) == [])
    cloud.openstack("server", "delete", "--wait", "cli")
    cloud.openstack("port", "delete", "cli")


def zones(cloud: Cloud) -> None:
    """Nova's zones and hosts are the Networking API's."""
    mine = cloud.admin.get("/availability_zones")
    assert {each["name"] for each in mine} == {"nova"}, mine
    shown = cloud.openstack("availability", "zone", "list", "-f", "value").split()
    assert shown.count("nova") >= 2, shown
    computes = cloud.admin.nova("GET", "/os-hypervisors")["hypervisors"]
    hosts = {each["host"] for each in cloud.admin.get("/agents")}
    assert {each["hypervisor_hostname"] for each in computes} <= hosts


def nova_is_away(cloud: Cloud) -> None:
    """What happens to a port while Nova's API is away, Nova is told when it is back."""
    server = cloud.active(cloud.boot())
    port = cloud.port(server)
    cloud.services.api.stop()
    try:
        more = [port["fixed_ips"][0], {"subnet_id": cloud.subnet, "ip_address": "10.20.0.99"}]
        cloud.mary.put("port", port["id"], fixed_ips=more)
    finally:
        cloud.services.api.start()
    wait("Nova to know", lambda: "10.20.0.99" in cloud.addresses(server))
    cloud.gone(server)


def agent_is_down(cloud: Cloud) -> None:
    """A host whose agent is down plugs nothing in: a live migration to it is given up.

    The server stays where it is, with one binding; a boot there fails, and leaves no port.
    """
    where = layout(cloud.lab)
    host = where.host(2)
    server = cloud.active(cloud.boot(host="h1"))
    port = cloud.port(server)
    parts.stop_agent(host)
    try:
        cloud.act(server, **{"os-migrateLive": {"host": "h2", "block_migration": "auto"}})
        # In error if the host was silent for so long that no port is bound to it, else failed.
        wait("it to be given up", lambda: _migrations(cloud, server) in (["error"], ["failed"]))
        still = cloud.active(server)
        assert still["OS-EXT-SRV-ATTR:host"] == "h1"
        assert cloud.bindings(port) == [("h1", "ACTIVE")]
        assert cloud.port(server)["status"] == "ACTIVE"
        failed = cloud.settled(cloud.boot(host="h2"), "ERROR")
        assert cloud.ports(failed) == []
        cloud.gone(failed)
    finally:
        parts.start_agent(host, load_lab(where), *cloud.agent)
    wait("h2's agent", lambda: _agent(cloud, "h2")["alive"])
    cloud.act(server, **{"os-migrateLive": {"host": "h2", "block_migration": "auto"}})
    cloud.moved(server, "h2")
    cloud.gone(server)


def _migrations(cloud: Cloud, server: Item) -> list[str]:
    path = f"/os-migrations?instance_uuid={server['id']}"
    return [each["status"] for each in cloud.admin.nova("GET", path)["migrations"]]


def evacuation(cloud: Cloud) -> None:
    """A host is lost: its server is evacuated with its port, and the host comes back empty."""
    server = cloud.active(cloud.boot(host="h1"))
    before = cloud.port(server)
    service = _compute(cloud, "h1")
    cloud.services.computes["h1"].stop()
    try:
        assert _forced_down(cloud, service, True) == 200
        cloud.act(server, evacuate={})
        cloud.settled(server, "SHUTOFF")  # as Nova leaves it since its microversion 2.95
        cloud.act(server, **{"os-start": None})
        assert cloud.active(server)["OS-EXT-SRV-ATTR:host"] == "h2"
        after = cloud.port(server)
        for name in ("id", "mac_address", "fixed_ips"):
            assert before[name] == after[name], name
        assert (after["binding:host_id"], after["status"]) == ("h2", "ACTIVE"), after
        assert cloud.lease(after) == after["fixed_ips"][0]["ip_address"]
    finally:
        cloud.services.computes["h1"].start()
        # Nova refuses it until the host has seen that its server is elsewhere.
        wait("h1 to be let back", lambda: _forced_down(cloud, service, False) == 200)
    wait("h1 to be up", lambda: _compute(cloud, "h1")["state"] == "up")
    cloud.gone(server)


def _forced_down(cloud: Cloud, service: Item, down: bool) -> int:
    path = f"/os-services/{service['id']}"
    return cloud.admin.ask("compute", "PUT", path, {"forced_down": down}).status_code


def _compute(cloud: Cloud, host: str) -> Item:
    path = f"/os-services?binary=nova-compute&host={host}"
    (found,) = cloud.admin.nova("GET", path)["services"]
    one: Item = found
    return one


STEPS = (
    guaranteed_bandwidth,
    bandwidth_that_moves,
    trunk,
    by_command,
    zones,
    nova_is_away,
    agent_is_down,
    evacuation,
)
