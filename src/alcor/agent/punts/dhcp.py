"""What both DHCP servers are asked with, and what they say. Neither has leases to remember."""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from alcor.goal_state.entries import Network, Port, Subnet


class Served(NamedTuple):
    """The port that asks, with the data that an answer is made of."""

    port: Port
    network: Network
    subnets: Mapping[str, Subnet]  # of the port's addresses, by id
    lease_s: int


class Answer(NamedTuple):
    """A frame to send to the port, and its type of message."""

    frame: bytes
    kind: IntEnum


class Silence(NamedTuple):
    """No answer, and why not; `notable` when an operator should know."""

    reason: str
    notable: bool = False
