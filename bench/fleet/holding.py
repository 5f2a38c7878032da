"""What a host holds of a network: `python -m bench.fleet.holding PORTS WAY`, a process by itself.

The agent's own parts (desired state, model, compiler) take what a delivery sends to a host of a
network of so many ports, as a whole or lazily; no switch, no connection. One line of JSON says
what that takes, and what one more port in the network does.
"""

import gc
import os
import sys
from collections.abc import Iterator
from subprocess import run
from time import process_time

import msgspec

from alcor.agent.compiler.compiler import Compiler
from alcor.agent.desired.desired import Desired, Taken
from alcor.agent.model.model import HostModel, Interface, Tunnel
from alcor.delivery.lazy import LazyNetwork
from alcor.goal_state.codec import encode
from alcor.goal_state.entries import FixedIp, GoalEntry, Neighbour, Network, Port, Presence, Subnet
from alcor.goal_state.slices import (
    found_slice,
    host_port_key,
    neighbour_key,
    network_key,
    network_slice,
    reach_key,
    reach_slice,
    subnet_key,
)
from alcor.transport.link import Frame, Item
from alcor.values.addresses import Address, Mac, prefix
from bench.measure import spread
from bench.run import Bench
from bench.servers import memory_bytes
from bench.tables import Row, Section

_hosts, _own, _talked_to = 1_000, 10, 20
_more = 21  # ports, one after the other
_small, _large = 10, 100_000
_NET = "n"


class Held(msgspec.Struct, frozen=True):
    """What it came to."""

    entries: int
    flows: int
    memory_bytes: int
    one_more_s: float  # processor time of the agent: taken, and its flows made


def _neighbour(number: int) -> Neighbour:
    addresses = (Address(4, 0x0A000000 + number),)
    host = number % _hosts
    endpoint = Address(4, 0xAC100000 + host)
    return Neighbour(f"p{number}", _NET, Mac(number), addresses, f"h{host}", endpoint)


def _whole(ports: int, *, lazy: bool) -> Iterator[Item]:
    """The network's slice, in the log."""
    entries: list[tuple[str, GoalEntry]] = [
        (network_key(_NET), Network(_NET, 7, 1450, True, "", lazy=lazy)),
        (
            subnet_key(_NET, "s"),
            Subnet("s", _NET, prefix("10.0.0.0/8"), Address(4, 0x0AFFFFFE), True, (), ()),
        ),
    ]
    for key, entry in entries:
        yield Item(key, encode(key, entry), 1, "")
    for number in range(1, ports + 1):
        yield _item(number)


def _item(number: int) -> Item:
    key = neighbour_key(_NET, f"p{number}")
    return Item(key, encode(key, _neighbour(number)), number + 1, "")


class _Host:
    """Host 1 of the network, with ten ports."""

    def __init__(self) -> None:
        self.desired, self.model = Desired("h1"), HostModel()
        self.compiler = Compiler(self.model)
        self.compiler.update({*self.model.units()})
        units = self.model.set_tunnel(Tunnel(1, Address(4, 0xAC100001)))
        for number in range(_own):
            units |= self.model.set_interface(f"own{number}", Interface(10 + number, True))
        self.compiler.update(units)

    def absorb(self, taken: Taken) -> None:
        units = set()
        for entry in taken.gone:
            units |= self.model.remove(entry)
        for entry in taken.put:
            units |= self.model.put(entry)
        for _ in self.compiler.pieces(units):
            pass

    def snapshot(self, name: str, items: list[Item]) -> None:
        self.absorb(self.desired.take(Frame(1, 1, items, begins=(name,), completes=(name,))))


def measure(ports: int, *, lazy: bool) -> Held:
    """Hold a network, and then one port more."""
    network = LazyNetwork(_NET, _whole(ports, lazy=True)) if lazy else None
    items = network.rest() if network else list(_whole(ports, lazy=False))
    presence = []
    for number in range(min(_hosts, ports)):
        key = reach_key(_NET, f"h{number}")
        value = encode(key, Presence(_NET, f"h{number}", Address(4, 0xAC100000 + number)))
        presence.append(Item(key, value, 1, ""))
    names = [found_slice(_NET, f"10.0.0.{number}") for number in range(1, _talked_to + 1)]
    found = {name: network.found(name.split(",")[1][:-1]) if network else [] for name in names}
    gc.collect()
    before = memory_bytes(os.getpid())
    host = _Host()
    ports_here = []
    for number in range(_own):
        key = host_port_key("h1", f"own{number}")
        fixed = (FixedIp("s", Address(4, 0x0A800000 + number)),)
        port = Port(f"own{number}", _NET, Mac(1 << 40 | number), fixed, True, True, "", "")
        ports_here.append(Item(key, encode(key, port), 1, ""))
    host.snapshot("host/h1/", ports_here)
    host.snapshot(network_slice(_NET), items)
    if lazy:
        host.snapshot(reach_slice(_NET), presence)
        host.absorb(host.desired.seek(names))
        for name in names:
            host.snapshot(name, found[name])
    gc.collect()
    after = memory_bytes(os.getpid())
    times = []
    for number in range(ports + 1, ports + 1 + _more):
        frame = Frame(1, number, () if lazy else (_item(number),))
        began = process_time()
        host.absorb(host.desired.take(frame))
        times.append(process_time() - began)
    saved = host.desired.saved()
    return Held(
        sum(len(each.entries) for each in saved.slices),
        sum(1 for _ in host.compiler.flows()),
        after - before,
        spread(times).median,
    )


def holding(bench: Bench) -> list[Section]:
    """A small network and a large one, as a whole and lazily."""
    large = 10_000 if bench.quick else _large
    rows = []
    for ports, way in ((_small, "whole"), (large, "whole"), (large, "lazy")):
        bench.tell(f"a host of a network of {ports:,} ports: {way}")
        words = [sys.executable, "-m", "bench.fleet.holding", str(ports), way]
        held = msgspec.json.decode(run(words, capture_output=True, check=True).stdout, type=Held)
        cells = [
            f"{ports:,}",
            way,
            f"{held.entries:,}",
            f"{held.flows:,}",
            f"{held.memory_bytes / 2**20:.1f} MiB",
            f"{held.one_more_s * 1e6:,.0f} us",
        ]
        values = {"memory_bytes": float(held.memory_bytes), "one_more_s": held.one_more_s}
        rows.append(Row(cells=cells, values=values))
    about = (
        f"The agent's desired state, model and compiler of one host, which has {_own} ports of a "
        f"network on {_hosts:,} hosts, and whose machines talk to {_talked_to} others. One more: "
        f"processor time of the agent for a port more elsewhere in the network, of {_more} the "
        "median."
    )
    columns = ["ports", "held", "entries", "flows", "memory", "one more"]
    return [Section(title="What a host holds", about=about, columns=columns, rows=rows)]


if __name__ == "__main__":
    result = measure(int(sys.argv[1]), lazy=sys.argv[2] == "lazy")
    sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
