"""A DHCPv6 server without leases: the addresses are the port's, the API gave them.

Pure: the frame and the port in, answer or the reason for silence out. What it says depends on the
port alone, so a machine does not notice when the agent starts again or the port moves.
Sources: RFC 8415 section 18.3, RFC 3646, RFC 4704, Neutron's `ipv6_address_mode`.
"""

from collections.abc import Iterator, Sequence

from alcor.agent.model.service_address import SERVER_MAC, resolvers
from alcor.agent.packets.dhcp6 import (
    CLIENT_PORT,
    SERVER_PORT,
    Association,
    Message,
    MessageType,
    Option,
    Status,
    address_bytes,
    build_message,
    option_bytes,
    parse_message,
    status_bytes,
)
from alcor.agent.packets.ipv4 import Malformed
from alcor.agent.packets.ipv6 import Datagram6, parse_datagram
from alcor.agent.packets.names import is_domain, name_bytes
from alcor.agent.punts.dhcp import Answer, Served, Silence, told_name
from alcor.goal_state.entries import Ipv6Mode, Port
from alcor.ovs import frames
from alcor.values.addresses import eui64_link_local
from alcor.values.dhcp_options import DhcpOption

FOREVER = 0xFFFF_FFFF  # seconds
refresh_s_min = 600  # of what INFORMATION-REQUEST gave (RFC 8415, 21.23)
_DUID = bytes((0, 3, 0, 1)) + SERVER_MAC.to_bytes(6, "big")  # of the link layer: never changes
_HEADERS = 40 + 8 + 4  # bytes of IPv6, UDP and the message before its options

_WITH_SERVER = (MessageType.REQUEST, MessageType.RENEW, MessageType.RELEASE, MessageType.DECLINE)
_WITHOUT_SERVER = (MessageType.SOLICIT, MessageType.CONFIRM, MessageType.REBIND)


Options = list[tuple[int, bytes]]


def answer(frame: bytes, served: Served) -> Answer | Silence:
    """What the server says to a frame that the port sent."""
    try:
        datagram = parse_datagram(frame)
        if (datagram.udp_src, datagram.udp_dst) != (CLIENT_PORT, SERVER_PORT):
            return Silence("not from a client to a server")
        message = parse_message(datagram.payload)
        associations = message.associations()
    except Malformed as error:
        return Silence(str(error))
    refusal = _refusal(message)
    if refusal is not None:
        return refusal
    return _answer_message(datagram, message, associations, served)


def _refusal(message: Message) -> Silence | None:
    """What must be ignored (RFC 8415, section 16)."""
    client, server = message.option(Option.CLIENT_ID), message.option(Option.SERVER_ID)
    if message.kind == MessageType.INFORMATION_REQUEST:
        return None if server in (None, _DUID) else Silence("the client chose another server")
    if message.kind not in (*_WITH_SERVER, *_WITHOUT_SERVER):
        return Silence(f"message type {message.kind}")
    if client is None:
        return Silence("a client without identifier")
    if message.kind in _WITH_SERVER and server != _DUID:
        return Silence("the client chose another server")
    if message.kind in _WITHOUT_SERVER and server is not None:
        return Silence("a server is named where none may be")
    return None


def _answer_message(
    datagram: Datagram6, message: Message, associations: Sequence[Association], served: Served
) -> Answer | Silence:
    kind, options = MessageType.REPLY, list(_identifiers(message))
    match message.kind:
        case MessageType.SOLICIT:
            if message.option(Option.RAPID_COMMIT) is not None:
                options.append((Option.RAPID_COMMIT, b""))
            else:
                kind = MessageType.ADVERTISE
            options += _given(associations, served)
        case MessageType.REQUEST | MessageType.RENEW | MessageType.REBIND:
            options += _given(associations, served)
        case MessageType.CONFIRM:
            claimed = {address for each in associations for address in each.addresses}
            if not claimed:
                return Silence("CONFIRM without an address")
            options.append(_confirmed(claimed <= set(_addresses(served))))
        case MessageType.RELEASE:
            # The address stays the port's; there is nothing to give back.
            options.append(_status(Status.SUCCESS, "released"))
        case MessageType.DECLINE:
            return Silence("the machine says that its address is in use", notable=True)
        case MessageType.INFORMATION_REQUEST:
            if associations:
                return Silence("INFORMATION-REQUEST with an identity association")
            refresh = max(served.lease_s, refresh_s_min)
            options.append((Option.REFRESH_TIME, refresh.to_bytes(4, "big")))
    if message.kind not in (MessageType.CONFIRM, MessageType.RELEASE):
        told = dict(_configuration(served)) | dict(_name(message, served))
        told.update({each.code: each.value for each in _extra(served.port)})
        options = [each for each in options if each[0] not in told] + list(told.items())
    return Answer(_frame(datagram, kind, message, _fitting(options, served)), kind)


