"""The numbers of meters: of what a port sends to the agent, and of what its QoS policy limits.

They are chosen here only: for a purpose, its range and the port's number (16 bits); for QoS, the
port's slot (14 bits, `qos.py`) and the kind of limit. A switch has 262,144 meters. Pure.
"""

from typing import NamedTuple

CONFIGURATION = 0x0_0000  # DHCP and router solicitations
ROUTER_FAULTS = 0x1_0000  # what a router can't forward
QUESTIONS = 0x2_0000  # DNS and metadata
OUTSIDE = CONFIGURATION  # of an uplink, which configures nothing: addresses wanted, and heard
BFD = QUESTIONS  # of an uplink: next hops that say that they live
STALE = ROUTER_FAULTS  # of an uplink: of connections that are no longer translated rightly
ACCEPTED, DROPPED = ROUTER_FAULTS, QUESTIONS  # of no port: copies of what is logged of all ports
LIMITS = 0x3_0000  # of a port's QoS policy: four of each slot

_copied_first, _copied = QUESTIONS + 0xFF00, 0x100  # ofports end before: networks share the rest

_configuration_per_s_max, _configuration_burst = 10, 20  # packets of one port
_faults_per_s_max, _faults_burst = 20, 50  # packets of one port: traceroute sends many at once
_outside_per_s_max, _outside_burst = 200, 400  # packets of one uplink
_stale_per_s_max, _stale_burst = 500, 1_000  # packets of one uplink
_bfd_per_s_max, _bfd_burst = 1_000, 2_000  # packets of one uplink
_copied_per_s_max, _copied_burst = 1_000, 2_000  # packets, before they are copied
_questions_per_s_max, _questions_burst = 500, 1_000


class Meter(NamedTuple):
    """A limit on what one port's flows let pass."""

    id: int
    rate: int  # packets, or kbit, a second
    burst: int  # packets, or kbit
    per_packet: bool = True


def of_configuration(number: int) -> Meter:
    """For a machine that asks how to configure its interface."""
    return Meter(CONFIGURATION + number, _configuration_per_s_max, _configuration_burst)


def of_questions(number: int) -> Meter:
    """For names and metadata: a machine that boots asks for many things in a row."""
    return Meter(QUESTIONS + number, _questions_per_s_max, _questions_burst)


def of_copied(vni: int) -> Meter:
    """For multicast of a network that is sent here."""
    return Meter(_copied_first + vni % _copied, _copied_per_s_max, _copied_burst)


def of_faults(number: int) -> Meter:
    """For what a machine sends and no router can forward."""
    return Meter(ROUTER_FAULTS + number, _faults_per_s_max, _faults_burst)


def of_outside(ofport: int) -> Meter:
    """For address resolution outside, by an uplink."""
    return Meter(OUTSIDE + ofport, _outside_per_s_max, _outside_burst)


def of_stale(ofport: int) -> Meter:
    """For what is translated as it may no longer be, and passes an uplink."""
    return Meter(STALE + ofport, _stale_per_s_max, _stale_burst)


def of_bfd(ofport: int) -> Meter:
    """For BFD of next hops, by an uplink."""
    return Meter(BFD + ofport, _bfd_per_s_max, _bfd_burst)


def of_limit(slot: int, ingress: bool, per_packet: bool, rate: int, burst: int) -> Meter:
    """For a limit of a port's QoS policy."""
    return Meter(LIMITS + (slot << 2 | ingress << 1 | per_packet), rate, burst, per_packet)
