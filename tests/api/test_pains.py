"""Cases that were real faults elsewhere, tried here; numbered as in docs/reference/pains.md."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.api.conftest import Answer, Api


def put(api: Api, path: str, kind: str, /, **fields: Any) -> Answer:
    return api.call("PUT", path, {kind: fields})


def subnet_path(api: Api, cidr: str, **fields: Any) -> str:
    return f"/v2.0/subnets/{api.subnet(api.network()['id'], cidr, **fields)['id']}"


def test_p001_gateway_and_pools_are_checked_as_they_will_be_together(api: Api) -> None:
    path = subnet_path(api, "10.0.0.0/24")
    pool = {"start": "10.0.0.1", "end": "10.0.0.9"}
    answer = put(api, path, "subnet", allocation_pools=[pool])
    assert (answer.status, answer.type) == (409, "GatewayConflictWithAllocationPools")
    pool = {"start": "10.0.0.20", "end": "10.0.0.30"}
    both = put(api, path, "subnet", gateway_ip="10.0.0.10", allocation_pools=[pool])
    assert both.status == 200


def test_p002_a_bad_pool_is_named_and_never_a_fault(api: Api) -> None:
    path = subnet_path(api, "10.0.0.0/24")

    def pools(*ranges: tuple[str, str]) -> Answer:
        listed = [{"start": first, "end": last} for first, last in ranges]
        return put(api, path, "subnet", allocation_pools=listed)

    assert pools(("10.0.0.99", "10.0.0.5")).status == 400
    assert pools(("not-an-ip", "10.0.0.9")).status == 400
    assert pools(("10.0.1.5", "10.0.1.9")).type == "OutOfBoundsAllocationPool"
    doubled = pools(("10.0.0.10", "10.0.0.20"), ("10.0.0.15", "10.0.0.30"))
    assert (doubled.status, doubled.type) == (409, "OverlappingAllocationPools")
    assert put(api, path, "subnet", gateway_ip=None).json["subnet"]["gateway_ip"] is None


def test_no_pools_named_mean_all_addresses_and_an_empty_list_takes_them_away(api: Api) -> None:
    whole = [{"start": "10.0.0.2", "end": "10.0.0.254"}]
    sayings: list[dict[str, Any]] = [{}, {"allocation_pools": None}, {"allocation_pools": []}]
    for said in sayings:
        made = api.subnet(api.network()["id"], "10.0.0.0/24", **said)
        assert made["allocation_pools"] == whole, said
    emptied = put(api, f"/v2.0/subnets/{made['id']}", "subnet", allocation_pools=[])
    assert emptied.json["subnet"]["allocation_pools"] == []


@pytest.mark.parametrize(
    ("cidr", "first", "last"),
    [("2001:db8:0:1::/126", "2001:db8:0:1::2", "2001:db8:0:1::3"), ("203.0.113.0/29", ".2", ".6")],
)
def test_p004_the_last_address_of_an_ipv6_subnet_is_usable(
    api: Api, cidr: str, first: str, last: str
) -> None:
    network = api.network()["id"]
    (pool,) = api.subnet(network, cidr, enable_dhcp=False)["allocation_pools"]
    assert pool["start"].endswith(first)
    assert pool["end"].endswith(last)
    count = int(last.rpartition(":")[2].lstrip(".")) - 1
    addresses = [api.port(network)["fixed_ips"][0]["ip_address"] for _ in range(count)]
    assert addresses[-1] == pool["end"]
    full = api.call("POST", "/v2.0/ports", {"port": {"network_id": network}})
    assert (full.status, full.type) == (409, "IpAddressGenerationFailure")


def test_p005_a_huge_pool_costs_no_more_than_a_small_one(api: Api) -> None:
    network = api.network()["id"]
    path = f"/v2.0/subnets/{api.subnet(network, '2001:db8::/64')['id']}"
    pool = {"start": "2001:db8::2", "end": "2001:db8::ffff:ffff:ffff"}
    assert put(api, path, "subnet", allocation_pools=[pool]).status == 200
    assert api.port(network)["fixed_ips"][0]["ip_address"] == "2001:db8::2"


def test_p007_only_whole_cidrs_are_taken_and_kept_in_one_form(api: Api) -> None:
    network = api.network()["id"]
    for cidr in ("10/8", "10.0.0.0", " 10.0.0.0/24", "10.0.0.0/24\n"):
        body = {"network_id": network, "cidr": cidr, "ip_version": 4}
        answer = api.call("POST", "/v2.0/subnets", {"subnet": body})
        assert answer.status == 400, cidr
    assert api.subnet(network, "10.0.0.7/24")["cidr"] == "10.0.0.0/24"
    for address in ("010.000.000.005", "10.0.0.5\r", " 10.0.0.5"):
        port = {"network_id": network, "fixed_ips": [{"ip_address": address}]}
        assert api.call("POST", "/v2.0/ports", {"port": port}).status == 400, address


def test_p008_every_spelling_of_a_value_finds_it(api: Api) -> None:
    network = api.network()["id"]
    subnet = api.subnet(network, "2001:db8::/64")["id"]
    fixed = [{"ip_address": "2001:db8::5"}]
    port = api.port(network, fixed_ips=fixed, mac_address="02:00:00:AA:BB:CC")["id"]

    def found(path: str) -> set[str]:
        return {each["id"] for each in api.listed(path)}

    assert subnet in found("/v2.0/subnets?cidr=2001:DB8:0:0::/64")
    assert port in found("/v2.0/ports?fixed_ips=ip_address=2001:db8:0:0:0:0:0:5")
    assert port in found("/v2.0/ports?mac_address=02:00:00:aa:BB:cC")


def test_p013_a_bulk_that_fails_leaks_no_address(api: Api) -> None:
    network = api.network()["id"]
    pool = {"start": "10.0.0.10", "end": "10.0.0.19"}
    api.subnet(network, "10.0.0.0/24", allocation_pools=[pool])
    good = {"network_id": network}
    mac = "02:00:00:00:00:99"
    bads: list[list[dict[str, Any]]] = [
        [good] * 4 + [good | {"fixed_ips": [{"ip_address": "192.0.2.1"}]}],
        [good] * 3 + [good | {"mac_address": mac}] * 2,
    ]
    for bad in bads * 3:
        assert api.call("POST", "/v2.0/ports", {"ports": bad}).status in (400, 409)
    made = api.call("POST", "/v2.0/ports", {"ports": [good] * 10})
    assert made.status == 201
    assert len({p["fixed_ips"][0]["ip_address"] for p in made.json["ports"]}) == 10


def test_p016_a_pool_is_used_to_its_last_address_and_freed_ones_come_again(api: Api) -> None:
    network = api.network()["id"]
    pool = {"start": "10.0.0.2", "end": "10.0.0.33"}
    api.subnet(network, "10.0.0.0/24", allocation_pools=[pool])
    body = {"port": {"network_id": network}}
    with ThreadPoolExecutor(16) as threads:
        for round_ in range(3):
            wanted = 40 if round_ == 0 else 12
            answers = list(
                threads.map(lambda _: api.call("POST", "/v2.0/ports", body), range(wanted))
            )
            made = [a.json["port"] for a in answers if a.status == 201]
            assert len(made) == (32 if round_ == 0 else 10)
            refused = {a.type for a in answers if a.status != 201}
            assert refused == {"IpAddressGenerationFailure"}
            ports = api.listed(f"/v2.0/ports?network_id={network}")
            assert len({p["fixed_ips"][0]["ip_address"] for p in ports}) == 32
            gone = [port["id"] for port in ports[:10]]
            list(threads.map(lambda id_: api.call("DELETE", f"/v2.0/ports/{id_}"), gone))


def test_p019_a_bulk_makes_what_single_creates_make(announced: Api) -> None:
    api = announced
    network = api.network()["id"]
    group = api.make("/v2.0/security-groups", "security_group", name="g")["id"]
    bodies: list[dict[str, Any]] = [{"security_groups": [group]}, {"security_groups": []}, {}]
    bodies = [{"network_id": network, "tags": ["t"], "description": "d"} | body for body in bodies]
    together = api.call("POST", "/v2.0/ports", {"ports": bodies}).json["ports"]
    single = [api.call("POST", "/v2.0/ports", {"port": body}).json["port"] for body in bodies]
    own = {"id", "mac_address", "created_at", "updated_at"}
    for one, other in zip(together, single, strict=True):
        assert {k: v for k, v in one.items() if k not in own} == {
            k: v for k, v in other.items() if k not in own
        }
    assert [len(port["security_groups"]) for port in together] == [1, 0, 1]


def test_p022_a_bulk_counts_as_many_as_it_makes(api: Api) -> None:
    project = "pains-p022"
    network = api.network()["id"]
    api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"port": 10}})
    port: dict[str, Any] = {"network_id": network, "project_id": project}

    def make(count: int, **more: Any) -> Answer:
        return api.call("POST", "/v2.0/ports", {"ports": [port | more] * count})

    assert make(11).type == "OverQuota"
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: make(3), range(8)))
    assert [answer.status for answer in answers].count(201) == 3
    for _ in range(10):
        assert make(1, fixed_ips=[{"ip_address": "192.0.2.1"}]).status == 400
    assert make(1).status == 201
    assert make(1).type == "OverQuota"


@pytest.mark.parametrize(
    "body",
    [
        {"port": None},
        {},
        [],
        "",
        b"",
        {"port": {"fixed_ips": {"subnet_id": "x"}}},
        {"port": {"fixed_ips": [[]]}},
        {"port": {"security_groups": "x"}},
        {"port": {"security_groups": [5]}},
        {"port": {"extra_dhcp_opts": "x"}},
        {"port": {"allowed_address_pairs": 5}},
        {"port": {"allowed_address_pairs": ["ip_address"]}},
        {"port": {"allowed_address_pairs": [None]}},
        {"port": {"created_at": "2026-01-01T00:00:00Z"}},
        {"port": {"chairs": None}},
    ],
)
def test_p023_p134_a_body_that_is_none_is_refused_and_an_empty_change_is_none(
    announced: Api, body: Any
) -> None:
    api = announced
    port = api.port(api.network()["id"])
    path = f"/v2.0/ports/{port['id']}"
    assert api.call("PUT", path, body).status == 400
    assert api.call("PUT", path, {"port": {}}).json["port"] == port


def test_p034_each_of_two_deletions_is_answered_and_nothing_is_left(api: Api) -> None:
    network = api.network()["id"]
    body = {"network_id": network, "device_id": "p034", "tags": ["t"]}
    ports = api.call("POST", "/v2.0/ports", {"ports": [body] * 40}).json["ports"]
    twice = [port["id"] for port in ports] * 2
    with ThreadPoolExecutor(8) as threads:
        statuses = list(
            threads.map(lambda id_: api.call("DELETE", f"/v2.0/ports/{id_}").status, twice)
        )
    assert sorted(statuses) == [204] * 40 + [404] * 40
    assert api.listed("/v2.0/ports?device_id=p034") == []


def test_p044_the_first_requests_of_a_project_make_one_default_group(announced: Api) -> None:
    api, project = announced, "pains-p044"
    network = api.network(project_id=project)["id"]

    def first(i: int) -> int:
        match i % 3:
            case 0:
                return api.get(f"/v2.0/security-groups?project_id={project}").status
            case 1:
                return api.get(f"/v2.0/security-group-rules?project_id={project}").status
        port = {"port": {"network_id": network, "project_id": project}}
        return api.call("POST", "/v2.0/ports", port).status

    with ThreadPoolExecutor(32) as threads:
        assert set(threads.map(first, range(32))) == {200, 201}
    (group,) = api.listed(f"/v2.0/security-groups?project_id={project}")
    assert (group["name"], len(group["security_group_rules"])) == ("default", 4)
    upper = {"security_group": {"name": "DEFAULT", "project_id": project}}
    answer = api.call("POST", "/v2.0/security-groups", upper)
    assert (answer.status, answer.type) == (409, "SecurityGroupDefaultAlreadyExists")
    renamed = put(api, f"/v2.0/security-groups/{group['id']}", "security_group", name="x")
    assert renamed.status == 409


def test_p086_lists_hold_while_what_they_list_goes(api: Api) -> None:
    network = api.network()["id"]
    body = {"port": {"network_id": network, "tags": ["t"]}}

    def churn(_: int) -> list[int]:
        statuses = []
        for _ in range(8):
            made = api.call("POST", "/v2.0/ports", body)
            id_ = made.json["port"]["id"]
            gone = api.call("DELETE", f"/v2.0/ports/{id_}").status
            statuses += [made.status, gone, api.get(f"/v2.0/ports/{id_}").status]
        return statuses

    def look(_: int) -> list[int]:
        return [api.get(f"/v2.0/ports?network_id={network}&tags=t").status for _ in range(8)]

    with ThreadPoolExecutor(12) as threads:
        churned = [threads.submit(churn, i) for i in range(6)]
        looked = [threads.submit(look, i) for i in range(6)]
        assert {s for each in churned for s in each.result()} == {201, 204, 404}
        assert {s for each in looked for s in each.result()} == {200}


def test_p091_creates_that_come_together_stop_at_the_limit_and_begin_again(api: Api) -> None:
    project = "pains-p091"
    api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"network": 20}})
    body = {"network": {"project_id": project}}
    with ThreadPoolExecutor(16) as threads:
        for _ in range(2):
            answers = list(
                threads.map(lambda _: api.call("POST", "/v2.0/networks", body), [0] * 30)
            )
            made = [a.json["network"]["id"] for a in answers if a.status == 201]
            assert len(made) == 20
            assert {a.type for a in answers if a.status != 201} == {"OverQuota"}
            list(threads.map(lambda id_: api.call("DELETE", f"/v2.0/networks/{id_}"), made))
        limits = list(
            threads.map(
                lambda i: put(api, f"/v2.0/quotas/{project}", "quota", network=i).status, range(16)
            )
        )
    assert set(limits) == {200}
    rows = [q for q in api.listed("/v2.0/quotas") if q["project_id"] == project]
    assert [0 <= row["network"] < 16 for row in rows] == [True]


def test_p092_creates_that_fail_late_use_nothing(api: Api) -> None:
    project = "pains-p092"
    network = api.network()["id"]
    api.call("PUT", f"/v2.0/quotas/{project}", {"quota": {"port": 5}})
    port: dict[str, Any] = {"network_id": network, "project_id": project}
    bad = {"port": port | {"fixed_ips": [{"ip_address": "192.0.2.1"}]}}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: api.call("POST", "/v2.0/ports", bad), range(64)))
    assert api.call("POST", "/v2.0/ports", {"ports": [port] * 5}).status == 201
    use = api.get(f"/v2.0/quotas/{project}/details").json["quota"]["port"]
    assert use == {"limit": 5, "used": 5, "reserved": 0}


def test_p094_a_port_counts_for_its_own_project_and_what_the_platform_holds_for_none(
    api: Api,
) -> None:
    """A router of one project on a subnet of another, with a gateway and a floating IP."""
    owner, asker = "pains-p094-owner", "pains-p094-asker"
    inside = api.network(project_id=owner)["id"]
    subnet = api.subnet(inside, "10.94.0.0/24", project_id=owner)["id"]
    outside = api.network(**{"router:external": True})["id"]
    api.subnet(outside, "198.51.100.0/24")
    router = api.make("/v2.0/routers", "router", project_id=asker)["id"]
    gateway = {"external_gateway_info": {"network_id": outside}}
    assert put(api, f"/v2.0/routers/{router}", "router", **gateway).status == 200
    path = f"/v2.0/routers/{router}/add_router_interface"
    interface = api.call("PUT", path, {"subnet_id": subnet}).json["port_id"]
    api.make("/v2.0/floatingips", "floatingip", floating_network_id=outside, project_id=asker)
    api.port(inside, project_id=asker)

    def used(project: str) -> int:
        return int(api.get(f"/v2.0/quotas/{project}/details").json["quota"]["port"]["used"])

    held = {
        each["device_owner"]: each["project_id"]
        for each in api.listed("/v2.0/ports")
        if each["network_id"] == outside or each["id"] == interface
    }
    assert held == {
        "network:router_gateway": "",
        "network:floatingip": "",
        "network:router_interface": asker,
    }
    assert (used(owner), used(asker)) == (0, 2)


def test_p101_what_is_made_again_with_the_same_values_is_its_own(api: Api) -> None:
    network = api.network()["id"]
    api.subnet(network, "10.0.0.0/24")
    id_ = "00000000-0000-4000-8000-0000000000a1"
    body = {
        "id": id_,
        "network_id": network,
        "mac_address": "02:00:00:00:01:01",
        "fixed_ips": [{"ip_address": "10.0.0.7"}],
    }
    for _ in range(20):
        assert api.call("POST", "/v2.0/ports", {"port": body}).status == 201
        doubled = api.call("POST", "/v2.0/ports", {"port": body})
        assert doubled.status == 409  # P104: the same id again is no second port
        assert api.call("DELETE", f"/v2.0/ports/{id_}").status == 204
    assert api.call("POST", "/v2.0/ports", {"port": body}).status == 201
    assert api.get(f"/v2.0/ports/{id_}").json["port"]["fixed_ips"][0]["ip_address"] == "10.0.0.7"


def test_p107_networks_and_what_is_on_them_go_in_any_order(api: Api) -> None:
    def life(_: int) -> set[int]:
        network = api.network()["id"]
        subnet = api.subnet(network, "10.0.0.0/28")["id"]
        port = api.port(network)["id"]
        paths = [f"networks/{network}", f"subnets/{subnet}", f"ports/{port}"]
        with ThreadPoolExecutor(3) as threads:
            asked = threads.map(lambda p: api.call("DELETE", f"/v2.0/{p}").status, paths * 2)
            statuses = set(asked)
        api.call("DELETE", f"/v2.0/ports/{port}")
        api.call("DELETE", f"/v2.0/networks/{network}")
        assert api.get(f"/v2.0/networks/{network}").status == 404
        assert api.get(f"/v2.0/subnets/{subnet}").status == 404
        return statuses

    assert set().union(*map(life, range(8))) <= {204, 404, 409}


def test_p152_every_list_has_a_limit(announced: Api) -> None:
    api = announced
    network = api.network()["id"]
    port = f"/v2.0/ports/{api.port(network)['id']}"
    addresses = [f"10.{i >> 8}.{i & 255}.1" for i in range(10_000)]
    bodies: list[dict[str, Any]] = [
        {"fixed_ips": [{"ip_address": address} for address in addresses]},
        {"allowed_address_pairs": [{"ip_address": address} for address in addresses]},
        {"security_groups": [f"00000000-0000-4000-8000-{i:012d}" for i in range(10_000)]},
    ]
    for body in bodies:
        assert api.call("PUT", port, {"port": body}).status in (400, 409, 413), list(body)
    subnet = {"network_id": network, "cidr": "10.0.0.0/8", "ip_version": 4}
    for field, values in {
        "dns_nameservers": addresses,
        "host_routes": [{"destination": f"{a}/32", "nexthop": "10.0.0.9"} for a in addresses],
    }.items():
        answer = api.call("POST", "/v2.0/subnets", {"subnet": subnet | {field: values}})
        assert answer.status == 400, field
    tags = [f"tag-{i}" for i in range(10_000)]
    assert api.call("PUT", f"/v2.0/networks/{network}/tags", {"tags": tags}).status == 400


def test_p106_of_many_who_bind_a_port_one_wins_and_one_activation_is_the_first(api: Api) -> None:
    hosts = [f"p106-{i}" for i in range(4)]
    for i, host in enumerate(hosts):
        node = {"name": host, "tunnel_ip": f"198.18.106.{i + 1}"}
        assert api.call("POST", "/alcor/v1/nodes", {"node": node}).status == 201
    path = f"/v2.0/ports/{api.port(api.network()['id'], device_owner='compute:nova')['id']}"

    def bind(number: int) -> int:
        fields = {"binding:host_id": hosts[number % 2]} if number % 3 else {"name": f"n{number}"}
        return put(api, path, "port", **fields).status

    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(bind, range(32))) == {200}
    port = api.get(path).json["port"]
    assert port["binding:host_id"] in hosts[:2]
    assert port["binding:vif_type"] == "ovs"
    assert port["name"]

    for host in hosts[2:]:
        binding = {"binding": {"host": host}}
        assert api.call("POST", f"{path}/bindings", binding).status == 201
    with ThreadPoolExecutor(16) as threads:
        verbs = [f"{path}/bindings/{hosts[2]}/activate"] * 16
        answers = list(threads.map(lambda verb: api.call("PUT", verb), verbs))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 15
    assert {a.type for a in answers if a.status == 409} == {"PortBindingAlreadyActive"}
    held = api.get(f"{path}/bindings").json["bindings"]
    assert [each["host"] for each in held if each["status"] == "ACTIVE"] == [hosts[2]]


def test_p133_an_unrelated_change_leaves_a_binding_and_none_or_nothing_ends_it(api: Api) -> None:
    node = {"name": "p133", "tunnel_ip": "192.0.2.210"}
    assert api.call("POST", "/alcor/v1/nodes", {"node": node}).status == 201
    path = f"/v2.0/ports/{api.port(api.network()['id'])['id']}"
    for nowhere in ("", None):
        assert put(api, path, "port", **{"binding:host_id": "p133"}).status == 200
        named = put(api, path, "port", name="x").json["port"]
        assert (named["binding:host_id"], named["binding:vif_type"]) == ("p133", "ovs")
        freed = put(api, path, "port", **{"binding:host_id": nowhere}).json["port"]
        assert (freed["binding:host_id"], freed["binding:vif_type"]) == ("", "unbound")


def test_p136_twenty_interfaces_are_added_to_one_router_at_once(announced: Api) -> None:
    api = announced
    router = f"/v2.0/routers/{api.make('/v2.0/routers', 'router')['id']}"
    subnets = [api.subnet(api.network()["id"], f"10.136.{i}.0/24")["id"] for i in range(20)]

    def act(verb: str, subnet: str) -> int:
        return api.call("PUT", f"{router}/{verb}", {"subnet_id": subnet}).status

    for verb in ("add_router_interface", "remove_router_interface"):
        with ThreadPoolExecutor(20) as threads:
            assert set(threads.map(lambda subnet: act(verb, subnet), subnets)) == {200}  # noqa: B023
    assert api.call("DELETE", router).status == 204
