"""What a port is told by router advertisement: its own prefixes, and how to get the rest.

Pure. A port hears only of subnets that it has addresses of, so it makes no address that port
security would drop. A router that has gone is named once more, as no default router, and a prefix
that has gone as one that is no longer to be used. Prefixes hold for ever and routers for 18 hours,
so machines keep what they have while no agent runs.
Sources: RFC 4861 section 6.2, RFC 4862 section 5.5, RFC 8106, Neutron's `ipv6_ra_mode`.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alcor.agent.model.model import HostModel, Wired
from alcor.agent.model.service_address import SERVER_MAC, resolvers
from alcor.agent.packets.advertisement import (
    ALL_NODES,
    ALL_NODES_MAC,
    Advertised,
    Advertisement,
    Solicitation,
    build_advertisement,
)
from alcor.agent.packets.names import is_domain
from alcor.goal_state.entries import Ipv6Mode, Network, Port, Subnet
from alcor.values.addresses import Mac

router_lifetime_s = 65_535  # the longest there is
names_lifetime_s = 86_400  # of name servers: a list that changed is told at once


class Link(NamedTuple):
    """A port, its network, the subnets of its addresses, and the routers that lead out of them."""

    port: Port
    network: Network
    subnets: Mapping[str, Subnet]
    router_by_subnet: Mapping[str, Mac]


def link_of(model: HostModel, wired: Wired) -> Link:
    """What advertisements to a port are made of."""
    subnets = model.subnets_of(wired.port)
    return Link(wired.port, wired.network, subnets, _routers(model, wired.network.id, subnets))


def _routers(model: HostModel, network_id: str, subnets: Mapping[str, Subnet]) -> dict[str, Mac]:
    """The router that has a subnet's gateway address, by subnet."""
    views = (model.router(each) for each in sorted(model.routing.routers_on(network_id)))
    return {
        fixed.subnet_id: leg.mac
        for view in views
        for leg in (view.legs if view else ())
        for fixed in leg.interface.fixed_ips
        if fixed.subnet_id in subnets and subnets[fixed.subnet_id].gateway == fixed.address
    }


def advertisements(link: Link) -> tuple[Advertisement, ...]:
    """One of each router of the port's subnets; of the host itself for subnets without one."""
    by_mac: dict[Mac, list[Subnet]] = {}
    for subnet in link.subnets.values():
        if subnet.prefix.version == 6 and subnet.ra_mode is not Ipv6Mode.NONE:
            mac = link.router_by_subnet.get(subnet.id, SERVER_MAC)
            by_mac.setdefault(mac, []).append(subnet)
    return tuple(_advertisement(link, mac, subnets) for mac, subnets in sorted(by_mac.items()))


def _advertisement(link: Link, mac: Mac, subnets: list[Subnet]) -> Advertisement:
    modes = {subnet.ra_mode for subnet in subnets}
    servers = {each.number: None for subnet in subnets for each in resolvers(subnet)}
    domain = link.network.zone.rstrip(".")
    return Advertisement(
        mac=mac,
        lifetime_s=0 if mac == SERVER_MAC else router_lifetime_s,
        managed=Ipv6Mode.STATEFUL in modes,
        other=Ipv6Mode.STATELESS in modes,
        mtu=link.network.mtu,
        prefixes=tuple(
            Advertised(subnet.prefix, subnet.ra_mode is not Ipv6Mode.STATEFUL)
            for subnet in sorted(subnets, key=lambda each: each.prefix)
        ),
        name_servers=tuple(servers),
        search=(domain,) if is_domain(domain) else (),
        names_s=names_lifetime_s,
    )


def answers(asked: Solicitation, link: Link) -> Iterator[bytes]:
    """The frames for a machine that asked; by multicast when it has no address yet."""
    for said in advertisements(link):
        if asked.ip_src:
            yield build_advertisement(said, asked.eth_src, asked.ip_src)
        else:
            yield build_advertisement(said, ALL_NODES_MAC, ALL_NODES)


def unsolicited(said: Advertisement) -> bytes:
    """The frame that says it to whoever listens."""
    return build_advertisement(said, ALL_NODES_MAC, ALL_NODES)


def farewells(
    before: tuple[Advertisement, ...], now: tuple[Advertisement, ...]
) -> Iterator[Advertisement]:
    """What is said last by routers that are no routers any more, and of prefixes that have gone."""
    now_by_mac = {each.mac: each for each in now}
    left = {each.prefix for said in now for each in said.prefixes}
    for said in before:
        gone = tuple(e._replace(lifetime_s=0) for e in said.prefixes if e.prefix not in left)
        stays = now_by_mac.get(said.mac)
        if stays is not None and gone:
            yield stays._replace(prefixes=gone)
        elif stays is None and (gone or said.lifetime_s):
            yield said._replace(lifetime_s=0, prefixes=gone, name_servers=(), search=())
