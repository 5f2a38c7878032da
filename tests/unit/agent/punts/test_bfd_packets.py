"""BFD control packets: what is read, and what is no packet of one hop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.agent.packets import bfd
from alcor.agent.packets.bfd import Control, State
from alcor.agent.packets.ipv4 import Malformed
from alcor.values.addresses import Address, address

# As BIRD 2.0.12 sends it while it knows nobody: version 1, Down, multiplier 5, one second.
OF_BIRD = bytes.fromhex("20400518 31415926 00000000 000f4240 0000 2710 00000000".replace(" ", ""))
SAID = Control(State.UP, mine=7, yours=9, multiplier=5, tx_us=300_000, rx_us=300_000, poll=True)
ENDS = {
    4: (address("203.0.113.1"), address("203.0.113.7")),
    6: (address("2001:db8::1"), address("2001:db8::7")),
}


def carried(said: Control = SAID, version: int = 4) -> bytes:
    source, target = ENDS[version]
    return bfd.frame((0x02_00_00_00_00_01, 0x02_00_00_00_00_02), source, target, 50_000, said)


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("state", State)
def test_what_is_built_is_read(version: int, state: State) -> None:
    said = SAID._replace(state=state, final=True, demand=True, diagnostic=3)

    assert bfd.parse(carried(said, version)) == (*ENDS[version], said)


@pytest.mark.parametrize("version", [4, 6])
def test_what_has_passed_a_router_is_not_believed(version: int) -> None:
    frame = bytearray(carried(version=version))
    at = 14 + (8 if version == 4 else 7)
    frame[at] = 254
    if version == 4:
        frame[24:26] = (int.from_bytes(frame[24:26], "big") + 0x100).to_bytes(2, "big")

    with pytest.raises(Malformed, match="one hop"):
        bfd.parse(bytes(frame))


@pytest.mark.parametrize(
    ("at", "value", "why"),
    [
        (0, 0x40, "version"),
        (1, 0xC4, "authenticated"),
        (1, 0xC1, "to several"),
        (2, 0, "multiplier"),
        (3, 23, "length"),
        (3, 25, "length"),
        (7, 0, "discriminator"),
        (11, 0, "knows nobody"),
    ],
)
def test_what_the_rfc_discards_is_discarded(at: int, value: int, why: str) -> None:
    frame = bytearray(carried())
    frame[14 + 20 + 8 + at] = value

    with pytest.raises(Malformed, match=why):
        bfd.parse(bytes(frame))


@given(st.binary(max_size=120), st.integers(0, 90))
def test_any_bytes_are_read_or_malformed(noise: bytes, kept: int) -> None:
    for frame in (noise, carried()[:kept] + noise, carried(version=6)[:kept] + noise):
        try:
            said = bfd.parse(frame)
        except Malformed:
            continue
        assert isinstance(said.source, Address)
