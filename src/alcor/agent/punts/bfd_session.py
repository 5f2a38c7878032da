"""One end of a BFD session: which state it is in, when it speaks, when it has waited long enough.

Asynchronous mode only. Pure: the time and chance are given. Source: RFC 5880 section 6.8.
"""

from dataclasses import dataclass

from alcor.agent.packets.bfd import Control, Diagnostic, State

multiplier = 5  # intervals without a packet, after which the other end is down
steady_s = 3.0  # that a session must last which has been down, before it is relied on again
slow_s = 1.0  # between packets while the session is not up (RFC 5880 section 6.8.3: no less)


@dataclass(slots=True)
class Session:
    """Times are seconds of the clock that is given; `interval_s` is how often it would speak."""

    discriminator: int
    interval_s: float
    state: State = State.DOWN
    was_up: bool = False
    relied_on_from_s: float = 0.0  # while it is up
    diagnostic: Diagnostic = Diagnostic.NONE
    speaks_at_s: float = 0.0  # next
    theirs: int = 0  # their discriminator
    _their_state: State = State.DOWN
    _their_rx_s: float = 0.001
    _they_demand: bool = False
    _silent_at_s: float | None = None  # when they will have been silent for too long
    _polling: bool = False  # until they have said that they know the interval
    _heard_s: float = 0.0  # between their packets at most, as far as they know what we want

    def hear(self, said: Control, now_s: float) -> Control | None:
        """They have spoken: what is to be said at once, if anything."""
        if said.yours and said.yours != self.discriminator:
            return None
        self.theirs, self._their_state = said.mine, said.state
        self._they_demand = said.demand
        self._their_rx_s = said.rx_us / 1e6
        if said.final:
            self._polling, self._heard_s = False, self.interval_s
        between_s = max(self.interval_s, self._heard_s, said.tx_us / 1e6)
        self._silent_at_s = now_s + said.multiplier * between_s
        before = self.state
        self._move(said.state)
        if self.state is not before:
            self.speaks_at_s = now_s  # they need not wait for it
            if self.state is State.UP:
                self._polling = True  # the interval is another now
                self.relied_on_from_s = now_s + (steady_s if self.was_up else 0)
                self.was_up = True
        return self._control()._replace(poll=False, final=True) if said.poll else None

    def is_lost(self, now_s: float) -> bool:
        """Whether it was up, and isn't, or not for long."""
        is_steady = self.state is State.UP and now_s >= self.relied_on_from_s
        return self.was_up and not is_steady

    def _move(self, theirs: State) -> None:
        """RFC 5880 section 6.8.6, from "If received state is AdminDown"."""
        match self.state, theirs:
            case State.DOWN, State.DOWN:
                self.state = State.INIT
            case State.DOWN, State.INIT:
                self.state = State.UP
            case State.INIT, State.INIT | State.UP:
                self.state = State.UP
            case State.INIT | State.UP, State.ADMIN_DOWN:
                self._fall(Diagnostic.NEIGHBOUR_SAID_DOWN)
            case State.UP, State.DOWN:
                self._fall(Diagnostic.NEIGHBOUR_SAID_DOWN)

    def _fall(self, why: Diagnostic) -> None:
        self.state, self.diagnostic, self._polling = State.DOWN, why, False

    def set_interval(self, interval_s: float) -> None:
        """Speak, and hear, so often from now on; they are told so, and must say that they know."""
        if interval_s != self.interval_s:
            self._heard_s = max(self._heard_s, self.interval_s)
            self.interval_s, self._polling = interval_s, self.state is State.UP

    def wait_longer(self, seconds: float) -> None:
        """Nobody could be heard for so long, whoever spoke."""
        if self._silent_at_s is not None:
            self._silent_at_s += seconds

    def expire(self, now_s: float) -> None:
        """Look whether they have been silent for too long."""
        if self._silent_at_s is None or now_s < self._silent_at_s:
            return
        self._silent_at_s, self.theirs = None, 0
        if self.state in (State.INIT, State.UP):
            self._fall(Diagnostic.TIME_EXPIRED)
            self.speaks_at_s = now_s

    @property
    def next_s(self) -> float:
        """When there is something to do, if nothing is heard until then."""
        silent = self._silent_at_s
        return self.speaks_at_s if silent is None else min(self.speaks_at_s, silent)

    def speak(self, now_s: float, jitter: float) -> Control | None:
        """What is due to be said; `jitter` from 0 to 1 spreads packets as the RFC wants it."""
        if now_s < self.speaks_at_s:
            return None
        interval_s = max(self._own_s, self._their_rx_s)
        self.speaks_at_s = now_s + interval_s * (0.75 + 0.15 * jitter)
        both_up = self.state is State.UP and self._their_state is State.UP
        if self._their_rx_s == 0 or (self._they_demand and both_up and not self._polling):
            return None
        return self._control()

    @property
    def _own_s(self) -> float:
        return self.interval_s if self.state is State.UP else max(slow_s, self.interval_s)

    def _control(self) -> Control:
        return Control(
            state=self.state,
            mine=self.discriminator,
            yours=self.theirs,
            multiplier=multiplier,
            tx_us=round(self._own_s * 1e6),
            rx_us=round(self.interval_s * 1e6),
            diagnostic=self.diagnostic,
            poll=self._polling,
        )
