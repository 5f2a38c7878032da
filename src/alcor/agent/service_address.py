"""Where the agent's own services live: the address and MAC that DHCP answers from.

The same on every host, so a machine that moves keeps its server.
"""

from alcor.goal_state.entries import Subnet
from alcor.values.addresses import Address, Mac

SERVER_MAC = Mac(0x02A1C0000001)  # locally administered; outside every range that ports get
SERVER_ADDRESS = Address(4, 0xA9FEA9FE)  # 169.254.169.254, for subnets without a gateway


def server_address(subnet: Subnet) -> Address:
    """The DHCP server identifier of an IPv4 subnet: its gateway, or a link-local address."""
    return subnet.gateway if subnet.gateway is not None else SERVER_ADDRESS
