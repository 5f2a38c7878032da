"""`python -m acceptance.nova.plug on|off LAB HOST PORT MAC`: a machine, as a hypervisor makes it.

It makes and removes the interface's device. The port on the switch is os-vif's, which makes it
before and removes it afterwards. Repeating either does no harm.
"""

import sys

from alcor.lab import hosts, machines
from alcor.lab.commands import ip_batch
from alcor.lab.layout import LabHost, Layout, interface_name, layout
from alcor.lab.record import Machine, load_machines, save_machine


def machine_of(port_id: str, host: str) -> str:
    """What the machine of a port is called, on a host: a port that moves has one on each."""
    return f"{port_id[:11]}-{host}"


def main(verb: str, lab: str, host: str, port_id: str, mac: str) -> None:
    """Make the device, or take it away."""
    where, name = layout(lab), machine_of(port_id, host)
    there = _named(where, name)
    on = where.host(int(host.removeprefix("h")))
    if verb == "on" and not there:
        _make(where, on, Machine(name=name, port_id=port_id, mac=mac, host=on.number))
    if verb == "off" and there:
        # At once: removed with its namespace it goes when the kernel comes to it.
        ip_batch([f"link del {interface_name(port_id)}"], on.namespace)
        machines.remove(where, there)


def _make(lab: Layout, host: LabHost, machine: Machine) -> None:
    # The switch has tried the interface by now, and has found no device.
    tap = interface_name(machine.port_id)
    hosts.vsctl(host, "wait-until", "Interface", tap, "ofport=-1")
    save_machine(lab, machine)
    machines.make(lab, [machine])
    machines.set_up_on_host(host, [machine])


def _named(where: Layout, name: str) -> list[Machine]:
    return [machine for machine in load_machines(where) if machine.name == name]


if __name__ == "__main__":
    main(*sys.argv[1:])
