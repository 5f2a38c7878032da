"""What a Neutron client sees: discovery, status codes, headers, the life of each resource."""

import time
from typing import Any

import pytest
from tests.api.conftest import Databases

within_s = 5


def eventually(look: Any, wanted: Any) -> None:
    """What is fed by the log is right soon, not at once."""
    deadline = time.monotonic() + within_s
    while look() != wanted and time.monotonic() < deadline:
        pass
    assert look() == wanted


def test_a_client_finds_version_collections_and_extensions(api: Any) -> None:
    (version,) = api.get("/").json["versions"]
    assert (version["id"], version["status"]) == ("v2.0", "CURRENT")
    assert version["links"][0]["href"] == f"http://{api.host}:{api.tcp_port}/v2.0/"
    collections = {each["collection"] for each in api.get("/v2.0/").json["resources"]}
    assert {"networks", "subnets", "ports", "security_groups", "agents"} <= collections
    aliases = {each["alias"] for each in api.get("/v2.0/extensions").json["extensions"]}
    assert {"agent", "binding", "net-mtu", "pagination", "sorting", "project-id"} <= aliases
    for alias in aliases:
        extension = api.get(f"/v2.0/extensions/{alias}").json["extension"]
        assert extension.keys() == {"alias", "name", "description", "updated", "links"}
    assert api.get("/v2.0/extensions/no-such").status == 404


def test_the_process_is_healthy_and_ready_and_counts(api: Any) -> None:
    assert api.get("/healthz").status == 200
    ready = api.get("/readyz")
    assert (ready.status, ready.json["ready"]) == (200, True)
    assert all(ready.json["checks"].values())
    gateways = (
        'alcor_api_request_seconds_count{code="201",method="POST",route="/v2.0/networks"}',
        "alcor_build_info",
    )
    managers = (
        'alcor_outbox_pending{manager="network"}',
        'alcor_intent_revision{manager="network"}',
    )
    names = (*gateways, *(() if Databases.in_processes else managers))

    def missing() -> list[str]:  # of several gateways at one address, any may answer either
        api.network()
        text = api.get("/metrics").body.decode()
        return [name for name in names if name not in text]

    eventually(missing, [])


def test_a_request_id_is_kept_or_made(api: Any) -> None:
    given = "req-a3b1c0de-0000-4000-8000-000000000001"
    answer = api.call("GET", "/v2.0", headers={"X-Openstack-Request-Id": given})
    assert answer.headers["x-openstack-request-id"] == given
    for bad in ("x", "req-x\tx", "req-" + "a" * 36):
        made = api.call("GET", "/nothing", headers={"X-Openstack-Request-Id": bad})
        assert made.headers["x-openstack-request-id"] != bad
        assert made.headers["x-openstack-request-id"].startswith("req-")


def test_a_network_lives_from_post_to_404(api: Any) -> None:
    made = api.network(name="life", mtu=1400, **{"provider:segmentation_id": 4_000_000})
    assert made["status"] == "ACTIVE"
    assert made["tenant_id"] == made["project_id"] == "default"
    assert made["provider:network_type"] == "vxlan"
    assert made["provider:segmentation_id"] == 4_000_000
    path = f"/v2.0/networks/{made['id']}"

    shown = api.get(path)
    assert shown.json == {"network": made}
    assert shown.headers["etag"] == '"revision_number=1"'

    changed = api.call("PUT", path, {"network": {"name": "other", "admin_state_up": False}})
    assert changed.status == 200
    assert changed.json["network"] | {"updated_at": ""} == made | {
        "name": "other",
        "admin_state_up": False,
        "revision_number": 2,
        "updated_at": "",
    }
    assert api.get(path).json == changed.json

    gone = api.call("DELETE", path)
    assert (gone.status, gone.body) == (204, b"")
    assert api.get(path).type == "NetworkNotFound"
    assert api.call("DELETE", path).status == 404


