"""What travels survives its bytes, and any bytes survive the reader."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alcor.goal_state.reports import PortStatus
from alcor.transport import wire
from alcor.transport.link import Frame, Got, Hello, Item, PortState, Report, Violation
from alcor.values.addresses import address
from alcor.values.capacity import Bandwidth, Capacity, Inventory, PacketRates, total_max

CAPACITY = Capacity(
    hypervisor="h1.example",
    bandwidths=(
        Bandwidth("br-ex", "physnet1", egress=10_000, ingress=20_000),
        Bandwidth("rp_tunnelled", tunnels=True, egress=total_max),
    ),
    bandwidth_inventory=Inventory(1.5, 10, 5_000, 10, 100),
    packet_rates=PacketRates(1_000, 2_000),
)
MESSAGES = [
    Hello("h1", "0.1", address("192.0.2.1"), lazy=True, names=True, bridge="br-int"),
    Hello("h1", "", None),
    Hello("h1", "0.1", None, ("physnet1",), capacity=CAPACITY),
    Hello("h1", "0.1", None, capacity=Capacity(packet_rates=PacketRates(any=9))),
    wire.Subscribe("host/h1/", 7, 9),
    wire.Unsubscribe("host/h1/"),
    Report(7, 9, [PortState("p1", PortStatus.FAILED, "no interface")], 12, "netdev", "it hangs"),
    Report(7, 9, [PortState("p1", PortStatus.UP, ofport=5)]),
]
FRAME = Frame(
    epoch=7,
    position=9,
    items=[Item("host/h1/port/p1", b"x", 3, "req"), Item("host/h1/port/p2", None, 4, "")],
    begins=("host/h1/",),
    completes=("host/h1/",),
    resumes=("network/n1/",),
    refused=("network/n2/",),
)


@pytest.mark.parametrize("message", MESSAGES)
def test_what_a_host_says_survives_its_bytes(message: wire.HostMessage) -> None:
    assert wire.read_host_message(wire.host_message_bytes(message)) == message


@pytest.mark.parametrize(
    "message",
    [Hello("h1", "", None, bridge="b" * 65), Report(7, 9, datapath_type="d" * 65)],
)
def test_a_host_with_a_bridge_that_none_has_is_refused(message: wire.HostMessage) -> None:
    with pytest.raises(Violation):
        wire.read_host_message(wire.host_message_bytes(message))


@pytest.mark.parametrize("frame", [FRAME, Frame(1, 2)])
def test_a_frame_survives_its_bytes(frame: Frame) -> None:
    read = wire.read_frame(wire.frame_bytes(frame))

    assert read._replace(items=list(read.items)) == frame._replace(
        items=list(frame.items), begins=tuple(frame.begins), completes=tuple(frame.completes)
    )


def test_an_entry_with_no_bytes_is_not_gone() -> None:
    frame = Frame(1, 2, [Item("k", b"", 1, ""), Item("k", None, 2, "")])

    assert [item.value for item in wire.read_frame(wire.frame_bytes(frame)).items] == [b"", None]


def test_entries_asked_for_survive_their_bytes() -> None:
    got = Got(1, 2, [Item("k", b"v", 3, "")])

    assert wire.read_got(wire.got_bytes(got)) == got
    assert wire.read_get(wire.get_bytes("h1", ["k"])) == ("h1", ["k"])


@pytest.mark.parametrize(
    "capacity",
    [
        Capacity(bandwidths=(Bandwidth("a"), Bandwidth("a"))),
        Capacity(bandwidths=(Bandwidth(""),)),
        Capacity(bandwidths=(Bandwidth("a", "x" * 256),)),
        Capacity(bandwidths=tuple(Bandwidth(str(n)) for n in range(102))),
        Capacity(hypervisor="x" * 256),
        Capacity(packet_rates=PacketRates(any=total_max + 1)),
        Capacity(hypervisor="h", bandwidth_inventory=Inventory(allocation_ratio=float("nan"))),
        Capacity(hypervisor="h", bandwidth_inventory=Inventory(step_size=0)),
    ],
)
def test_what_no_host_can_guarantee_is_refused(capacity: Capacity) -> None:
    said = wire.host_message_bytes(Hello("h1", "", None, capacity=capacity))

    with pytest.raises(Violation):
        wire.read_host_message(said)


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (wire.read_host_message, wire.read_frame, wire.read_get, wire.read_got):
        with suppress(Violation):
            read(data)


@given(st.integers(0, 200), st.binary(max_size=3))
def test_a_damaged_frame_is_read_or_refused(at: int, damage: bytes) -> None:
    data = wire.frame_bytes(FRAME)

    with suppress(Violation):
        wire.read_frame(data[:at] + damage + data[at + len(damage) :])


def test_a_frame_for_many_hosts_is_encoded_once_and_never_mistaken_for_another() -> None:
    item = Item("network/n/neighbour/p", b"value", 3, "req-1")
    encoder = wire.FrameEncoder()

    first = encoder.encode(Frame(1, 9, [item]))
    again = encoder.encode(Frame(1, 9, [item]))
    later = encoder.encode(Frame(1, 10, [item]))
    gone = encoder.encode(Frame(1, 10, [item._replace(value=None)]))

    assert again is first
    assert [wire.read_frame(each) for each in (first, later, gone)] == [
        Frame(1, 9, [item]),
        Frame(1, 10, [item]),
        Frame(1, 10, [item._replace(value=None)]),
    ]
