"""Ranges of segmentation ids, which networks obey."""

from collections.abc import Iterator
from typing import Any

import pytest

from alcor.assembly.config import Config
from alcor.gateway.app import GatewaySettings

PATH = "/v2.0/network-segment-ranges"


@pytest.fixture
def region(tmp_path_factory: pytest.TempPathFactory, control_plane: Any) -> Iterator[Any]:
    with control_plane(tmp_path_factory.mktemp("ranges"), GatewaySettings()) as api:
        yield api


def made(api: Any, **fields: Any) -> dict[str, Any]:
    body = {"network_type": "vxlan", "shared": False, "minimum": 1_100, "maximum": 1_102} | fields
    found: dict[str, Any] = api.make(PATH, "network_segment_range", **body)
    return found


def vni(api: Any, project: str, **fields: Any) -> int:
    return int(api.network(project_id=project, **fields)["provider:segmentation_id"])


def test_a_project_gets_ids_of_its_range_until_they_are_used_up(region: Any) -> None:
    found = made(region, project_id="blue", name="blue's")

    own = [vni(region, "blue") for _ in range(3)]
    beyond, others = vni(region, "blue"), vni(region, "red")

    assert own == [1_100, 1_101, 1_102]
    assert not {beyond, others} & {1_100, 1_101, 1_102}
    shown = region.get(f"{PATH}/{found['id']}").json["network_segment_range"]
    assert shown["used"] == {"1100": "blue", "1101": "blue", "1102": "blue"}
    assert shown["available"] == []


def test_nobody_else_gets_an_id_of_the_range(region: Any) -> None:
    made(region, project_id="blue", minimum=1, maximum=5)

    assert [vni(region, "red") for _ in range(2)] == [6, 7]


def test_what_networks_have_is_not_taken_from_a_range(region: Any) -> None:
    path = f"{PATH}/{made(region, project_id='blue')['id']}"
    network = region.network(project_id="blue")
    smaller = {"network_segment_range": {"minimum": 1_101, "maximum": 1_200}}
    larger = {"network_segment_range": {"minimum": 1_050, "maximum": 1_200, "name": "more"}}

    refused, changed = region.call("PUT", path, smaller), region.call("PUT", path, larger)

    assert (refused.status, refused.type) == (409, "NetworkSegmentRangeReferencedByProject")
    shown = changed.json["network_segment_range"]
    assert (shown["minimum"], shown["name"], shown["revision_number"]) == (1_050, "more", 2)
    assert region.call("DELETE", path).type == "NetworkSegmentRangeReferencedByProject"
    assert region.call("DELETE", f"/v2.0/networks/{network['id']}").status == 204
    assert region.call("DELETE", path).status == 204
    assert region.get(path).type == "NetworkSegmentRangeNotFound"


def test_the_region_has_a_default_range_that_stays(region: Any) -> None:
    (found,) = region.listed(PATH)
    path = f"{PATH}/{found['id']}"
    assert region.get(path).json["network_segment_range"] == found

    change = {"network_segment_range": {"maximum": 5}}
    for answer in (region.call("PUT", path, change), region.call("DELETE", path)):
        assert (answer.status, answer.type) == (400, "NetworkSegmentRangeDefaultReadOnly")
    settings = Config().network
    assert (found["minimum"], found["maximum"]) == (settings.vni_min, settings.vni_max)
    assert (found["default"], found["shared"], found["project_id"]) == (True, True, None)


def test_vlans_come_from_the_ranges_of_their_physical_network(region: Any) -> None:
    vlan = {"network_type": "vlan", "physical_network": "east"}
    made(region, **vlan, shared=True, minimum=100, maximum=101)
    made(region, **vlan, project_id="blue", minimum=100, maximum=100)
    outside = {"router:external": True, "provider:network_type": "vlan",
               "provider:physical_network": "east"}  # fmt: skip

    assert vni(region, "red", **outside) == 101
    assert vni(region, "blue", **outside) == 100
    full = region.call("POST", "/v2.0/networks", {"network": outside})
    assert (full.status, full.type) == (503, "NoNetworkAvailable")
    elsewhere = outside | {"provider:physical_network": "west"}
    assert vni(region, "red", **elsewhere) == 1


