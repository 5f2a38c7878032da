"""Delays between attempts and merged reports: the pure parts of the client."""

from hypothesis import given
from hypothesis import strategies as st

from alcor.goal_state.reports import PortStatus
from alcor.transport.link import PortState, Report
from alcor.transport.standing import backoff_max_s, backoff_s, merged


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_delay_is_never_long_and_never_nothing(attempt: int, chance: float) -> None:
    assert 0 < backoff_s(attempt, chance) <= backoff_max_s


def test_delays_grow_and_chance_spreads_them() -> None:
    assert backoff_s(5, 0.0) > backoff_s(2, 1.0)
    assert backoff_s(20, 0.0) == backoff_max_s / 2


def test_merged_reports_keep_the_last_of_everything() -> None:
    up, down = PortState("p1", PortStatus.UP), PortState("p1", PortStatus.DOWN)
    other = PortState("p2", PortStatus.UP)

    assert merged(None, Report(1, 5, [up])) == Report(1, 5, [up])
    assert merged(Report(1, 5, [up, other], 7), Report(1, 9, [down], 8)) == Report(
        1, 9, (down, other), 8
    )
