"""Where the agent's own services live: the addresses and the MAC that it answers from.

The same on every host, so a machine that moves keeps its servers.
"""

from alcor.goal_state.entries import Network, Subnet
from alcor.values.addresses import Address, Mac

SERVER_MAC = Mac(0x02A1C0000001)  # locally administered; outside every range that ports get
SERVER_ADDRESS = Address(4, 0xA9FEA9FE)  # 169.254.169.254
SERVER_ADDRESS6 = Address(6, 0xFE80 << 112 | 0xA9FE_A9FE)  # fe80::a9fe:a9fe


def server_address(network: Network, subnet: Subnet) -> Address:
    """The DHCP server identifier of an IPv4 subnet: its gateway, or a link-local address.

    On a physical network the gateway may be somebody's outside, and so may one outside the subnet.
    """
    gateway = subnet.gateway
    if gateway is None or network.physical_network or not subnet.prefix.covers(gateway):
        return SERVER_ADDRESS
    return gateway


def resolvers(subnet: Subnet) -> tuple[Address, ...]:
    """The name servers that machines of a subnet are told: the host itself when it names none.

    `0.0.0.0` or `::` means that there are none.
    """
    version = subnet.prefix.version
    if not subnet.dns_nameservers:
        return (SERVER_ADDRESS if version == 4 else SERVER_ADDRESS6,)
    return tuple(each for each in subnet.dns_nameservers if each.version == version and each.number)
