"""The messages of ports and networks, and of what a network's hosts know of each other's ports."""

from typing import Any

from alcor.goal_state.entries import (
    FixedIp,
    Found,
    FoundName,
    Ipv6Mode,
    LocalIp,
    Name,
    Neighbour,
    Network,
    Port,
    Presence,
    Route,
    Subnet,
)
from alcor.goal_state.kind import Kind
from alcor.goal_state.pb import goal_state_pb2 as pb
from alcor.goal_state.prefix_codec import (
    packed_pair,
    packed_prefix,
    read_mac,
    read_pair,
    read_prefix,
    read_vlan,
)
from alcor.values.addresses import unpack_address
from alcor.values.dhcp_options import DhcpOption, When

_VNI_MAX = (1 << 24) - 1


def _port(port: Port) -> pb.Port:
    return pb.Port(
        network_id=port.network_id,
        mac=port.mac,
        fixed_ips=[
            pb.FixedIp(subnet_id=fixed.subnet_id, address=fixed.address.packed)
            for fixed in port.fixed_ips
        ],
        admin_state_up=port.admin_state_up,
        port_security=port.port_security,
        name=port.name,
        device_id=port.device_id,
        security_groups=port.security_groups,
        filtered=port.filtered,
        address_pairs=[packed_pair(pair) for pair in port.address_pairs],
        dhcp_options=[
            pb.DhcpOption(ip_version=each.version, code=each.code, value=each.value, when=each.when)
            for each in port.dhcp_options
        ],
        project_id=port.project_id,
        parent_id=port.parent_id,
        vlan=port.vlan,
        qos_policy_id=port.qos_policy_id,
        own_qos_only=port.own_qos_only,
        waits=port.waits,
        local_ips=[
            pb.LocalIp(
                address=each.address.packed,
                fixed=each.fixed.packed,
                passthrough=each.passthrough,
            )
            for each in port.local_ips
        ],
    )


def _network(network: Network) -> pb.Network:
    return pb.Network(
        vni=network.vni,
        mtu=network.mtu,
        admin_state_up=network.admin_state_up,
        dns_domain=network.dns_domain,
        physical_network=network.physical_network,
        vlan=network.vlan,
        zone=network.zone,
        qos_policy_id=network.qos_policy_id,
        lazy=network.lazy,
    )


def _subnet(subnet: Subnet) -> pb.Subnet:
    return pb.Subnet(
        prefix=packed_prefix(subnet.prefix),
        gateway=subnet.gateway.packed if subnet.gateway else b"",
        dhcp=subnet.dhcp,
        dns_nameservers=[server.packed for server in subnet.dns_nameservers],
        host_routes=[
            pb.Route(destination=packed_prefix(route.destination), nexthop=route.nexthop.packed)
            for route in subnet.host_routes
        ],
        ra_mode=f"IPV6_MODE_{subnet.ra_mode.name}",
        address_mode=f"IPV6_MODE_{subnet.address_mode.name}",
        address_scope=subnet.address_scope,
    )


def _neighbour(neighbour: Neighbour) -> pb.Neighbour:
    return pb.Neighbour(
        mac=neighbour.mac,
        addresses=[address.packed for address in neighbour.addresses],
        host=neighbour.host,
        tunnel_endpoint=neighbour.tunnel_endpoint.packed,
        pairs=[packed_pair(pair) for pair in neighbour.pairs],
        also=[endpoint.packed for endpoint in neighbour.also],
    )


def _name(name: Name) -> pb.Name:
    packed = [address.packed for address in name.addresses]
    return pb.Name(name=name.name, domain=name.domain, addresses=packed)


def _read_port(parts: list[str], value: bytes) -> Port:
    message = pb.Port.FromString(value)
    return Port(
        id=parts[3],
        network_id=message.network_id,
        mac=read_mac(message.mac),
        fixed_ips=tuple(
            FixedIp(fixed.subnet_id, unpack_address(fixed.address)) for fixed in message.fixed_ips
        ),
        admin_state_up=message.admin_state_up,
        port_security=message.port_security,
        name=message.name,
        device_id=message.device_id,
        security_groups=tuple(message.security_groups),
        filtered=message.filtered,
        address_pairs=tuple(map(read_pair, message.address_pairs)),
        dhcp_options=tuple(_read_option(each) for each in message.dhcp_options),
        project_id=message.project_id,
        parent_id=message.parent_id,
        vlan=read_vlan(message.vlan),
        qos_policy_id=message.qos_policy_id,
        own_qos_only=message.own_qos_only,
        waits=message.waits,
        local_ips=tuple(map(_read_local_ip, message.local_ips)),
    )


