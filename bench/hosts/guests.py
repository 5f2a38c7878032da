"""Machines that are plugged in before the clock starts: what both contenders are timed with."""

from collections.abc import Sequence
from typing import NamedTuple

from alcor.lab import hosts, machines
from alcor.lab.commands import ip_batch
from alcor.lab.layout import Layout, interface_name
from alcor.lab.record import Machine

prefix_length = 16


class Guest(NamedTuple):
    """A machine: on which host (from 1), and which MAC and address its port will have."""

    name: str
    host: int
    mac: str
    address: str
    port: str  # its interface's iface-id


def deal(count: int, host_count: int, network: int) -> list[Guest]:
    """Guests dealt round robin to the hosts, with addresses in 10.`network`.0.0/16."""
    return [
        Guest(
            name=f"g{n}",
            host=(n - 1) % host_count + 1,
            mac=mac_of(network, n),
            address=address_of(network, n),
            port=f"port-{n}",
        )
        for n in range(1, count + 1)
    ]


def address_of(network: int, number: int) -> str:
    """The `number`-th address of 10.`network`.0.0/16, from 1."""
    return f"10.{network}.{number // 250}.{number % 250 + 2}"


def mac_of(network: int, number: int) -> str:
    """The MAC of the `number`-th port of a network."""
    return f"02:{network:02x}:00:00:{number >> 8:02x}:{number & 255:02x}"


def plug(lab: Layout, guests: Sequence[Guest]) -> None:
    """Make the machines with their addresses set by hand, and plug them into their hosts."""
    made = [Machine(name=g.name, port_id=g.port, mac=g.mac, host=g.host) for g in guests]
    machines.plug(lab, made)
    for machine, guest in zip(made, guests, strict=True):
        machines.give_address(lab, machine, guest.address, prefix_length)


def rename_ports(lab: Layout, plugged: Sequence[Guest], ports: Sequence[str]) -> None:
    """Let each guest's interface ask for another port; its cable keeps its first port's name."""
    for host in {g.host for g in plugged}:
        words: list[str] = []
        for guest, port in zip(plugged, ports, strict=True):
            if guest.host == host:
                interface = interface_name(guest.port)
                words += ["--", "set", "Interface", interface, f"external_ids:iface-id={port}"]
        hosts.vsctl(lab.host(host), *words)


def forget_neighbours(lab: Layout, guests: Sequence[Guest]) -> None:
    """Let every machine forget the MACs that it has learnt: it asks again, as a new one does.

    Do so after a round as well: the kernel holds at most 1,024 for all namespaces together, and a
    machine that finds no room never reaches the others.
    """
    for guest in guests:
        ip_batch(["neigh flush dev eth0"], lab.machine_namespace(guest.name))
