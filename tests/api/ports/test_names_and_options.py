"""Names and DHCP options of ports over HTTP: what hosts can say is taken, the rest refused."""

from typing import Any

import pytest
from tests.api.conftest import Api


def port_on(api: Api, **fields: Any) -> Any:
    """The answer to a POST of a port on a network of its own."""
    network = api.network()
    api.subnet(network["id"], "10.0.0.0/24")
    return api.call("POST", "/v2.0/ports", {"port": {"network_id": network["id"], **fields}})


def changed(api: Api, port: dict[str, Any], **fields: Any) -> Any:
    return api.call("PUT", f"/v2.0/ports/{port['id']}", {"port": fields})


def test_a_name_follows_every_change_and_is_never_of_another_region(api: Api) -> None:
    port = port_on(api).json["port"]
    (before,) = port["dns_assignment"]
    assert before["hostname"] == "host-" + before["ip_address"].replace(".", "-")

    named = changed(api, port, dns_name="WEB", dns_domain="tenant.example.").json["port"]
    whole = changed(api, port, dns_name="db.openstacklocal.").json["port"]

    assert (named["dns_name"], named["dns_domain"]) == ("web", "tenant.example.")
    assert named["dns_assignment"][0]["fqdn"] == "web.openstacklocal."
    assert whole["dns_name"] == "db"
    assert changed(api, port, dns_name="db.elsewhere.").status == 400
    assert changed(api, port, dns_name="-db").status == 400
    bare = changed(api, port, dns_name="").json["port"]
    assert bare["dns_assignment"] == port["dns_assignment"]


@pytest.mark.parametrize(
    ("name", "value", "version"),
    [
        ("bootfile-name", "x\n66,evil", 4),
        ("bootfile-name\n", "x", 4),
        ("bootfile-name", "x\r", 4),
        ("bootfile-name", "x\0", 4),
        ("bootfile-name", "x" * 5_000, 4),
        ("999", "x", 4),
        ("foo", "x", 4),
        ("0", "x", 4),
        ("255", "x", 4),
        ("bootfile-name", "", 4),
        ("bootfile-name", "x", 5),
    ],
)
def test_an_option_that_no_host_could_tell_is_refused(
    api: Api, name: str, value: str, version: int
) -> None:
    option = {"opt_name": name, "opt_value": value, "ip_version": version}

    assert port_on(api, extra_dhcp_opts=[option]).status == 400


def test_an_option_is_replaced_by_its_name_and_removed_by_null(api: Api) -> None:
    option = {"opt_name": "ntp-server", "opt_value": "10.0.0.3", "ip_version": 4}
    port = port_on(api, extra_dhcp_opts=[option]).json["port"]
    assert port["extra_dhcp_opts"] == [option]

    other = option | {"opt_value": "10.0.0.4"}
    assert changed(api, port, extra_dhcp_opts=[other]).json["port"]["extra_dhcp_opts"] == [other]
    gone = option | {"opt_value": None}
    assert changed(api, port, extra_dhcp_opts=[gone]).json["port"]["extra_dhcp_opts"] == []
