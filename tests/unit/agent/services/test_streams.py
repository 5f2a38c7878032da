"""Connections of machines are bounded by what their ports have, whatever the services answer."""

import asyncio

from alcor.agent.metrics import Metrics
from alcor.agent.model.model import HostModel, Interface, Wired
from alcor.agent.packets.tcp import RST, SYN, Ends, Segment, build_segment, parse_segment
from alcor.agent.services.connection import pending_bytes_max
from alcor.agent.services.streams import Line, Session, Streams, pending_bytes_of_port_max
from alcor.goal_state.entries import FixedIp, Network, Port
from alcor.values.addresses import Mac, address

SERVER = address("169.254.169.254")
FILLED = pending_bytes_of_port_max // pending_bytes_max  # connections


class Deaf(Session):
    """A service that only answers."""

    def received(self, data: bytes) -> None:
        pass

    def ended(self) -> None:
        pass


class World:
    """A host with two machines that connect, and never take what is sent to them."""

    def __init__(self) -> None:
        self.model, self.metrics = HostModel(), Metrics()
        self.model.put(Network("n", 7, 1450, True, ""))
        self.lines: list[Line] = []
        self.resets: list[str] = []
        self.streams = Streams(self._sent, lambda: 0.5, self.metrics, {80: self._serve})

    def _serve(self, line: Line) -> Session:
        self.lines.append(line)
        return Deaf()

    def _sent(self, wired: Wired, frame: bytes) -> None:
        if parse_segment(frame)[1].flags & RST:
            self.resets.append(wired.port.id)

    def machine(self, number: int) -> Wired:
        fixed = (FixedIp("s", address(f"10.0.0.{number}")),)
        self.model.put(Port(f"p{number}", "n", Mac(number), fixed, True, True, "", ""))
        self.model.set_interface(f"p{number}", Interface(number, True))
        wired = self.model.wired(f"p{number}")
        assert wired is not None
        return wired

    def connect(self, wired: Wired, port: int) -> Line:
        ends = Ends(Mac(9), wired.port.mac, SERVER, wired.port.fixed_ips[0].address, 80, port)
        self.streams.take(build_segment(ends, Segment(99, 0, SYN, 0)), wired)
        return self.lines[-1]


def test_what_waits_for_a_machine_that_takes_nothing_is_bounded_for_all_its_connections() -> None:
    async def main() -> None:
        world = World()
        greedy, other = world.machine(5), world.machine(6)
        for port in range(FILLED):
            world.connect(greedy, 4_000 + port).write(bytes(pending_bytes_max))
        assert world.resets == []

        world.connect(greedy, 5_000).write(b"x")
        world.connect(other, 5_000).write(b"x")

        assert world.resets == ["p5"]
        assert len(world.streams) == FILLED + 1
        limit = {"limit": "agent_connection_bytes"}
        assert world.metrics.registry.get_sample_value("alcor_limit_reached_total", limit) == 1

    asyncio.run(main())
