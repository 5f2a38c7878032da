"""What a host's switch does with a packet, asked of itself, beside what a trace says of intent.

It changes nothing: the packet is never sent.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from alcor.agent.drivers.bridge import TUNNEL_NAME
from alcor.agent.pipeline import pipeline as p
from alcor.ovs import appctl, frames, packet_trace
from alcor.ovs.ovsdb.client import Ovsdb
from alcor.ovs.ovsdb.values import as_map, as_set
from alcor.ovs.packet_trace import Course
from alcor.values.addresses import address, mac
from alcor.values.protocols import ICMP, ICMPV6

_SYN = 0x02
_COLUMNS = {"Interface": ("name", "ofport", "external_ids")}
_NOT_COMPARED = frozenset(("MACHINE", "PORT_SEC_L3"))  # without port security that is passed by
_TRANSLATING = frozenset(("NAT_IN", "NAT_OUT"))
_LAST = frozenset(("DELIVER", "TUNNEL_OUT", "UPLINK_OUT"))


class Unknown(Exception):
    """The switch has no such interface."""


class Entrance(NamedTuple):
    """How a packet comes to a switch: from a machine's port, or in a tunnel."""

    port_id: str = ""
    tunnel_id: int = 0
    tunnel_end: str = ""  # this host's address on the underlay


class Testimony(NamedTuple):
    """What the switch would do."""

    stages: tuple[str, ...]  # by name, in order
    course: Course


class Witness:
    """One host's switch."""

    def __init__(self, run_dir: Path, bridge: str = "br-int") -> None:
        self._run_dir, self._bridge = run_dir, bridge

    async def tell(self, frame: bytes, entrance: Entrance) -> Testimony:
        """What becomes of a frame; `Unknown`, `OSError`, `appctl.Declined` when it can't tell."""
        way = f"in_port={await self._ofport(entrance)}"
        if entrance.tunnel_id:
            way += f",tun_id={entrance.tunnel_id},tun_dst={entrance.tunnel_end}"
        socket = appctl.switch_socket(self._run_dir)
        text = await appctl.ask(socket, "ofproto/trace", self._bridge, way, frame.hex())
        course = packet_trace.read(text, self._bridge)
        names = (p.STAGE_BY_TABLE[table].name for table in course.tables)
        return Testimony(tuple(names), course)

    async def _ofport(self, entrance: Entrance) -> int:
        session = await Ovsdb.connect(self._run_dir / "db.sock")
        try:
            rows = await session.monitor(_COLUMNS)
        finally:
            session.close()
        for row in rows.get("Interface", {}).values():
            is_it = row["name"] == TUNNEL_NAME
            if entrance.port_id:
                is_it = as_map(row["external_ids"]).get("iface-id") == entrance.port_id
            if is_it and as_set(row["ofport"]):
                return int(as_set(row["ofport"])[0])
        raise Unknown(
            f"port {entrance.port_id} is not plugged in" if entrance.port_id else "no tunnel port"
        )


def untold(intended: Sequence[str], testimony: Testimony) -> tuple[int, str]:
    """How many of the intended stages a switch's own trace can speak of, and why not of more.

    It neither translates, nor knows who opened the connection that rules about remotes ask for.
    """
    for number, name in enumerate(intended):
        if name in _TRANSLATING:
            return number, "what is translated a switch's own trace does not follow"
        asked = name in ("FW_OUT", "FW_IN") and number < len(intended) - 1
        if asked and testimony.stages[-1:] == (f"{name}_VERDICT",):
            return number + 1, "a switch's own trace can't ask rules about who opened a connection"
    return len(intended), ""


def disagreement(intended: Sequence[str], testimony: Testimony, *, dropped: bool) -> str:
    """How the stages that a trace names on a host differ from the switch's; empty: not at all.

    What a trace names the switch must pass in the same order, and both must end alike.
    """
    seen = iter(testimony.stages)
    known, why = untold(intended, testimony)
    for name in intended[:known]:
        if name not in _NOT_COMPARED and name not in seen:
            return f"{name} is not passed"
    if why:
        return ""
    last = testimony.stages[-1] if testimony.stages else "nothing"
    if intended[-1] == "ROUTER_IN" and not dropped:
        return ""  # a router has answered, and what follows is the answer's way
    if dropped:
        ends_alike = last.startswith(intended[-1]) or last == "ROUTER_FAULT"
    else:
        ends_alike = (
            last == intended[-1] if intended[-1] in _LAST else testimony.course.to_controller
        )
    return "" if ends_alike else f"it ends at {last}, not at {intended[-1]}"


def onward(course: Course) -> Mapping[str, str]:
    """What a packet is when it leaves: its fields by their names in a trace."""
    names = {
        "dl_src": "source_mac", "dl_dst": "destination_mac", "nw_ttl": "ttl",
        "nw_src": "source", "ipv6_src": "source", "nw_dst": "destination",
        "ipv6_dst": "destination",
    }  # fmt: skip
    return {names[name]: value for name, value in course.fields.items() if name in names}


def frame_of(packet: Mapping[str, object]) -> bytes:
    """The frame of a packet: its ends, protocol, ports, MACs; `ValueError` when one is none."""
    ends = address(packet["source"]), address(packet["destination"])
    version, (source, destination) = ends[0].version, (each.number for each in ends)
    protocol, ttl = int(str(packet["protocol"])), int(str(packet["ttl"]))
    ports = int(str(packet["source_port"])), int(str(packet["destination_port"]))
    kind = int(str(packet["icmp_type"])), int(str(packet["icmp_code"]))
    both: dict[tuple[int, int], Callable[[], bytes]] = {
        (4, ICMP): lambda: frames.icmp4(source, destination, *kind, bytes(8), ttl),
        (6, ICMPV6): lambda: frames.icmp6(source, destination, *kind, bytes(8), ttl),
        (4, 17): lambda: frames.udp4(source, destination, *ports, b"", ttl),
        (6, 17): lambda: frames.udp6(source, destination, *ports, b"", ttl),
        (4, 6): lambda: frames.tcp4(source, destination, *ports, _SYN, b"", 1, 0, ttl),
        (6, 6): lambda: frames.tcp6(source, destination, *ports, _SYN, b"", 1, 0, ttl),
    }
    other = frames.ipv4 if version == 4 else frames.ipv6

    def bare() -> bytes:
        return other(source, destination, protocol, b"", ttl)

    make = both.get((version, protocol), bare)
    return frames.ip_frame(mac(packet["destination_mac"]), mac(packet["source_mac"]), make())
