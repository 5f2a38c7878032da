"""What a port may send to the agent, a second; the numbers of meters are decided here alone.

A meter's number is the port's ofport (16 bits) within the range of its purpose; a switch has
262,144 of them. Pure.
"""

from typing import NamedTuple

CONFIGURATION = 0x0_0000  # DHCP and router solicitations
ROUTER_FAULTS = 0x1_0000  # what a router can't forward
QUESTIONS = 0x2_0000  # DNS and metadata

_configuration_per_s_max, _configuration_burst = 10, 20  # packets of one port
_questions_per_s_max, _questions_burst = 500, 1_000


class Meter(NamedTuple):
    """A limit on what one port's flows send to the agent."""

    id: int
    rate: int  # packets a second
    burst: int  # packets


def of_configuration(ofport: int) -> Meter:
    """For a machine that asks how to configure its interface."""
    return Meter(CONFIGURATION + ofport, _configuration_per_s_max, _configuration_burst)


def of_questions(ofport: int) -> Meter:
    """For names and metadata: a machine that boots asks for many things in a row."""
    return Meter(QUESTIONS + ofport, _questions_per_s_max, _questions_burst)
