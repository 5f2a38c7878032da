"""What must be so when a region has come to rest, whatever happened before."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from alcor.intent import records
from alcor.intent.follow import record_of
from alcor.intent.records import (
    FloatingIpRecord,
    GroupRecord,
    NetworkRecord,
    PortRecord,
    Record,
    RouterRecord,
    RuleRecord,
    SubnetRecord,
)
from alcor.intent.watching_records import TapFlowRecord, TapServiceRecord
from alcor.keyed_log.log import Entry
from alcor.ovs.openflow.flows import key_text
from alcor.simulation.clients.book import Book, Thing
from alcor.simulation.fakes.disks import Disks
from alcor.simulation.fakes.journal import Journal
from alcor.simulation.host import Host

Document = dict[str, Any]
Documents = Mapping[str, Mapping[str, Document]]  # by kind and id

# Whose databases know what may not be referred to any more, and since when it is gone for good.
_FENCES = {
    "port": "SELECT id FROM fence",
    "subnet": "SELECT network_id FROM network_fence",
    "elastic_ip": "SELECT id FROM fence",
}


class Laws:
    """Checks a region at rest; what is broken goes into the journal."""

    def __init__(self, journal: Journal, intent: Mapping[str, Entry]) -> None:
        self._broken = journal.violation
        self._records: list[Record] = [
            records.decode(key, entry.value)
            for key, entry in sorted(intent.items())
            if entry.value is not None
        ]

    def of(self, kind: type) -> list[Any]:
        """The records of a kind."""
        return [record for record in self._records if isinstance(record, kind)]

    def nothing_twice(self) -> None:
        """No address is given twice within a subnet, no MAC within a network, and no VNI, floating
        IP or number of a tap at all."""
        ports: list[PortRecord] = self.of(PortRecord)
        self._twice("address", ((ip.subnet_id, ip.ip_address) for p in ports for ip in p.fixed_ips))
        self._twice("MAC", ((port.network_id, port.mac_address) for port in ports))
        self._twice("VNI", (network.vni for network in self.of(NetworkRecord)))
        floating: list[FloatingIpRecord] = self.of(FloatingIpRecord)
        self._twice("floating IP", (each.floating_ip_address for each in floating))
        self._twice("number of a tap", (each.number for each in self.of(TapServiceRecord)))

    def no_orphan(self) -> None:
        """What is referred to is there."""
        networks = {each.id for each in self.of(NetworkRecord)}
        subnets = {each.id: each for each in self.of(SubnetRecord)}
        ports = {each.id: each for each in self.of(PortRecord)}
        routers = {each.id for each in self.of(RouterRecord)}
        groups = {each.id for each in self.of(GroupRecord)}
        for subnet in subnets.values():
            self._there("network", subnet.network_id, subnet.id, networks)
        for port in ports.values():
            self._there("network", port.network_id, port.id, networks)
            for ip in port.fixed_ips:
                self._there("subnet", ip.subnet_id, port.id, subnets)
            for group in port.security_groups:
                self._there("security group", group, port.id, groups)
            if port.device_owner.startswith("network:router"):
                self._there("router", port.device_id, port.id, routers)
        for rule in self.of(RuleRecord):
            self._there("security group", rule.group_id, rule.id, groups)
            if rule.remote_group_id:
                self._there("remote group", rule.remote_group_id, rule.id, groups)
        for router in self.of(RouterRecord):
            if router.gateway is not None:
                self._there("gateway port", router.gateway.port_id, router.id, ports)
        for floating in self.of(FloatingIpRecord):
            self._there("floating port", floating.floating_port_id, floating.id, ports)
            if floating.port_id:
                self._there("port", floating.port_id, floating.id, ports)

        taps = {each.id for each in self.of(TapServiceRecord)}
        for tap in self.of(TapServiceRecord):
            self._there("port", tap.port_id, tap.id, ports)
        for flow in self.of(TapFlowRecord):
            self._there("tap service", flow.tap_service_id, flow.id, taps)
            self._there("port", flow.port_id, flow.id, ports)

    def none_leaked(self, disks: Disks) -> None:
        """The addresses that are leased are those that ports have; nothing living is fenced."""
        leased = set(disks.by_manager["ip"].query("SELECT subnet_id, address, owner FROM lease"))
        held = {
            (ip.subnet_id, ip.ip_address, port.id)
            for port in self.of(PortRecord)
            for ip in port.fixed_ips
        }
        if leased != held:
            self._broken(
                "leases are the ports' addresses",
                leaked=sorted(map(str, leased - held))[:5],
                missing=sorted(map(str, held - leased))[:5],
            )
        living = {record.id for record in self._records}
        for manager, disk in disks.by_manager.items():
            statement = _FENCES.get(manager)
            if statement is not None:
                fenced = {str(id_) for (id_,) in disk.query(statement)}
                for id_ in sorted(fenced & living):
                    self._broken("nothing living is fenced", manager=manager, id=id_)

    def usage_exact(self, disks: Disks) -> None:
        """What is counted for quotas is what is there."""
        for manager, disk in disks.by_manager.items():
            if not disk.has("used"):
                continue
            counted = {
                (str(kind), str(project)): int(str(count))
                for kind, project, count in disk.query("SELECT kind, project_id, count FROM used")
                if count
            }
            there: Counter[tuple[str, str]] = Counter()
            for kind in {kind for kind, _ in counted}:
                if disk.has(kind):
                    rows = disk.query(f"SELECT project_id FROM {kind}")
                    there.update((kind, str(project)) for (project,) in rows)
            if counted != {key: count for key, count in there.items() if count}:
                self._broken("usage is exact", manager=manager, counted=counted, there=dict(there))

    def as_acknowledged(self, book: Book, documents: Documents) -> None:
        """Every acknowledged write is there; what was refused is not; batches are whole."""
        for thing in book.things.values():
            there = documents[thing.kind].get(thing.id)
            if there is None and not book.may_be_gone(thing):
                self._broken("acknowledged is there", kind=thing.kind, id=thing.id)
            if there is not None and thing.is_gone:
                self._broken("deleted is gone", kind=thing.kind, id=thing.id)
            if there is not None and "name" in there:
                self._named(thing, there)
        made = {thing.id for thing in book.things.values()}
        for kind in documents:
            found = {
                document.get("name"): id_
                for id_, document in documents[kind].items()
                if id_ not in made
            }
            for batch in book.refused:
                if batch.kind == kind and any(name in found for name in batch.names):
                    self._broken("refused changes nothing", kind=kind, names=batch.names)
            for batch in book.unanswered:
                present = [name for name in batch.names if name in found]
                if batch.kind == kind and present and present != batch.names:
                    self._broken("a batch is whole", names=batch.names, present=present)

    def ports_told(self, documents: Documents, hosts: Iterable[Host]) -> None:
        """A port is ACTIVE when its machine is plugged where it is bound, and else not."""
        plugged = {(host.name, port) for host in hosts for port in host.switch.interfaces}
        for id_, port in documents["port"].items():
            up = (port["binding:host_id"], id_) in plugged and port["admin_state_up"]
            owner = port["device_owner"]
            if owner.startswith("compute") and (port["status"] == "ACTIVE") != up:
                self._broken(
                    "ports' status is told",
                    id=id_,
                    status=port["status"],
                    plugged=up,
                    host=port["binding:host_id"],
                )

    def _named(self, thing: Thing, there: Document) -> None:
        possible = thing.possible_names()
        if there["name"] not in possible:
            self._broken(
                "acknowledged is not undone", id=thing.id, is_=there["name"], may_be=possible
            )

    def _twice(self, what: str, values: Iterable[object]) -> None:
        for value, count in Counter(values).items():
            if count > 1:
                self._broken(f"no {what} twice", value=value, count=count)

    def _there(self, what: str, id_: str, of: str, living: Iterable[str]) -> None:
        if id_ not in living:
            self._broken("no orphan", what=what, id=id_, of=of)


def same_intent(journal: Journal, saved: Mapping[str, Entry], told: Mapping[str, Entry]) -> None:
    """The intent log holds what is saved, and nothing else."""
    ours = {key: (record_of(entry), entry.revision) for key, entry in saved.items()}
    theirs = {key: (record_of(entry), entry.revision) for key, entry in told.items()}
    if ours != theirs:
        every = sorted(ours.keys() | theirs.keys())
        differ = [key for key in every if ours.get(key) != theirs.get(key)]
        journal.violation(
            "the log tells what is saved",
            keys=differ[:5],
            lacking=len(ours.keys() - theirs.keys()),
            surplus=len(theirs.keys() - ours.keys()),
        )


def same_flows(journal: Journal, host: Host, wanted: Mapping[bytes, bytes]) -> None:
    """A switch has the flows that intent leads to, and no others."""
    there = host.switch.flows
    if there != wanted:
        lacking = [key for key in wanted if key not in there]
        surplus = [key for key in there if key not in wanted]
        other = [key for key in wanted if key in there and there[key] != wanted[key]]
        journal.violation(
            "hosts have what intent says",
            host=host.name,
            lacking=len(lacking),
            surplus=len(surplus),
            other=len(other),
            some=json.dumps([key_text(key) for key in (lacking + surplus + other)[:3]]),
        )
