"""A DHCPv4 server without leases: the address is the port's, the API gave it.

Pure: request bytes and the port in, answer bytes or the reason for silence out.
Sources: RFC 2131 section 4.3, RFC 2132, RFC 3442 (routes), RFC 3396.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alcor.agent.model.service_address import SERVER_ADDRESS, SERVER_MAC, resolvers, server_address
from alcor.agent.packets.dhcp import (
    BOOT_REPLY,
    BOOT_REQUEST,
    BROADCAST_FLAG,
    CLIENT_PORT,
    SERVER_PORT,
    Message,
    MessageType,
    Option,
    build_message,
    datagram_bytes_min,
    option_bytes,
    parse_message,
    route_bytes,
)
from alcor.agent.packets.ipv4 import (
    BROADCAST,
    BROADCAST_MAC,
    Datagram,
    Malformed,
    build_datagram,
    parse_datagram,
)
from alcor.agent.punts.dhcp import HOST_NAME, Answer, Served, Silence, told_name
from alcor.goal_state.entries import Port, Subnet
from alcor.values.addresses import Address
from alcor.values.dhcp_options import NEXT_SERVER, When

boot_file_bytes = 128  # of the field, its end included
options_bytes_min = datagram_bytes_min - 20 - 8 - 240 - 1  # IP, UDP, DHCP head, end mark
_NEEDED = (
    Option.MESSAGE_TYPE,
    Option.SERVER_ID,
    Option.LEASE_TIME,
    Option.RENEWAL_TIME,
    Option.REBINDING_TIME,
    Option.SUBNET_MASK,
    Option.ROUTER,
    Option.CLASSLESS_ROUTES,
)


class _Lease(NamedTuple):
    address: int
    subnet: Subnet
    server: int


def answer(frame: bytes, served: Served) -> Answer | Silence:
    """What the server says to a frame that the port sent."""
    try:
        datagram = parse_datagram(frame)
        if (datagram.udp_src, datagram.udp_dst) != (CLIENT_PORT, SERVER_PORT):
            return Silence("not from a client to a server")
        message = parse_message(datagram.payload)
    except Malformed as error:
        return Silence(str(error))
    refusal = _refusal(message, served)
    if refusal is not None:
        return refusal
    lease = _lease(served)
    if lease is None:
        return Silence("the port has no IPv4 address on a subnet with DHCP")
    return _answer_message(message, lease, served)


def _refusal(message: Message, served: Served) -> Silence | None:
    if message.op != BOOT_REQUEST:
        return Silence("not a request")
    if message.chaddr != served.port.mac:
        return Silence("the client's MAC is not the port's")
    if message.giaddr:
        return Silence("relayed")
    return None


def _lease(served: Served) -> _Lease | None:
    for fixed in served.port.fixed_ips:
        subnet = served.subnets.get(fixed.subnet_id)
        if fixed.address.version == 4 and subnet is not None and subnet.dhcp:
            return _Lease(
                fixed.address.number, subnet, server_address(served.network, subnet).number
            )
    return None


def _answer_message(message: Message, lease: _Lease, served: Served) -> Answer | Silence:
    match message.type:
        case MessageType.DISCOVER:
            return _reply(MessageType.OFFER, message, lease, served)
        case MessageType.REQUEST:
            return _answer_request(message, lease, served)
        case MessageType.INFORM:
            if not message.ciaddr:
                return Silence("INFORM without an address")
            return _reply(MessageType.ACK, message, lease, served, with_lease=False)
        case MessageType.DECLINE:
            return Silence("the machine says that its address is in use", notable=True)
        case MessageType.RELEASE:
            return Silence("released; the address stays the port's")
    return Silence(f"message type {message.type}")


def _answer_request(message: Message, lease: _Lease, served: Served) -> Answer | Silence:
    """The four kinds of REQUEST (RFC 2131, table 4), told apart by what they say."""
    server = message.address(Option.SERVER_ID)
    if server is not None and server != lease.server:
        return Silence("the client chose another server")
    # SELECTING and INIT-REBOOT name the address in option 50, RENEWING and REBINDING hold it.
    wanted = message.ciaddr or message.address(Option.REQUESTED_ADDRESS)
    if wanted is None:
        return Silence("REQUEST without an address")
    if wanted != lease.address:
        return _refuse(message, lease)
    return _reply(MessageType.ACK, message, lease, served)


def _refuse(message: Message, lease: _Lease) -> Answer:
    """NAK: what the client believes is wrong, so nobody is addressed by it (RFC 2131, 4.1)."""
    options: dict[int, bytes] = {
        Option.MESSAGE_TYPE: bytes((MessageType.NAK,)),
        Option.SERVER_ID: _ip(lease.server),
    }
    reply = Message(BOOT_REPLY, message.xid, message.flags, 0, 0, 0, 0, message.chaddr, options)
    return Answer(_frame(reply, lease.server, BROADCAST_MAC, BROADCAST), MessageType.NAK)


def _reply(
    kind: MessageType, message: Message, lease: _Lease, served: Served, *, with_lease: bool = True
) -> Answer:
    extra = _extra(message, served.port)
    options: dict[int, bytes] = {
        Option.MESSAGE_TYPE: bytes((kind,)),
        Option.SERVER_ID: _ip(lease.server),
    }
    if with_lease:
        options.update(_times(served.lease_s))
    options.update(_configuration(lease, served, extra))
    options.update(extra)
    reply = Message(
        op=BOOT_REPLY,
        xid=message.xid,
        flags=message.flags,
        ciaddr=message.ciaddr,
        yiaddr=lease.address if with_lease else 0,
        siaddr=_next_server(extra) or lease.server,
        giaddr=0,
        chaddr=message.chaddr,
        options=_fitting(_ordered(options, extra, message), message),
        file=_boot_file(extra),
    )
    mac, address = _destination(message, lease)
    return Answer(_frame(reply, lease.server, mac, address), kind)


def _times(lease_s: int) -> dict[int, bytes]:
    """The lease, T1 at a half and T2 at seven eighths of it (RFC 2131, 4.4.5)."""
    return {
        Option.LEASE_TIME: lease_s.to_bytes(4, "big"),
        Option.RENEWAL_TIME: (lease_s // 2).to_bytes(4, "big"),
        Option.REBINDING_TIME: (lease_s * 7 // 8).to_bytes(4, "big"),
    }


def _configuration(
    lease: _Lease, served: Served, extra: Mapping[int, bytes]
) -> Iterator[tuple[Option, bytes]]:
    """What the machine is told of its network, the most needed first."""
    prefix = lease.subnet.prefix
    yield Option.SUBNET_MASK, _ip(prefix.mask)
    if lease.subnet.gateway is not None:
        yield Option.ROUTER, _ip(lease.subnet.gateway.number)
    gateway = int.from_bytes(extra.get(Option.ROUTER, b"")[:4], "big")
    routes = _routes(lease.subnet, gateway)
    if routes:
        yield Option.CLASSLESS_ROUTES, routes
    yield Option.INTERFACE_MTU, min(served.network.mtu, 0xFFFF).to_bytes(2, "big")
    servers = [each.number for each in resolvers(lease.subnet)]
    if servers:
        yield Option.DNS_SERVER, b"".join(map(_ip, servers))
    domain = served.network.zone.rstrip(".")
    if HOST_NAME.fullmatch(domain):
        yield Option.DOMAIN_NAME, domain.encode()
    yield Option.HOST_NAME, told_name(served.port, Address(4, lease.address)).encode()
    if prefix.length < 31:
        yield Option.BROADCAST_ADDRESS, _ip(prefix.last)


def _routes(subnet: Subnet, gateway: int) -> bytes:
    """Option 121; clients that take it ignore option 3, so it says the default route as well.

    The services of the host are on the link (router 0.0.0.0: RFC 3442), whoever the gateway is, and
    so is a gateway outside the subnet.
    """
    routes = [(SERVER_ADDRESS.number, 32, 0)]
    routes += [
        (route.destination.number, route.destination.length, route.nexthop.number)
        for route in subnet.host_routes
        if route.destination.version == 4 and route.nexthop.version == 4
    ]
    gateway = gateway or (subnet.gateway.number if subnet.gateway is not None else 0)
    if gateway:
        if not subnet.prefix.covers(Address(4, gateway)):
            routes.append((gateway, 32, 0))
        routes.append((0, 0, gateway))
    return route_bytes(routes)


def _extra(message: Message, port: Port) -> dict[int, bytes]:
    """What the port's owner asked for, by code; the more special for this client wins."""
    user_class = message.options.get(Option.USER_CLASS, b"")
    # Of RFC 3004's form, with its length before it, or without as iPXE sends it.
    is_ipxe = Option.IPXE in message.options or user_class in (b"iPXE", b"\x04iPXE")
    mismatch = When.NOT_IPXE if is_ipxe else When.IPXE
    return {
        each.code: each.value
        for each in sorted(port.dhcp_options, key=lambda each: each.when)
        if each.version == 4 and each.when is not mismatch
    }