def _read_local_ip(message: pb.LocalIp) -> LocalIp:
    address, fixed = unpack_address(message.address), unpack_address(message.fixed)
    if (address.version, fixed.version) != (4, 4):
        raise ValueError(f"a local IP is of IPv4, and not {address} at {fixed}")
    return LocalIp(address, fixed, message.passthrough)


def _read_option(message: pb.DhcpOption) -> DhcpOption:
    if message.ip_version not in (4, 6):
        raise ValueError(f"there is no IP version {message.ip_version}")
    return DhcpOption(message.ip_version, message.code, message.value, When(message.when))


def _read_network(parts: list[str], value: bytes) -> Network:
    message = pb.Network.FromString(value)
    if message.vni > _VNI_MAX:
        raise ValueError(f"a VNI has 24 bits, not {message.vni}")
    return Network(
        id=parts[1],
        vni=message.vni,
        mtu=message.mtu,
        admin_state_up=message.admin_state_up,
        dns_domain=message.dns_domain,
        physical_network=message.physical_network,
        vlan=read_vlan(message.vlan),
        zone=message.zone,
        qos_policy_id=message.qos_policy_id,
        lazy=message.lazy,
    )


def _read_subnet(parts: list[str], value: bytes) -> Subnet:
    message = pb.Subnet.FromString(value)
    return Subnet(
        id=parts[3],
        network_id=parts[1],
        prefix=read_prefix(message.prefix),
        gateway=unpack_address(message.gateway) if message.gateway else None,
        dhcp=message.dhcp,
        dns_nameservers=tuple(map(unpack_address, message.dns_nameservers)),
        host_routes=tuple(
            Route(read_prefix(route.destination), unpack_address(route.nexthop))
            for route in message.host_routes
        ),
        ra_mode=Ipv6Mode(message.ra_mode),
        address_mode=Ipv6Mode(message.address_mode),
        address_scope=message.address_scope,
    )


def _read_neighbour(parts: list[str], value: bytes) -> Neighbour:
    message = pb.Neighbour.FromString(value)
    return Neighbour(
        port_id=parts[3],
        network_id=parts[1],
        mac=read_mac(message.mac),
        addresses=tuple(map(unpack_address, message.addresses)),
        host=message.host,
        tunnel_endpoint=unpack_address(message.tunnel_endpoint),
        pairs=tuple(map(read_pair, message.pairs)) if message.pairs else (),
        also=tuple(map(unpack_address, message.also)) if message.also else (),
    )


def _found(found: Found) -> pb.Neighbour:
    return _neighbour(found.neighbour)


def _read_found(parts: list[str], value: bytes) -> Found:
    network_id, what = _asked(parts)
    return Found(what, _read_neighbour(["", network_id, "", parts[3]], value))


def _found_name(found: FoundName) -> pb.Name:
    return _name(found.name)


def _read_found_name(parts: list[str], value: bytes) -> FoundName:
    network_id, what = _asked(parts)
    return FoundName(what, _read_name(["", network_id, "", parts[3]], value))


def _asked(parts: list[str]) -> tuple[str, str]:
    network_id, comma, what = parts[1].partition(",")
    if not comma:
        raise ValueError("a network, a comma, and what is looked for")
    return network_id, what


def _presence(presence: Presence) -> pb.Presence:
    return pb.Presence(tunnel_endpoint=presence.tunnel_endpoint.packed)


def _read_presence(parts: list[str], value: bytes) -> Presence:
    endpoint = unpack_address(pb.Presence.FromString(value).tunnel_endpoint)
    return Presence(parts[1], parts[3], endpoint)


def _read_name(parts: list[str], value: bytes) -> Name:
    message = pb.Name.FromString(value)
    return Name(
        port_id=parts[3],
        network_id=parts[1],
        name=message.name,
        domain=message.domain,
        addresses=tuple(map(unpack_address, message.addresses)),
    )


KINDS: tuple[Kind[Any], ...] = (
    Kind(Port, "host/*/port/*", _port, _read_port),
    Kind(Network, "network/*/network", _network, _read_network),
    Kind(Subnet, "network/*/subnet/*", _subnet, _read_subnet),
    Kind(Neighbour, "network/*/neighbour/*", _neighbour, _read_neighbour),
    Kind(Found, "found/*/neighbour/*", _found, _read_found),
    Kind(Presence, "reach/*/host/*", _presence, _read_presence),
    Kind(Name, "network/*/name/*", _name, _read_name),
    Kind(FoundName, "found/*/name/*", _found_name, _read_found_name),
)
