"""Segments of networks: one each, of the network's id."""

from typing import Any

PATH = "/v2.0/segments"


def test_a_network_has_one_segment_which_operators_describe(api: Any) -> None:
    network = api.network(name="n")
    path = f"{PATH}/{network['id']}"

    (found,) = api.listed(f"{PATH}?network_id={network['id']}")
    changed = api.call("PUT", path, {"segment": {"name": "rack", "description": "the first"}})

    assert found == {
        "id": network["id"], "network_id": network["id"], "network_type": "vxlan",
        "physical_network": None, "segmentation_id": network["provider:segmentation_id"],
        "name": None, "description": "", "revision_number": 0,
        "created_at": network["created_at"], "updated_at": network["created_at"],
    }  # fmt: skip
    said = {"name": "rack", "description": "the first", "revision_number": 1}
    shown = changed.json["segment"]
    assert shown == found | said | {"updated_at": shown["updated_at"]}
    assert api.get(path).json["segment"] == shown


def test_segments_are_found_by_how_their_networks_travel(api: Any) -> None:
    outside = {"router:external": True, "provider:network_type": "vlan",
               "provider:physical_network": "segments", "provider:segmentation_id": 77}  # fmt: skip
    network = api.network(**outside)

    found = api.listed(f"{PATH}?network_type=vlan&physical_network=segments&segmentation_id=77")

    assert [each["id"] for each in found] == [network["id"]]


def test_segments_are_found_by_what_is_said_of_them(api: Any) -> None:
    one, other = (api.network()["id"] for _ in "ab")
    said = {"name": "found-by-name", "description": "found by this"}
    api.call("PUT", f"{PATH}/{one}", {"segment": said})
    api.call("PUT", f"{PATH}/{other}", {"segment": {"name": "other-name"}})

    for query, wanted in (
        ("name=found-by-name", [one]),
        ("description=found+by+this", [one]),
        ("name=found-by-name&name=other-name&sort_key=created_at&sort_dir=asc", [one, other]),
        (f"name=found-by-name&network_id={other}", []),
        ("name=nobody", []),
    ):
        assert [each["id"] for each in api.listed(f"{PATH}?{query}")] == wanted, query


def test_a_segment_is_neither_made_nor_deleted_alone(api: Any) -> None:
    network = api.network()
    body = {"network_id": network["id"], "network_type": "vxlan"}
    path = f"{PATH}/{network['id']}"

    made = api.call("POST", PATH, {"segment": body})
    kept = api.call("DELETE", path)

    assert (made.status, made.type) == (400, "BadRequest")
    assert (kept.status, kept.type) == (409, "SegmentInUse")


def test_a_segment_goes_with_its_network_and_what_was_said_of_it(api: Any) -> None:
    id_ = api.network()["id"]
    path = f"{PATH}/{id_}"
    api.call("PUT", path, {"segment": {"name": "old"}})

    assert api.call("DELETE", f"/v2.0/networks/{id_}").status == 204

    for answer in (
        api.get(path),
        api.call("PUT", path, {"segment": {"name": "x"}}),
        api.call("DELETE", path),
    ):
        assert (answer.status, answer.type) == (404, "SegmentNotFound")
    api.network(id=id_)
    assert api.get(path).json["segment"]["name"] is None


def test_a_change_on_condition_of_an_older_revision_is_refused(api: Any) -> None:
    path = f"{PATH}/{api.network()['id']}"
    api.call("PUT", path, {"segment": {"name": "one"}})

    stale = api.call("PUT", path, {"segment": {"name": "two"}}, {"If-Match": "revision_number=0"})

    assert stale.status == 412
