"""A network that leads outside, for a project that asks for one."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.api.conftest import tokens

from alcor.gateway.app import GatewaySettings

PATH = "/v2.0/auto-allocated-topology"
WHO = {"operator": "operators admin", "blue": "blue member reader", "red": "red member reader"}


@pytest.fixture
def region(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("topologies")
    with control_plane(folder, GatewaySettings(), **tokens(folder, **WHO)) as api:
        yield api


def prepare(region: Any) -> None:
    """The default external network and a default pool of each family."""
    operator = region.bearing("operator")
    outside = {"router:external": True, "is_default": True}
    network = operator.network(name="outside", **outside)["id"]
    operator.subnet(network, "198.18.0.0/24", enable_dhcp=False)
    for prefix, length in (("10.0.0.0/16", 26), ("fd00:1::/48", 64)):
        operator.make(
            "/v2.0/subnetpools", "subnetpool", name=prefix, prefixes=[prefix], is_default=True,
            shared=True, default_prefixlen=length,
        )  # fmt: skip


def made(api: Any) -> dict[str, list[dict[str, Any]]]:
    """What the project has of a topology."""
    kinds = ("networks", "subnets", "routers")
    own = {kind: api.listed(f"/v2.0/{kind}?project_id=blue") for kind in kinds}
    return {kind: sorted(found, key=lambda each: str(each["name"])) for kind, found in own.items()}


def test_who_asks_gets_a_network_that_leads_outside_once(region: Any) -> None:
    prepare(region)
    blue = region.bearing("blue")

    first = blue.get(f"{PATH}/None").json["auto_allocated_topology"]
    again = blue.get(f"{PATH}/blue").json["auto_allocated_topology"]

    assert again == first
    assert (first["project_id"], first["tenant_id"]) == ("blue", "blue")
    found = made(blue)
    assert [each["id"] for each in found["networks"]] == [first["id"]]
    assert [each["name"] for each in found["subnets"]] == [
        "auto_allocated_subnet_v4", "auto_allocated_subnet_v6"
    ]  # fmt: skip
    (router,) = found["routers"]
    assert router["external_gateway_info"] is not None
    faces = blue.listed(f"/v2.0/ports?device_id={router['id']}&network_id={first['id']}")
    assert {fixed["subnet_id"] for face in faces for fixed in face["fixed_ips"]} == {
        each["id"] for each in found["subnets"]
    }


def test_a_dry_run_makes_nothing(region: Any) -> None:
    prepare(region)
    blue = region.bearing("blue")

    answer = blue.get(f"{PATH}/None?fields=dry-run")

    topology = answer.json["auto_allocated_topology"]
    assert topology == {"id": "dry-run=pass", "project_id": "blue", "tenant_id": "blue"}
    assert made(blue) == {"networks": [], "subnets": [], "routers": []}


@pytest.mark.parametrize("query", ["", "?fields=dry-run"])
def test_what_the_operator_has_not_prepared_is_said(region: Any, query: str) -> None:
    blue, operator = region.bearing("blue"), region.bearing("operator")
    nowhere = blue.get(f"{PATH}/None{query}")
    outside = {"router:external": True, "is_default": True}
    operator.subnet(operator.network(**outside)["id"], "198.18.0.0/24", enable_dhcp=False)

    of_nothing = blue.get(f"{PATH}/None{query}")

    assert (nowhere.status, nowhere.type) == (409, "AutoAllocationFailure")
    assert "external" in nowhere.message
    assert (of_nothing.status, of_nothing.type) == (409, "AutoAllocationFailure")
    assert "subnetpools" in of_nothing.message


def test_what_was_made_is_deleted_with_the_topology(region: Any) -> None:
    prepare(region)
    blue = region.bearing("blue")
    blue.get(f"{PATH}/None")

    assert blue.call("DELETE", f"{PATH}/None").status == 204

    assert made(blue) == {"networks": [], "subnets": [], "routers": []}
    assert blue.call("DELETE", f"{PATH}/None").type == "AutoAllocatedTopologyNotFound"


def test_a_refusal_is_gone_on_from_once_its_cause_is_away(region: Any) -> None:
    prepare(region)
    blue, operator = region.bearing("blue"), region.bearing("operator")
    quota = "/v2.0/quotas/blue"
    assert operator.call("PUT", quota, {"quota": {"router": 0}}).status == 200

    refused = blue.get(f"{PATH}/None")
    assert operator.call("PUT", quota, {"quota": {"router": 1}}).status == 200
    answer = blue.get(f"{PATH}/None")

    assert (refused.status, refused.type) == (409, "OverQuota")
    assert answer.status == 200
    found = made(blue)
    assert [len(found[kind]) for kind in ("networks", "subnets", "routers")] == [1, 2, 1]


def test_who_deleted_the_network_gets_another(region: Any) -> None:
    prepare(region)
    blue = region.bearing("blue")
    first = blue.get(f"{PATH}/None").json["auto_allocated_topology"]["id"]
    (router,) = made(blue)["routers"]
    for subnet in made(blue)["subnets"]:
        path = f"/v2.0/routers/{router['id']}/remove_router_interface"
        assert blue.call("PUT", path, {"subnet_id": subnet["id"]}).status == 200
    assert blue.call("DELETE", f"/v2.0/networks/{first}").status == 204

    second = blue.get(f"{PATH}/None").json["auto_allocated_topology"]["id"]

    assert second != first
    assert [each["id"] for each in made(blue)["networks"]] == [second]


def test_nobody_asks_for_another_project_but_operators(region: Any) -> None:
    prepare(region)

    foreign = region.bearing("red").get(f"{PATH}/blue")
    answer = region.bearing("operator").get(f"{PATH}/blue")

    assert (foreign.status, foreign.type) == (404, "AutoAllocatedTopologyNotFound")
    assert answer.json["auto_allocated_topology"]["project_id"] == "blue"
    assert len(made(region.bearing("blue"))["networks"]) == 1
