"""Prefixes as messages and back, and small numbers read."""

from alcor.goal_state.entries import AddressPair
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.values.addresses import Address, Mac, Prefix, unpack_address

_VLAN_MAX = 4094
_BYTE_MAX, _PORT_MAX = 255, 65_535
_MAC_MAX = (1 << 48) - 1


def packed_prefix(prefix: Prefix) -> pb.Prefix:
    """The message of a prefix."""
    return pb.Prefix(address=Address(prefix.version, prefix.number).packed, length=prefix.length)


def read_prefix(message: pb.Prefix) -> Prefix:
    """The prefix of a message; `ValueError` when it has host bits or is too long."""
    address = unpack_address(message.address)
    prefix = Prefix(address.version, address.number, message.length)
    if message.length > prefix.width or address.number & ~prefix.mask:
        raise ValueError(f"{address}/{message.length} is not a prefix")
    return prefix


def packed_pair(pair: AddressPair) -> pb.AddressPair:
    """The message of an address pair."""
    return pb.AddressPair(prefix=packed_prefix(pair.prefix), mac=pair.mac)


def read_pair(message: pb.AddressPair) -> AddressPair:
    """The address pair of a message; `ValueError` when a part of it is none."""
    return AddressPair(read_prefix(message.prefix), read_mac(message.mac))


def read_vlan(number: int) -> int:
    """A VLAN id, or 0; `ValueError` when the number is too great for one."""
    if number > _VLAN_MAX:
        raise ValueError(f"there is no VLAN {number}")
    return number


def read_mac(number: int) -> Mac:
    """A MAC address; `ValueError` when the number is too great for one."""
    if number > _MAC_MAX:
        raise ValueError(f"a MAC address has 48 bits, not {number:#x}")
    return Mac(number)


def read_byte(number: int) -> int:
    """The number; `ValueError` when it has more than 8 bits."""
    if number > _BYTE_MAX:
        raise ValueError(f"{number} does not fit into a byte")
    return number


def read_ports(message: pb.PortRange) -> tuple[int, int]:
    """A range of ports, both ends included; `ValueError` when it is none."""
    if not message.first <= message.last <= _PORT_MAX:
        raise ValueError(f"{message.first} to {message.last} is not a range of ports")
    return message.first, message.last
