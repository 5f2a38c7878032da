"""SG_*: the rules of security groups as conjunctions: port x service, or port x service x remote.

Each flow says of which grants it is a part: the flow of a port, of all grants of its groups; of a
prefix, of all grants for a remote that it is in; of a service, of all grants that offer it. The
parts of one grant carry its number, and a packet that matches one part of each dimension is
allowed. So flows add up, where rules, ports and members would otherwise multiply; and a change of a
member changes one flow.

SG_RULES_* match a packet by the connection it belongs to (the tuple that opened it), SG_HEADERS_*,
for stateless groups only, by its own headers.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, cast

from alcor.agent.model.filters.firewall import Firewall
from alcor.agent.model.filters.grants import ANYTHING, Grant, Service, Way
from alcor.agent.model.model import Wired
from alcor.agent.pipeline import pipeline as p
from alcor.agent.shapes.shape import match_on
from alcor.ovs.fields import ETH_TYPE_BY_VERSION, IP_PROTO_ICMP, IP_PROTO_ICMPV6, LATER_FRAGMENT
from alcor.ovs.flow import (
    CT_INV,
    CT_TRK,
    Conjunction,
    Flow,
    Instructions,
    Match,
    MatchFields,
    apply,
    match,
    set_field,
)
from alcor.values.addresses import Prefix

WAYS = tuple(Way(ingress, version) for ingress in (False, True) for version in ETH_TYPE_BY_VERSION)
ALLOW = apply(set_field(p.VERDICT, *p.ALLOWED))
_PORT, _SERVICE, _REMOTE = 0, 1, 2  # dimensions
_ICMP = {4: IP_PROTO_ICMP, 6: IP_PROTO_ICMPV6}
_PORT_FIELD = {6: "tcp_dst", 17: "udp_dst", 132: "sctp_dst"}


class _Table(NamedTuple):
    """Where rules are asked, and by what."""

    number: int
    by_headers: bool


def _tables(way: Way, *, stateless: bool) -> Iterator[_Table]:
    yield _Table(p.SG_RULES_IN if way.ingress else p.SG_RULES_OUT, False)
    if stateless:
        yield _Table(p.SG_HEADERS_IN if way.ingress else p.SG_HEADERS_OUT, True)


def port(wired: Wired, firewall: Firewall, cookie: int) -> Iterator[Flow]:
    """What one port is part of: every grant of its groups."""
    port = wired.port
    if not port.filtered:
        return
    stateless = firewall.is_stateless(port.security_groups)
    for way in WAYS:
        grants = firewall.grants_of_groups(port.security_groups, way)
        if not grants:
            continue
        is_open = any(map(firewall.is_open, grants))
        for table in _tables(way, stateless=stateless):
            what = _match(table, way, {p.SUBJECT: wired.number})
            if is_open:
                yield Flow(table.number, p.PRIORITY.high, what, ALLOW, cookie)
            else:
                parts = _parts(firewall, grants, _PORT)
                yield Flow(table.number, p.PRIORITY.normal, what, parts, cookie)


def grant(firewall: Firewall, grant: Grant, cookie: int) -> Iterator[Flow]:
    """What all parts of a grant together allow."""
    whole = match(conj_id=firewall.ids[grant])
    for table in _tables(grant.way, stateless=firewall.is_of_stateless(grant)):
        yield Flow(table.number, p.PRIORITY.normal, whole, ALLOW, cookie)


def prefix(firewall: Firewall, prefix: Prefix, cookie: int) -> Iterator[Flow]:
    """What a prefix is part of, as a remote; all that there is goes with the service of all."""
    if not prefix.length:
        yield from _everything(firewall, prefix.version, cookie)
        return
    grants = firewall.grants_of_prefix(prefix)
    for way in dict.fromkeys(grant.way for grant in grants):
        of_way = [grant for grant in grants if grant.way == way]
        for table, parts in _by_table(firewall, way, of_way, _REMOTE):
            what = _PEER[table, way](prefix.number, prefix.mask)
            yield Flow(table.number, p.PRIORITY.normal, what, parts, cookie)


def service(firewall: Firewall, way: Way, service: Service, cookie: int) -> Iterator[Flow]:
    """What a service is part of."""
    if service == ANYTHING:
        return
    grants = firewall.grants_of_service(way, service)
    for table, parts in _by_table(firewall, way, grants, _SERVICE):
        what = _match(table, way, _wanted(table, way, service))
        yield Flow(table.number, p.PRIORITY.normal, what, parts, cookie)


def _everything(firewall: Firewall, version: int, cookie: int) -> Iterator[Flow]:
    """The service of all packets and the prefix of all addresses are one match."""
    for ingress in (False, True):
        way = Way(ingress, version)
        services = firewall.grants_of_service(way, ANYTHING)
        remotes = [
            grant for grant in firewall.grants_of_prefix(Prefix(version, 0, 0)) if grant.way == way
        ]
        for table in _tables(way, stateless=True):
            parts = [
                *_part(firewall, _of_table(firewall, table, services), _SERVICE),
                *_part(firewall, _of_table(firewall, table, remotes), _REMOTE),
            ]
            if parts:
                what = _match(table, way, {})
                yield Flow(table.number, p.PRIORITY.normal, what, apply(*parts), cookie)


def _by_table(
    firewall: Firewall, way: Way, grants: list[Grant], dimension: int
) -> Iterator[tuple[_Table, Instructions]]:
    """The tables in which these grants have a part of this dimension, and the parts."""
    if not grants:
        return
    stateless = any(map(firewall.is_of_stateless, grants))
    for table in _tables(way, stateless=stateless):
        yield table, _parts(firewall, _of_table(firewall, table, grants), dimension)


def _of_table(firewall: Firewall, table: _Table, grants: Iterable[Grant]) -> list[Grant]:
    return [each for each in grants if not table.by_headers or firewall.is_of_stateless(each)]


def _parts(firewall: Firewall, grants: Iterable[Grant], dimension: int) -> Instructions:
    return Instructions(tuple(_part(firewall, grants, dimension)))


def _part(firewall: Firewall, grants: Iterable[Grant], dimension: int) -> Iterator[Conjunction]:
    for each in grants:
        yield Conjunction(firewall.ids[each], dimension, each.dimensions)


def _match(table: _Table, way: Way, fields: dict[str, object]) -> Match:
    fields["eth_type"] = ETH_TYPE_BY_VERSION[way.version]
    if not table.by_headers:
        fields["ct_state"] = (CT_TRK, CT_TRK | CT_INV)
    return match(**cast(MatchFields, fields))


def _wanted(table: _Table, way: Way, service: Service) -> dict[str, object]:
    protocol = service.protocol
    assert protocol is not None  # that is the service of all packets
    icmp = protocol == _ICMP[way.version]
    if table.by_headers:
        fields: dict[str, object] = {"ip_proto": protocol}
        first, second = f"icmpv{way.version}_type", f"icmpv{way.version}_code"
        port = _PORT_FIELD.get(protocol, "")
    else:
        fields = {"ct_nw_proto": protocol}
        first, second, port = "ct_tp_src", "ct_tp_dst", "ct_tp_dst"
    if service.later:
        fields["ip_frag"] = LATER_FRAGMENT
    if service.mask:
        fields[port] = (service.port, service.mask)
    if icmp and service.icmp_type is not None:
        fields[first] = service.icmp_type
        if service.icmp_code is not None:
            fields[second] = service.icmp_code
    return fields


def _peer(table: _Table, way: Way) -> Callable[[int, int], Match]:
    """The other end: who opened an ingress connection, whom an egress connection was opened to."""
    end = "src" if way.ingress else "dst"
    constants: MatchFields = {"eth_type": ETH_TYPE_BY_VERSION[way.version]}
    if table.by_headers:
        return match_on(f"ipv{way.version}_{end}", **constants)
    constants["ct_state"] = (CT_TRK, CT_TRK | CT_INV)
    return match_on(f"ct_nw_{end}" if way.version == 4 else f"ct_ipv6_{end}", **constants)


_PEER = {(table, way): _peer(table, way) for way in WAYS for table in _tables(way, stateless=True)}
