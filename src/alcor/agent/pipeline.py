"""The pipeline of the integration bridge, declared once: stages, their order, their registers.

Numbers are computed from the phases, so a stage that is added moves only later stages of its own
phase. Features, traces, tests and the documentation name stages; nobody writes a table number.

Laws: no NORMAL, no FLOOD, no learning. What comes from the tunnel goes to local ports only. Every
stage has an explicit, counted miss. A port without complete data has no CLASSIFY flow: it is mute.
"""

from enum import IntEnum

from alcor.agent.stages import PRIORITY as PRIORITY
from alcor.agent.stages import Phase, Stage, number
from alcor.agent.wants import Wants as Wants

VNI = "metadata"  # the network that the packet is in: its VNI, 24 bits
FLAGS = "reg0"
FROM_TUNNEL = (1, 1)  # FLAGS, bit 0: value and mask of a packet that came from another host
FROM_HERE = (0, 1)
FROM_UPLINK = (2, 2)  # FLAGS, bit 1: it came from outside, by an uplink
FROM_INSIDE = (0, 3)  # neither by a tunnel nor by an uplink
TOO_LARGE = (8, 8)  # FLAGS, bit 3: the network that the packet is routed to can't take it
TOO_LARGE_BIT = 3
TRANSLATED = (4, 4)  # FLAGS, bit 2: what was to be translated on its way in has been
TUNNEL_REMOTE = "reg5"  # IPv4 address of the tunnel endpoint that the packet goes to
SUBJECT = "reg6"  # the port whose rules are asked: its number
VERDICT = "reg7"
ALLOWED = (1, 1)  # VERDICT, bit 0: value and mask of a packet that a rule lets pass
UNTRACKED = (2, 2)  # VERDICT, bit 1: its connection is not to be remembered
PORT_IN = "reg14"  # the port that sent it: its number, 0 when it came from the tunnel
PORT_OUT = "reg15"  # the local port that it goes to: its number
NEXT_HOP = ("reg8", "reg9", "reg10", "reg11")  # IPv4 in the first, IPv6 in all four
STANDS_FOR = "reg3"  # the address that a packet must have once it is translated; 0: any
SCOPE = "reg1"  # of a routed packet: the address scope that it comes from
SCOPE_ANY = 0xFFFF_FFFF  # SCOPE of a packet that was translated: it may go anywhere
METER = "reg2"  # which limit LIMITED is asked to keep: the number of a meter
TAP = ("reg2", "reg5")  # what METERED is asked about: 64 bits; reg5 is free by then
PICK = "reg4"  # which of several next hops of one route
ROUTER = ("reg12", "reg13")  # the router that has the packet: 64 bits made of its id
ROUTED = (16, 16)  # FLAGS, bit 4: a router has sent it on, here
AGAIN = (64, 64)  # FLAGS, bit 6: it was held until the neighbour that it wants was looked for
FROM_MACHINE = (0, 19)  # from inside, and not sent on by a router
LOOKED_AT = (32, 32)  # FLAGS, bit 5: whether it answers what came by a local IP is known
FAULT_MASK = 0x700  # of FLAGS: why a router can't forward the packet, a `Fault`
WANTS_MASK = 0x1800  # of FLAGS: which neighbour it wants that is not known, a `Wants`

registers = {
    VNI: "the network that the packet is in: its VNI, 24 bits",
    FLAGS: "bit 0: the packet came from the tunnel; bit 1: from an uplink; "
    "bit 2: NAT_IN has seen it; bit 3: it is larger than where it is routed to takes; "
    "bit 4: a router has sent it on, here; bit 5: an answer by a local IP would be known as one; "
    "bit 6: a neighbour was looked for; bits 8 to 10: why a router can't forward it; "
    "bits 11 and 12: which neighbour it wants",
    **dict.fromkeys(NEXT_HOP, "the next hop of a routed packet: IPv4 in reg8, IPv6 in all four"),
    **dict.fromkeys(ROUTER, "the router that has the packet: half of 64 bits made of its id"),
    TAP[0]: "what METERED is asked about: half of 64 bits made of a label's id; LIMITED: a meter",
    STANDS_FOR: "the address that a packet must have once it is translated; 0: any",
    SCOPE: "the address scope that a routed packet comes from, counted for each router; "
    "all bits: any, as it was translated",
    PICK: "which of the next hops of one route the packet takes, from 0 on",
    TUNNEL_REMOTE: "IPv4 address of the tunnel endpoint that the packet goes to; before that is "
    "known, the other half of what METERED is asked about",
    SUBJECT: "the port whose security groups are asked: its number",
    VERDICT: "bit 0: a rule lets the packet pass; bit 1: its connection is not to be remembered",
    PORT_IN: "the local port that sent the packet: its number (its ofport, or a sub-port's own); "
    "0 when it came from the tunnel",
    PORT_OUT: "the local port that the packet goes to: its number",
}

