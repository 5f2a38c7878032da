"""The switch's database: whether it is there, says what it must, and who drives it."""

import asyncio
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from alcor.agent.doctor.finding import Finding, fault, good
from alcor.agent.drivers import bridge, queues
from alcor.agent.drivers.bridge import Rows, Wish
from alcor.agent.model.model import Interface, Tunnel
from alcor.agent.model.ports.monitoring import Kinds
from alcor.ovs.ovsdb.client import Disconnected, Ovsdb, Refused
from alcor.ovs.ovsdb.values import as_set

answer_s_max = 3.0
named_max = 5  # interfaces that one finding names
_MADE_BY_AGENT = "the agent makes it: see whether the agent runs, and what its log says"


class Seen(NamedTuple):
    """What the database says."""

    rows: Rows
    driven: bool  # an agent has the lock

    def interfaces(self, wish: Wish) -> dict[str, Interface]:
        """The bridge's interfaces by the port that they say they are."""
        return bridge.interfaces_of(self.rows, wish, {})

    def tunnel(self, wish: Wish) -> Tunnel | None:
        """The tunnel port."""
        return bridge.tunnel_of(self.rows, wish)

    def userspace_bridges(self, wish: Wish) -> set[str]:
        """The bridges of the datapath without the kernel; none when ours is not of it."""
        if bridge.datapath_type_of(self.rows, wish) != "netdev":
            return set()
        every = self.rows.get("Bridge", {}).values()
        return {str(each["name"]) for each in every if each["datapath_type"] == "netdev"}


async def look(rundir: Path, wish: Wish) -> tuple[Seen | None, list[Finding]]:
    """Read the database once; None when it can't be read."""
    socket = rundir / "db.sock"
    try:
        async with asyncio.timeout(answer_s_max):
            session = await Ovsdb.connect(socket)
            try:
                rows = await session.monitor(bridge.COLUMNS)
                driven = not await session.lock(bridge.lock_of(wish))
            finally:
                session.close()
    except (OSError, TimeoutError, Disconnected, Refused) as error:
        says = f"the switch's database at {socket} does not answer: {error or 'no answer in time'}"
        return None, [fault("database", says, "start Open vSwitch: ovsdb-server is not there")]
    seen = Seen(rows, driven)
    return seen, [good("database", f"{socket} answers"), *_driven(seen), *bridge_faults(rows, wish)]


def _driven(seen: Seen) -> Iterator[Finding]:
    if seen.driven:
        yield good("agent", "an agent drives this switch")
    else:
        says = "no agent drives this switch: it forwards as it last was, and hears of no change"
        yield fault("agent", says, "start `alcor agent`, or read in its log why it has ended")


def bridge_faults(rows: Rows, wish: Wish) -> Iterator[Finding]:
    """What the integration bridge lacks. Pure."""
    row = bridge.row_of(rows, wish)
    if row is None:
        says = f"there is no bridge {wish.bridge}: no machine is connected"
        yield fault("bridge", says, _MADE_BY_AGENT)
        return
    mode = next(iter(as_set(row["fail_mode"])), "none")
    if mode != "secure":
        says = f"{wish.bridge} has fail_mode {mode}: without flows it would forward everything"
        yield fault("bridge", says, f"set fail_mode of {wish.bridge} to secure, or start the agent")
    else:
        yield good("bridge", f"{wish.bridge} is there, and forwards nothing by itself")
    for what in bridge.faults(rows, wish):
        kind = "mapping" if what.startswith("physical network") else "bridge"
        step = "make the bridge, or correct bridge_mappings" if kind == "mapping" else (
            "set the bridge right; what the operator sets the agent leaves alone"
        )  # fmt: skip
        yield fault(kind, what, step)
    if bridge.tunnel_of(rows, wish) is None:
        says = f"{wish.bridge} has no working tunnel port from {wish.tunnel_ip}"
        yield fault("tunnel", says, _MADE_BY_AGENT)
    if mappings := bridge.uplinks_of(rows, wish).keys():
        yield good("mapping", f"uplinks to {', '.join(sorted(mappings))}")


def copies_faults(rows: Rows, wish: Wish, kinds: Kinds) -> Iterator[Finding]:
    """The ports for copies of these kinds that the bridge lacks, though it has a tunnel. Pure."""
    tunnel = bridge.tunnel_of(rows, wish)
    for kind in sorted(kinds):
        if tunnel is not None and not getattr(tunnel.copies, kind):
            says = f"{wish.bridge} has no working port for copies ({kind}): none of them leave"
            yield fault("tunnel", says, _MADE_BY_AGENT)


def queue_faults(
    rows: Rows, wish: Wish, wanted: Mapping[str, Mapping[int, int]]
) -> Iterator[Finding]:
    """What uplinks lack of the queues (bits a second, by bridge and number) that must be. Pure."""
    wish = wish._replace(queues=wanted)
    for what in queues.faults(rows, wish):
        step = "mend it, or take the bridge out of resource_provider_bandwidths"
        yield fault("queues", what, step)
    if queues.missing(rows, wish):
        says = "uplinks don't have the queues that ports are guaranteed"
        yield fault("queues", says, _MADE_BY_AGENT)
    elif wanted:
        count = sum(map(len, wanted.values()))
        yield good(
            "queues", f"{count} ports are guaranteed bandwidth on {', '.join(sorted(wanted))}"
        )


def interface_faults(rows: Rows, wish: Wish, known: Collection[str]) -> Iterator[Finding]:
    """Interfaces that are no port of this host (`known`), twice a port, or can't be used. Pure."""
    interfaces = bridge.interfaces_of(rows, wish, {})
    strangers = sorted(interfaces.keys() - set(known))
    if strangers:
        says = f"interfaces of ports that this host's goal state does not know: {_some(strangers)}"
        step = "look at binding:host_id of these ports, or take the interfaces away"
        yield fault("interfaces", says, step)
    for port_id in sorted(bridge.doubled(rows, wish)):
        says = f"several interfaces say that they are port {port_id}"
        yield fault("interfaces", says, "take away all but one")
    for port_id, each in sorted(interfaces.items()):
        if each.ofport <= 0 or not each.present:
            says = f"the interface of port {port_id} can't be used: {each.error or 'no device'}"
            yield fault("interfaces", says, "plug the port again")
    missing = sorted(set(known) - interfaces.keys())
    if not strangers:
        plugged = len(interfaces)
        says = f"{plugged} ports are plugged in, {len(missing)} of this host's are not"
        yield good("interfaces", says)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - named_max} more" if len(names) > named_max else ""
    return ", ".join(names[:named_max]) + more
