"""A port's name is relative to the region's domain, and every address is called something."""

import pytest

from alcor.intent.records import FixedIp
from alcor.managers.port.model.names import (
    Assignment,
    NameNotOfRegion,
    assignments,
    within,
)
from alcor.resource.host_names import DNS_NAME

ZONE = "region.test."


def test_every_address_has_the_ports_name_or_one_made_of_it() -> None:
    both = [FixedIp("s", "10.0.0.5"), FixedIp("s", "fd00::5")]

    assert assignments("web", both, ZONE) == (
        Assignment("10.0.0.5", "web", "web.region.test."),
        Assignment("fd00::5", "web", "web.region.test."),
    )
    assert [each.hostname for each in assignments("", both, ZONE)] == [
        "host-10-0-0-5",
        "host-fd00--5",
    ]


def test_a_name_with_the_regions_domain_is_kept_without_it() -> None:
    assert within({"dns_name": "web.region.test."}, ZONE) == {"dns_name": "web"}
    assert within({"name": "x"}, ZONE) == {"name": "x"}
    for foreign in ("web.elsewhere.", "region.test.", "webregion.test."):
        with pytest.raises(NameNotOfRegion):
            within({"dns_name": foreign}, ZONE)


@pytest.mark.parametrize("name", ["web", "WEB", "a.b", "web.region.test.", "", None, "x1"])
def test_host_names_are_taken_in_lower_case(name: str | None) -> None:
    assert DNS_NAME.parse(name) == (name or "").lower()


@pytest.mark.parametrize(
    "name", ["-a", "a-", "a..b", "a b", "a_b", "x" * 64, "a." * 128, 5, "a.5", "\u0663", "a\n"]
)
def test_what_is_no_host_name_is_refused(name: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        DNS_NAME.parse(name)
