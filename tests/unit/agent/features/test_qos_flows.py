"""Flows of a QoS policy: what a port sends goes by its queue, whatever else becomes of it."""

import pytest

from alcor.agent.features.ports import qos
from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.goal_state.entries import Limit, Network, Port, QosPolicy
from alcor.ovs.flow import Flow, SetQueue
from alcor.values.addresses import mac

PORT = Port("p", "n", mac("02:00:00:00:00:01"), (), True, True, "", "")
WIRED = Wired(PORT, Network("n", 7, 1_450, True, "", "one"), 3, 3)
SENT, SENT_PACKETS = Limit(False, False, 100, 100), Limit(False, True, 10, 10)
RECEIVED = Limit(True, False, 100, 100)
SLOT, QUEUE = 3, 4


def flows(policy: QosPolicy, queue: int) -> list[Flow]:
    return list(qos.port(WIRED, policy, SLOT, queue, cookie=1))


@pytest.mark.parametrize("limits", [(), (SENT,), (SENT_PACKETS,), (RECEIVED, SENT, SENT_PACKETS)])
@pytest.mark.parametrize("dscp", [None, 46])
def test_all_that_a_port_sends_goes_by_its_queue(
    limits: tuple[Limit, ...], dscp: int | None
) -> None:
    policy = QosPolicy("q", limits, dscp, minimum=5)
    sent = [flow for flow in flows(policy, QUEUE) if flow.table == p.QOS_OUT]

    assert len({(flow.priority, flow.match) for flow in sent}) == len(sent)
    assert all(SetQueue(QUEUE) in flow.instructions.actions for flow in sent)
    # Whatever is sent meets one of them: also what is not marked, as ARP is.
    assert any(flow.priority == p.PRIORITY.normal for flow in sent)
    metered = {flow.instructions.meter for flow in sent}
    assert (metered == {None}) is (SENT not in limits)


def test_what_a_port_receives_goes_by_no_queue() -> None:
    received = [
        flow
        for flow in flows(QosPolicy("q", (RECEIVED,), minimum=5), QUEUE)
        if flow.table != p.QOS_OUT
    ]

    assert received
    assert not any(SetQueue(QUEUE) in flow.instructions.actions for flow in received)


def test_a_port_whose_host_holds_nothing_back_has_no_queue() -> None:
    assert flows(QosPolicy("q", minimum=5), 0) == []