PUNT_DHCP4 = b"dhcp4"  # what a punting flow says to the agent
PUNT_DHCP6 = b"dhcp6"
PUNT_RA = b"ra"
PUNT_SERVICE = b"service"
PUNT_ROUTER = b"router"
PUNT_WANTED = b"wanted"  # the MAC of the next hop outside is not known
PUNT_SEEK = b"seek"  # of a neighbour that is not known, in a network that is held lazily
PUNT_SHARED = b"shared"  # of an address that several ports may have
PUNT_LOG = b"log"  # a copy of what a port's security groups have decided about
PUNT_HEARD = b"heard"  # somebody outside says who he is


class Fault(IntEnum):
    """Why a router can't forward a packet."""

    TTL = 1  # it has come too far
    NO_ROUTE = 2
    NO_HOST = 3  # nobody has the address of the next hop
    NO_SERVICE = 4  # it is for the router itself, which has nothing to say to it
    TOO_BIG = 5  # for the network that it must go to


PRIORITY_MISS = 0


def _firewall(way: str, port: str, onward: str) -> tuple[Stage, ...]:
    """The stages of ACLs and security groups on the way out of a port, or in."""
    rules = ("SG_RULES_OUT", "SG_RULES_IN")
    return (
        Stage(
            f"ACL_{way}",
            "whether it may cross the edge of its subnet",
            reads=(VNI,),
            miss=f"FW_{way}",
            miss_means="of a subnet without an ACL",
            next=(f"FW_{way}",),
        ),
        Stage(
            f"FW_{way}",
            "whether the port is filtered, and whether its connections are tracked",
            reads=(port,),
            miss_means="neither IP nor ARP of a filtered port",
            next=(f"FW_{way}_STATE", f"FW_{way}_STATELESS", onward),
        ),
        Stage(
            f"FW_{way}_STATE",
            "who opened the connection: that side's rules are asked, as for its first packet",
            reads=(port,),
            writes=(SUBJECT, VERDICT),
            miss_means="of no connection, and can't open one",
            next=(f"FW_{way}_LOG",),
            calls=rules,
        ),
        Stage(
            f"FW_{way}_STATELESS",
            "asks the rules about every packet by itself",
            reads=(port,),
            writes=(SUBJECT, VERDICT),
            miss_means="never reached by another packet",
            next=(f"FW_{way}_LOG",),
            calls=(f"SG_RULES_{way}", f"SG_HEADERS_{way}"),
        ),
        Stage(
            f"FW_{way}_LOG",
            "of a port that is logged: a copy of what opens a connection, or is dropped",
            reads=(port, VERDICT),
            miss=f"FW_{way}_VERDICT",
            miss_means="of a port without a log, or nothing to be told",
            next=(f"FW_{way}_VERDICT",),
        ),
        Stage(
            f"FW_{way}_VERDICT",
            "remembers a new connection that a rule lets pass",
            reads=(port, VERDICT),
            miss_means="no rule lets it pass",
            next=(onward,),
        ),
    )


def _limits(way: str, port: str, purpose: str, onward: str) -> tuple[Stage, ...]:
    """The stages of a port's QoS policy, on the way out or in."""
    return (
        Stage(
            f"QOS_{way}",
            f"by the port's policy: {purpose} a second",
            reads=(port,),
            miss=f"PPS_{way}",
            miss_means="of a port without such a limit",
            next=(f"PPS_{way}",),
        ),
        Stage(
            f"PPS_{way}",
            "by the port's policy: how many packets a second",
            reads=(port,),
            miss=onward,
            miss_means="of a port without such a limit",
            next=(onward,),
        ),
    )