def test_a_vlan_network_is_on_a_physical_network_with_a_range_when_none_is_named(
    region: Any,
) -> None:
    vlan = {"network_type": "vlan"}
    anywhere = {"provider:network_type": "vlan"}

    def place(project: str) -> tuple[Any, ...]:
        asked = region.network(project_id=project, **anywhere)
        shown = region.get(f"/v2.0/networks/{asked['id']}").json["network"]
        assert shown == asked
        return asked["provider:physical_network"], asked["provider:segmentation_id"]

    none = region.call("POST", "/v2.0/networks", {"network": anywhere})
    made(region, **vlan, physical_network="west", shared=True, minimum=20, maximum=21)
    made(region, **vlan, physical_network="east", project_id="blue", minimum=7, maximum=7)
    made(region, **vlan, physical_network="west", project_id="green", minimum=20, maximum=20)

    assert (none.status, none.type) == (400, "InvalidInput")
    assert "Name a physical_network" in none.message
    assert place("blue") == ("east", 7)
    assert place("blue") == ("west", 21)
    assert place("green") == ("west", 20)
    full = region.call("POST", "/v2.0/networks", {"network": anywhere})
    assert (full.status, full.type) == (503, "NoNetworkAvailable")
    network = region.network()
    further = {"network_id": network["id"], "network_type": "vlan"}
    made(region, **vlan, physical_network="north", shared=True, minimum=9, maximum=9)
    segment = region.make("/v2.0/segments", "segment", **further)
    assert (segment["physical_network"], segment["segmentation_id"]) == ("north", 9)


@pytest.mark.parametrize(
    ("range_", "network"),
    [
        ({}, {}),
        (
            {"network_type": "vlan", "physical_network": "east"},
            {"provider:network_type": "vlan", "provider:physical_network": "east"},
        ),
    ],
    ids=["vni", "vlan"],
)
def test_an_id_that_was_given_back_comes_again_when_the_others_have_been_used(
    region: Any, range_: dict[str, Any], network: dict[str, Any]
) -> None:
    made(region, project_id="blue", minimum=100, maximum=102, **range_)

    given = []
    for _ in range(5):
        one = region.network(project_id="blue", **network)
        given.append(one["provider:segmentation_id"])
        assert region.call("DELETE", f"/v2.0/networks/{one['id']}").status == 204

    assert given == [100, 101, 102, 100, 101]


def test_vlans_without_a_range_are_given_in_turn(region: Any) -> None:
    vlan = {"provider:network_type": "vlan", "provider:physical_network": "west"}

    first = region.network(**vlan)
    region.call("DELETE", f"/v2.0/networks/{first['id']}")

    assert first["provider:segmentation_id"] == 1
    assert vni(region, "red", **vlan) == 2


def test_a_range_made_anew_begins_at_its_first_id(region: Any) -> None:
    for _ in range(2):
        path = f"{PATH}/{made(region, project_id='blue', minimum=100, maximum=102)['id']}"
        one = region.network(project_id="blue")
        assert one["provider:segmentation_id"] == 100
        assert region.call("DELETE", f"/v2.0/networks/{one['id']}").status == 204
        assert region.call("DELETE", path).status == 204


@pytest.mark.parametrize(
    ("fields", "type_"),
    [
        ({"network_type": "gre"}, "NetworkSegmentRangeNetTypeNotSupported"),
        ({"minimum": 9, "maximum": 8}, "InvalidInput"),
        ({"maximum": 1 << 24}, "InvalidInput"),
        ({"network_type": "vlan"}, "InvalidInput"),
        ({"network_type": "vlan", "physical_network": "e", "maximum": 4_095}, "InvalidInput"),
        ({"physical_network": "east"}, "InvalidInput"),
    ],
)
def test_a_range_that_can_not_be_is_refused(api: Any, fields: dict[str, Any], type_: str) -> None:
    body = {"network_type": "vxlan", "minimum": 5, "maximum": 10} | fields

    answer = api.call("POST", PATH, {"network_segment_range": body})

    assert (answer.status, answer.type) == (400, type_)