def _next_server(extra: Mapping[int, bytes]) -> int:
    """Where firmware fetches its boot file; 0 when nobody said."""
    if NEXT_SERVER in extra:
        return int.from_bytes(extra[NEXT_SERVER][:4], "big")
    # A boot server written as an address belongs there too: much firmware looks nowhere else.
    parts = extra.get(Option.TFTP_SERVER, b"").split(b".")
    if len(parts) == 4 and all(part.isdigit() and int(part) < 256 for part in parts):
        return int.from_bytes(bytes(map(int, parts)), "big")
    return 0


def _boot_file(extra: Mapping[int, bytes]) -> bytes:
    file = extra.get(Option.BOOT_FILE, b"")
    return file if len(file) < boot_file_bytes else b""


def _ordered(
    options: Mapping[int, bytes], extra: Mapping[int, bytes], message: Message
) -> dict[int, bytes]:
    """The most needed first, then what was asked for: what has no room is left out from the end."""
    order = dict.fromkeys((*_NEEDED, *extra, *options))
    silent = {NEXT_SERVER, *(code for code, value in extra.items() if not value)}
    told = {int(code): options[code] for code in order if code in options and code not in silent}
    # The same routes under the number that old Windows asks for.
    asked = Option.MICROSOFT_ROUTES in message.options.get(Option.PARAMETER_LIST, b"")
    if asked and Option.CLASSLESS_ROUTES in told:
        told.setdefault(int(Option.MICROSOFT_ROUTES), told[Option.CLASSLESS_ROUTES])
    return told


