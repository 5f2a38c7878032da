"""Machines: a namespace each, with a cable into the integration bridge of a host.

Plugging a cable in is what Nova or a CNI plugin does: an interface on the bridge whose
`external_ids:iface-id` is the port's id. All else is the agent's.
"""

from collections.abc import Callable, Sequence

from alcor.lab import hosts, namespaces, processes
from alcor.lab.commands import ip_batch
from alcor.lab.interfaces import (
    ask_neighbours_quickly,
    checksum_in_software,
    set_up,
)
from alcor.lab.layout import LabHost, Layout, interface_name, machine_mtu
from alcor.lab.record import Machine, forget_machine, save_machine
from alcor.lab.waiting import wait_until

bridge = "br-int"
bridge_timeout_s = 20.0

_OnHost = Callable[[LabHost, Sequence[Machine]], None]


def plug(lab: Layout, machines: Sequence[Machine]) -> None:
    """Make the machines and plug them in, host by host in one transaction of its switch."""
    for machine in machines:
        save_machine(lab, machine)  # first: `down` and `unplug` know it whatever happens next
    make(lab, machines)
    _on_hosts(lab, machines, plug_on_host)


def make(lab: Layout, machines: Sequence[Machine]) -> None:
    """Make the machines, each with a cable into its host that is plugged in nowhere."""
    namespaces.create([lab.machine_namespace(machine.name) for machine in machines])
    ip_batch([_cable(lab, machine) for machine in machines])
    for machine in machines:
        with namespaces.inside(lab.machine_namespace(machine.name)):
            settle()


def _cable(lab: Layout, machine: Machine) -> str:
    host = lab.host(machine.host)
    return (
        f"link add {interface_name(machine.port_id)} netns {host.namespace} mtu {machine_mtu}"
        f" type veth peer name eth0 address {machine.mac} mtu {machine_mtu}"
        f" netns {lab.machine_namespace(machine.name)}"
    )


def settle() -> None:
    """Make the interface of the machine whose namespace this is ready to talk."""
    checksum_in_software("eth0")
    ask_neighbours_quickly("eth0")
    set_up("lo")
    set_up("eth0")


def _on_hosts(lab: Layout, machines: Sequence[Machine], do: _OnHost) -> None:
    by_host: dict[int, list[Machine]] = {}
    for machine in machines:
        by_host.setdefault(machine.host, []).append(machine)
    hosts.each(lambda host: do(host, by_host[host.number]), [lab.host(n) for n in by_host])


def plug_on_host(host: LabHost, machines: Sequence[Machine]) -> None:
    """Plug in cables whose ends are in the host already."""
    wait_until(f"{bridge} on {host.name}", lambda: _has_bridge(host), bridge_timeout_s)
    set_up_on_host(host, machines)
    words: list[str] = []
    for machine in machines:
        words += ["--", "add-port", bridge, interface_name(machine.port_id)]
        words += ["--", "set", "Interface", interface_name(machine.port_id)]
        words += [f"external_ids:iface-id={machine.port_id}"]
        words += [f'external_ids:attached-mac="{machine.mac}"', "external_ids:iface-status=active"]
    hosts.vsctl(host, *words)


def set_up_on_host(host: LabHost, machines: Sequence[Machine]) -> None:
    """Set the host's ends of cables up: it has no address there, and says nothing."""
    up = "addrgenmode none up"
    ip_batch([f"link set {interface_name(m.port_id)} {up}" for m in machines], host.namespace)


def _has_bridge(host: LabHost) -> bool:
    return bridge in hosts.vsctl(host, "list-br", wait=False).split()


def unplug(lab: Layout, machines: Sequence[Machine]) -> None:
    """Take the machines away: their port on the switch first, as the switch keeps a dead one."""
    _on_hosts(lab, machines, unplug_on_host)
    remove(lab, machines)


def remove(lab: Layout, machines: Sequence[Machine]) -> None:
    """Remove the machines, with their cables; the host's switch is as it was."""
    names = {lab.machine_namespace(machine.name) for machine in machines}
    there = sorted(names & set(namespaces.named(lab.prefix)))
    identities = {namespaces.identity(name) for name in there}
    processes.kill(processes.inside_namespaces(identities))
    namespaces.remove(there)
    for machine in machines:
        forget_machine(lab, machine.name)


def unplug_on_host(host: LabHost, machines: Sequence[Machine]) -> None:
    """Take cables off the host's switch."""
    words: list[str] = []
    for machine in machines:
        words += ["--", "--if-exists", "del-port", interface_name(machine.port_id)]
    hosts.vsctl(host, *words)


def give_address(lab: Layout, machine: Machine, address: str, length: int) -> None:
    """Set an address by hand, as a machine without DHCP does; an IPv6 one is usable at once."""
    usable = " nodad" if ":" in address else ""
    namespace = lab.machine_namespace(machine.name)
    ip_batch([f"addr replace {address}/{length} dev eth0{usable}"], namespace)
