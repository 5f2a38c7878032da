"""Local IPs by packets: one address, and each host's machines reach the port of their own host."""

import select
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from tests.system.obeyed import obeyed
from tests.system.ports.test_shared_addresses import allow, take
from tests.system.routers.test_routing import ping

from alcor.client.api import Item, Kind
from alcor.lab import namespaces
from alcor.lab.lab import Lab
from alcor.lab.record import Machine

lab_name = "syslip"
lab_hosts = 2

timeout_s = 30.0
LOCAL_IP = Kind("local_ip", "local_ips", "/v2.0/local-ips")
tcp_port = 7_000
virtual = "10.78.0.100"
MakeNetwork = Callable[..., str]
MakeMachines = Callable[..., list[Machine]]


def associations(local_ip: Item) -> Kind:
    path = f"/v2.0/local-ips/{local_ip['id']}/port_associations"
    return Kind("port_association", "port_associations", path)


def give(lab: Lab, local_ip: Item, *machines: Machine) -> None:
    """Let these ports have the local IP, in force on their hosts."""
    bodies = [{"fixed_port_id": machine.port_id} for machine in machines]
    obeyed(lab, lab.api.create(associations(local_ip), bodies).revision)


class Servers:
    """Listeners in the namespaces of machines, on whatever addresses these have."""

    def __init__(self, lab: Lab, stack: ExitStack, machines: list[Machine]) -> None:
        self._lab, self._stack = lab, stack
        self._name_by_socket = {self._listen(each): each.name for each in machines}

    def _socket(self, machine: Machine) -> socket.socket:
        with namespaces.inside(self._lab.layout.machine_namespace(machine.name)):
            return self._stack.enter_context(socket.socket())

    def _listen(self, machine: Machine) -> socket.socket:
        listener = self._socket(machine)
        listener.bind(("0.0.0.0", tcp_port))
        listener.listen()
        return listener

    def reached(self, client: Machine, address: str) -> "Reached":
        """A connection of a machine to an address, and whose it is."""
        ours = self._socket(client)
        ours.settimeout(timeout_s)
        ours.connect((address, tcp_port))
        listener = select.select(list(self._name_by_socket), [], [], timeout_s)[0][0]
        theirs, seen = listener.accept()
        self._stack.enter_context(theirs).settimeout(timeout_s)
        return Reached(self._name_by_socket[listener], seen[0], ours, theirs)


class Reached:
    """A connection: whose the server is, and as whom it sees its client."""

    def __init__(self, name: str, seen: str, ours: socket.socket, theirs: socket.socket) -> None:
        self.name, self.seen = name, seen
        self.ours, self.theirs = ours, theirs

    def talks(self) -> bool:
        """Whether words arrive both ways."""
        self.ours.sendall(b"ping")
        self.theirs.sendall(b"pong")
        return (self.theirs.recv(4), self.ours.recv(4)) == (b"ping", b"pong")


@pytest.mark.proves("Local IPs", "IPv4", "same")
def test_each_host_s_machines_reach_the_port_of_their_own_host(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network = make_network("10.78.0.0/24")
    machines = make_machines(network, "c1 s1 c2 s2", "h1 h1 h2 h2")
    one, first, two, second = machines
    wanted = {"network_id": network, "local_ip_address": virtual}
    local_ip = lab.api.create(LOCAL_IP, [wanted]).items[0]
    assert "0 received" in ping(lab, one, virtual)
    give(lab, local_ip, first, second)
    with ExitStack() as stack:
        servers = Servers(lab, stack, [first, second])
        for client, server in ((one, first), (two, second)):
            by_virtual = servers.reached(client, virtual)
            assert (by_virtual.name, by_virtual.seen) == (server.name, client.address(4))
            assert by_virtual.talks()
            # By its own address it is reached as well, from either host, at the same time.
            own = servers.reached(client, server.address(4))
            assert own.name == server.name
            assert own.talks()
            assert by_virtual.talks()
            assert "1 received" in ping(lab, client, virtual)
        across = servers.reached(one, second.address(4))
        assert across.name == second.name
        assert across.talks()
        # What is taken away is cut on its host, and on no other.
        held = [servers.reached(client, virtual) for client in (one, two)]
        obeyed(lab, lab.api.delete(associations(local_ip), first.port_id))
        assert "0 received" in ping(lab, one, virtual)
        held[0].theirs.settimeout(1.0)
        with pytest.raises(OSError, match=r"timed out|reset"):
            held[0].talks()
        assert held[1].talks()
    lab.unplug(machines)


def test_a_machine_that_has_the_address_itself_gets_it_untranslated(
    lab: Lab, make_network: MakeNetwork, make_machines: MakeMachines
) -> None:
    network = make_network("10.79.0.0/24")
    machines = make_machines(network, "c3 s3", "h1 h1")
    client, server = machines
    own = "10.79.0.100"
    wanted: dict[str, Any] = {"network_id": network, "local_ip_address": own}
    local_ip = lab.api.create(LOCAL_IP, [wanted | {"ip_mode": "passthrough"}]).items[0]
    allow(lab, [server], own)
    take(lab, server, own, loudly=False)
    give(lab, local_ip, server)
    with ExitStack() as stack:
        reached = Servers(lab, stack, [server]).reached(client, own)
        assert reached.talks()
        assert reached.theirs.getsockname()[0] == own
    lab.unplug(machines)
