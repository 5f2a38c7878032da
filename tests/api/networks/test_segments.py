"""Segments of networks: the first is of the network's id, further ones are made and deleted."""

from typing import Any

import pytest

PATH = "/v2.0/segments"
BOTH = [{"provider:network_type": "vxlan"}, {"provider:network_type": "vlan",
        "provider:physical_network": "both", "provider:segmentation_id": 12}]  # fmt: skip


def made(api: Any, network: dict[str, Any], **fields: Any) -> Any:
    body = {"network_id": network["id"], "network_type": "vxlan"} | fields
    answer = api.call("POST", PATH, {"segment": body})
    assert answer.status == 201, answer.json
    return answer.json["segment"]


def put(api: Any, id_: str, **fields: Any) -> Any:
    return api.call("PUT", f"{PATH}/{id_}", {"segment": fields})


def test_a_network_has_a_segment_which_operators_describe(api: Any) -> None:
    network = api.network(name="n")
    path = f"{PATH}/{network['id']}"

    (found,) = api.listed(f"{PATH}?network_id={network['id']}")
    changed = put(api, network["id"], name="rack", description="the first")

    assert found == {
        "id": network["id"], "network_id": network["id"], "network_type": "vxlan",
        "physical_network": None, "segmentation_id": network["provider:segmentation_id"],
        "alcor:vni": network["alcor:vni"],
        "name": None, "description": "", "revision_number": 0,
        "created_at": network["created_at"], "updated_at": network["created_at"],
    }  # fmt: skip
    said = {"name": "rack", "description": "the first", "revision_number": 1}
    shown = changed.json["segment"]
    assert shown == found | said | {"updated_at": shown["updated_at"]}
    assert api.get(path).json["segment"] == shown


def test_who_a_segment_is_for_may_be_said(api: Any) -> None:
    for key in ("project_id", "tenant_id"):
        assert key not in made(api, api.network(), **{key: "default"})


def test_segments_are_found_by_how_they_travel(api: Any) -> None:
    network = api.network()
    vlan = {"network_type": "vlan", "physical_network": "segments", "segmentation_id": 77}
    further = made(api, network, **vlan)

    found = api.listed(f"{PATH}?network_type=vlan&physical_network=segments&segmentation_id=77")

    assert [each["id"] for each in found] == [further["id"]]
    every = api.listed(f"{PATH}?network_id={network['id']}&sort_key=network_type&sort_dir=asc")
    assert [each["id"] for each in every] == [further["id"], network["id"]]
    ordered = api.listed(f"{PATH}?network_id={network['id']}&sort_key=segmentation_id&sort_dir=asc")
    by_number = sorted(every, key=lambda each: each["segmentation_id"])
    assert [each["id"] for each in ordered] == [each["id"] for each in by_number]


def test_segments_are_found_by_what_is_said_of_them(api: Any) -> None:
    one, other = (api.network()["id"] for _ in "ab")
    put(api, one, name="found-by-name", description="found by this")
    put(api, other, name="other-name")

    for query, wanted in (
        ("name=found-by-name", [one]),
        ("description=found+by+this", [one]),
        ("name=found-by-name&name=other-name&sort_key=created_at&sort_dir=asc", [one, other]),
        (f"name=found-by-name&network_id={other}", []),
        ("name=nobody", []),
    ):
        assert [each["id"] for each in api.listed(f"{PATH}?{query}")] == wanted, query


def test_a_further_segment_has_ids_of_its_own_and_the_network_shows_both(api: Any) -> None:
    network = api.network()
    assert "segments" not in network

    further = made(api, network, name="second", description="more")

    assert (further["name"], further["description"]) == ("second", "more")
    assert further["network_id"] == network["id"]
    ids = {network["id"], further["id"]}
    assert len(ids | {each["id"] for each in api.listed(f"{PATH}?network_id={network['id']}")}) == 2
    assert further["segmentation_id"] == further["alcor:vni"] != network["alcor:vni"]
    shown = api.get(f"/v2.0/networks/{network['id']}").json["network"]
    assert [each["provider:segmentation_id"] for each in shown["segments"]] == [
        network["provider:segmentation_id"], further["segmentation_id"],
    ]  # fmt: skip
    assert shown["provider:segmentation_id"] == network["provider:segmentation_id"]


