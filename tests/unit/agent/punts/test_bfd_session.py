"""Both ends of a BFD session, in a time of their own."""

from dataclasses import dataclass, field

from alcor.agent.packets.bfd import Control, Diagnostic, State
from alcor.agent.punts.bfd_session import Session, multiplier, slow_s

STEP_S = 0.01


@dataclass
class Wire:
    """Two ends, and what is between them."""

    near: Session = field(default_factory=lambda: Session(1, 0.3))
    far: Session = field(default_factory=lambda: Session(2, 0.3))
    now_s: float = 0.0
    is_cut: bool = False
    said: list[Control] = field(default_factory=list)  # by the near end

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            for end, other in ((self.near, self.far), (self.far, self.near)):
                end.expire(self.now_s)
                said = end.speak(self.now_s, 0.5)
                while said is not None and not self.is_cut:
                    if end is self.near:
                        self.said.append(said)
                    said, end, other = other.hear(said, self.now_s), other, end

    @property
    def states(self) -> tuple[State, State]:
        return self.near.state, self.far.state


def up() -> Wire:
    wire = Wire()
    wire.run(3)
    assert wire.states == (State.UP, State.UP)
    return wire


def test_two_ends_find_each_other_and_then_speak_often() -> None:
    wire = up()
    wire.said.clear()
    wire.run(3)

    assert 10 <= len(wire.said) <= 15
    assert {each.poll for each in wire.said} == {False}
    assert {each.tx_us for each in wire.said} == {300_000}


def test_who_is_not_up_speaks_once_a_second() -> None:
    wire = Wire(is_cut=True)
    spoken = []
    for at in range(1_000):
        spoken += [said for said in [wire.near.speak(at * STEP_S, 0.5)] if said]

    assert 10 <= len(spoken) <= 14
    assert {each.tx_us for each in spoken} == {round(slow_s * 1e6)}
    assert wire.near.state is State.DOWN
    assert not wire.near.was_up


def test_the_first_packets_of_a_session_that_is_up_ask_whether_the_interval_is_known() -> None:
    near = Session(1, 0.3)
    near.hear(Control(State.INIT, 2, 1, 5, 1_000_000, 1_000_000), 0.0)
    first = near.speak(0.0, 0.0)
    near.hear(Control(State.UP, 2, 1, 5, 1_000_000, 300_000, final=True), 0.1)
    then = near.speak(2.0, 0.0)

    assert first is not None
    assert then is not None
    assert [first.poll, then.poll] == [True, False]


def test_a_poll_is_answered_at_once() -> None:
    near = Session(1, 0.3)
    answer = near.hear(Control(State.DOWN, 2, 0, 5, 1_000_000, 1_000_000, poll=True), 0.0)

    assert answer is not None
    assert [answer.final, answer.poll, answer.state] == [True, False, State.INIT]


def test_silence_is_noticed_after_so_many_intervals_and_ends_with_the_next_words() -> None:
    wire = up()
    wire.is_cut = True
    wire.run(0.3 * multiplier - 0.3)
    assert wire.states[0] is State.UP

    wire.run(0.4)
    assert wire.states == (State.DOWN, State.DOWN)
    assert wire.near.diagnostic is Diagnostic.TIME_EXPIRED
    assert wire.near.was_up

    wire.is_cut = False
    wire.run(3)
    assert wire.states == (State.UP, State.UP)


def test_who_hears_that_the_other_is_down_is_down_at_once() -> None:
    for said in (State.DOWN, State.ADMIN_DOWN):
        wire = up()
        wire.near.hear(Control(said, 2, 1, 5, 300_000, 300_000), wire.now_s)

        assert wire.states[0] is State.DOWN
        assert wire.near.diagnostic is Diagnostic.NEIGHBOUR_SAID_DOWN


def test_who_could_not_hear_waits_as_much_longer() -> None:
    wire = up()
    wire.is_cut = True
    wire.near.wait_longer(10)
    wire.run(10)
    assert wire.states == (State.UP, State.DOWN)

    wire.run(2)
    assert wire.states == (State.DOWN, State.DOWN)


def test_what_is_for_another_session_is_nothing() -> None:
    wire = up()
    wire.near.hear(Control(State.DOWN, 2, 77, 5, 300_000, 300_000), wire.now_s)

    assert wire.states[0] is State.UP


def test_who_wants_to_hear_less_is_told_less_and_missed_later() -> None:
    wire = up()
    wire.far.set_interval(2.0)
    wire.run(4)
    wire.said.clear()
    wire.run(10)
    assert 4 <= len(wire.said) <= 7

    wire.far.set_interval(0.3)  # nobody is missed while the other still speaks seldom
    wire.run(10)
    assert wire.states == (State.UP, State.UP)


def test_who_wants_to_hear_nothing_is_told_nothing() -> None:
    near = Session(1, 0.3)
    near.hear(Control(State.DOWN, 2, 0, 5, 1_000_000, 0), 0.0)

    assert near.speak(5.0, 0.0) is None
