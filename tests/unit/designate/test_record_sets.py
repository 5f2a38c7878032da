"""Which record sets follow from the names of ports and floating IPs."""

from typing import Any

import pytest

from alcor.integrations.designate.record_sets import RecordSet, Wanted
from alcor.integrations.designate.settings import DesignateSettings
from alcor.intent.records import (
    FixedIp,
    FloatingIpRecord,
    NetworkRecord,
    PortRecord,
    SubnetRecord,
)

WEB = RecordSet("blue", "example.org.", "web.example.org.", "A")
FLOATING = RecordSet("red", "example.org.", "web.example.org.", "A")


def network(domain: str = "example.org.") -> NetworkRecord:
    return NetworkRecord(id="n", project_id="blue", vni=1, mtu=1_450, dns_domain=domain)


def subnet(id_: str = "s", *, published: bool = True) -> SubnetRecord:
    return SubnetRecord(
        id=id_, network_id="n", project_id="blue", ip_version=4, cidr="10.0.0.0/24",
        dns_publish_fixed_ip=published,
    )  # fmt: skip


def port(
    *addresses: tuple[str, str], id_: str = "p", name: str = "web", domain: str = ""
) -> PortRecord:
    return PortRecord(
        id=id_, network_id="n", project_id="blue", mac_address="fa:16:3e:00:00:01",
        fixed_ips=tuple(FixedIp(*each) for each in addresses), dns_name=name, dns_domain=domain,
    )  # fmt: skip


def floating(port_id: str = "p", name: str = "", domain: str = "") -> FloatingIpRecord:
    return FloatingIpRecord(
        id="f", project_id="red", floating_network_id="x", floating_ip_address="198.51.100.7",
        floating_port_id="fp", mac_address="fa:16:3e:00:00:02", port_id=port_id,
        dns_name=name, dns_domain=domain,
    )  # fmt: skip


def wanted(**settings: Any) -> Wanted:
    made = Wanted(DesignateSettings(**settings))
    made.network("n", network())
    made.subnet("s", subnet())
    return made


def all_of(of: Wanted) -> dict[RecordSet, set[str]]:
    return {each: set(of.values(each)) for each in of.sets}


def test_a_name_is_published_for_addresses_of_subnets_that_say_so() -> None:
    names = wanted()
    names.subnet("t", subnet("t", published=False))
    names.port("p", port(("s", "10.0.0.5"), ("t", "10.1.0.5"), ("s", "2001:db8::5")))
    six = WEB._replace(type="AAAA")
    assert all_of(names) == {WEB: {"10.0.0.5"}, six: {"2001:db8::5"}}
    names.subnet("t", subnet("t"))
    assert names.values(WEB) == {"10.0.0.5", "10.1.0.5"}
    names.subnet("s", None)
    assert all_of(names) == {WEB: {"10.1.0.5"}}


def test_a_port_s_own_domain_goes_before_its_network_s() -> None:
    names = wanted()
    names.port("p", port(("s", "10.0.0.5"), domain="own.org."))
    assert [each.name for each in names.sets] == ["web.own.org."]
    names.port("p", port(("s", "10.0.0.5")))
    assert all_of(names) == {WEB: {"10.0.0.5"}}
    names.network("n", network("other.org."))
    assert [each.zone for each in names.sets] == ["other.org."]
    names.network("n", network(""))
    assert all_of(names) == {}


def test_a_name_of_several_ports_has_all_their_addresses() -> None:
    names = wanted()
    names.port("p", port(("s", "10.0.0.5")))
    names.port("q", port(("s", "10.0.0.6"), id_="q"))
    assert names.values(WEB) == {"10.0.0.5", "10.0.0.6"}
    names.port("p", None)
    assert names.values(WEB) == {"10.0.0.6"}


@pytest.mark.parametrize(
    ("name", "domain"), [("mail.example.net", "example.net."), ("mail.example.net", "example.net")]
)
def test_a_floating_ip_has_its_own_name_or_that_of_its_port(name: str, domain: str) -> None:
    names = wanted()
    names.subnet("s", subnet(published=False))
    names.port("p", port(("s", "10.0.0.5")))
    names.floating("f", floating())
    assert all_of(names) == {FLOATING: {"198.51.100.7"}}
    names.port("p", port(("s", "10.0.0.5"), name="db"))
    assert [each.name for each in names.sets] == ["db.example.org."]
    names.floating("f", floating(name=name, domain=domain))
    assert [(each.zone, each.name) for each in names.sets] == [
        ("example.net.", "mail.example.net.")
    ]
    names.floating("f", floating(port_id=""))
    assert all_of(names) == {}


def test_only_floating_ips_lead_back_to_names_and_only_if_that_is_set() -> None:
    names = wanted(reverse=True)
    names.port("p", port(("s", "10.0.0.5")))
    names.floating("f", floating())
    pointers = {each: names.values(each) for each in names.sets if each.type == "PTR"}
    zone = "100.51.198.in-addr.arpa."
    assert pointers == {RecordSet("", zone, f"7.{zone}", "PTR"): {"web.example.org."}}


def test_what_did_not_change_is_not_dirty() -> None:
    names = wanted()
    names.port("p", port(("s", "10.0.0.5")))
    assert names.dirty == {WEB}
    names.dirty.clear()
    names.port("p", port(("s", "10.0.0.5")))
    names.subnet("s", subnet())
    names.network("n", network())
    assert not names.dirty
    names.port("p", port(("s", "10.0.0.5"), name=""))
    assert names.dirty == {WEB}
