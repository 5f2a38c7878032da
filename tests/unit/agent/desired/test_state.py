"""The state file is either what was written, or nothing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.desired.state import (
    Corrupt,
    SavedEntry,
    SavedNeighbour,
    SavedSlice,
    SavedState,
    decode,
    encode,
    read,
    write,
)

STATE = SavedState(
    host="h1",
    slices=[
        SavedSlice(name="host/h1/", epoch=3, position=9, entries=[SavedEntry("k", b"\0v", 7)]),
    ],
    outside=[SavedNeighbour("net", "203.0.113.1", 5, 6, "203.0.113.21")],
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert write(tmp_path / "state", STATE) == (tmp_path / "state").stat().st_size

    assert read(tmp_path / "state") == STATE
    assert [each.name for each in tmp_path.iterdir()] == ["state"]


def test_nothing_written_is_nothing_read(tmp_path: Path) -> None:
    assert read(tmp_path / "state") is None


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_one_changed_byte_is_noticed(at: int, difference: int) -> None:
    data = bytearray(encode(STATE))
    data[at % len(data)] ^= difference

    with pytest.raises(Corrupt):
        decode(bytes(data))


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_politely(data: bytes) -> None:
    with pytest.raises(Corrupt):
        decode(data)


def test_a_file_cut_short_is_not_trusted(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(encode(STATE)[:-1])

    with pytest.raises(Corrupt):
        read(tmp_path / "state")
