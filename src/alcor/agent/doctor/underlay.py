"""The underlay: whether other hosts answer, and whether it carries packets as large as needed.

Pings from the tunnel address that must not be fragmented. Sockets are made when an `Underlay` is,
so that they are of the network namespace that made it.
"""

import errno
import fcntl
import os
import re
import select
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Self

from alcor.agent.doctor.finding import Finding, fault, good, unknown
from alcor.ovs import appctl
from alcor.ovs.frames import checksum
from alcor.values.addresses import Address

answer_s_max = 1.0
endpoints_max = 500  # that are asked
named_max = 5
ways_max = 20  # that the switch is asked for
_IP_MTU_DISCOVER, _PROBE = 10, 3  # ip(7): never fragment, whatever is known of the way
_GET_ADDRESS, _GET_MTU = 0x8915, 0x8921  # netdevice(7)
_HEADERS = 28  # bytes of IPv4 and ICMP


class Underlay:
    """The way from this host's tunnel address to those of others."""

    def __init__(self, own: Address) -> None:
        """`PermissionError` without root; `OSError` when the address is not this host's."""
        self._own = own
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PROBE)
        self._socket.setblocking(False)
        try:
            self._socket.bind((str(own), 0))
        except OSError:
            self._socket.close()
            raise
        self.mtu = _mtu_of(own)
        self._id, self._sequence = os.getpid() & 0xFFFF, 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answering(self, endpoints: Iterable[Address], size: int = 64) -> set[Address]:
        """Those that answer a packet of this many bytes."""
        self._sequence += 1
        head = struct.pack("!HH", self._id, self._sequence)
        body = bytes((8, 0, 0, 0)) + head + bytes(size - _HEADERS)
        body = body[:2] + checksum(body).to_bytes(2, "big") + body[4:]
        waiting = {each for each in endpoints if self._send(body, each)}
        answered: set[Address] = set()
        deadline = monotonic() + answer_s_max
        while waiting - answered and (left := deadline - monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                data, (who, _) = self._socket.recvfrom(0x10000)
                at = (data[0] & 15) * 4
                if data[at] == 0 and data[at + 4 : at + 8] == head:
                    answered.add(Address(4, int.from_bytes(socket.inet_aton(who), "big")))
        return answered & waiting

    def _send(self, body: bytes, to: Address) -> bool:
        try:
            self._socket.sendto(body, (str(to), 0))
        except OSError as error:
            if error.errno in (errno.EPERM, errno.EACCES):
                raise
            return False  # too large for the interface, or no route: nobody will answer
        return True


@contextmanager
def opened(own: Address) -> Iterator[Underlay | OSError]:
    """The underlay of this network namespace, or why there is none."""
    try:
        underlay = Underlay(own)
    except OSError as error:
        yield error
        return
    with underlay:
        yield underlay


def underlay_faults(
    underlay: Underlay, host_by_endpoint: dict[Address, str], needed: int
) -> list[Finding]:
    """Who does not answer, and who not to what is as large as tunnels need it."""
    found = _own_mtu(underlay.mtu, needed)
    asked = dict(sorted(host_by_endpoint.items())[:endpoints_max])
    if not asked:
        return [*found, unknown("tunnels", "no other host has a port on this host's networks")]
    there = underlay.answering(asked)
    silent = [each for each in asked if each not in there]
    if silent:
        says = f"no answer from {_named(silent, asked)}"
        step = "look at those hosts, and at the routes and firewalls between; UDP 4789 must pass"
        found.append(fault("tunnels", says, step))
    else:
        found.append(good("tunnels", f"{len(asked)} other hosts answer"))
    if needed and underlay.mtu >= needed and there:
        small = [each for each in there if each not in underlay.answering(there, needed)]
        if small:
            says = f"{needed} bytes do not reach {_named(small, asked)}"
            found.append(fault("mtu", says, "raise the MTU of the underlay's switches"))
    return found


async def userspace_faults(
    run_dir: Path, endpoints: Iterable[Address], bridges: Collection[str]
) -> list[Finding]:
    """Of a userspace datapath: that what it sends into tunnels leaves by one of its `bridges`.

    It does not send by the kernel's interfaces, so other hosts may answer by a way that tunnels
    can't take. Source: "Userspace VXLAN tunneling", docs.openvswitch.org; ovs-vswitchd(8).
    """
    try:
        socket = appctl.switch_socket(run_dir)
        for each in sorted(endpoints)[:ways_max]:
            way = await _device(socket, each)
            if way not in bridges:
                says = f"tunnels to {each} would leave by {way or 'nothing'}, no bridge of Open "
                says += "vSwitch's userspace datapath, so nothing is sent"
                step = "put that interface into a bridge of datapath_type netdev, and its addresses"
                return [fault("tunnels", says, f"{step} on the bridge's own interface")]
    except (OSError, TimeoutError, appctl.Declined) as error:
        return [unknown("tunnels", f"ovs-vswitchd does not say which way they go: {error}")]
    return []


async def _device(socket: Path, to: Address) -> str:
    """By what the switch would send; empty when it knows no way."""
    try:
        told = await appctl.ask(socket, "ovs/route/lookup", str(to))
    except appctl.Declined as error:
        if "Not found" in str(error):
            return ""
        raise
    found = re.search(r"^dev (\S+)$", told, re.MULTILINE)
    return found[1] if found else ""


def _own_mtu(mtu: int, needed: int) -> list[Finding]:
    if needed > mtu:
        says = f"the underlay takes {mtu} bytes, and the largest network needs {needed}"
        return [fault("mtu", says, "raise the MTU of the interface, or lower `network.mtu_max`")]
    return [good("mtu", f"the underlay takes {mtu} bytes, of which {needed} are needed")]


def _named(endpoints: Collection[Address], host_by_endpoint: dict[Address, str]) -> str:
    names = [f"{host_by_endpoint[each]} ({each})" for each in sorted(endpoints)]
    more = f" and {len(names) - named_max} more" if len(names) > named_max else ""
    return ", ".join(names[:named_max]) + more


def _mtu_of(own: Address) -> int:
    """The MTU of the interface that has an address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            try:
                if fcntl.ioctl(asks, _GET_ADDRESS, request)[20:24] == own.packed:
                    return int(struct.unpack_from("i", fcntl.ioctl(asks, _GET_MTU, request), 16)[0])
            except OSError:  # an interface without an address
                continue
    raise OSError(errno.EADDRNOTAVAIL, f"no interface has {own}")
