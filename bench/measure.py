"""Numbers of repeated measurements, and taking measurements in turns.

The machine is shared and noisy: what is compared is measured in turns (A B A B), and only medians
and their ratios are read.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Spread(NamedTuple):
    """The median of several measurements, and their least and greatest; seconds when times."""

    median: float
    low: float
    high: float
    times: int


def spread(values: Iterable[float]) -> Spread:
    """Sum up measurements; `ValueError` when there are none."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    return Spread(median(ordered), ordered[0], ordered[-1], len(ordered))


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie; the values in order."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def in_turns(
    rounds: int,
    contenders: Mapping[str, Callable[[], T]],
    before: Callable[[str], None],
    *,
    turning: bool = True,
) -> dict[str, list[T]]:
    """Measure every contender `rounds` times, in turns; with `turning`, who is first changes from
    round to round. `before` is told what comes next.
    """
    results: dict[str, list[T]] = {name: [] for name in contenders}
    names = list(contenders)
    for number in range(rounds):
        turn = number % len(names) if turning else 0
        for name in names[turn:] + names[:turn]:
            before(f"{name}, {number + 1} of {rounds}")
            results[name].append(contenders[name]())
    return results
