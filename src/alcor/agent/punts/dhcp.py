"""What both DHCP servers are asked with, and what they say. Neither has leases to remember."""

import re
from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from alcor.agent.packets.names import host_label
from alcor.goal_state.entries import Network, Port, Subnet
from alcor.values.addresses import Address

# Clients hand names to shell scripts: only what is a name is told.
HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


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


def told_name(port: Port, leased: Address) -> str:
    """What a machine is told that it is called: what its port is, or what its address is."""
    return port.name if HOST_NAME.fullmatch(port.name) else host_label(leased).decode()
