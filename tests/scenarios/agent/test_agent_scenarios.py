"""Ask the flows of whole worlds where packets go.

A scenario is a text file: first the world, then packets, each with where it ends. `--update`
writes the ends again; read the difference.

    host NAME TUNNEL_ADDRESS [uplink=PHYSICAL]
    network NAME VNI [down] [physical=NAME] [vlan=ID] [mtu=BYTES] [qos=POLICY]
    subnet NAME NETWORK PREFIX [gateway=ADDRESS] [nodhcp] [ra=MODE] [dhcp6=MODE]
        [scope=NAME]
    port NAME NETWORK HOST MAC ADDRESS... [insecure] [down] [unplugged] [groups=NAME,...]
        [pairs=PREFIX@MAC,...] [qos=POLICY] [parent=PORT vlan=ID: a sub-port of a trunk]
    group NAME [stateless]
    rule NAME GROUP in|out FAMILY [PROTOCOL] [ports=N-M] [type=N] [code=N]
        [with=prefix:PREFIX|group:NAME|addresses:NAME]
    addresses NAME PREFIX...
    acl NAME NUMBER in|out allow|deny FAMILY [PROTOCOL] [peer=PREFIX] [ports=N-M] [type=N]
    edge SUBNET ACL
    policy NAME [kbps-out=N] [kbps-in=N] [pps-out=N] [pps-in=N] [dscp=N]
    gone KIND NAME
    join PORT [groups=NAME,...]
    router NAME [down]
    interface ROUTER NETWORK MAC ADDRESS...
    route ROUTER PREFIX NEXT_HOP
    outside NAME NETWORK MAC ADDRESS... [unplugged: nobody knows it yet]
    gateway ROUTER NETWORK MAC ADDRESS...
    floating NAME ROUTER NETWORK MAC ADDRESS [PORT FIXED_ADDRESS]
    forwarding NAME FLOATING tcp|udp PORTS ADDRESS PORTS
    log NAME port=PORT|group=GROUP|both|acl=ACL [accept] [drop]
    mirror NAME PORT ADDRESS [erspan] [in=ID] [out=ID]
    tap NAME PORT NUMBER
    tapflow NAME PORT TAP [in] [out] [HOST: where the tap is, too]
    meter NAME LABEL in|out [excluded] [from=PREFIX] [to=PREFIX]
    PORT: FRAME [field=value ...] -> where it ends
    tunnel HOST VNI: FRAME from=PORT ... -> where it ends
    copies HOST NUMBER: FRAME from=PORT ... -> where it ends

A port without `groups=` is not filtered. Connections are remembered from packet to packet.

Frames: `ping ADDRESS`, `udp PORT`, `udp6 PORT`, `tcp PORT syn|synack|ack`, `unreachable PORT`,
`icmp PORT TYPE`, `icmp6 TYPE`, `arp ADDRESS`, `arp-reply PORT`, `ns ADDRESS`, `dad ADDRESS`,
`na ADDRESS`, `dhcp TYPE`, `dhcp6 TYPE`, `rs`, `ethertype NUMBER`. Fields say other than the truth:
mac, dst_mac, ip, dst_ip, sha, sll, chaddr, sport, dport, vlan (`10+20`: two tags), ttl, size.
"""

from pathlib import Path
from typing import Protocol

import pytest
from tests.fixtures.compiled import compile_all

from alcor.agent.model.model import HostModel
from alcor.ovs.fields import FIELD_BY_NAME
from alcor.values.addresses import Address

# What no flow may set where "Datapath does not support IPv6 ND Extensions".
REFUSED = frozenset(FIELD_BY_NAME[name].place for name in ("nd_reserved", "nd_options_type"))


class World(Protocol):
    """What a scenario needs of the `world` fixture."""

    datapath_type: str
    endpoints: dict[str, Address]

    def model(self, host: str) -> HostModel: ...
    def declare(self, words: list[str]) -> None: ...
    def fate(self, sender: str, words: list[str]) -> str: ...


SCENARIOS = sorted(Path(__file__).parent.glob("*.txt"))


def play(world: World, line: str) -> str:
    """The line with where its packet really ends; lines of the world stay as they are."""
    text = line.strip()
    if not text or text.startswith("#"):
        return line
    question, arrow, _ = line.partition("->")
    sender, colon, frame = question.partition(": ")
    if not colon:
        world.declare(text.split())
        return line
    assert arrow, f"no '->' in: {line}"
    return f"{question}-> {world.fate(sender.strip(), frame.split())}"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_with_the_kernel_s_datapath_they_end_there_too_by_flows_that_it_takes(
    path: Path, world: World
) -> None:
    recorded = path.read_text()
    world.datapath_type = "system"

    played = "".join(play(world, line) + "\n" for line in recorded.splitlines())

    assert played == recorded
    for host in world.endpoints:
        flows = compile_all(world.model(host)).values()
        actions = [action for flow in flows for action in flow.instructions.actions]
        assert not [each for each in actions if getattr(each, "field", None) in REFUSED]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_packets_end_where_the_scenario_says(path: Path, world: World, update: bool) -> None:
    recorded = path.read_text()

    played = "".join(play(world, line) + "\n" for line in recorded.splitlines())

    if update:
        path.write_text(played)
    assert played == recorded or update