def test_revisions_of_writes_grow(api: Any) -> None:
    def revision(answer: Any) -> int:
        manager, _, number = answer.headers["x-alcor-revision"].partition(":")
        assert manager == "network"
        return int(number)

    made = api.call("POST", "/v2.0/networks", {"networks": [{}, {}]})
    path = f"/v2.0/networks/{made.json['networks'][0]['id']}"
    changed = api.call("PUT", path, {"network": {"name": "x"}})
    gone = api.call("DELETE", path)
    assert revision(made) + 1 == revision(changed)
    assert revision(changed) + 1 == revision(gone)


def test_a_write_that_concerns_no_host_has_converged(api: Any) -> None:
    made = api.call("POST", "/v2.0/networks", {"network": {}})
    revision = made.headers["x-alcor-revision"]
    answer = api.get(f"/alcor/v1/convergence?revision={revision}&timeout=5")
    assert answer.status == 200
    assert answer.json["converged"] is True


def test_a_condition_on_the_revision_is_kept(api: Any) -> None:
    path = f"/v2.0/networks/{api.network()['id']}"
    now = {"If-Match": "revision_number=1"}
    assert api.call("PUT", path, {"network": {"name": "a"}}, now).status == 200
    assert api.call("PUT", path, {"network": {"name": "b"}}, now).status == 412
    for condition, status in (("revision_number=x", 400), ("revision_number=-1", 412)):
        changed = api.call("PUT", path, {"network": {"name": "d"}}, {"If-Match": condition})
        assert changed.status == status, condition
    assert api.call("PUT", path, {"network": {"name": "c"}}, {"If-Match": "x"}).status == 200
    assert api.call("DELETE", path, None, {"If-Match": '"revision_number=3"'}).status == 204


def test_a_subnet_is_shown_in_its_network_and_goes_with_it(api: Any) -> None:
    net = api.network()["id"]
    path = f"/v2.0/networks/{net}"
    subnets = [api.subnet(net, "10.1.0.0/24")["id"], api.subnet(net, "2001:db8:1::/64")["id"]]
    eventually(lambda: sorted(api.get(path).json["network"]["subnets"]), sorted(subnets))

    assert api.call("DELETE", path).status == 204

    for id_ in subnets:
        assert api.get(f"/v2.0/subnets/{id_}").status == 404


def test_a_subnet_says_what_was_asked_and_what_was_chosen(api: Any) -> None:
    net = api.network()["id"]
    route = {"destination": "10.9.0.0/16", "nexthop": "10.2.0.9"}
    made = api.subnet(
        net,
        "10.2.0.77/24",
        gateway_ip="10.2.0.254",
        allocation_pools=[{"start": "10.2.0.100", "end": "10.2.0.110"}],
        dns_nameservers=["10.2.0.53", "9.9.9.9"],
        host_routes=[route],
        enable_dhcp=False,
    )
    assert made["cidr"] == "10.2.0.0/24"
    assert made["gateway_ip"] == "10.2.0.254"
    assert made["dns_nameservers"] == ["10.2.0.53", "9.9.9.9"]
    assert made["host_routes"] == [route]
    path = f"/v2.0/subnets/{made['id']}"
    change: dict[str, Any] = {"gateway_ip": None, "enable_dhcp": True, "host_routes": []}
    changed = api.call("PUT", path, {"subnet": change}).json["subnet"]
    assert {name: changed[name] for name in change} == change
    assert changed["revision_number"] == 2
    assert api.port(net)["fixed_ips"][0]["ip_address"] in {f"10.2.0.{i}" for i in range(100, 111)}


