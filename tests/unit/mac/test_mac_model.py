"""Laws of MAC blocks."""

import pytest

from alcor.managers.mac.model import MacRange, checked, default_range, first_of
from alcor.values.addresses import Mac, mac


def test_blocks_follow_each_other_and_come_again_after_the_whole_range() -> None:
    range_ = checked(MacRange(mac("02:00:00:00:00:00"), 4, 4))

    firsts = [first_of(range_, number) - range_.base for number in range(1, 7)]

    assert firsts == [0, 4, 8, 12, 0, 4]


def test_the_default_range_is_neutrons_prefix_whole() -> None:
    assert default_range.blocks * default_range.block_size == 1 << 24
    assert first_of(checked(default_range), 1) == mac("fa:16:3e:00:00:00")


@pytest.mark.parametrize(
    "wrong",
    [
        MacRange(mac("fa:16:3e:00:00:01"), 24, 1024),
        MacRange(mac("01:00:00:00:00:00"), 24, 1024),
        MacRange(Mac(0), 4, 32),
        MacRange(Mac(0), 0, 1),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(wrong: MacRange) -> None:
    with pytest.raises(ValueError, match="MacRange"):
        checked(wrong)
