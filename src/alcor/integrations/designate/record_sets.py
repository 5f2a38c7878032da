"""Which record sets there should be, from the names that ports and floating IPs have. Pure.

A port's name is published for its addresses in subnets with `dns_publish_fixed_ip`, in the port's
own `dns_domain` or its network's. A floating IP's name is its own, or else its port's. Everything
is published in the zones of the project that has it: who has no such zone publishes nothing there.
Source: Neutron admin guide, "DNS integration with an external service".
"""

import ipaddress
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from alcor.integrations.designate.settings import DesignateSettings
from alcor.intent.records import FloatingIpRecord, NetworkRecord, PortRecord, SubnetRecord

OPERATOR = ""  # whose reverse zones are: those of our service user's project


class RecordSet(NamedTuple):
    """All records of one name and type in a zone; `zone` and `name` end with a dot."""

    project: str  # whose zone it is, or `OPERATOR`
    zone: str
    name: str
    type: str  # A, AAAA or PTR


class _Port(NamedTuple):
    network_id: str
    name: str
    domain: str
    addresses: tuple[tuple[str, str], ...]  # subnet, address
    project: str


_Record = tuple[RecordSet, str]


class Wanted:
    """Takes changes of intent; knows what is wanted, and what of it has changed (`dirty`)."""

    def __init__(self, settings: DesignateSettings) -> None:
        self._settings = settings
        self._port_by_id: dict[str, _Port] = {}  # those with names
        self._domain_by_network: dict[str, str] = {}
        self._published: set[str] = set()  # subnets
        self._floating_by_id: dict[str, FloatingIpRecord] = {}
        self._ports_by_network: defaultdict[str, set[str]] = defaultdict(set)
        self._floating_by_port: defaultdict[str, set[str]] = defaultdict(set)
        self._records_by_source: dict[str, frozenset[_Record]] = {}
        self._values: defaultdict[RecordSet, dict[str, set[str]]] = defaultdict(dict)  # by source
        self.dirty: set[RecordSet] = set()

    def values(self, of: RecordSet) -> frozenset[str]:
        """The records of a set; none: it should not be there."""
        return frozenset().union(*self._values[of].values()) if of in self._values else frozenset()

    @property
    def sets(self) -> Iterable[RecordSet]:
        """All that should be there."""
        return self._values.keys()

    def known(self, kind: str) -> set[str]:
        """The ids of a kind that something follows from."""
        held: dict[str, Iterable[str]] = {
            "port": self._port_by_id,
            "network": self._domain_by_network,
            "subnet": self._published,
            "floating_ip": self._floating_by_id,
        }
        return set(held[kind])

    def port(self, id_: str, record: PortRecord | None) -> None:
        """A port as it is; None: it is gone."""
        before = self._port_by_id.pop(id_, None)
        if before is not None:
            _discard(self._ports_by_network, before.network_id, id_)
        if record is not None and record.dns_name:
            fixed = tuple((each.subnet_id, each.ip_address) for each in record.fixed_ips)
            named = _Port(
                record.network_id, record.dns_name, record.dns_domain, fixed, record.project_id
            )
            self._port_by_id[id_] = named
            self._ports_by_network[record.network_id].add(id_)
        self._renew_port(id_)

    def network(self, id_: str, record: NetworkRecord | None) -> None:
        """A network as it is; None: it is gone."""
        domain = record.dns_domain if record is not None else ""
        if domain == self._domain_by_network.get(id_, ""):
            return
        if domain:
            self._domain_by_network[id_] = domain
        else:
            del self._domain_by_network[id_]
        for port_id in list(self._ports_by_network.get(id_, ())):
            self._renew_port(port_id)

    def subnet(self, id_: str, record: SubnetRecord | None) -> None:
        """A subnet as it is; None: it is gone."""
        published = record is not None and record.dns_publish_fixed_ip
        if published == (id_ in self._published):
            return
        (self._published.add if published else self._published.discard)(id_)
        for port_id, port in self._port_by_id.items():
            if any(subnet_id == id_ for subnet_id, _ in port.addresses):
                self._renew_port(port_id)

    def floating(self, id_: str, record: FloatingIpRecord | None) -> None:
        """A floating IP as it is; None: it is gone."""
        before = self._floating_by_id.pop(id_, None)
        if before is not None:
            _discard(self._floating_by_port, before.port_id, id_)
        if record is not None:
            self._floating_by_id[id_] = record
            self._floating_by_port[record.port_id].add(id_)
        self._renew(f"floating_ip/{id_}", self._of_floating(record))

    def _renew_port(self, id_: str) -> None:
        """What follows from a port, of its own addresses and of floating ones."""
        self._renew(f"port/{id_}", self._of_port(self._port_by_id.get(id_)))
        for floating_id in list(self._floating_by_port.get(id_, ())):
            found = self._floating_by_id[floating_id]
            self._renew(f"floating_ip/{floating_id}", self._of_floating(found))

    def _renew(self, source: str, records: Iterator[_Record]) -> None:
        before, now = self._records_by_source.pop(source, frozenset()), frozenset(records)
        if now:
            self._records_by_source[source] = now
        changed = {of for of, _ in before ^ now}
        for of in changed:
            self._values[of].pop(source, None)
            if values := {value for each, value in now if each == of}:
                self._values[of][source] = values
            if not self._values[of]:
                del self._values[of]
        self.dirty |= changed

    def _of_port(self, port: _Port | None) -> Iterator[_Record]:
        if port is None or not (domain := self._domain(port)):
            return
        for subnet_id, address in port.addresses:
            if subnet_id in self._published:
                yield _forward(port.project, port.name, domain, address)

    def _of_floating(self, floating: FloatingIpRecord | None) -> Iterator[_Record]:
        if floating is None:
            return
        name, domain = floating.dns_name, floating.dns_domain
        port = self._port_by_id.get(floating.port_id)
        if name:
            name = name.removesuffix(f".{domain.rstrip('.')}")
        elif port is not None:
            name, domain = port.name, self._domain(port)
        if not name or not domain:
            return
        found = _forward(floating.project_id, name, domain, floating.floating_ip_address)
        yield found
        if self._settings.reverse:
            yield _backward(floating.floating_ip_address, found[0].name, self._settings)

    def _domain(self, port: _Port) -> str:
        return port.domain or self._domain_by_network.get(port.network_id, "")


def _forward(project: str, name: str, domain: str, address: str) -> _Record:
    zone = domain.rstrip(".") + "."
    type_ = "AAAA" if ":" in address else "A"
    return RecordSet(project, zone, f"{name}.{zone}", type_), address


def _backward(address: str, name: str, settings: DesignateSettings) -> _Record:
    pointer = ipaddress.ip_address(address)
    four = pointer.version == 4
    skipped = (32 - settings.ipv4_zone_bits) // 8 if four else (128 - settings.ipv6_zone_bits) // 4
    whole = f"{pointer.reverse_pointer}."
    zone = ".".join(whole.split(".")[skipped:])
    return RecordSet(OPERATOR, zone, whole, "PTR"), name


def _discard(sets: dict[str, set[str]], key: str, value: str) -> None:
    """Take a value from the set of a key; a set that is empty goes."""
    sets[key].discard(value)
    if not sets[key]:
        del sets[key]
