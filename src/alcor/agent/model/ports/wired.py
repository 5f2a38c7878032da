"""What the switch has of a host: interfaces, the tunnel port, and ports that are complete. Pure."""

from typing import NamedTuple

from alcor.agent.model.ports.monitoring import NO_PORTS, NO_TAPS, Ports, Taps
from alcor.agent.model.ports.tags import put_on
from alcor.goal_state.entries import Network, Port
from alcor.ovs.flow import Action, output
from alcor.values.addresses import Address


class Interface(NamedTuple):
    """An interface on the switch that says which port it is."""

    ofport: int  # -1 or 0: the switch could not open it
    present: bool  # its device is there
    error: str = ""


class Tunnel(NamedTuple):
    """The flow-based tunnel port, and this host's underlay address."""

    ofport: int
    endpoint: Address
    copies: Ports = NO_PORTS


class Wired(NamedTuple):
    """A port with all that its flows need."""

    port: Port
    network: Network
    ofport: int  # of the interface that it is heard on: its own, or its parent's
    number: int  # its name in registers, zones and meters: its ofport, or a sub-port's own
    device_id: str = ""  # the machine: a sub-port's is its parent's
    taps: Taps = NO_TAPS
    tap_numbers: tuple[int, ...] = ()  # under which other hosts send what is for it

    @property
    def handed(self) -> tuple[Action, ...]:
        """What hands a frame to its machine, and copies it for nobody."""
        return (*put_on(self.port.vlan), output(self.ofport))

    @property
    def delivery(self) -> tuple[Action, ...]:
        """What hands a frame to its machine, which knows a sub-port by its tag."""
        return (*self.taps.ingress, *self.handed)
