"""The same question to two tables in turns: the larger must answer nearly as soon as the smaller.

Each control plane stands beside the other, so that both see the same machine.
"""

from collections.abc import Callable

from bench.measure import in_turns, spread
from bench.tables import Row, at_most, ratio, seconds

growth_times_max = 1.2


def compare(
    name: str,
    rounds: int,
    small: Callable[[], float],
    large: Callable[[], float],
    tell: Callable[[str], None],
) -> Row:
    """The row of a question; `small` and `large` ask it once, and say how many seconds it took."""
    times = in_turns(
        rounds,
        {"smaller table": small, "larger table": large},
        lambda what: tell(f"{name}: {what}"),
    )
    small_s, large_s = (spread(times[f"{size} table"]).median for size in ("smaller", "larger"))
    growth = large_s / small_s
    return Row(
        cells=[name, seconds(small_s), seconds(large_s), ratio(growth)],
        values={"small_s": small_s, "large_s": large_s, "ratio": growth},
        verdict=at_most(growth_times_max, growth),
    )
