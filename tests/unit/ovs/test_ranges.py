"""Ranges as masks: exactly the range, and no more pairs than it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.ovs.ranges import masks_of_range

BITS = 8
ends = st.tuples(st.integers(0, 255), st.integers(0, 255)).map(sorted)


@given(ends)
def test_the_pairs_match_the_range_and_each_number_once(range_: list[int]) -> None:
    first, last = range_

    pairs = masks_of_range(first, last, BITS)

    matched = [n for value, mask in pairs for n in range(256) if n & mask == value]
    assert matched == list(range(first, last + 1))
    assert len(pairs) <= 2 * BITS - 2 or (first, last) == (0, 255)


def test_a_whole_range_is_one_pair_and_the_worst_thirty() -> None:
    assert masks_of_range(0, 0xFFFF) == [(0, 0)]
    assert masks_of_range(1000, 1999)[0] == (1000, 0xFFF8)
    assert len(masks_of_range(1, 0xFFFE)) == 30


@pytest.mark.parametrize("ends", [(2, 1), (0, 65536), (-1, 5)])
def test_what_is_no_range_is_refused(ends: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="is not a range"):
        masks_of_range(*ends)
