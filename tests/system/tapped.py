"""What system tests of taps share: taps that hosts obey, and what machines hear of frames."""

from collections.abc import Callable
from contextlib import ExitStack
from itertools import count

from tests.system.conftest import converge_timeout_s
from tests.system.obeyed import obeyed

from alcor.client.api import Kind
from alcor.lab.lab import Lab
from alcor.lab.record import Machine
from alcor.lab.traffic.frames import FrameSocket, udp4, udp6
from alcor.lab.waiting import wait_until

SERVICE = Kind("tap_service", "tap_services", "/v2.0/taas/tap_services")
FLOW = Kind("tap_flow", "tap_flows", "/v2.0/taas/tap_flows")
numbers = count(1)


class Ears:
    """What each machine has heard."""

    def __init__(self, lab: Lab, machines: list[Machine], stack: ExitStack) -> None:
        self._sockets = {
            each.name: stack.enter_context(FrameSocket(lab.layout.machine_namespace(each.name)))
            for each in machines
        }

    def send(self, sender: Machine, frame: bytes) -> None:
        """From the machine's own interface."""
        self._sockets[sender.name].send(frame)

    def heard(self, frame: bytes) -> dict[str, int]:
        """How many times each machine has heard exactly this frame, if at all."""
        counts = {name: each.heard().count(frame) for name, each in self._sockets.items()}
        return {name: times for name, times in counts.items() if times}

    def wait_for(self, frame: bytes, *names: str) -> None:
        """Until these have heard it."""
        what = f"{' and '.join(names)} to hear a frame"
        wait_until(what, lambda: self.heard(frame).keys() >= set(names), converge_timeout_s)


def datagram(version: int, source: Machine, target: Machine, size: int = 100) -> bytes:
    """A UDP datagram in a packet of this size, unlike every other."""
    udp, head = {4: (udp4, 28), 6: (udp6, 48)}[version]
    mark = next(numbers).to_bytes(8, "big")
    ends = [(each.mac, each.address(version), 7_000) for each in (source, target)]
    return udp(ends[0], ends[1], mark.ljust(size - head, b"t"))


class Taps:
    """The taps of a lab; hosts obey each before it is answered."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._services: list[str] = []

    def service(self, machine: Machine) -> str:
        """A tap service of the machine's port."""
        made = self._lab.api.create(SERVICE, [{"port_id": machine.port_id}])
        obeyed(self._lab, made.revision)
        self._services.append(str(made.items[0]["id"]))
        return self._services[-1]

    def flow(self, service: str, machine: Machine, direction: str = "BOTH") -> str:
        """A flow that copies what passes the machine's port."""
        body = {
            "tap_service_id": service,
            "source_port": machine.port_id,
            "direction": direction,
        }
        made = self._lab.api.create(FLOW, [body])
        obeyed(self._lab, made.revision)
        return str(made.items[0]["id"])

    def forget(self, service: str) -> None:
        """It has gone by itself."""
        self._services.remove(service)

    def drop(self) -> None:
        """Delete all that were made."""
        for each in self._services:
            obeyed(self._lab, self._lab.api.delete(SERVICE, each))
        self._services.clear()


def is_copied(
    ears: Ears, version: int, source: Machine, target: Machine, probe: Machine
) -> Callable[[], bool]:
    """Sends a new datagram whenever it is asked; whether the probe has heard one."""
    sent: list[bytes] = []

    def heard() -> bool:
        sent.append(datagram(version, source, target))
        ears.send(source, sent[-1])
        return any(probe.name in ears.heard(each) for each in sent)

    return heard
