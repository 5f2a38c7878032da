"""`python -m acceptance.nova.plug plug|unplug LAB HOST PORT MAC`: an interface as a machine.

Repeating either does no harm.
"""

import sys

from alcor.lab import machines
from alcor.lab.layout import Layout, layout
from alcor.lab.record import Machine, load_machines


def machine_of(port_id: str, host: str) -> str:
    """What the machine of a port is called, on a host: a port that moves has one on each."""
    return f"{port_id[:11]}-{host}"


def main(verb: str, lab: str, host: str, port_id: str, mac: str) -> None:
    """Plug in, or take away."""
    where, name = layout(lab), machine_of(port_id, host)
    there = _named(where, name)
    if verb == "plug" and not there:
        number = int(host.removeprefix("h"))
        machines.plug(where, [Machine(name=name, port_id=port_id, mac=mac, host=number)])
    if verb == "unplug":
        machines.unplug(where, there)


def _named(where: Layout, name: str) -> list[Machine]:
    return [machine for machine in load_machines(where) if machine.name == name]


if __name__ == "__main__":
    main(*sys.argv[1:])
