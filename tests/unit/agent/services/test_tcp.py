"""A machine's TCP reaches the host's services whole and in order, whatever gets lost on the way."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.tcp import (
    ACK,
    FIN,
    PSH,
    RST,
    SYN,
    Ends,
    Segment,
    build_segment,
    parse_segment,
)
from alcor.agent.services.connection import (
    Connection,
    State,
    distance,
    idle_s_max,
    refusal,
    retries_max,
    window_bytes,
)
from alcor.values.addresses import address

MODULO = 1 << 32
ENDS4 = Ends(1, 2, address("10.0.0.5"), address("169.254.169.254"), 40_000, 80)
ENDS6 = Ends(1, 2, address("fe80::5"), address("fe80::a9fe:a9fe"), 40_000, 80)


class Client:
    """A plain TCP client that speaks first, reads all, and sends again what was lost."""

    def __init__(self, said: bytes, first: int, window: int = 8_192) -> None:
        self.first, self.said, self.window = first, said, window
        self.acked = 0  # of SYN, said, FIN
        self.heard = b""
        self.expects: int | None = None
        self.peer_finished = False
        self.reset = False

    def speak(self) -> list[Segment]:
        """All that is not acknowledged, and an acknowledgement."""
        if self.expects is None:
            return [Segment(self.first, 0, SYN, self.window, mss=500)]
        out = []
        at = self.acked - 1
        for start in range(at, len(self.said), 400):
            data = self.said[start : start + 400]
            seq = (self.first + 1 + start) % MODULO
            out.append(Segment(seq, self.expects, ACK | PSH, self.window, data))
        end = (self.first + 1 + len(self.said)) % MODULO
        if self.peer_finished and self.acked <= len(self.said) + 1:
            out.append(Segment(end, self.expects, FIN | ACK, self.window))
        return out or [Segment(end, self.expects, ACK, self.window)]

    def hear(self, segment: Segment) -> None:
        if segment.flags & RST:
            self.reset = True
            return
        if segment.flags & SYN:
            self.expects = (segment.seq + 1) % MODULO
        if self.expects is None:
            return
        self.acked = max(self.acked, distance(segment.ack, self.first))
        if segment.flags & SYN:
            return
        new = distance(self.expects, segment.seq)
        if 0 <= new < len(segment.payload):
            self.heard += segment.payload[new:]
            self.expects = (segment.seq + len(segment.payload)) % MODULO
        if segment.flags & FIN and (segment.seq + len(segment.payload)) % MODULO == self.expects:
            self.expects = (self.expects + 1) % MODULO
            self.peer_finished = True


def talk(
    client: Client, answer: Callable[[bytes], bytes | None], lost: Callable[[], bool], first: int
) -> tuple[bytes, Connection]:
    """Let them talk until the server is done; what it received, and the connection."""
    connection: Connection | None = None
    received, now, answered = b"", 0.0, False
    for _ in range(400):
        for segment in client.speak():
            if lost():
                continue
            if connection is None:
                if not segment.flags & SYN:
                    continue
                connection = Connection(segment, first, 1_400, now)
            else:
                received += connection.receive(segment, now)
            said = None if answered else answer(received)
            if said is not None:
                connection.write(said, now)
                connection.finish(now)
                answered = True
            for each in connection.take():
                if not lost():
                    client.hear(each)
        now += 0.5
        if connection is not None:
            connection.tick(now)
            for each in connection.take():
                if not lost():
                    client.hear(each)
            if connection.state is State.CLOSED:
                return received, connection
    raise AssertionError("they never came to an end")


@settings(deadline=None, max_examples=60)
@given(
    said=st.binary(min_size=1, max_size=5_000),
    answer=st.binary(max_size=60_000),
    seed=st.integers(0, 2**32),
    loss=st.sampled_from((0.0, 0.1, 0.3)),
    first=st.sampled_from((0, 1, MODULO - 1, MODULO - 3_000, MODULO // 2 - 2)),
    window=st.sampled_from((1, 500, 8_192, 65_535)),
)
def test_both_sides_get_every_byte_in_order_whatever_is_lost(
    said: bytes, answer: bytes, seed: int, loss: float, first: int, window: int
) -> None:
    chance = random.Random(seed)
    answer = answer[: 60 * window]
    client = Client(said, first, window)

    received, connection = talk(
        client,
        lambda so_far: answer if so_far == said else None,
        lambda: loss > 0 and chance.random() < loss,
        (first + 77) % MODULO,
    )

    assert received == said
    if not client.reset:
        assert client.heard == answer
    if not loss:
        assert not client.reset
        assert connection.pending == 0


def opened(window: int = 8_192, now: float = 0.0) -> Connection:
    connection = Connection(Segment(99, 0, SYN, window, mss=500), 1_000, 1_400, now)
    connection.take()
    connection.receive(Segment(100, 1_001, ACK, window), now)
    assert connection.state is State.OPEN
    return connection


def test_the_greeting_acknowledges_the_call_and_says_our_segment_size() -> None:
    (greeting,) = Connection(Segment(99, 0, SYN, 100), 1_000, 1_400, 0.0).take()

    assert (greeting.flags, greeting.seq, greeting.ack) == (SYN | ACK, 1_000, 100)
    assert greeting.mss == 1_400


def test_segments_are_no_larger_than_the_client_says_nor_more_than_it_has_room_for() -> None:
    connection = opened(window=1_200)

    connection.write(b"x" * 5_000, 0.0)

    sizes = [len(each.payload) for each in connection.take()]
    assert sizes == [500, 500, 200]


def test_a_closed_window_is_asked_again_with_one_byte() -> None:
    connection = opened(window=0)
    connection.write(b"xyz", 0.0)
    assert connection.take() == []

    connection.tick(connection.wake_at)

    (probe,) = connection.take()
    assert probe.payload == b"x"


def test_who_never_acknowledges_is_given_up() -> None:
    connection = opened()
    connection.write(b"x", 0.0)
    sent = 0
    while connection.state is not State.CLOSED:
        sent += len([each for each in connection.take() if each.payload])
        connection.tick(connection.wake_at)

    assert sent == retries_max + 1
    assert connection.take()[-1].flags & RST


def test_who_is_silent_is_given_up() -> None:
    connection = opened()
    assert connection.wake_at == idle_s_max
    connection.tick(idle_s_max)
    assert connection.state is State.CLOSED


@pytest.mark.parametrize("seq", [100 - 1, 100 + window_bytes, 100 + MODULO // 2])
def test_a_reset_from_outside_the_window_does_nothing(seq: int) -> None:
    connection = opened()
    connection.receive(Segment(seq % MODULO, 0, RST, 0), 0.0)
    assert connection.state is State.OPEN


def test_an_acknowledgement_of_what_was_never_sent_is_not_believed() -> None:
    connection = opened()
    assert connection.receive(Segment(100, 9_999, ACK, 100, b"data"), 0.0) == b""
    assert connection.state is State.OPEN
    assert connection.take()[-1].ack == 100


def test_what_comes_before_its_time_is_asked_for_again() -> None:
    connection = opened()
    assert connection.receive(Segment(105, 1_001, ACK, 100, b"later"), 0.0) == b""
    assert connection.take()[-1].ack == 100
    assert connection.receive(Segment(98, 1_001, ACK, 100, b"..first"), 0.0) == b"first"


@given(
    st.lists(
        st.builds(
            Segment,
            st.integers(0, MODULO - 1) | st.integers(90, 120),
            st.integers(0, MODULO - 1) | st.integers(995, 1_100),
            st.integers(0, 63),
            st.integers(0, 65_535),
            st.binary(max_size=30),
        ),
        max_size=30,
    )
)
def test_any_segments_leave_a_connection_that_can_go_on_or_is_closed(
    segments: list[Segment],
) -> None:
    connection = opened()
    connection.write(b"hello" * 10, 0.0)
    for number, segment in enumerate(segments):
        connection.receive(segment, float(number))
        assert len(connection.take()) < 10
    connection.tick(1e9)
    assert connection.state is State.CLOSED


@given(
    st.sampled_from((ENDS4, ENDS6)),
    st.integers(0, MODULO - 1),
    st.integers(0, MODULO - 1),
    st.integers(0, 63),
    st.binary(max_size=50),
    st.sampled_from((0, 1_400)),
)
def test_a_segment_survives_its_bytes(
    ends: Ends, seq: int, ack: int, flags: int, data: bytes, mss: int
) -> None:
    segment = Segment(seq, ack, flags, 1_234, data, mss)

    found, parsed = parse_segment(build_segment(ends, segment))

    assert parsed == segment
    assert (found.client, found.server) == (ends.server, ends.client)


@given(st.binary(max_size=120))
def test_any_bytes_are_a_segment_or_malformed(data: bytes) -> None:
    whole = build_segment(ENDS4, Segment(1, 2, ACK, 3, data))
    for frame in (data, whole[:34] + data, whole[: 14 + len(data)]):
        try:
            parse_segment(frame)
        except Malformed:
            continue


def test_a_segment_of_no_connection_is_refused_but_a_reset_never_is() -> None:
    said = refusal(Segment(5, 0, SYN, 0))
    assert said is not None
    assert (said.flags, said.ack) == (RST | ACK, 6)
    assert refusal(Segment(5, 0, RST, 0)) is None
