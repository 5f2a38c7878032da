"""A plan leads from what is installed to what is wanted, safely."""

import gc
import tracemalloc

from hypothesis import given, settings
from hypothesis import strategies as st

from alcor.agent.compiler.compiler import Change, UnitChange
from alcor.agent.drivers import flow_tracker
from alcor.agent.drivers.flow_tracker import FlowTracker
from alcor.agent.model.model import HOST_UNIT, Unit, UnitKind
from alcor.agent.pipeline import pipeline as p
from alcor.agent.pipeline.cookies import cookie_of
from alcor.ovs.flow import Conjunction, Flow, apply, match
from alcor.ovs.openflow.flows import FlowBody, FlowKey, flow_body, flow_key

PORT, OTHER = Unit(UnitKind.PORT, "p1"), Unit(UnitKind.PORT, "p2")
NEIGHBOUR = Unit(UnitKind.NEIGHBOUR, "q", "n1")


def flow(unit: Unit, number: int, goto: int = 10) -> Flow:
    return Flow(0, 100, match(in_port=number), apply(goto=goto), cookie_of(unit))


def change(unit: Unit, puts: tuple[Flow, ...] = (), takes: tuple[Flow, ...] = ()) -> Change:
    put = tuple((flow_key(each), flow_body(each)) for each in puts)
    return Change((UnitChange(unit, put, tuple(map(flow_key, takes))),), (), (), {}, frozenset())


def carry_out(tracker: FlowTracker, switch: dict[FlowKey, FlowBody]) -> int:
    sent = 0
    for batch in tracker.plan():
        switch.update(batch.puts)
        for key in batch.takes:
            switch.pop(key, None)
        sent += len(batch)
    return sent


def test_what_is_there_already_is_not_sent() -> None:
    tracker = FlowTracker()
    tracker.want(change(PORT, (flow(PORT, 1),)))

    tracker.believe({flow_key(flow(PORT, 1)): flow_body(flow(PORT, 1))})

    assert tracker.plan() == []


def _size_of_what_is_made_here() -> int:
    """In bytes; other threads of the process make things too."""
    taken = tracemalloc.take_snapshot()
    here = taken.filter_traces([tracemalloc.Filter(inclusive=True, filename_pattern=__file__)])
    return sum(each.size for each in here.traces)


def test_what_is_read_back_as_wanted_is_not_held_twice() -> None:
    tracker, switch = FlowTracker(), dict[FlowKey, FlowBody]()
    tracker.want(change(PORT, tuple(flow(PORT, number) for number in range(1_000))))
    carry_out(tracker, switch)

    tracemalloc.start()
    try:
        read = {FlowKey(bytearray(k)): FlowBody(bytearray(v)) for k, v in switch.items()}
        size = _size_of_what_is_made_here()
        assert tracker.believe(read) == 0
        del read
        gc.collect()
        left = _size_of_what_is_made_here()
    finally:
        tracemalloc.stop()

    assert size > 100_000
    assert left < size / 10


def test_a_foreign_flow_goes_at_once_and_an_own_stray_only_when_all_is_known() -> None:
    tracker = FlowTracker()
    foreign, stray = flow_key(flow(PORT, 1)), flow_key(flow(PORT, 2))
    tracker.believe({foreign: FlowBody(9), stray: flow_body(flow(PORT, 2))})

    before = [batch.takes for batch in tracker.plan()]
    tracker.prune()
    after = {key for batch in tracker.plan() for key in batch.takes}

    assert before == [(foreign,)]
    assert after == {stray}


def test_what_is_left_over_of_a_kind_is_ours_and_not_wanted() -> None:
    tracker = FlowTracker()
    left, other, wanted = flow(NEIGHBOUR, 1), flow(PORT, 2), flow(NEIGHBOUR, 3)
    tracker.want(change(NEIGHBOUR, (wanted,)))
    there = {flow_key(each): flow_body(each) for each in (left, other, wanted)}
    tracker.believe({**there, flow_key(flow(PORT, 4)): FlowBody(9)})

    assert tracker.left_over(UnitKind.NEIGHBOUR) == [(flow_key(left), flow_body(left))]


def test_a_unit_is_never_cut_and_bundles_are_bounded() -> None:
    tracker = FlowTracker()
    for number in range(5):
        unit = Unit(UnitKind.PORT, f"p{number}")
        flows = tuple(flow(unit, number * 1000 + n) for n in range(300))
        tracker.want(change(unit, flows))

    sizes = [len(batch) for batch in tracker.plan()]

    assert sizes == [900, 600]
    assert max(sizes) <= flow_tracker.bundle_flows_max


def test_puts_come_before_what_is_only_taken_away() -> None:
    tracker = FlowTracker()
    switch: dict[FlowKey, FlowBody] = {}
    tracker.want(change(PORT, tuple(flow(PORT, n) for n in range(600))))
    carry_out(tracker, switch)

    tracker.want(change(PORT, (), tuple(flow(PORT, n) for n in range(600))))
    tracker.want(change(NEIGHBOUR, tuple(flow(NEIGHBOUR, 1000 + n) for n in range(600))))
    first, second = tracker.plan()

    assert (len(first.puts), len(first.takes)) == (600, 0)
    assert (len(second.puts), len(second.takes)) == (0, 600)