def _rules(name: str, asked_for: str) -> Stage:
    return Stage(
        name, asked_for, reads=(SUBJECT,), writes=(VERDICT,), miss_means="no rule lets it pass"
    )


_PHASES = (
    Phase(
        0,
        (
            Stage(
                "CLASSIFY",
                "where the packet came from: a local port (a sub-port by its tag, which goes), a "
                "network's tunnel, or an uplink",
                writes=(VNI, FLAGS, PORT_IN),
                miss_means="unknown port, a network without ports here, or a tag of nobody",
                next=("UPLINK_IN", "PORT_SEC_L2", "L2_DST"),
            ),
            Stage(
                "UPLINK_IN",
                "from outside: who asks for what is here is answered, who answers is heard",
                reads=(VNI,),
                miss="L2_DST",
                miss_means="not address resolution",
                next=("ARP_ND", "L2_DST"),
            ),
        ),
    ),
    Phase(
        10,
        (
            Stage(
                "PORT_SEC_L2",
                "no second tag, and the source MAC is the port's own; ports without port security "
                "skip to SERVICES",
                reads=(PORT_IN,),
                miss_means="spoofed MAC",
                next=("PORT_SEC_L3", "SERVICES"),
            ),
            Stage(
                "PORT_SEC_L3",
                "the source address is the port's own: IPv4, IPv6, ARP, and DAD and DHCP without",
                reads=(PORT_IN,),
                miss_means="spoofed IP address or ARP, or neither IP nor ARP",
                next=("PORT_SEC_ND", "GUARDS"),
            ),
            Stage(
                "PORT_SEC_ND",
                "what neighbour discovery claims (target, link-layer options) is the port's own",
                reads=(PORT_IN,),
                miss="GUARDS",
                miss_means="not neighbour discovery",
                next=("GUARDS",),
            ),
            Stage(
                "GUARDS",
                "machines are no DHCP server, no router, and redirect nobody",
                miss="SERVICES",
                miss_means="harmless",
                next=(),
            ),
        ),
    ),
    Phase(
        20,
        (
            Stage(
                "SERVICES",
                "what is answered here: ARP, neighbour discovery, DHCP, routers, names, metadata",
                reads=(PORT_IN,),
                miss="ACL_OUT",
                miss_means="not for a service",
                next=("ARP_ND", "ACL_OUT"),
            ),
            Stage(
                "ARP_ND",
                "answers ARP and neighbour solicitations for every known address of the network",
                reads=(VNI, PORT_IN),
                writes=(FLAGS,),
                miss_means="nobody has that address, or it is the asker's own",
                next=("ND_ANSWER", "SEEK", "UPLINK_OUT", "RETURN"),
            ),
            Stage(
                "ND_ANSWER",
                "second step of an ND answer: options can be set once the type is advertisement",
                reads=(FLAGS,),
                miss_means="never reached by another packet",
                next=("UPLINK_OUT", "RETURN"),
            ),
        ),
    ),
    Phase(30, _firewall("OUT", PORT_IN, "QOS_OUT")),
    Phase(50, _limits("OUT", PORT_IN, "what it sends is marked, and how many bits", "L2_DST")),
    Phase(
        60,
        (
            Stage(
                "L2_DST",
                "who has the destination MAC: a local port, a tunnel endpoint, or a router",
                reads=(VNI, FLAGS),
                writes=(FLAGS, PORT_OUT, TUNNEL_REMOTE, SCOPE, *ROUTER),
                miss_means="unknown unicast is dropped, never flooded",
                next=(
                    *("MULTICAST", "NAT_IN", "ROUTER_IN", "ROUTE"),
                    *("SEEK", "ACL_IN", "TUNNEL_OUT", "UPLINK_OUT"),
                ),
                again=("L2_DST",),
                calls=("TUNNEL_OUT",),
            ),
            Stage(
                "MULTICAST",
                "broadcast and multicast that no service answered: a copy for everybody",
                reads=(VNI, FLAGS),
                writes=(PORT_OUT, TUNNEL_REMOTE),
                miss_means="of a network without ports here, or with too many",
                calls=("COPY", "TUNNEL_OUT", "UPLINK_OUT"),
            ),
            Stage(
                "COPY",
                "a local port's copy of a multicast, unless it sent it",
                reads=(PORT_IN, PORT_OUT),
                miss="ACL_IN",
                miss_means="for somebody else",
                next=(),
            ),
        ),
    ),
    Phase(
        65,
        (
            Stage(
                "NAT_IN",
                "from outside to a floating IP or to the router: to the address behind it",
                reads=ROUTER,
                writes=(FLAGS, STANDS_FOR, SCOPE, METER),
                miss="ROUTER_IN",
                miss_means="nothing to translate",
                next=("NAT_CAME", "ROUTER_IN"),
                calls=("LIMITED",),
            ),
            Stage(
                "NAT_CAME",
                "a connection goes where it was translated to only while that is still so",
                reads=(STANDS_FOR, *ROUTER),
                miss_means="a floating IP has become somebody else's",
                next=("ROUTER_IN",),
            ),
            Stage(
                "ROUTER_IN",
                "what a router takes: answers to ping, nothing link-local, nothing out of hops",
                reads=(VNI, *ROUTER),
                writes=(FLAGS, *TAP),
                miss="ROUTE",
                miss_means="to be forwarded",
                next=("ROUTE", "ROUTER_FAULT", "RETURN"),
                calls=("METERED",),
            ),
            Stage(
                "ROUTE",
                "the longest prefix: the network that the packet goes to, and its next hop",
                reads=ROUTER,
                writes=(VNI, FLAGS, PICK, *NEXT_HOP),
                miss_means="not IP",
                next=(
                    *("ROUTE_PICK", "ROUTE_SCOPE", "NAT_OUT"),
                    *("ROUTE_SIZE", "NEIGHBOUR", "ROUTER_FAULT"),
                ),
            ),
            Stage(
                "ROUTE_PICK",
                "one of several next hops, the same for all packets of a connection; of several "
                "ways out that of who sends",
                reads=(VNI, PICK, *ROUTER),
                writes=(VNI, FLAGS, *NEXT_HOP),
                miss_means="never reached by another packet",
                next=("ROUTE_SCOPE", "NAT_OUT", "ROUTE_SIZE", "NEIGHBOUR"),
            ),
            Stage(
                "ROUTE_SCOPE",
                "of a router that joins address scopes: into the scope that it comes from only",
                reads=(VNI, SCOPE, *ROUTER),
                writes=(FLAGS,),
                miss_means="not IP",
                next=("ROUTE_SIZE", "NEIGHBOUR", "ROUTER_FAULT"),
            ),
            Stage(
                "NAT_OUT",
                "to the outside: from a floating IP, from the router's address, or elsewhere",
                reads=(VNI, FLAGS, *ROUTER),
                writes=(TUNNEL_REMOTE, STANDS_FOR, *TAP),
                miss_means="not IP",
                next=("NAT_DONE", "NEIGHBOUR", "ROUTER_FAULT", "TUNNEL_OUT"),
                calls=("METERED",),
            ),
            Stage(
                "NAT_DONE",
                "what could not be translated stays inside, and what is translated as it once was",
                reads=(STANDS_FOR, *ROUTER),
                writes=(METER,),
                miss_means="not translated, or not as it must be now",
                next=("NEIGHBOUR",),
                calls=("LIMITED",),
            ),
            Stage(
                "ROUTE_SIZE",
                "what is larger than the network takes that it is routed to goes no further",
                reads=(FLAGS,),
                miss="NEIGHBOUR",
                miss_means="it fits",
                next=("ROUTER_FAULT",),
            ),
            Stage(
                "NEIGHBOUR",
                "the MAC of the next hop",
                reads=(VNI, *NEXT_HOP),
                writes=(FLAGS,),
                miss_means="not IP",
                next=("ROUTE_OUT", "SEEK", "ROUTER_FAULT"),
            ),
            Stage(
                "ROUTE_OUT",
                "into the network that the packet goes to",
                writes=(FLAGS,),
                miss_means="never reached by another packet",
                again=("L2_DST",),
            ),
            Stage(
                "SEEK",
                "in a lazily held network: the agent looks for the neighbour, and holds the packet",
                reads=(VNI, FLAGS, PORT_IN),
                miss_means="sent by no port here",
                next=("ROUTER_FAULT",),
            ),
            Stage(
                "ROUTER_FAULT",
                "who sent what can't be forwarded is told by the agent",
                reads=(FLAGS, PORT_IN),
                miss_means="sent by no port of a routed network",
            ),
        ),
    ),
    Phase(80, _firewall("IN", PORT_OUT, "QOS_IN")),
    Phase(87, _limits("IN", PORT_OUT, "how many bits it receives", "DELIVER")),
    Phase(
        90,
        (
            Stage(
                "DELIVER",
                "to the local port; to a sub-port with its tag",
                reads=(PORT_OUT,),
                miss_means="the port has gone",
            ),
        ),
    ),
    Phase(
        100,
        (
            Stage(
                "TUNNEL_OUT",
                "to another host, in VXLAN or Geneve",
                reads=(VNI, TUNNEL_REMOTE),
                miss_means="this host has no tunnel port",
            ),
            Stage(
                "UPLINK_OUT",
                "to a physical network, with the network's tag",
                reads=(VNI,),
                miss_means="the uplink has gone",
            ),
            Stage(
                "RETURN",
                "an answer, back to the machine that asked, with the tag of its network",
                reads=(PORT_IN,),
                miss_means="never reached by another packet",
            ),
        ),
    ),
    Phase(
        110,
        (
            _rules("SG_RULES_OUT", "opened by a port: its egress rules, by the connection"),
            _rules("SG_RULES_IN", "opened towards a port: its ingress rules, by the connection"),
            _rules("SG_HEADERS_OUT", "of a stateless port: egress rules, by the packet's headers"),
            _rules("SG_HEADERS_IN", "of a stateless port: ingress rules, by the packet's headers"),
        ),
    ),
    Phase(
        120,
        (
            Stage(
                "METERED",
                "counts what passes routers' gateways, once a label; its flows do nothing else",
                reads=TAP,
                miss_means="not counted",
            ),
            Stage(
                "LIMITED",
                "how much passes a gateway under one address: by a meter, and nothing else",
                reads=(METER,),
                miss_means="the limit has just gone",
            ),
        ),
    ),
)


