"""`alcor trace --live`: the same packet, asked of the switches on its way, hop by hop."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from alcor.agent.doctor.witness import (
    Entrance,
    Unknown,
    Witness,
    disagreement,
    frame_of,
    onward,
    untold,
)
from alcor.client.api import Item
from alcor.ovs.appctl import Declined


class Said(NamedTuple):
    """What one host's switch says, beside what is intended."""

    host: str
    stages: Sequence[str]  # that the switch would look the packet up in
    differs: str = ""  # how; empty: it agrees, as far as it can tell
    note: str = ""  # why it can't tell, or not all


async def asked_of_switches(
    found: Item, from_port: str, run_dirs: Mapping[str, Path]
) -> list[Said]:
    """Every host of a way whose switch can be reached from here, until one can't."""
    packet: dict[str, object] = dict(found["sent"])
    packet |= {"source_mac": found["source_mac"], "destination_mac": found["next_hop_mac"]}
    entrance, said = Entrance(port_id=from_port), list[Said]()
    if not found["next_hop_mac"]:
        return [Said("", (), note="the machine has nobody to send it to")]
    ends = ("dropped", "refused")
    for host, steps in groupby(found["steps"], key=lambda step: step["host"]):
        intended = [step["stage"] for step in steps]
        if host not in run_dirs:
            return [*said, Said(host, (), note="its switch is not reachable from here")]
        try:
            testimony = await Witness(run_dirs[host]).tell(frame_of(packet), entrance)
        except (OSError, Unknown, Declined, ValueError) as error:
            return [*said, Said(host, (), note=f"its switch can't tell: {error}")]
        last_here = intended[-1] == found["stage"] and found["steps"][-1]["host"] == host
        dropped = found["verdict"] in ends and last_here
        differs = disagreement(intended, testimony, dropped=dropped)
        _, note = untold(intended, testimony)
        if note and not differs:
            return [*said, Said(host, testimony.stages, note=f"it agrees so far; {note}")]
        said.append(Said(host, testimony.stages, differs))
        if differs:
            return said
        packet |= onward(testimony.course)
        course = testimony.course
        entrance = Entrance("", course.tunnel_id, course.fields.get("tun_dst", ""))
    return said