def test_what_lets_pass_is_revoked_before_anything_is_granted() -> None:
    member, grown = Unit(UnitKind.REMOTE, "m"), Unit(UnitKind.REMOTE, "n")
    tracker, switch = FlowTracker(), dict[FlowKey, FlowBody]()

    def lets(unit: Unit, number: int, *parts: int) -> Flow:
        actions = (Conjunction(part, 0, 2) for part in parts)
        what = match(eth_type=0x0800, ct_state=(0x20, 0x30), ct_nw_src=number)
        return Flow(p.SG_RULES_IN, 100, what, apply(*actions), cookie_of(unit))

    leaving = tuple(lets(member, n, 1) for n in range(1200))
    tracker.want(change(member, leaving))
    tracker.want(change(grown, (lets(grown, 5000, 1),)))
    carry_out(tracker, switch)
    tracker.want(change(PORT, (flow(PORT, 1), lets(PORT, 6000, 1))))
    tracker.want(change(grown, (lets(grown, 5000, 2),)))
    tracker.want(change(member, (), leaving))

    done: list[FlowKey] = []
    for batch in tracker.plan():
        assert len(batch) <= flow_tracker.bundle_flows_max
        done += [*batch.takes, *(key for key, _ in batch.puts)]

    granted = done.index(flow_key(lets(PORT, 6000)))
    assert all(done.index(flow_key(each)) < granted for each in leaving)
    assert done.index(flow_key(lets(grown, 5000))) < granted


def left_by_another_version(count: int) -> dict[FlowKey, FlowBody]:
    """What another pipeline has on the switch; half of its keys mean something else in ours."""
    there = [Flow(0, 0, match(), apply(), cookie_of(HOST_UNIT) ^ 1)]
    there += [flow(PORT, number, goto=99) for number in range(count)]
    return {flow_key(each): flow_body(each) for each in there}


def test_flows_of_another_pipeline_stay_until_one_bundle_replaces_them_all() -> None:
    tracker, most = FlowTracker(), flow_tracker.bundle_flows_max
    switch = left_by_another_version(2 * most)
    tracker.want(change(HOST_UNIT, (Flow(0, 0, match(), apply(), cookie_of(HOST_UNIT)),)))
    for number in range(most, 3 * most):
        unit = Unit(UnitKind.PORT, f"p{number}")
        tracker.want(change(unit, (flow(unit, number),)))
    before = dict(switch)
    tracker.believe(switch)

    assert (tracker.waits, carry_out(tracker, switch), switch) == (True, 0, before)

    tracker.prune()
    assert not tracker.waits
    (batch,) = tracker.plan()
    assert (len(batch.puts), len(batch.takes)) == (2 * most + 1, most)

    tracker.want(change(PORT, tuple(flow(PORT, 90_000 + n) for n in range(2 * most))))
    tracker.want(change(OTHER, (flow(OTHER, 99_999),)))
    assert len(tracker.plan()) == 2  # from now on it is as always


def test_a_unit_with_a_refused_flow_is_held_back_whole_until_it_changes() -> None:
    tracker = FlowTracker()
    switch: dict[FlowKey, FlowBody] = {}
    good, bad = flow(PORT, 1), flow(PORT, 2)
    tracker.want(change(PORT, (good,)))
    tracker.want(change(OTHER, (flow(OTHER, 3),)))
    carry_out(tracker, switch)
    tracker.want(change(PORT, (bad,)))

    refused = tracker.refuse({flow_key(bad): "no such table"})
    carry_out(tracker, switch)

    assert set(refused) == {PORT} == set(tracker.quarantined)
    assert set(switch) == {flow_key(flow(OTHER, 3))}

    better = flow(PORT, 2, goto=20)
    tracker.want(change(PORT, (better,)))
    carry_out(tracker, switch)

    assert not tracker.quarantined
    assert set(switch) == {flow_key(each) for each in (good, better, flow(OTHER, 3))}


steps = st.lists(
    st.tuples(
        st.sampled_from((PORT, OTHER, NEIGHBOUR)),
        st.integers(0, 5),
        st.none() | st.integers(10, 12),
        st.sampled_from(("go on", "apply", "read back", "meddle")),
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_whatever_happens_the_switch_ends_as_wanted(
    history: list[tuple[Unit, int, int | None, str]],
) -> None:
    tracker, switch = FlowTracker(), dict[FlowKey, FlowBody]()
    wanted: dict[int, Flow] = {}
    tracker.believe(switch)
    tracker.prune()
    for unit, number, goto, then in history:
        before = wanted.pop(number, None)
        if goto is not None:
            wanted[number] = flow(unit, number, goto)
            tracker.want(change(unit, (wanted[number],)))
        elif before is not None:
            tracker.want(change(unit, (), (before,)))
        if then == "apply":
            carry_out(tracker, switch)
        elif then == "meddle":
            switch.pop(flow_key(flow(unit, number)), None)
            switch[flow_key(flow(unit, 99))] = FlowBody(8)
        if then in ("read back", "meddle"):
            tracker.believe(switch)
            tracker.prune()
    carry_out(tracker, switch)

    assert switch == {flow_key(each): flow_body(each) for each in wanted.values()}
    assert carry_out(tracker, switch) == 0