def _identifiers(message: Message) -> Iterator[tuple[int, bytes]]:
    client = message.option(Option.CLIENT_ID)
    if client is not None:
        yield Option.CLIENT_ID, client
    yield Option.SERVER_ID, _DUID


def _given(associations: Sequence[Association], served: Served) -> Iterator[tuple[int, bytes]]:
    """All of the port's addresses for the first association, nothing for the others."""
    addresses = _addresses(served)
    for each in associations:
        if each.code == Option.IA_PD:
            no_prefix = status_bytes(Status.NO_PREFIXES, "no prefixes here")
            yield each.code, each.iaid + bytes(8) + no_prefix
        elif each.code == Option.IA_NA and addresses:
            yield each.code, each.iaid + _leases(each, addresses, served.lease_s)
            addresses = ()
        else:
            times = b"" if each.code == Option.IA_TA else bytes(8)
            no_address = status_bytes(Status.NO_ADDRESSES, "no addresses for it")
            yield each.code, each.iaid + times + no_address


def _addresses(served: Served) -> tuple[int, ...]:
    """What DHCPv6 gives to the port."""
    return tuple(
        fixed.address.number
        for fixed in served.port.fixed_ips
        if fixed.subnet_id in served.subnets
        and served.subnets[fixed.subnet_id].address_mode is Ipv6Mode.STATEFUL
    )


def _leases(association: Association, addresses: Sequence[int], lease_s: int) -> bytes:
    """T1 at a half and T2 at seven eighths, as in DHCPv4; what is not the port's ends at once."""
    endless = lease_s == FOREVER
    renew, rebind = (FOREVER, FOREVER) if endless else (lease_s // 2, lease_s * 7 // 8)
    out = renew.to_bytes(4, "big") + rebind.to_bytes(4, "big")
    out += b"".join(address_bytes(each, lease_s, lease_s) for each in addresses)
    wrong = [each for each in association.addresses if each not in addresses]
    return out + b"".join(address_bytes(each, 0, 0) for each in wrong)


def _confirmed(right: bool) -> tuple[int, bytes]:
    if right:
        return _status(Status.SUCCESS, "they are yours")
    return _status(Status.NOT_ON_LINK, "not addresses of this port")


def _status(status: Status, text: str) -> tuple[int, bytes]:
    return Option.STATUS, status.to_bytes(2, "big") + text.encode()


def _configuration(served: Served) -> Iterator[tuple[int, bytes]]:
    """What the machine is told of its network."""
    subnets = [each for each in served.subnets.values() if each.prefix.version == 6]
    servers = {each.packed: None for subnet in subnets for each in resolvers(subnet)}
    if servers:
        yield Option.NAME_SERVERS, b"".join(servers)
    domain = served.network.zone.rstrip(".")
    if is_domain(domain):
        yield Option.SEARCH_LIST, name_bytes(domain)


def _name(message: Message, served: Served) -> Iterator[tuple[int, bytes]]:
    """The machine's name, to who asks for it or says what it takes for it (RFC 4704, section 6).

    The name is in the network's zone already: no client has to enter it anywhere (flag S, and O
    where the client said otherwise).
    """
    said = message.option(Option.CLIENT_NAME)
    addresses = [each.address for each in served.port.fixed_ips if each.address.version == 6]
    if not addresses or (said is None and not message.asks_for(Option.CLIENT_NAME)):
        return
    by_server, overridden = 1, 2
    flags = by_server if said is None or (said and said[0] & by_server) else by_server | overridden
    name = ".".join((told_name(served.port, addresses[0]), served.network.zone.rstrip(".")))
    if is_domain(name):
        yield Option.CLIENT_NAME, bytes((flags,)) + name_bytes(name)


def _extra(port: Port) -> Iterator[DhcpOption]:
    return (each for each in port.dhcp_options if each.version == 6)


def _fitting(options: Options, served: Served) -> Options:
    """The options that one packet of the network has room for; none is ever cut."""
    room = max(served.network.mtu, 1280) - _HEADERS
    chosen: Options = []
    for code, value in options:
        need = len(option_bytes(code, value))
        if need <= room:
            chosen.append((code, value))
            room -= need
    return chosen


def _frame(datagram: Datagram6, kind: MessageType, message: Message, options: Options) -> bytes:
    payload = build_message(kind, message.transaction, options)
    source = eui64_link_local(SERVER_MAC).number
    packet = frames.udp6(source, datagram.ip_src, SERVER_PORT, CLIENT_PORT, payload)
    return frames.ip_frame(datagram.eth_src, SERVER_MAC, packet)