def test_a_network_is_made_with_several_segments(api: Any) -> None:
    network = api.network(segments=BOTH)

    assert [each["provider:network_type"] for each in network["segments"]] == ["vxlan", "vlan"]
    assert network["segments"][1] == BOTH[1]
    assert network["revision_number"] == 1
    first, second = api.listed(f"{PATH}?network_id={network['id']}&sort_key=network_type&"
                               "sort_dir=desc")  # fmt: skip
    assert (first["id"], second["segmentation_id"]) == (network["id"], 12)


def test_segments_of_a_network_may_be_said_again_and_not_be_changed(api: Any) -> None:
    several = api.network(segments=[BOTH[0], BOTH[0]])
    for network in (several, api.network()):
        held = network.get("segments", [])
        path = f"/v2.0/networks/{network['id']}"

        same = api.call("PUT", path, {"network": {"segments": held, "name": "same"}})
        other = api.call("PUT", path, {"network": {"segments": [*held, BOTH[0]], "name": "other"}})

        assert (same.status, same.json["network"].get("segments", [])) == (200, held)
        assert (other.status, other.type) == (400, "InvalidInput")
        assert api.get(path).json["network"]["name"] == "same"


def test_no_two_segments_have_one_vlan_or_one_vni(api: Any) -> None:
    network = api.network()
    vlan = {"network_type": "vlan", "physical_network": "taken", "segmentation_id": 5}
    made(api, network, **vlan)
    vni = made(api, network)["segmentation_id"]

    for body in (vlan, {"network_type": "vxlan", "segmentation_id": vni},
                 {"network_type": "vxlan", "segmentation_id": network["alcor:vni"]}):  # fmt: skip
        again = api.call("POST", PATH, {"segment": {"network_id": network["id"]} | body})
        assert again.status == 409, again.json
        provider = {f"provider:{name}": value for name, value in body.items()}
        assert api.call("POST", "/v2.0/networks", {"network": provider}).status == 409


def test_a_deleted_segment_leaves_its_vlan_to_others(api: Any) -> None:
    network = api.network()
    vlan = {"network_type": "vlan", "physical_network": "left", "segmentation_id": 6}
    id_ = made(api, network, **vlan)["id"]

    assert api.call("DELETE", f"{PATH}/{id_}").status == 204

    assert api.get(f"{PATH}/{id_}").status == 404
    assert "segments" not in api.get(f"/v2.0/networks/{network['id']}").json["network"]
    made(api, network, **vlan)
    assert api.call("DELETE", f"/v2.0/networks/{network['id']}").status == 204
    made(api, api.network(), **vlan)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"network_type": "vlan", "segmentation_id": 5}, 400),
        ({"network_type": "gre"}, 400),
        ({"network_type": "local"}, 400),
        ({"network_type": "geneve"}, 400),
        ({"network_type": "flat", "physical_network": "x", "segmentation_id": 1}, 400),
        ({"network_type": "vxlan", "physical_network": "x"}, 400),
        ({"network_type": "vxlan", "network_id": "00000000-0000-4000-8000-00000000dead"}, 404),
    ],
)
def test_a_segment_that_can_not_be_is_refused(api: Any, body: Any, status: int) -> None:
    network = api.network()

    answer = api.call("POST", PATH, {"segment": {"network_id": network["id"]} | body})

    assert answer.status == status, answer.json
    assert len(api.listed(f"{PATH}?network_id={network['id']}")) == 1


def test_an_external_network_has_one_segment(api: Any) -> None:
    outside = api.network(**{"router:external": True})
    network = api.network()
    made(api, network)

    more = {"network_id": outside["id"], "network_type": "vxlan"}
    external = {"router:external": True}
    for answer in (
        api.call("POST", PATH, {"segment": more}),
        api.call("PUT", f"/v2.0/networks/{network['id']}", {"network": external}),
        api.call("POST", "/v2.0/networks", {"network": {"segments": [BOTH[0]] * 2} | external}),
    ):
        assert (answer.status, answer.type) == (400, "ExternalNetworkHasOneSegment")


