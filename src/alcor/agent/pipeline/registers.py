"""What a packet carries from stage to stage: the registers, and what their bits mean.

`pipeline.py` says which stage reads and writes what. A pair is a value and its mask.
"""

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
PICK = "reg4"  # which of several next hops of one route; then, of several ways out, which
ASKED = (1 << 31, 1 << 31)  # PICK, bit 31: the tracker has been asked by which way it came
UNASKED = (0, 1 << 31)
ROUTER = ("reg12", "reg13")  # the router that has the packet: 64 bits made of its id
ROUTED = (16, 16)  # FLAGS, bit 4: a router has sent it on, here
AGAIN = (64, 64)  # FLAGS, bit 6: it was held until the neighbour that it wants was looked for
BY_ROUTER = (128, 128)  # FLAGS, bit 7: the answer is a router's
FROM_MACHINE = (0, 19)  # from inside, and not sent on by a router
LOOKED_AT = (32, 32)  # FLAGS, bit 5: whether it answers what came by a local IP is known
CAME_BY_MASK = 0xF0_0000  # FLAGS: by which of several ways out it came, counted from 1
FAULT_MASK = 0x700  # of FLAGS: why a router can't forward the packet, a `Fault`
WANTS_MASK = 0x1800  # of FLAGS: which neighbour it wants that is not known, a `Wants`

registers = {
    VNI: "the network that the packet is in: its VNI, 24 bits",
    FLAGS: "bit 0: the packet came from the tunnel; bit 1: from an uplink; "
    "bit 2: NAT_IN has seen it; bit 3: it is larger than where it is routed to takes; "
    "bit 4: a router has sent it on, here; bit 5: an answer by a local IP would be known as one; "
    "bit 6: a neighbour was looked for; bit 7: an answer is a router's; "
    "bits 8 to 10: why a router can't forward it; "
    "bits 11 and 12: which neighbour it wants; bits 20 to 23: by which of several ways out it came",
    **dict.fromkeys(NEXT_HOP, "the next hop of a routed packet: IPv4 in reg8, IPv6 in all four"),
    **dict.fromkeys(ROUTER, "the router that has the packet: half of 64 bits made of its id"),
    TAP[0]: "what METERED is asked about: half of 64 bits made of a label's id; LIMITED: a meter",
    STANDS_FOR: "the address that a packet must have once it is translated; 0: any",
    SCOPE: "the address scope that a routed packet comes from, counted for each router; "
    "all bits: any, as it was translated",
    PICK: "which of the next hops of one route the packet takes, from 0 on; then by which of a "
    "router's ways out it leaves; bit 31: the tracker has been asked by which",
    TUNNEL_REMOTE: "IPv4 address of the tunnel endpoint that the packet goes to; before that is "
    "known, the other half of what METERED is asked about",
    SUBJECT: "the port whose security groups are asked: its number",
    VERDICT: "bit 0: a rule lets the packet pass; bit 1: its connection is not to be remembered",
    PORT_IN: "the local port that sent the packet: its number (its ofport, or a sub-port's own); "
    "0 when it came from the tunnel",
    PORT_OUT: "the local port that the packet goes to: its number",
}
