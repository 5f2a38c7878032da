"""The flows of taps follow their ports: incremental equals recompute where it matters to them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fixtures.compiled import compile_all
from tests.unit.agent.compiler.test_compiler import (
    ENDPOINTS,
    HERE,
    PORTS,
    change_model,
    held,
    mirrors,
    networks,
    ports,
    tap_flows,
    taps,
)

from alcor.agent.compiler.compiler import Compiler
from alcor.agent.model.model import HOST_UNIT, HostModel, Interface, Tunnel
from alcor.agent.model.ports.monitoring import Ports
from alcor.goal_state.entries import Mirror, Network, Port, Tap, TapFlow
from alcor.ovs.openflow.flows import flow_body
from alcor.values.addresses import Mac

entries = st.one_of(ports, networks, networks, taps, tap_flows)
interfaces = st.none() | st.builds(Interface, st.integers(-1, 4), st.just(True))
tunnels = st.none() | st.builds(
    Tunnel, st.just(9), st.sampled_from(ENDPOINTS[:2]), st.sampled_from((Ports(), Ports(1, 2, 32)))
)
changes = st.one_of(
    st.tuples(st.just("put"), entries),
    st.tuples(st.just("remove"), entries),
    st.tuples(st.just("interface"), st.tuples(st.sampled_from(PORTS), interfaces)),
    st.tuples(st.just("tunnel"), tunnels),
)


def port(id_: str, network_id: str) -> Port:
    mac = Mac(0x0200_0000_0000 + int(id_[1:]))
    return Port(id_, network_id, mac, (), True, True, id_, "")


def three_ports() -> HostModel:
    model = HostModel()
    model.set_tunnel(Tunnel(9, HERE, Ports(taps=32)))
    for number, network_id in enumerate(("n1", "n2"), 1):
        model.put(Network(network_id, number, 1450, True, ""))
    for number, id_ in enumerate(PORTS, 1):
        model.put(port(id_, "n2" if id_ == "p3" else "n1"))
        model.set_interface(id_, Interface(number, True))
    return model


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(taps, tap_flows, tap_flows, mirrors), min_size=1, max_size=3),
    st.lists(changes, min_size=1, max_size=3),
)
def test_what_is_copied_after_any_changes_is_what_it_would_be_from_nothing(
    watching: list[Tap | TapFlow | Mirror], changed: list[tuple[str, object]]
) -> None:
    model = three_ports()
    for entry in watching:
        model.put(entry)
    compiler = Compiler(model)
    compiler.update({HOST_UNIT, *model.units()})

    for change in changed:
        compiler.update(change_model(model, *change))

    assert held(compiler) == {key: flow_body(flow) for key, flow in compile_all(model).items()}


def test_a_port_for_copies_is_wanted_while_there_is_a_tap_or_a_flow() -> None:
    model = three_ports()
    tap, flow = Tap("t", "h", "p1", 7), TapFlow("f", "h", "p2", "p1", 7, (HERE,), True, True)
    mirror = Mirror("m", "h", "p1", HERE, erspan=True, ingress=1)

    assert model.kinds_of_copies == frozenset()
    for entry, kinds in ((tap, {"taps"}), (flow, {"taps"}), (mirror, {"erspan"})):
        model.put(entry)
        assert model.kinds_of_copies == kinds
        model.remove(entry)
    assert model.kinds_of_copies == frozenset()