def _fitting(options: Mapping[int, bytes], message: Message) -> dict[int, bytes]:
    """The options that the client's message size has room for; none is ever cut."""
    size = message.options.get(Option.MAX_MESSAGE_SIZE, b"")
    said = int.from_bytes(size, "big") if len(size) == 2 else datagram_bytes_min
    room = options_bytes_min + max(0, min(said, 1400) - datagram_bytes_min)
    chosen: dict[int, bytes] = {}
    for code, value in options.items():
        need = len(option_bytes(code, value))
        if need <= room:
            chosen[code] = value
            room -= need
    return chosen


def _destination(message: Message, lease: _Lease) -> tuple[int, int]:
    """Where a reply goes (RFC 2131, 4.1): MAC and address."""
    if message.ciaddr:
        return message.chaddr, message.ciaddr
    if message.flags & BROADCAST_FLAG:
        return BROADCAST_MAC, BROADCAST
    return message.chaddr, lease.address


def _frame(reply: Message, server: int, mac: int, address: int) -> bytes:
    return build_datagram(
        Datagram(
            eth_src=SERVER_MAC,
            eth_dst=mac,
            ip_src=server,
            ip_dst=address,
            udp_src=SERVER_PORT,
            udp_dst=CLIENT_PORT,
            payload=build_message(reply),
        )
    )


def _ip(number: int) -> bytes:
    return number.to_bytes(4, "big")
