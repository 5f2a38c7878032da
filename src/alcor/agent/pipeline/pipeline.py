"""The pipeline of the integration bridge, declared once: stages, their order, their registers.

Numbers are computed from the phases, so a stage that is added moves only later stages of its own
phase. Features, traces, tests and the documentation name stages; nobody writes a table number.

Laws: no NORMAL, no FLOOD, no learning. What comes from the tunnel goes to local ports only. Every
stage has an explicit, counted miss. A port without complete data has no CLASSIFY flow: it is mute.
"""

from enum import IntEnum

from alcor.agent.pipeline.port_stages import firewall, limits, rules
from alcor.agent.pipeline.registers import *  # noqa: F403 - who names a stage names what it reads
from alcor.agent.pipeline.registers import (
    FLAGS,
    METER,
    PORT_IN,
    PORT_OUT,
    ROUTER,
    SCOPE,
    TAP,
    TUNNEL_REMOTE,
    VNI,
    registers,
)
from alcor.agent.pipeline.router_stages import ROUTER_STAGES
from alcor.agent.pipeline.stages import PRIORITY as PRIORITY
from alcor.agent.pipeline.stages import Phase, Stage, number
from alcor.agent.pipeline.wants import Wants as Wants

PUNT_DHCP4 = b"dhcp4"  # what a punting flow says to the agent
PUNT_DHCP6 = b"dhcp6"
PUNT_RA = b"ra"
PUNT_ND = b"nd"  # an advertisement that flows could make but for its flags and option
PUNT_SERVICE = b"service"
PUNT_ROUTER = b"router"
PUNT_WANTED = b"wanted"  # the MAC of the next hop outside is not known
PUNT_SEEK = b"seek"  # of a neighbour that is not known, in a network that is held lazily
PUNT_SHARED = b"shared"  # of an address that several ports may have
PUNT_LOG = b"log"  # a copy of what a port's security groups have decided about
PUNT_ACL_ACCEPTED, PUNT_ACL_DROPPED = b"acl accepted", b"acl dropped"  # and of network ACLs
LOGGED = frozenset((PUNT_LOG, PUNT_ACL_ACCEPTED, PUNT_ACL_DROPPED))
PUNT_HEARD = b"heard"  # somebody outside says who he is
PUNT_BFD = b"bfd"  # the next hop of a router's gateway says that it lives
PUNT_STALE = b"stale"  # of a connection that is translated as it may no longer be


class Fault(IntEnum):
    """Why a router can't forward a packet."""

    TTL = 1  # it has come too far
    NO_ROUTE = 2
    NO_HOST = 3  # nobody has the address of the next hop
    NO_SERVICE = 4  # it is for the router itself, which has nothing to say to it
    TOO_BIG = 5  # for the network that it must go to


PRIORITY_MISS = 0


_PHASES = (
    Phase(
        0,
        (
            Stage(
                "CLASSIFY",
                "where the packet came from: a local port (a sub-port by its tag, which goes), a "
                "network's tunnel, or an uplink; a copy for a tap here ends with it",
                writes=(VNI, FLAGS, PORT_IN),
                miss_means="unknown port, a network without ports here, or a tag of nobody",
                next=("UPLINK_IN", "PORT_SEC_L2", "L2_DST"),
            ),
            Stage(
                "UPLINK_IN",
                "from outside: who asks for what is here is answered, who answers is heard, what "
                "is said to all goes to all",
                reads=(VNI,),
                miss="L2_DST",
                miss_means="not address resolution",
                next=("ARP_ND", "L2_DST", "MULTICAST"),
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
                next=("ARP_ND", "ACL_OUT", "RETURN"),
            ),
            Stage(
                "ARP_ND",
                "answers ARP and neighbour solicitations for every known address of the network",
                reads=(VNI, PORT_IN),
                writes=(FLAGS,),
                miss_means="nobody has that address, or it is the asker's own",
                next=("ND_ANSWER", "L2_DST", "MULTICAST", "SEEK", "UPLINK_OUT", "RETURN"),
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
    Phase(30, firewall("OUT", PORT_IN, "QOS_OUT")),
    Phase(50, limits("OUT", PORT_IN, "what it sends is marked, and how many bits", "L2_DST")),
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
                next=("ACL_IN",),
            ),
        ),
    ),
    Phase(65, ROUTER_STAGES),
    Phase(80, firewall("IN", PORT_OUT, "QOS_IN")),
    Phase(87, limits("IN", PORT_OUT, "how many bits it receives", "DELIVER")),
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
            rules("SG_RULES_OUT", "opened by a port: its egress rules, by the connection"),
            rules("SG_RULES_IN", "opened towards a port: its ingress rules, by the connection"),
            rules("SG_HEADERS_OUT", "of a stateless port: egress rules, by the packet's headers"),
            rules("SG_HEADERS_IN", "of a stateless port: ingress rules, by the packet's headers"),
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
