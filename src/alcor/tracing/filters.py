"""What lets a packet pass or not at the ports and at the edges of subnets."""

from collections.abc import Iterator

from alcor.intent.records import (
    GroupRecord,
    NetworkAclRuleRecord,
    PortRecord,
    RuleRecord,
    SubnetRecord,
)
from alcor.tracing.journey import Journey, about, called
from alcor.tracing.packet import (
    REDIRECT,
    ROUTER_ADVERTISEMENT,
    ROUTER_SOLICITATION,
    UDP,
    Packet,
    Service,
)
from alcor.tracing.path import About, Stage, Verdict
from alcor.tracing.region import Region, addresses_of, whole
from alcor.values.addresses import Address, Prefix, address, prefix
from alcor.values.protocols import ICMP

_LINK_LOCAL6 = Prefix(6, 0xFE80 << 112, 10)
_SERVICES = (Address(4, 0xA9FE_A9FE), Address(6, 0xFE80 << 112 | 0xA9FE_A9FE))
_DHCP = {4: (68, 67), 6: (546, 547)}  # ports of clients and of servers
_REDIRECT4 = 5
# What is of one link, and security groups don't let out and in without a rule.
_ROUTERS_SAY = {False: (ROUTER_ADVERTISEMENT, REDIRECT), True: (ROUTER_SOLICITATION, REDIRECT)}


def port_security(journey: Journey) -> None:
    """A machine speaks only as itself, and is neither a DHCP server nor a router."""
    port, source = journey.sender, journey.packet.source
    if not port.port_security_enabled:
        journey.note(Stage.PORT_SEC, f"port {called(port)} has no port security", about(port))
        return
    own = [whole(each) for each in addresses_of(port, source.version)]
    own += [prefix(pair.ip_address) for pair in port.allowed_address_pairs]
    if not any(each.covers(source) for each in own):
        raise journey.drop(Stage.PORT_SEC, f"{source} is no address of its port", about(port))
    journey.note(Stage.PORT_SEC, f"{source} is an address of its port", about(port))
    if guarded := _guarded(journey.packet):
        raise journey.drop(Stage.GUARDS, guarded, about(port))


def _guarded(packet: Packet) -> str:
    """Why no machine may send this; empty: it may."""
    client, _ = _DHCP[packet.version]
    if packet.protocol == UDP and packet.destination_port == client:
        return "only hosts answer as DHCP servers"
    if packet.protocol == ICMP and packet.version == 4 and packet.icmp_type == _REDIRECT4:
        return "machines redirect nobody"
    of_routers = (ROUTER_ADVERTISEMENT, REDIRECT)
    if packet.is_of_one_link and packet.icmp_type in of_routers:
        return "only routers say this"
    return ""


def host_services(journey: Journey) -> None:
    """What hosts answer themselves, before any rule of the tenant."""
    packet, port = journey.packet, journey.sender
    if packet.destination in _SERVICES and addresses_of(port, packet.version):
        says = "the host answers here itself: names and metadata"
        raise journey.end(Verdict.ANSWERED, Stage.SERVICES, says)
    ports = packet.source_port, packet.destination_port
    if packet.protocol == UDP and ports == _DHCP[packet.version] and _has_dhcp(journey):
        raise journey.end(Verdict.ANSWERED, Stage.SERVICES, "the host answers by DHCP")
    asks = packet.is_of_one_link and packet[5:7] == (ROUTER_SOLICITATION, 0)
    if asks and any(each.ipv6_ra_mode for each in _own_subnets(journey)):
        says = "the host answers for the routers here"
        raise journey.end(Verdict.ANSWERED, Stage.SERVICES, says)


def _has_dhcp(journey: Journey) -> bool:
    """Whether a subnet of the port's addresses gives them out."""
    version = journey.packet.version
    by_dhcp = (None,) if version == 4 else ("dhcpv6-stateful", "dhcpv6-stateless")
    return any(
        each.enable_dhcp
        and (each.ip_version == 4 if version == 4 else each.ipv6_address_mode in by_dhcp)
        for each in _own_subnets(journey)
    )


def _own_subnets(journey: Journey) -> Iterator[SubnetRecord]:
    """Those of the sender's addresses."""
    subnets = {fixed.subnet_id for fixed in journey.sender.fixed_ips}
    every = journey.region.subnets_on(journey.sender.network_id)
    return (each for each in every if each.id in subnets)


