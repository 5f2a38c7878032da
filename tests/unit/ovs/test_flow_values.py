"""Flows are values: what means the same is equal, and what does not fit is refused."""

from collections.abc import Callable

import pytest

from alcor.ovs.flow import (
    CONTROLLER,
    CtClear,
    DecTtl,
    Flow,
    Output,
    Punt,
    apply,
    ct,
    load,
    match,
    move,
    output,
    punt,
    set_field,
)


def test_conditions_are_equal_in_whatever_order_they_are_said() -> None:
    assert match(reg0=1, eth_src=2) == match(eth_src=2, reg0=1)
    assert hash(match(reg0=1, eth_src=2)) == hash(match(eth_src=2, reg0=1))


def test_bits_outside_of_a_mask_do_not_count() -> None:
    assert match(ipv4_dst=(0x0A000001, 0xFFFFFF00)) == match(ipv4_dst=(0x0A0000FF, 0xFFFFFF00))
    assert match(ipv4_dst=(5, 0xFFFFFFFF)) == match(ipv4_dst=5)
    assert match(ipv4_dst=(5, 0)) == match()
    assert apply(metadata=(0xFF, 0x0F)) == apply(metadata=(0x0F, 0x0F))
    assert set_field("reg0", 0xFF, 0x0F) == set_field("reg0", 0x0F, 0x0F)


def test_actions_of_different_kinds_are_never_equal() -> None:
    assert len({DecTtl(), CtClear()}) == 2
    assert apply(DecTtl()) != apply(CtClear())


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: match(eth_src=1 << 48),
        lambda: match(ip_dscp=64),
        lambda: match(in_port=-1),
        lambda: set_field("vlan_vid", 0x2000),
        lambda: load("reg0", 4, 0, 2),
        lambda: load("ct_label", 1),
        lambda: move("eth_src", "reg0"),
        lambda: move("ipv6_src", "ipv6_dst", 128, 1),
    ],
)
def test_what_does_not_fit_is_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"fit"):
        wrong()


def test_a_field_that_the_switch_can_not_mask_is_not_masked() -> None:
    with pytest.raises(ValueError, match="can't be masked"):
        match(ip_proto=(6, 4))  # type: ignore[arg-type]


def test_a_punt_says_only_what_it_must() -> None:
    assert punt() == Output(CONTROLLER, 0xFFFF)
    assert punt(meter=5) == Punt(0xFFFF, 5, b"")


def test_a_zone_is_a_number_or_bits_of_a_field() -> None:
    assert ct(5, table=3).zone == 5
    assert ct("reg6", zone_offset=16).zone_offset == 16


def test_a_flow_reads_well() -> None:
    flow = Flow(60, 5, match(reg14=3, ipv4_dst=(0x0A000000, 0xFF000000)), apply(output(2)))

    assert str(flow) == "table=60,priority=5,ipv4_dst=0xa000000/0xff000000,reg14=0x3"
    assert str(match()) == "any"
