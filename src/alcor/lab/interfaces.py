"""Settings of interfaces in the namespace that this thread is in, by the kernel's own calls.

As quick as a call each, where starting `ip`, `ethtool` and `sysctl` for twenty machines takes
most of a second.
"""

import array
import fcntl
import socket
import struct
from pathlib import Path

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _SIOCETHTOOL = 0x8913, 0x8914, 0x8946
_IFF_UP = 1
_ETHTOOL_STXCSUM = 0x17


def set_up(name: str) -> None:
    """Bring the interface up."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        answer = fcntl.ioctl(door, _SIOCGIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
        flags = struct.unpack("16sH14x", answer)[1]
        fcntl.ioctl(door, _SIOCSIFFLAGS, struct.pack("16sH14x", name.encode(), flags | _IFF_UP))


def checksum_in_software(name: str) -> None:
    """Send packets with their checksums in: the userspace datapath does not finish half-done ones.

    Segmentation offload follows. Without this, ping works and TCP never connects.
    """
    value = array.array("I", [_ETHTOOL_STXCSUM, 0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        request = struct.pack("16sP8x", name.encode(), value.buffer_info()[0])
        fcntl.ioctl(door, _SIOCETHTOOL, request)


def ask_neighbours_quickly(name: str) -> None:
    """Repeat an unanswered ARP request or neighbour solicitation after 20 ms, not after a second.

    A machine that asks before its flows are there would else measure the kernel's patience.
    """
    for family in ("ipv4", "ipv6"):
        folder = Path("/proc/sys/net") / family / "neigh" / name
        (folder / "retrans_time_ms").write_text("20")
        (folder / "mcast_solicit").write_text("50")


def forward_packets() -> None:
    """Be a router: one that says so when it does not know the way."""
    for switch in ("ipv4/ip_forward", "ipv6/conf/all/forwarding"):
        (Path("/proc/sys/net") / switch).write_text("1")