STAGES = number(_PHASES)
FINGERPRINT = repr((STAGES, registers)).encode()  # another one: flows mean something else
STAGE_BY_NAME = {stage.name: stage for stage in STAGES}
STAGE_BY_TABLE = {stage.table: stage for stage in STAGES}

# Names of the tables, in the order of the stages.
# fmt: off
(
    CLASSIFY, UPLINK_IN, PORT_SEC_L2, PORT_SEC_L3, PORT_SEC_ND, GUARDS, SERVICES, ARP_ND,
    ND_ANSWER, ACL_OUT, FW_OUT, FW_OUT_STATE, FW_OUT_STATELESS, FW_OUT_LOG, FW_OUT_VERDICT,
    QOS_OUT, PPS_OUT,
    L2_DST, MULTICAST, COPY, NAT_IN, NAT_CAME, ROUTER_IN, ROUTE, ROUTE_PICK, ROUTE_SCOPE, NAT_OUT,
    NAT_DONE, ROUTE_SIZE, NEIGHBOUR, ROUTE_OUT, SEEK, ROUTER_FAULT, ACL_IN, FW_IN, FW_IN_STATE,
    FW_IN_STATELESS, FW_IN_LOG, FW_IN_VERDICT, QOS_IN, PPS_IN, DELIVER, TUNNEL_OUT, UPLINK_OUT,
    RETURN, SG_RULES_OUT, SG_RULES_IN, SG_HEADERS_OUT, SG_HEADERS_IN, METERED, LIMITED,
) = (stage.table for stage in STAGES)
# fmt: on

ALLOWING = frozenset((SG_RULES_OUT, SG_RULES_IN, SG_HEADERS_OUT, SG_HEADERS_IN))
"""Tables whose flows only let pass: what is taken from them is taken before anything is put."""
