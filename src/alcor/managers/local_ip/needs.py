"""Whom the local IP manager calls."""

from typing import NamedTuple

from alcor.contracts.held_ports import HeldPortPeer
from alcor.contracts.peers import NetworkPeer


class Peers(NamedTuple):
    """The owners of ports and of networks."""

    ports: HeldPortPeer
    networks: NetworkPeer
