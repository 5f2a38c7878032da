"""What is particular in bringing groups, trunks and local IPs: hooks for `bringing`."""

from collections.abc import Callable, Mapping
from functools import partial

from alcor.client.api import Item
from alcor.client.connection import Refused
from alcor.importing.bringing import Bringing, Difference, Hooks, New
from alcor.importing.segments import Segments
from alcor.importing.subject import Subject, alike
from alcor.importing.subjects import SUB_PORT
from alcor.resource.declaration import Resource

_TUNNEL = "provider:segmentation_id"
_WIRE = "provider:physical_network"
_HOST = "binding:host_id"
_NOT_ON_ITS_SEGMENT = ("HostNotConnectedToAnySegment", "HostNotCompatibleWithFixedIps")
_RULES = "security_group_rules"
_TRAFFIC = (
    *("direction", "ethertype", "protocol", "port_range_min", "port_range_max"),
    *("remote_ip_prefix", "remote_group_id", "remote_address_group_id"),
)


def hook(bringing: Bringing, kinds: Mapping[str, Resource], segments: Segments) -> None:
    """Hook them all up."""
    groups = Groups(bringing, kinds["security-group"], kinds["security-group-rule"])
    of_groups = Hooks(made=groups.made, refused=groups.refused, differs=groups.differs)
    bringing.hook("default groups", of_groups._replace(here=groups.default_here))
    bringing.hook("security groups", of_groups)
    bringing.hook("security group rules", Hooks(here=groups.rule_here))
    complete = Hooks(made=lambda new, here: bringing.known.made.add(here["id"]))
    bringing.hook("routers", complete)
    for title in ("networks", "flat and VLAN networks"):
        otherwise = partial(_otherwise, bringing, title)
        bringing.hook(
            title,
            complete._replace(shaped=segments.of, differs=_by_segments, instead=otherwise),
        )
    unplaced = partial(_without_host, bringing)
    bringing.hook("ports", Hooks(differs=_of_a_trunk, instead=unplaced))
    trunk, group, port = kinds["trunk"], kinds["address-group"], kinds["port"]
    bringing.hook("trunks", Hooks(differs=_SubPorts(bringing, trunk).differs))
    bringing.hook("address groups", Hooks(differs=_Addresses(bringing, group).differs))
    bringing.hook("local IPs", Hooks(shaped=_LocalIps(bringing, port).shaped))


class Groups:
    """Security groups: their rules become the source's, and a default group is the project's own.

    A group that is made here gets the rules of this region's template. They go at once.
    """

    def __init__(self, bringing: Bringing, group: Resource, rule: Resource) -> None:
        self._bringing = bringing
        self._group = group
        self._rule = rule
        self._rules_by_group: dict[str, list[Item]] = {}  # of default groups with another id

    def made(self, new: New, here: Item) -> None:
        for rule in here[_RULES] if not self._bringing.how.check else ():
            self._bringing.target.delete(self._rule, rule["id"])

    def refused(self, subject: Subject, new: New, refused: Refused) -> bool:
        """The project has a default group here already: that one stands for the source's."""
        if refused.kind != "SecurityGroupDefaultAlreadyExists":
            return False
        whose = [("project_id", new.wanted["project_id"]), ("name", new.wanted["name"])]
        [own] = self._bringing.target.all(self._group, whose)
        self._stands_for(new.item, own)
        self._bringing.compare(subject, new.item, new.wanted, own)
        return True

    def default_here(self, item: Item, wanted: Item) -> Item | None:
        """That group, where nothing is made and so nothing refused."""
        if not self._bringing.how.check:
            return None
        # Whoever asks for one project's groups makes its default one; of nobody's and its, nothing.
        whose = [("project_id", ""), ("project_id", wanted["project_id"]), ("name", "default")]
        own = next(iter(self._bringing.target.all(self._group, whose)), None)
        if own is not None:
            self._stands_for(item, own)
        return own

    def _stands_for(self, item: Item, own: Item) -> None:
        self._bringing.known.here_by_id[item["id"]] = own["id"]
        self._rules_by_group[own["id"]] = own[_RULES]
        why = f"the project's default group here is {own['id']}, and stands for it"
        self._bringing.ledger.note("default groups", item, why)

    def differs(self, item: Item, wanted: Item, here: Item) -> Difference | None:
        if here["id"] == item["id"] and self._is_unfinished(item, here):
            self.made(New(item, wanted), here)
            return None
        if not (more := self._too_many(item, here)):
            return None

        def mend() -> None:
            for id_ in more:
                self._bringing.target.delete(self._rule, id_)

        return Difference(f"{len(more)} rules are only here", mend)

    def rule_here(self, item: Item, wanted: Item) -> Item | None:
        """The rule that says the same in a group that stands for the source's."""
        ours = self._rules_by_group.get(wanted["security_group_id"], ())
        return next((each for each in ours if _says_the_same(wanted, each)), None)

    def _is_unfinished(self, item: Item, here: Item) -> bool:
        """Whether an import made the group and was cut short: no rule of its own is here yet."""
        theirs = {rule["id"] for rule in item.get(_RULES, ())}
        return bool(theirs) and theirs.isdisjoint(rule["id"] for rule in here[_RULES])

    def _too_many(self, item: Item, here: Item) -> list[str]:
        theirs = self._bringing.renamed(item.get(_RULES, []))
        ids = {rule["id"] for rule in theirs}
        return [
            rule["id"]
            for rule in here[_RULES]
            if rule["id"] not in ids and not any(_says_the_same(rule, each) for each in theirs)
        ]


