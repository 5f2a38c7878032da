"""How the text of an option becomes the JSON of a field."""

from typing import Any

import pytest
import typer

from alcor.cli.kinds import client_kind, referred, resources
from alcor.cli.resources.inputs import options_of, row_of, value_of


def value(kind: str, field: str, *given: str) -> Any:
    declared = resources()[kind].field_by_name[field]
    texts: Any = list(given) if declared.type.name.startswith("list of") else given[0]
    return value_of(declared, texts, lambda kind, name: f"{kind}/{name}")


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("network_id", "network"),
        ("floating_network_id", "network"),
        ("subnet_ids", "subnet"),
        ("security_groups", "security-group"),
        ("remote_group_id", "security-group"),
        ("remote_address_group_id", "address-group"),
        ("qos_policy_id", "qos-policy"),
        ("internal_port_id", "port"),
        ("service_profiles", "service-profile"),
        ("device_id", ""),
        ("project_id", ""),
    ],
)
def test_a_field_tells_by_its_name_whose_ids_it_holds(field: str, kind: str) -> None:
    assert referred(field) == kind


@pytest.mark.parametrize(
    ("kind", "field", "texts", "json"),
    [
        ("network", "mtu", ["1400"], 1400),
        ("network", "name", ["1400"], "1400"),
        ("network", "provider:segmentation_id", ["none"], None),
        ("network", "name", ["none"], "none"),
        ("subnet", "gateway_ip", ["none"], None),
        ("subnet", "dns_nameservers", ["192.0.2.1", "192.0.2.2"], ["192.0.2.1", "192.0.2.2"]),
        ("subnet", "dns_nameservers", ["none"], []),
        (
            "subnet",
            "allocation_pools",
            ["fd00::5-fd00::9"],
            [{"start": "fd00::5", "end": "fd00::9"}],
        ),
        (
            *("subnet", "host_routes", ["10.0.0.0/8=192.0.2.1"]),
            [{"destination": "10.0.0.0/8", "nexthop": "192.0.2.1"}],
        ),
        (
            *("port", "fixed_ips", ["subnet=blue,ip-address=10.0.0.9", '{"subnet_id": "x"}']),
            [{"subnet_id": "subnet/blue", "ip_address": "10.0.0.9"}, {"subnet_id": "x"}],
        ),
        (
            *("port", "extra_dhcp_opts", ["bootfile-name=pxe.0"]),
            [{"opt_name": "bootfile-name", "opt_value": "pxe.0"}],
        ),
        (
            "port",
            "allowed_address_pairs",
            ["ip-address=10.0.0.0/8"],
            [{"ip_address": "10.0.0.0/8"}],
        ),
        ("port", "binding:profile", ['{"a": 1}'], {"a": 1}),
        ("port", "tags", ["a=b"], ["a=b"]),
        (
            *("trunk", "sub_ports", ["port=vm,segmentation-type=vlan,segmentation-id=5"]),
            [{"port_id": "port/vm", "segmentation_type": "vlan", "segmentation_id": 5}],
        ),
        ("network", "description", ['{"a": 1}'], '{"a": 1}'),
    ],
)
def test_a_text_gets_the_form_of_its_field(
    kind: str, field: str, texts: list[str], json: object
) -> None:
    assert value(kind, field, *texts) == json


@pytest.mark.parametrize(
    ("kind", "field", "text"),
    [
        ("port", "fixed_ips", "x=1"),
        ("port", "fixed_ips", "10.0.0.9"),
        ("port", "binding:profile", "{no json"),
        ("subnet", "allocation_pools", "10.0.0.1"),
    ],
)
def test_what_has_no_such_form_is_wrong_usage(kind: str, field: str, text: str) -> None:
    with pytest.raises(typer.BadParameter):
        value(kind, field, text)


@pytest.mark.parametrize("name", resources())
def test_no_two_options_of_a_kind_are_the_same(name: str) -> None:
    fields = [field for field in resources()[name].fields if field.post or field.put]

    infos = [each.annotation.__metadata__[0] for each in options_of(name, fields)]
    options = [info.default for info in infos]

    assert len(options) == len(set(options))


def test_a_row_of_a_table_is_read_by_its_titles() -> None:
    fields = resources()["port"].fields
    row = {"name": "vm", "network": "blue", "binding:host_id": "h1", "tags": "a;b", "mac": ""}

    body = row_of(fields, row, lambda kind, name: f"{kind}/{name}")

    assert body == {
        "name": "vm",
        "network_id": "network/blue",
        "binding:host_id": "h1",
        "tags": ["a", "b"],
    }


def test_a_kind_under_another_is_asked_for_under_its_parent() -> None:
    kind = client_kind("qos-dscp-marking-rule").under("7")

    assert kind.path == "/v2.0/qos/policies/7/dscp_marking_rules"
