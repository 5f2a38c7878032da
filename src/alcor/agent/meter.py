"""What a port may send to the agent, a second; the numbers of meters are decided here alone.

A meter's number is the port's own (16 bits) within the range of its purpose; a switch has
262,144 of them. Pure.
"""

from typing import NamedTuple

CONFIGURATION = 0x0_0000  # DHCP and router solicitations
ROUTER_FAULTS = 0x1_0000  # what a router can't forward
QUESTIONS = 0x2_0000  # DNS and metadata
OUTSIDE = 0x3_0000  # of an uplink: addresses wanted, and heard

_configuration_per_s_max, _configuration_burst = 10, 20  # packets of one port
_faults_per_s_max, _faults_burst = 20, 50  # packets of one port: traceroute sends many at once
_outside_per_s_max, _outside_burst = 200, 400  # packets of one uplink
_questions_per_s_max, _questions_burst = 500, 1_000


class Meter(NamedTuple):
    """A limit on what one port's flows send to the agent."""

    id: int
    rate: int  # packets a second
    burst: int  # packets


def of_configuration(number: int) -> Meter:
    """For a machine that asks how to configure its interface."""
    return Meter(CONFIGURATION + number, _configuration_per_s_max, _configuration_burst)


def of_questions(number: int) -> Meter:
    """For names and metadata: a machine that boots asks for many things in a row."""
    return Meter(QUESTIONS + number, _questions_per_s_max, _questions_burst)


def of_faults(number: int) -> Meter:
    """For what a machine sends and no router can forward."""
    return Meter(ROUTER_FAULTS + number, _faults_per_s_max, _faults_burst)


def of_outside(ofport: int) -> Meter:
    """For address resolution outside, by an uplink."""
    return Meter(OUTSIDE + ofport, _outside_per_s_max, _outside_burst)