def test_a_gateway_may_not_become_a_ports_address(api: Any) -> None:
    net = api.network()["id"]
    pools = [{"start": "10.3.0.100", "end": "10.3.0.110"}]
    subnet = api.subnet(net, "10.3.0.0/24", allocation_pools=pools)["id"]
    api.port(net, fixed_ips=[{"ip_address": "10.3.0.7"}])
    body = {"subnet": {"gateway_ip": "10.3.0.7"}}
    answer = api.call("PUT", f"/v2.0/subnets/{subnet}", body)
    assert (answer.status, answer.type) == (409, "IpAddressAlreadyAllocated")
    assert api.get(f"/v2.0/subnets/{subnet}").json["subnet"]["gateway_ip"] == "10.3.0.1"
    api.port(net, fixed_ips=[{"ip_address": "10.3.0.8"}])


def test_a_network_can_be_deleted_when_its_last_port_is_gone(api: Any) -> None:
    net = api.network()["id"]
    api.subnet(net, "10.4.0.0/24")
    port = api.port(net)["id"]
    assert api.call("DELETE", f"/v2.0/networks/{net}").status == 409
    api.port(net)  # A refused deletion leaves no fence behind.
    for each in [port, *(p["id"] for p in api.listed(f"/v2.0/ports?network_id={net}"))]:
        api.call("DELETE", f"/v2.0/ports/{each}")
    assert api.call("DELETE", f"/v2.0/networks/{net}").status == 204
    gone = api.call("POST", "/v2.0/ports", {"port": {"network_id": net}})
    assert (gone.status, gone.type) == (404, "NetworkNotFound")


def test_an_id_may_be_used_again_after_its_network_is_gone(api: Any) -> None:
    id_ = api.network()["id"]
    api.call("DELETE", f"/v2.0/networks/{id_}")
    api.network(id=id_)
    api.subnet(id_, "10.5.0.0/24")
    api.port(id_)


def test_a_bulk_answers_in_the_order_of_the_request(api: Any) -> None:
    wanted = [f"b{i}" for i in range(30)]
    answer = api.call("POST", "/v2.0/networks", {"networks": [{"name": n} for n in wanted]})
    assert answer.status == 201
    assert [each["name"] for each in answer.json["networks"]] == wanted


def test_a_node_is_an_agent_for_neutrons_clients(api: Any) -> None:
    made = api.make("/alcor/v1/nodes", "node", name="agent-host", tunnel_ip="203.0.113.9")
    assert made["id"] == made["name"] == "agent-host"
    (agent,) = api.listed("/v2.0/agents?host=agent-host")
    assert agent["agent_type"] == "Open vSwitch agent"
    assert agent["alive"] is False
    assert agent["configurations"]["tunneling_ip"] == "203.0.113.9"
    path = f"/v2.0/agents/{agent['id']}"
    assert api.get(path).json["agent"] == agent
    changed = api.call("PUT", path, {"agent": {"description": "rack 7"}})
    assert changed.json["agent"]["description"] == "rack 7"
    assert api.call("PUT", path, {"agent": {"admin_state_up": False}}).status == 400
    moved = api.call("PUT", "/alcor/v1/nodes/agent-host", {"node": {"tunnel_ip": "203.0.113.10"}})
    assert moved.json["node"]["tunnel_ip"] == "203.0.113.10"
    assert api.call("DELETE", path).status == 204
    assert api.get("/alcor/v1/nodes/agent-host").type == "NodeNotFound"


@pytest.mark.parametrize("path", ["/v2.0/networks/", "/v2.0/"])
def test_a_slash_at_the_end_changes_nothing(api: Any, path: str) -> None:
    assert api.get(path).status == 200


def test_the_project_is_the_bodys_or_the_headers(api: Any) -> None:
    header = {"X-Project-Id": "from-header"}
    made = api.call("POST", "/v2.0/networks", {"network": {}}, header).json["network"]
    assert made["tenant_id"] == made["project_id"] == "from-header"
    body = {"network": {"tenant_id": "from-body"}}
    made = api.call("POST", "/v2.0/networks", body, header).json["network"]
    assert made["project_id"] == "from-body"
