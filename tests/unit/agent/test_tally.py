"""Counts of flows become counts of labels, which only grow."""

from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.features.routers import metering
from alcor.agent.metering.reader import MeterReader
from alcor.agent.metering.tally import Counted, Tally
from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel
from alcor.goal_state.entries import MeteringRule
from alcor.ovs.openflow.flows import FlowCounts, FlowKey, flow_key
from alcor.values.addresses import prefix


def rule(id_: str, label: str, cidr: str, ingress: bool = True, **how: bool) -> MeteringRule:
    excluded = how.get("excluded", False)
    return MeteringRule(id_, label, "*", ingress, excluded, prefix(cidr), None)


ALL, FEW = rule("a", "web", "0.0.0.0/0"), rule("b", "web", "10.0.0.0/8")
NOT = rule("c", "web", "10.1.0.0/16", excluded=True)
OUT = rule("d", "web", "0.0.0.0/0", ingress=False)


def key_of(each: MeteringRule) -> FlowKey:
    ((_, flow),) = metering.flows([each], 0)
    return flow_key(flow)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=20))
def test_all_that_came_is_counted_once_whenever_the_flow_begins_anew(
    readings: list[tuple[int, bool]],
) -> None:
    tally, on_switch, came, counted = Tally(), 0, 0, 0
    for more, anew in readings:
        # A flow that is put again says less than before only if it had counted something.
        on_switch = more if anew and more < on_switch else on_switch + more
        came += more
        found = tally.take([ALL], {key_of(ALL): FlowCounts(on_switch, on_switch * 100)})
        counted += found[Counted("web", True)].packets

    assert counted == came


def test_the_rules_of_a_label_are_added_up_and_what_is_excluded_is_not() -> None:
    counts = {key_of(each): FlowCounts(n, 10 * n) for n, each in enumerate((ALL, FEW, NOT, OUT), 1)}

    found = Tally().take([ALL, FEW, NOT, OUT], counts)

    assert found == {
        Counted("web", True): FlowCounts(3, 30),
        Counted("web", False): FlowCounts(4, 40),
    }


class Switch:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.said: dict[FlowKey, FlowCounts] | None = None
        self.asked = 0

    async def counts(self, table: int) -> dict[FlowKey, FlowCounts] | None:
        self.asked += 1
        return self.said


def read(reader: MeterReader) -> None:
    try:
        reader.read().send(None)  # it waits for nothing but the switch, which answers at once
    except StopIteration:
        return
    raise AssertionError("it waits")


def test_metrics_name_labels_while_there_are_any() -> None:
    model, switch, metrics = HostModel(), Switch(), Metrics()
    reader = MeterReader(model, switch, metrics)

    def packets() -> float | None:
        labels = {"label": "web", "direction": "ingress"}
        return metrics.registry.get_sample_value("alcor_agent_metered_packets_total", labels)

    read(reader)
    assert switch.asked == 0
    model.put(ALL)
    read(reader)
    assert packets() is None  # the switch is not there
    switch.said = {key_of(ALL): FlowCounts(5, 500)}
    read(reader)
    assert packets() == 5
    model.remove(ALL)
    read(reader)
    assert packets() is None