def network_acl(journey: Journey, *, ingress: bool) -> None:
    """The ordered rules at the edge of the subnet that the packet leaves, or enters."""
    region, packet = journey.region, journey.packet
    stage = Stage.ACL_IN if ingress else Stage.ACL_OUT
    mine, peer = packet.source, packet.destination
    if ingress:
        mine, peer = peer, mine
    if packet.version == 6 and (_LINK_LOCAL6.covers(mine) or _LINK_LOCAL6.covers(peer)):
        return
    for subnet in region.subnets_on(journey.network_id):
        inside = prefix(subnet.cidr)
        acl = region.acl_of(subnet.id)
        if acl is None or not inside.covers(mine):
            continue
        told = About("network_acl", acl.id, acl.project_id)
        if inside.covers(peer):
            journey.note(stage, f"it stays within subnet {inside}", told)
            return
        rule = _deciding(region, acl.id, packet, peer, ingress=ingress)
        if rule is None:
            raise journey.drop(
                stage, "no rule of the subnet's ACL is about it, so it is denied", told
            )
        told = About("network_acl_rule", rule.id, acl.project_id)
        if not rule.allow:
            raise journey.drop(stage, f"rule {rule.number} of the subnet's ACL denies it", told)
        journey.note(stage, f"rule {rule.number} of the subnet's ACL allows it", told)
        return


def _deciding(
    region: Region, acl_id: str, packet: Packet, peer: Address, *, ingress: bool
) -> NetworkAclRuleRecord | None:
    """The first rule that is about the packet."""
    for rule in region.acl_rules(acl_id):
        if rule.ingress != ingress or rule.ip_version != packet.version:
            continue
        if rule.cidr and not prefix(rule.cidr).covers(peer):
            continue
        is_about = _service(rule).is_of(packet)
        if is_about or (is_about is None and not rule.allow):
            return rule
    return None


def security_groups(journey: Journey, port: PortRecord, *, ingress: bool) -> None:
    """The rules of a port's groups; what none lets pass is dropped."""
    region, packet = journey.region, journey.packet
    stage = Stage.FW_IN if ingress else Stage.FW_OUT
    if not port.port_security_enabled:
        journey.note(stage, f"port {called(port)} is not filtered", about(port))
        return
    if packet.is_of_one_link and packet.icmp_type not in _ROUTERS_SAY[ingress]:
        journey.note(stage, "it concerns this link alone, and passes", about(port))
        return
    if not packet.opens_a_connection and not region.is_stateless(port):
        raise journey.drop(stage, "it answers nothing that was asked", about(port))
    peer = packet.source if ingress else packet.destination
    for group_id in port.security_groups:
        for rule in region.rules_of(group_id):
            same_way = rule.ingress == ingress and rule.ip_version == packet.version
            if same_way and _service(rule).is_of(packet) and _is_remote(region, rule, peer):
                group = region.one(GroupRecord, group_id)
                owner = group.project_id if group is not None else port.project_id
                told = About("security_group_rule", rule.id, owner)
                name = (group.name if group is not None else "") or group_id
                says = f"a rule of group {name} lets it pass, {_whom(rule, ingress=ingress)}"
                journey.note(stage, says, told)
                return
    way = "in" if ingress else "out"
    what = (
        "no rule of its groups lets it" if port.security_groups else "without groups it isn't let"
    )
    raise journey.drop(stage, f"port {called(port)}: {what} {way}", about(port))


def _service(rule: RuleRecord | NetworkAclRuleRecord) -> Service:
    return Service(rule.ip_version, rule.protocol, rule.ports, rule.icmp_type, rule.icmp_code)


def _is_remote(region: Region, rule: RuleRecord, peer: Address) -> bool:
    if rule.remote_group_id:
        return region.is_member(rule.remote_group_id, peer)
    if rule.remote_address_group_id:
        return region.is_of_group(rule.remote_address_group_id, peer)
    return not rule.remote_cidr or prefix(rule.remote_cidr).covers(peer)


def _whom(rule: RuleRecord, *, ingress: bool) -> str:
    end = "from" if ingress else "to"
    if rule.remote_group_id:
        return f"{end} members of group {rule.remote_group_id}"
    if rule.remote_address_group_id:
        return f"{end} address group {rule.remote_address_group_id}"
    return f"{end} {rule.remote_cidr}" if rule.remote_cidr else f"{end} anybody"


def has_address(port: PortRecord, wanted: Address) -> bool:
    """Whether a packet for this address is at its end at the port."""
    pairs = (prefix(pair.ip_address) for pair in port.allowed_address_pairs)
    own = (address(fixed.ip_address) == wanted for fixed in port.fixed_ips)
    return any(own) or any(each.covers(wanted) for each in pairs)
