"""Random intents: networks, routers, ports, filters and ways out, and packets to send in them."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple, TypeVar

from msgspec import structs

from alcor.intent.records import (
    AddressGroupRecord,
    AddressPair,
    FixedIp,
    FloatingIpRecord,
    GroupRecord,
    HostRoute,
    NetworkAclRecord,
    NetworkAclRuleRecord,
    NetworkRecord,
    NodeRecord,
    PortForwardingRecord,
    PortRecord,
    Record,
    RouterGateway,
    RouterRecord,
    RuleRecord,
    SubnetPoolRecord,
    SubnetRecord,
)
from alcor.tracing.packet import TCP, UDP, Packet, icmp_of
from alcor.values.addresses import address

T = TypeVar("T")
_OF_ONE_LINK = (130, 131, 132, 133, 134, 137, 143)  # ICMPv6 but neighbour discovery
EXTERNAL, PHYSICAL, OUTSIDE = "ext", "physnet", "203.0.113.1"
SECOND, BESIDE = "ext2", "198.18.0.1"  # another network outside, and its gateway
ZONES = ("east", "west")
HOSTS, NETWORKS, ROUTERS, GROUPS, ACLS = ("h1", "h2", "h3"), (1, 2, 3), (1, 2), ("g1", "g2"), "ab"
PORTS_ASKED = (22, 53, 67, 80, 443)
WHOEVER = {
    4: ("10.1.0.0/24", "10.2.0.0/16", "10.1.0.16/30", "0.0.0.0/0", "203.0.113.0/24"),
    6: ("fd01::/64", "fd02::/64", "::/0", "fd01::12/127"),
}
DESTINATIONS = (
    *("10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/25", "192.0.2.0/24", "0.0.0.0/0", "10.0.0.0/8"),
)
HOPS = ("10.1.0.1", "10.2.0.1", "10.2.0.254", "10.3.0.254", "10.1.0.17", OUTSIDE)
ELSEWHERE = (
    OUTSIDE,
    BESIDE,
    "192.0.2.7",
    "10.1.0.99",
    "fd02::99",
    "169.254.169.254",
    "198.51.100.1",
)


class Dice:
    """Chance, the same for the same number."""

    def __init__(self, number: int) -> None:
        self._random = Random(number)

    def one(self, of: Sequence[T]) -> T:
        """One of them."""
        return self._random.choice(of)

    def some(self, of: Sequence[T], most: int = 9) -> list[T]:
        """Some of them, none twice."""
        return self._random.sample(of, self._random.randint(0, min(most, len(of))))

    def number(self, least: int, most: int) -> int:
        """A number, both ends included."""
        return self._random.randint(least, most)

    def chance(self, share: float) -> bool:
        """Whether something of this likelihood happens."""
        return self._random.random() < share


class World(NamedTuple):
    """What tenants want, and a packet that one of their machines sends."""

    records: tuple[Record, ...]
    sender: str
    packet: Packet


def world(number: int) -> World:
    """A region, and a packet in it: the same for the same number."""
    dice = Dice(number)
    ports = _on_trunks(dice, [_port(dice, n) for n in range(dice.number(2, 6))])
    held = list(_held_ports(dice))
    records: list[Record] = [*_nodes(dice), *_networks(dice), *ports, *held]
    records += [*_routers(dice, held), *_groups(dice), *_acls(dice)]
    floating = list(_floating(dice, ports))
    records += floating
    sender = dice.one(ports)
    others = [port for port in ports if port is not sender]
    wanted = [each.ip_address for port in [*others, *others, *held] for each in port.fixed_ips]
    wanted += [each.floating_ip_address for each in floating if isinstance(each, FloatingIpRecord)]
    target = dice.one(wanted) if dice.chance(0.8) else dice.one(ELSEWHERE)
    return World(tuple(records), sender.id, _packet(dice, sender, target))


def _nodes(dice: Dice) -> Iterator[NodeRecord]:
    for number, name in enumerate(HOSTS, start=1):
        uplinks = (PHYSICAL,) if dice.chance(0.5) else ()
        yield NodeRecord(id=name, tunnel_ip=f"172.31.0.{number}", physical_networks=uplinks,
                         availability_zone=dice.one(ZONES))  # fmt: skip


def _networks(dice: Dice) -> Iterator[Record]:
    apart = dice.chance(0.3)  # whether there are address scopes
    pools = ("a", "b", "") if apart else ("",)
    for pool in pools[:-1]:
        for family, inside in ((4, "10.0.0.0/8"), (6, "fd00::/8")):
            yield SubnetPoolRecord(id=f"{pool}{family}", project_id="p", ip_version=family,
                                   prefixes=(inside,), address_scope_id=f"s-{pool}")  # fmt: skip

    def pool_of(version: int) -> str:
        name = dice.one(pools)
        return f"{name}{version}" if name else ""

    mtu = dice.one((1500, 1400))
    yield NetworkRecord(id=EXTERNAL, project_id="p", vni=9, mtu=mtu, external=True,
                        network_type="flat", physical_network=PHYSICAL)  # fmt: skip
    yield SubnetRecord(id="s-ext", network_id=EXTERNAL, project_id="p", ip_version=4,
                       cidr="203.0.113.0/24", gateway_ip=OUTSIDE, enable_dhcp=False,
                       subnetpool_id=pool_of(4))  # fmt: skip
    yield NetworkRecord(id=SECOND, project_id="p", vni=8, mtu=1500, external=True,
                        network_type="vlan", segmentation_id=77,
                        physical_network=PHYSICAL)  # fmt: skip
    yield SubnetRecord(id="s-ext2", network_id=SECOND, project_id="p", ip_version=4,
                       cidr="198.18.0.0/24", gateway_ip=BESIDE, enable_dhcp=False,
                       subnetpool_id=pool_of(4))  # fmt: skip
    for n in NETWORKS:
        mtu = dice.one((1450, 1450, 1300))
        up = dice.chance(0.95)
        yield _tenants(dice, NetworkRecord(id=f"n{n}", project_id="p", vni=n, mtu=mtu,
                                           admin_state_up=up))  # fmt: skip
        routes = (HostRoute("192.0.2.0/24", f"10.{n}.0.16"),) if dice.chance(0.15) else ()
        yield SubnetRecord(
            id=f"s{n}", network_id=f"n{n}", project_id="p", ip_version=4, cidr=f"10.{n}.0.0/24",
            gateway_ip=f"10.{n}.0.1" if dice.chance(0.95) else None, enable_dhcp=dice.chance(0.5),
            host_routes=routes, subnetpool_id=pool_of(4),
        )  # fmt: skip
        yield SubnetRecord(id=f"s{n}-6", network_id=f"n{n}", project_id="p", ip_version=6,
                           cidr=f"fd0{n}::/64", gateway_ip=f"fd0{n}::1",
                           subnetpool_id=pool_of(6))  # fmt: skip


def _tenants(dice: Dice, network: NetworkRecord) -> NetworkRecord:
    """The network as it is, or a VLAN of the physical network."""
    if not dice.chance(0.25):
        return network
    vlan: dict[str, Any] = {"network_type": "vlan", "segmentation_id": 100 + network.vni}
    return structs.replace(network, physical_network=PHYSICAL, **vlan)


def _port(dice: Dice, number: int) -> PortRecord:
    network = dice.one(NETWORKS)
    secure = dice.chance(0.95)
    wide = dice.one((f"10.{network}.0.192/26", "0.0.0.0/0"))
    pair = AddressPair(wide, f"02:00:00:00:00:{number:02x}")
    return PortRecord(
        id=f"p{number}",
        network_id=f"n{network}",
        project_id="p",
        mac_address=f"02:00:00:00:00:{number:02x}",
        fixed_ips=(
            FixedIp(f"s{network}", f"10.{network}.0.{16 + number}"),
            FixedIp(f"s{network}-6", f"fd0{network}::{0x10 + number:x}"),
        ),
        admin_state_up=dice.chance(0.95),
        host="" if dice.chance(0.05) else dice.one(HOSTS),
        port_security_enabled=secure,
        security_groups=tuple(dice.some(GROUPS) or GROUPS[:1]) if secure else (),
        allowed_address_pairs=(pair,) if dice.chance(0.15) and secure else (),
    )


def _on_trunks(dice: Dice, ports: Sequence[PortRecord]) -> list[PortRecord]:
    """Some are sub-ports of the first, and where that is."""
    parent = ports[0]
    return [
        structs.replace(port, parent_id=parent.id, host=parent.host, segmentation_id=n)
        if n and dice.chance(0.2)
        else port
        for n, port in enumerate(ports)
    ]


def _held_ports(dice: Dice) -> Iterator[PortRecord]:
    """The interfaces and gateways of routers."""
    for r in ROUTERS:
        for n in [each for each in NETWORKS if dice.chance(1 / (r + 0.2))]:
            low = 1 if r == 1 else 254
            yield PortRecord(
                id=f"i{r}{n}", network_id=f"n{n}", project_id="p",
                mac_address=f"02:00:00:00:0{r}:{n:02x}", device_id=f"r{r}",
                device_owner="network:router_interface", admin_state_up=dice.chance(0.95),
                fixed_ips=(
                    FixedIp(f"s{n}", f"10.{n}.0.{low}"),
                    FixedIp(f"s{n}-6", f"fd0{n}::{low:x}"),
                ),
            )  # fmt: skip
        if dice.chance(0.95):
            yield PortRecord(
                id=f"gw{r}", network_id=EXTERNAL, project_id="p",
                mac_address=f"02:00:00:00:0{r}:ff", device_id=f"r{r}",
                device_owner="network:router_gateway",
                fixed_ips=(FixedIp("s-ext", f"203.0.113.{10 + r}"),),
                next_hop=dice.one(("", "up", "down")),
            )  # fmt: skip
            if dice.chance(0.3):
                yield PortRecord(
                    id=f"a{r}", network_id=SECOND, project_id="p",  # before the first by its id
                    mac_address=f"02:00:00:00:0{r}:fe", device_id=f"r{r}",
                    device_owner="network:router_gateway",
                    fixed_ips=(FixedIp("s-ext2", f"198.18.0.{10 + r}"),),
                    next_hop=dice.one(("", "up", "down")),
                )  # fmt: skip


def _routers(dice: Dice, held: Sequence[PortRecord]) -> Iterator[RouterRecord]:
    for r in ROUTERS:
        gateways = [port for port in held if port.id == f"gw{r}"]
        snat = dice.chance(0.95)
        gateway = [
            RouterGateway(network_id=EXTERNAL, port_id=port.id, enable_snat=snat)
            for port in gateways
        ]
        ways = [HostRoute(to, by) for to in DESTINATIONS for by in HOPS]
        routes = dice.some(ways, 3)
        yield RouterRecord(
            id=f"r{r}", project_id="p", admin_state_up=dice.chance(0.95), routes=tuple(routes),
            gateway=gateway[0] if gateway else None, ecmp=dice.chance(0.5),
            bfd=dice.chance(0.5),
            availability_zones=tuple(dice.some(ZONES, 1)),
            more_gateways=tuple(
                RouterGateway(network_id=SECOND, port_id=port.id, enable_snat=dice.chance(0.9))
                for port in held if port.id == f"a{r}"
            ),
        )  # fmt: skip


def _groups(dice: Dice) -> Iterator[Record]:
    yield AddressGroupRecord(id="ag", project_id="p", addresses=("10.1.0.0/28", "fd02::/64"))
    for group in GROUPS:
        yield GroupRecord(id=group, project_id="p", stateful=dice.chance(0.95))
        for ingress, share in ((False, 0.9), (True, 0.5)):
            for version in (4, 6) if dice.chance(share) else ():
                yield RuleRecord(id=f"{group}-{ingress}-{version}", group_id=group,
                                 ip_version=version, ingress=ingress)  # fmt: skip
        for number in range(dice.number(0, 5)):
            version = dice.one((4, 4, 6))
            remotes: dict[str, Any] = {}
            match dice.one(("", "", "cidr", "group", "addresses")):
                case "cidr":
                    remotes["remote_cidr"] = dice.one(WHOEVER[version])
                case "group":
                    remotes["remote_group_id"] = dice.one(GROUPS)
                case "addresses":
                    remotes["remote_address_group_id"] = "ag"
            yield RuleRecord(id=f"{group}-{number}", group_id=group, ip_version=version,
                             ingress=dice.chance(0.5), **_service(dice), **remotes)  # fmt: skip


def _acls(dice: Dice) -> Iterator[Record]:
    subnets = [f"s{n}{family}" for n in NETWORKS for family in ("", "-6")]
    for acl in ACLS if dice.chance(0.5) else "":
        on = dice.some(subnets, 2)
        yield NetworkAclRecord(id=acl, project_id="p", subnet_ids=tuple(on))
        for number in range(1, dice.number(1, 5)):
            version = dice.one((4, 4, 6))
            peer = dice.one(WHOEVER[version])
            yield NetworkAclRuleRecord(
                id=f"{acl}-{number}", acl_id=acl, number=number, ingress=dice.chance(0.5),
                allow=dice.chance(0.95), ip_version=version, cidr=peer if dice.chance(0.5) else "",
                **_service(dice),
            )  # fmt: skip


def _service(dice: Dice) -> dict[str, Any]:
    protocol = dice.one((None, 1, TCP, UDP, 58))
    if protocol in (TCP, UDP) and dice.chance(0.5):
        first = dice.one(PORTS_ASKED)
        return {"protocol": protocol, "ports": (first, first + dice.one((0, 20, 400)))}
    if protocol in (1, 58) and dice.chance(0.5):
        return {"protocol": protocol, "icmp_type": dice.one((8, 128))}
    return {"protocol": protocol}


def _floating(dice: Dice, ports: Sequence[PortRecord]) -> Iterator[Record]:
    for number in range(dice.number(0, 2)):
        port = dice.one(ports)
        fixed = port.fixed_ips[0].ip_address
        forwards = dice.chance(0.15)
        given = {} if forwards else {"port_id": port.id, "fixed_ip_address": fixed}
        id_ = f"f{number}"
        outside, net = (SECOND, "198.18.0") if dice.chance(0.3) else (EXTERNAL, "203.0.113")
        yield FloatingIpRecord(
            id=id_, project_id="p", floating_network_id=outside, router_id=f"r{dice.one(ROUTERS)}",
            floating_ip_address=f"{net}.{20 + number}", floating_port_id=f"fp{number}",
            mac_address=f"02:00:00:00:0f:{number:02x}", **given,
        )  # fmt: skip
        if forwards:
            yield PortForwardingRecord(
                id=f"pf{number}", floating_ip_id=id_, protocol=TCP, external_ports=(80, 80),
                internal_port_id=port.id, internal_ip=fixed, internal_ports=(443, 443),
            )  # fmt: skip


def _packet(dice: Dice, sender: PortRecord, to: str) -> Packet:
    destination = address(to)
    version = destination.version
    source = address(sender.fixed_ips[0 if version == 4 else 1].ip_address)
    ttl = dice.one((64, 64, 64, 64, 3, 2, 1))
    protocol = dice.one((icmp_of(version), TCP, UDP, UDP))
    if protocol == icmp_of(version):
        kind = dice.one((8, 8, 13, 0) if version == 4 else (128, 128, 128, 129, *_OF_ONE_LINK))
        return Packet(source, destination, protocol, icmp_type=kind, ttl=ttl)
    wanted = dice.one((*PORTS_ASKED, 68))
    size = dice.one((100, 100, 1350, 1460)) if protocol == UDP else 60
    from_ = 68 if wanted == 67 else 40_000
    return Packet(source, destination, protocol, from_, wanted, ttl=ttl, size=size)
