"""Flows of a shape are the flows that its function makes, byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.compiled import as_flow

from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.shape import Shape, encoded
from alcor.ovs.flow import Flow, apply, match, set_field
from alcor.ovs.openflow.flows import flow_body, flow_key


def known(cookie: int, vni: int, mac: int, address: int) -> Flow:
    found = apply(set_field("eth_dst", mac), set_field("reg8", address), goto=p.ROUTE_OUT)
    return Flow(37, 0x2562, match(metadata=vni, reg8=address), found, cookie)  # with a % in it


KNOWN = Shape(known, "metadata", "eth_dst", "reg8")


@given(
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 64) - 1),
    st.integers(0, (1 << 48) - 1),
    st.integers(0, (1 << 32) - 1),
)
def test_a_flow_of_a_shape_is_the_flow_of_its_function(
    cookie: int, vni: int, mac: int, address: int
) -> None:
    filled = (KNOWN, (cookie, vni, mac, address))
    flow = known(cookie, vni, mac, address)

    assert as_flow(filled) == flow
    assert encoded(filled) == encoded(flow) == (flow_key(flow), flow_body(flow))
    assert KNOWN.numbers_of(flow_key(flow), flow_body(flow)) == (cookie, vni, mac, address)


def test_a_flow_that_is_not_of_a_shape_is_made_of_no_numbers() -> None:
    one, other = known(1, 7, 2, 3), known(1, 7, 2, 4)
    elsewhere = one._replace(table=38)

    assert KNOWN.numbers_of(flow_key(one), flow_body(other)) is None  # an address is there twice
    assert KNOWN.numbers_of(flow_key(elsewhere), flow_body(elsewhere)) is None


def test_a_number_that_does_not_fit_is_refused() -> None:
    with pytest.raises(OverflowError):
        encoded((KNOWN, (1, 7, 1 << 48, 0)))


def test_a_function_whose_flows_differ_in_more_than_numbers_is_no_shape() -> None:
    def odd(cookie: int, vni: int) -> Flow:
        return Flow(1, 100, match(metadata=vni), apply(goto=2 + vni % 7), cookie)

    with pytest.raises(ValueError, match="shape"):
        Shape(odd, "metadata")


def test_a_field_that_is_too_short_to_be_found_again_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        Shape(lambda cookie, kind: Flow(1, 1, match(ip_proto=kind), apply(), cookie), "ip_proto")
