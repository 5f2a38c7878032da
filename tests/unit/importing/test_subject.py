"""What of an item is asked for, and when two values of a field mean the same."""

from typing import Any

import pytest

from alcor.assembly.resources import declared
from alcor.cli.kinds import command_name
from alcor.importing.subject import Subject, alike, differences
from alcor.importing.subjects import subjects

KINDS = {command_name(each): each for each in declared()}
BY_TITLE = {each.title: each for each in subjects(KINDS, anew=False)}
ANEW = {each.title: each for each in subjects(KINDS, anew=True)}


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("description", None, "", True),
        ("shared", None, False, True),
        ("max_burst_kbps", 0, None, False),  # a number says something
        ("dscp_mark", 0, False, False),
        ("tags", ["b", "a"], ["a", "b"], True),
        ("dns_nameservers", ["b", "a"], ["a", "b"], False),  # asked one after the other
        ("mac_address", "FA:16:3E:00:00:01", "fa:16:3e:00:00:01", True),
        ("external_gateway_info", {"a": 1, "qos_policy_id": None}, {"a": 1}, True),
        ("fixed_ips", [{"a": 1, "b": 2}, {"a": 0}], [{"a": 0}, {"b": 2, "a": 1}], True),
        ("name", "x", "y", False),
    ],
)
def test_values_that_mean_the_same_are_alike(name: str, one: Any, other: Any, same: bool) -> None:
    assert alike(name, one, other) is same
    assert alike(name, other, one) is same


def test_what_the_end_here_does_not_show_is_no_difference() -> None:
    assert differences({"a": 1, "b": 2}, {"a": 3}) == {"a": 1}


def network(**fields: Any) -> dict[str, Any]:
    return {"id": "n", "name": "x", "project_id": "p", "mtu": 1450, "tags": []} | fields


def made(subject: Subject, item: dict[str, Any]) -> dict[str, Any]:
    return subject.body(subject.wanted(item))


def test_a_null_is_left_out_but_for_a_gateway_that_shall_not_be() -> None:
    subnet = {"id": "s", "network_id": "n", "cidr": "10.0.0.0/24", "ip_version": 4,
              "gateway_ip": None, "ipv6_ra_mode": None, "segment_id": None}  # fmt: skip

    body = made(BY_TITLE["subnets"], subnet)

    assert body["gateway_ip"] is None
    assert body.keys().isdisjoint({"ipv6_ra_mode", "segment_id"})


def test_networks_of_one_listed_segment_are_networks_of_that_segment() -> None:
    segment = {"provider:network_type": "vlan", "provider:physical_network": "p",
               "provider:segmentation_id": 5}  # fmt: skip

    body = made(BY_TITLE["flat and VLAN networks"], network(segments=[segment]))

    assert segment.items() <= body.items()
    assert "segments" not in body


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"provider:network_type": "vxlan"}, "networks"),
        ({"provider:network_type": "geneve"}, "networks"),
        ({"provider:network_type": "vlan"}, "flat and VLAN networks"),
        ({"provider:network_type": "flat"}, "flat and VLAN networks"),
        ({"provider:network_type": "gre"}, ""),
        ({"provider:network_type": "local"}, ""),
        ({"segments": [{"provider:network_type": "vxlan"}] * 2}, "networks"),
        ({"segments": [{"provider:network_type": "vlan"}] * 2}, "flat and VLAN networks"),
        (
            {"segments": [{"provider:network_type": t} for t in ("vxlan", "vlan")]},
            "flat and VLAN networks",
        ),
        ({"segments": [{"provider:network_type": t} for t in ("vlan", "gre")]}, ""),
        ({"name": "HA network tenant x", "project_id": ""}, ""),
        ({"name": "mine", "ha": True}, ""),
        ({"name": "HA network tenant x"}, "networks"),  # a tenant's own of that name
    ],
)
def test_each_network_is_brought_once_or_not_at_all(fields: dict[str, Any], where: str) -> None:
    titles = ("networks", "flat and VLAN networks")

    assert [t for t in titles if BY_TITLE[t].judge(network(**fields)) is None] == [where][
        : bool(where)
    ]


def test_tunnels_anew_have_no_type_and_id_of_the_sources() -> None:
    old = network(**{"provider:network_type": "gre", "provider:segmentation_id": 9})

    body = made(ANEW["networks"], old)

    assert ANEW["networks"].judge(old) is None
    assert not [name for name in body if name.startswith("provider:")]
    assert "mtu" not in body


def test_tunnels_anew_are_so_beside_the_wires_of_a_network() -> None:
    wire = {"provider:network_type": "vlan", "provider:physical_network": "p",
            "provider:segmentation_id": 5}  # fmt: skip
    tunnel = {"provider:network_type": "gre", "provider:segmentation_id": 9}
    old = network(segments=[wire, tunnel], **wire)

    body = made(ANEW["flat and VLAN networks"], old)

    assert body["segments"] == [wire, {}]
    assert not [name for name in body if name.startswith("provider:")]
    assert "mtu" not in body


def test_a_port_that_waits_for_addresses_is_not_made_one_without() -> None:
    port = {"id": "p", "network_id": "n", "device_owner": "", "fixed_ips": []}

    assert made(BY_TITLE["ports"], port | {"ip_allocation": "immediate"})["fixed_ips"] == []
    assert "fixed_ips" not in made(BY_TITLE["ports"], port | {"ip_allocation": "deferred"})


def test_what_nothing_here_can_keep_is_said() -> None:
    item = network(vlan_transparent=True, qinq=False, ha=None, status="ACTIVE")

    assert BY_TITLE["networks"].beyond(item) == ["vlan_transparent=True"]


def test_every_kind_that_can_be_made_is_brought_or_known_not_to_be() -> None:
    brought = {each.kind.path for each in BY_TITLE.values()}
    others = {
        "/alcor/v1/nodes", "/alcor/v1/network-acls", "/alcor/v1/network-acl-rules",
        "/v2.0/segments", "/v2.0/default-security-group-rules",
    }  # fmt: skip
    creatable = {kind.path for kind in KINDS.values() if kind.creatable and not kind.parent}

    assert creatable == brought | others
