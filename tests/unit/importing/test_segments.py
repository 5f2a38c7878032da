"""Which segment of a network here is which one at the source."""

from typing import Any

from alcor.importing.segments import pairs


def segment(id_: str, type_: str, wire: str | None, number: int | None) -> dict[str, Any]:
    return {
        "id": id_,
        "network_type": type_,
        "physical_network": wire,
        "segmentation_id": number,
    }


def found(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, str | None]:
    return {one["id"]: here["id"] if here else None for one, here in pairs(theirs, ours)}


def test_segments_are_known_by_where_packets_travel() -> None:
    theirs = [
        segment("a", "vlan", "p", 1),
        segment("b", "vlan", "p", 2),
        segment("c", "flat", "q", None),
    ]
    ours = [
        segment("2", "vlan", "p", 2),
        segment("3", "flat", "q", None),
        segment("1", "vlan", "p", 1),
    ]

    assert found(theirs, ours) == {"a": "1", "b": "2", "c": "3"}


def test_tunnels_of_other_ids_stand_for_each_other_in_order() -> None:
    theirs = [
        segment("a", "gre", None, 9),
        segment("b", "gre", None, 8),
        segment("c", "vlan", "p", 1),
    ]
    ours = [
        segment("1", "vlan", "p", 1),
        segment("2", "vxlan", None, 70),
        segment("3", "vxlan", None, 60),
    ]

    assert found(theirs, ours) == {"a": "2", "b": "3", "c": "1"}


def test_an_only_segment_is_the_only_one_here() -> None:
    assert found([segment("a", "vxlan", None, 9)], [segment("1", "geneve", None, 5)]) == {"a": "1"}


def test_a_segment_that_is_only_at_the_source_is_to_be_made() -> None:
    theirs = [
        segment("a", "vlan", "p", 1),
        segment("b", "vlan", "p", 2),
        segment("c", "vxlan", None, 7),
    ]

    assert found(theirs, [segment("1", "vlan", "p", 1)]) == {"a": "1", "b": None, "c": None}