def test_the_first_segment_goes_with_its_network_and_what_was_said_of_it(api: Any) -> None:
    network = api.network()
    path = f"{PATH}/{network['id']}"
    put(api, network["id"], name="old")
    further = made(api, network)["id"]

    kept = api.call("DELETE", path)
    assert (kept.status, kept.type) == (409, "SegmentInUse")
    assert api.call("DELETE", f"/v2.0/networks/{network['id']}").status == 204

    for answer in (
        api.get(path),
        api.get(f"{PATH}/{further}"),
        put(api, network["id"], name="x"),
        api.call("DELETE", path),
    ):
        assert (answer.status, answer.type) == (404, "SegmentNotFound")
    api.network(id=network["id"])
    assert api.get(path).json["segment"]["name"] is None


def test_a_change_on_condition_of_an_older_revision_is_refused(api: Any) -> None:
    id_ = api.network()["id"]
    put(api, id_, name="one")

    header = {"If-Match": "revision_number=0"}
    stale = api.call("PUT", f"{PATH}/{id_}", {"segment": {"name": "two"}}, header)

    assert stale.status == 412


def subnet(api: Any, network: dict[str, Any], cidr: str, segment_id: str | None) -> Any:
    body = {"network_id": network["id"], "ip_version": 4, "cidr": cidr, "segment_id": segment_id}
    return api.call("POST", "/v2.0/subnets", {"subnet": body})


def test_subnets_are_of_segments_and_keep_them(api: Any) -> None:
    network = api.network()
    further = made(api, network)

    one = subnet(api, network, "10.1.0.0/24", network["id"]).json["subnet"]
    two = subnet(api, network, "10.2.0.0/24", further["id"]).json["subnet"]

    assert (one["segment_id"], two["segment_id"]) == (network["id"], further["id"])
    assert api.get(f"/v2.0/networks/{network['id']}").json["network"]["l2_adjacency"] is False
    found = api.listed(f"/v2.0/subnets?segment_id={further['id']}")
    assert [each["id"] for each in found] == [two["id"]]
    kept = api.call("DELETE", f"{PATH}/{further['id']}")
    assert (kept.status, kept.type) == (409, "SegmentInUse")
    other = {"subnet": {"segment_id": network["id"]}}
    moved = api.call("PUT", f"/v2.0/subnets/{two['id']}", other)
    assert (moved.status, moved.type) == (400, "SubnetSegmentAssociationChangeNotAllowed")
    assert api.call("DELETE", f"/v2.0/subnets/{two['id']}").status == 204
    assert api.call("DELETE", f"{PATH}/{further['id']}").status == 204
    gone = subnet(api, network, "10.3.0.0/24", further["id"])
    assert (gone.status, gone.type) == (404, "SegmentNotFound")


def test_all_subnets_of_a_network_are_of_segments_or_none_is(api: Any) -> None:
    network, other = api.network(), api.network()
    further = made(api, network)
    assert subnet(api, network, "10.1.0.0/24", None).status == 201

    mixed = subnet(api, network, "10.2.0.0/24", further["id"])
    foreign = subnet(api, other, "10.2.0.0/24", further["id"])

    assert (mixed.status, mixed.type) == (400, "SubnetsNotAllAssociatedWithSegments")
    assert (foreign.status, foreign.type) == (400, "NetworkIdsDontMatch")


def test_a_subnet_becomes_one_of_its_networks_only_segment(api: Any) -> None:
    network = api.network()
    held = subnet(api, network, "10.1.0.0/24", None).json["subnet"]
    path, body = f"/v2.0/subnets/{held['id']}", {"subnet": {"segment_id": network["id"]}}
    further = made(api, network)

    several = api.call("PUT", path, body)
    assert several.type == "NoUpdateSubnetWhenMultipleSegmentsOnNetwork"
    assert api.call("DELETE", f"{PATH}/{further['id']}").status == 204
    alone = api.call("PUT", path, body)

    assert alone.status == 200
    assert alone.json["subnet"]["segment_id"] == network["id"]


def test_a_port_waits_for_its_address_where_subnets_are_of_segments(api: Any) -> None:
    network = api.network()
    further = made(api, network)
    of_it = subnet(api, network, "10.2.0.0/24", further["id"]).json["subnet"]

    port = api.port(network["id"])
    named = api.port(network["id"], fixed_ips=[{"subnet_id": of_it["id"]}])

    assert (port["fixed_ips"], port["ip_allocation"]) == ([], "deferred")
    assert named["alcor:segment"] == {"id": further["id"], "physical_network": ""}
    assert api.listed(f"/v2.0/ports?network_id={network['id']}&ip_allocation=deferred") == [port]
