"""What a switch says of a packet: the answer of `ofproto/trace`, read.

Pure. Of several passes (a connection tracker gives a packet back) all count, one after the other.
The switch neither translates addresses here nor knows connections: all are new.
Source: ovs-vswitchd(8), "ofproto/trace"; ofproto/ofproto-dpif-trace.c of Open vSwitch 3.1.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_BRIDGE = re.compile(r'^bridge\("(.*)"\)$')
_LOOK_UP = re.compile(r"^\s*(\d+)\. ")
_OUTPUT = re.compile(r"^\s+output:(\d+)$")
_TO_CONTROLLER = re.compile(r"^\s+controller\(")
_TUNNEL_ID = re.compile(r"NXM_NX_TUN_ID\[\] is now (0x[0-9a-f]+|\d+)$")
_FLOW = re.compile(r"^(?:Final flow|Flow): (.*)$")
_FIELD = re.compile(r"(\w+)=([^,]+)")
UNCHANGED = "unchanged"


class Course(NamedTuple):
    """The way of a packet through one bridge."""

    tables: tuple[int, ...]  # looked up, in order
    outputs: tuple[int, ...]  # ofports that it left by
    to_controller: bool
    tunnel_id: int  # that it left with; 0: in no tunnel
    fields: Mapping[str, str]  # of the packet at its end, as the switch writes them


def read(text: str, bridge: str) -> Course:
    """The course of a packet through this bridge; `ValueError` when the text is no such answer."""
    tables: list[int] = []
    outputs: list[int] = []
    to_controller, tunnel_id, here, flow = False, 0, False, ""
    for line in text.splitlines():
        if found := _BRIDGE.match(line):
            here = found[1] == bridge
        elif (found := _FLOW.match(line)) and found[1] != UNCHANGED:
            flow = found[1]
        elif not here:
            continue
        elif found := _LOOK_UP.match(line):
            tables.append(int(found[1]))
        elif found := _OUTPUT.match(line):
            outputs.append(int(found[1]))
        elif found := _TUNNEL_ID.search(line):
            tunnel_id = int(found[1], 0)
        elif _TO_CONTROLLER.match(line):
            to_controller = True
    if not flow:
        raise ValueError(f"no trace of a packet: {text[:200]!r}")
    return Course(
        tuple(tables), tuple(outputs), to_controller, tunnel_id, dict(_FIELD.findall(flow))
    )
