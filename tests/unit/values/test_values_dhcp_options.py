"""What a tenant writes of DHCP options becomes bytes of the right kind, or is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.values.dhcp_options import NEXT_SERVER, DhcpOption, When, option


@pytest.mark.parametrize(
    ("name", "value", "code", "encoded"),
    [
        ("router", "10.0.0.254", 3, bytes((10, 0, 0, 254))),
        ("3", "10.0.0.254", 3, bytes((10, 0, 0, 254))),
        ("option:router", "10.0.0.254", 3, bytes((10, 0, 0, 254))),
        ("ntp-server", "10.0.0.3,10.0.0.4", 42, bytes((10, 0, 0, 3, 10, 0, 0, 4))),
        ("mtu", "1400", 26, bytes((5, 120))),
        ("bootfile-name", "undionly.kpxe", 67, b"undionly.kpxe"),
        ("67", "undionly.kpxe", 67, b"undionly.kpxe"),
        ("tftp-server", "10.0.0.9", 66, b"10.0.0.9"),
        ("150", "10.0.0.9", 150, bytes((10, 0, 0, 9))),
        ("server-ip-address", "10.0.0.9", NEXT_SERVER, bytes((10, 0, 0, 9))),
        ("domain-search", "a.example,b", 119, b"\x01a\x07example\x00\x01b\x00"),
        (
            "classless-static-route",
            "10.8.0.0/14,10.0.0.1",
            121,
            bytes((14, 10, 8, 10, 0, 0, 1)),
        ),
        ("ip-forward-enable", "1", 19, b"\x01"),
        ("224", "text of ours", 224, b"text of ours"),
        ("224", "300", 224, b"\x01\x2c"),
        ("224", "de:ad:be:ef", 224, b"\xde\xad\xbe\xef"),
    ],
)
def test_a_name_and_its_number_are_the_same_option(
    name: str, value: str, code: int, encoded: bytes
) -> None:
    assert option(name, value, 4) == DhcpOption(4, code, encoded)


@pytest.mark.parametrize(
    ("name", "value", "code", "encoded"),
    [
        ("dns-server", "fd00::53", 23, bytes((0xFD, *bytes(13), 0, 0x53))),
        ("option6:23", "[fd00::53]", 23, bytes((0xFD, *bytes(13), 0, 0x53))),
        ("bootfile-url", "http://[fd00::9]/ipxe", 59, b"http://[fd00::9]/ipxe"),
        ("bootfile-param", "a,bc", 60, b"\x00\x01a\x00\x02bc"),
        ("ntp-server", "fd00::3", 56, b"\x00\x01\x00\x10\xfd" + bytes(14) + b"\x03"),
    ],
)
def test_dhcpv6_has_names_of_its_own(name: str, value: str, code: int, encoded: bytes) -> None:
    assert option(name, value, 6) == DhcpOption(6, code, encoded)


def test_a_router_without_value_and_a_boot_server_of_the_other_family_are_not_told() -> None:
    assert option("router", "", 4).value == b""
    assert option("server-ip-address", "fd00::9", 4).value == b""


def test_a_tag_says_for_which_clients_an_option_is() -> None:
    assert option("tag:ipxe,67", "http://boot", 4).when is When.IPXE
    assert option("tag:!ipxe,bootfile-name", "undionly.kpxe", 4).when is When.NOT_IPXE


@pytest.mark.parametrize(
    ("name", "value", "version"),
    [
        ("bootfile-name", "x\n66,evil", 4),
        ("bootfile-name\n", "x", 4),
        ("bootfile-name", "x\r", 4),
        ("bootfile-name", "x\0", 4),
        ("bootfile-name", "x" * 5_000, 4),
        ("bootfile-name", "x" * 256, 4),
        ("bootfile-name", "", 4),
        ("999", "x", 4),
        ("foo", "x", 4),
        ("0", "x", 4),
        ("255", "x", 4),
        ("53", "5", 4),
        ("54", "10.0.0.1", 4),
        ("router", "fd00::1", 4),
        ("router", "nowhere", 4),
        ("mtu", "70000", 4),
        ("mtu", "-1", 4),
        ("ip-forward-enable", "2", 4),
        ("netmask", "10.0.0.1,10.0.0.2", 4),
        ("classless-static-route", "10.0.0.0/8", 4),
        ("classless-static-route", "fd00::/8,10.0.0.1", 4),
        ("domain-search", "a..b", 4),
        ("domain-search", "\xe4", 4),
        ("tag:red,67", "x", 4),
        ("bootfile-name", "x", 5),
        ("bootfile-name", "x", 6),
        ("3", "x", 6),
        ("70000", "x", 6),
        ("\u0663", "x", 4),
    ],
)
def test_what_nobody_could_send_is_refused(name: str, value: str, version: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        option(name, value, version)


@given(st.text(max_size=30), st.text(max_size=300), st.integers(0, 7))
def test_any_text_is_an_option_or_refused(name: str, value: str, version: int) -> None:
    for named in (name, "67", "121", "119", "60", "224"):
        try:
            made = option(named, value, version)
        except ValueError:
            continue
        assert len(made.value) <= 255