def _says_the_same(one: Item, other: Item) -> bool:
    return all(alike(name, one.get(name), other.get(name)) for name in _TRAFFIC)


def _otherwise(bringing: Bringing, title: str, new: New, refused: Refused) -> Item | None:
    """Without what this region can't give: packets that are too large for the wires of its hosts,
    and the id of a tunnel that another network has here. No machine depends on either."""
    if "MTU is too big" in refused.message and "mtu" in new.wanted:
        said, why = f"mtu={new.wanted['mtu']}", "the region's network.mtu_max is less"
        instead = {name: value for name, value in new.wanted.items() if name != "mtu"}
    elif refused.kind == "TunnelIdInUse" and (ids := _tunnels(new.wanted)):
        said, why = f"{_TUNNEL}={', '.join(map(str, ids))}", "another network has it here"
        instead = _any_tunnels(new.wanted)
    else:
        return None
    bringing.ledger.note(title, new.item, f"{said}: {why}")
    return instead


def _tunnels(wanted: Item) -> list[int]:
    """The ids of tunnels that a network asks for."""
    travels = wanted.get("segments") or [wanted]
    return [each[_TUNNEL] for each in travels if _TUNNEL in each and not each.get(_WIRE)]


def _any_tunnels(wanted: Item) -> Item:
    """The same network by any tunnels."""
    without = {n: v for n, v in wanted.items() if n != _TUNNEL or wanted.get(_WIRE)}
    if segments := wanted.get("segments"):
        without["segments"] = [_any_tunnels(each) for each in segments]
    return without


def _by_segments(item: Item, wanted: Item, here: Item) -> Difference | None:
    """The segments of networks are compared by themselves."""
    return Difference("", lambda: None, ("segments",))


def _without_host(bringing: Bringing, new: New, refused: Refused) -> Item | None:
    """A port of a segment whose host has not said yet that it is there."""
    if refused.kind not in _NOT_ON_ITS_SEGMENT or not new.wanted.get(_HOST):
        return None
    why = "the host is not on the segment of its addresses, as far as its agent has said"
    bringing.ledger.note("ports", new.item, f"{_HOST}={new.wanted[_HOST]}: {why}")
    return {name: value for name, value in new.wanted.items() if name != _HOST}


def _of_a_trunk(item: Item, wanted: Item, here: Item) -> Difference | None:
    """Of a sub-port here says its trunk whose it is; at the source that need not be said."""
    if here["device_owner"] == SUB_PORT and item["device_owner"] in (SUB_PORT, ""):
        return Difference("", lambda: None, ("device_owner", "device_id"))
    return None


class _SubPorts:
    """The sub-ports of trunks, which calls of their own change."""

    def __init__(self, bringing: Bringing, kind: Resource) -> None:
        self._bringing = bringing
        self._kind = kind

    def differs(self, item: Item, wanted: Item, here: Item) -> Difference | None:
        theirs = {each["port_id"]: each for each in wanted.get("sub_ports", ())}
        ours = {each["port_id"]: each for each in here["sub_ports"]}
        going = [{"port_id": id_} for id_, each in ours.items() if each != theirs.get(id_)]
        coming = [each for id_, each in theirs.items() if each != ours.get(id_)]
        said = f"{len(coming)} sub-ports are lacking, {len(going)} are only here"
        return _both(
            said if coming or going else "",
            lambda: self._act(here["id"], "remove_subports", going),
            lambda: self._act(here["id"], "add_subports", coming),
            "sub_ports",
        )

    def _act(self, id_: str, verb: str, ports: list[Item]) -> None:
        if ports:
            self._bringing.target.act(self._kind, id_, verb, {"sub_ports": ports})


class _Addresses:
    """The addresses of address groups, which calls of their own change."""

    def __init__(self, bringing: Bringing, kind: Resource) -> None:
        self._bringing = bringing
        self._kind = kind

    def differs(self, item: Item, wanted: Item, here: Item) -> Difference | None:
        theirs, ours = set(wanted.get("addresses") or ()), set(here["addresses"])
        said = f"{len(theirs - ours)} addresses are lacking, {len(ours - theirs)} are only here"
        return _both(
            said if theirs != ours else "",
            lambda: self._act(here["id"], "remove_addresses", sorted(ours - theirs)),
            lambda: self._act(here["id"], "add_addresses", sorted(theirs - ours)),
            "addresses",
        )

    def _act(self, id_: str, verb: str, addresses: list[str]) -> None:
        if addresses:
            self._bringing.target.act(self._kind, id_, verb, {"addresses": addresses})


def _both(said: str, first: Callable[[], None], then: Callable[[], None], field: str) -> Difference:
    def mend() -> None:
        first()
        then()

    return Difference(said, mend, (field,))


class _LocalIps:
    """A local IP gets the port that it has at the source, or where that made one, its address."""

    def __init__(self, bringing: Bringing, port: Resource) -> None:
        self._bringing = bringing
        self._port = port

    def shaped(self, item: Item, wanted: Item) -> None:
        known = self._bringing.target.by_ids(self._port, [item["local_port_id"]])
        port = known.get(item["local_port_id"])
        if port is None or port["device_owner"] == "network:local_ip":
            del wanted["local_port_id"]
        else:
            del wanted["network_id"]
