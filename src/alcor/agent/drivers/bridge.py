"""What the database of Open vSwitch must say for one agent, compared with what it says.

Pure. The bridge is made in one transaction with all its settings: a change of `fail_mode` or of
the controller would flush its flows, so what is right already is never set again.
Source: ovs-vswitchd.conf.db(5).
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from alcor.agent.model.model import Interface, Tunnel
from alcor.agent.model.ports.monitoring import Kinds, Ports
from alcor.ovs.ovsdb.values import as_map, as_set, map_value, set_value
from alcor.values.addresses import address

BRIDGE_COLUMNS = (
    "name",
    "datapath_type",
    "fail_mode",
    "protocols",
    "other_config",
    "controller",
    "ports",
)
PORT_COLUMNS = ("name", "interfaces", "qos")
INTERFACE_COLUMNS = (
    "name",
    "type",
    "options",
    "external_ids",
    "ofport",
    "link_state",
    "link_speed",
    "ifindex",
    "error",
)
COLUMNS = {
    "Bridge": BRIDGE_COLUMNS,
    "Port": PORT_COLUMNS,
    "Interface": INTERFACE_COLUMNS,
    "QoS": ("type", "queues", "other_config", "external_ids"),
    "Queue": ("other_config", "external_ids"),
}

TUNNEL_NAME = "tun-vxlan"  # whatever its type; a name like vxlan_sys* is the switch's own
# The ports that copies of packets leave by, as their kinds are wanted; they then stay.
GRE, ERSPAN, TAPS = "tun-gre", "tun-erspan", "tun-tap"
_NO_DEVICE = "(No such device)"  # ends an interface's error: ENODEV in words
PROTOCOLS = ("OpenFlow13", "OpenFlow14", "OpenFlow15")

Row = Mapping[str, Any]
Rows = Mapping[str, Mapping[str, Row]]  # table -> row's UUID -> column -> value
Operation = dict[str, Any]


class Wish(NamedTuple):
    """What must be there."""

    bridge: str
    datapath_type: str
    tunnel_ip: str
    mappings: Mapping[str, str] = {}  # the operator's bridges by physical network
    copies: Kinds = frozenset()  # of which there are some
    tunnel_type: str = "vxlan"  # or geneve
    tap_udp_port: int = 4798  # of copies for taps on other hosts
    egress: Mapping[str, int] = {}  # kbit/s that the operator's bridges have to guarantee
    holding: Mapping[str, str] = {}  # those bridges by physical network; "": of tunnels
    # Bits a second that queues are guaranteed, by bridge and number; None: not known yet.
    queues: Mapping[str, Mapping[int, int]] | None = None


def lock_of(wish: Wish) -> str:
    """The lock in the database that who drives the bridge has (an <id> of RFC 7047)."""
    return "alcor_agent_" + re.sub(r"\W", "_", wish.bridge)


def missing(rows: Rows, wish: Wish) -> list[Operation]:
    """One transaction that makes the database as wished; empty when it is."""
    found = _bridge(rows, wish)
    if found is None:
        tunnel = _make_tunnel(wish, TUNNEL_NAME, wish.tunnel_type, _tunnel_options(wish))
        return [*_make_bridge(wish), *tunnel]  # the uplinks and copies once it is there
    _, bridge = found
    operations = list(_mend_bridge(bridge, wish))
    here = _interfaces_by_name(rows, bridge)
    for name, type_, options in _tunnels(wish, here):
        row = {"type": type_, "options": map_value(options)}
        if name not in here:
            operations += _make_tunnel(wish, name, type_, options)
        elif (here[name]["type"], as_map(here[name]["options"])) != (type_, options):
            operations.append(_update("Interface", name, row))
    return operations + list(_missing_uplinks(rows, bridge, wish))


def _tunnels(wish: Wish, here: Collection[str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Name, type and options of each tunnel port that there must be, or is."""
    yield TUNNEL_NAME, wish.tunnel_type, _tunnel_options(wish)
    if GRE in here or "gre" in wish.copies:
        yield GRE, "gre", _tunnel_options(wish)
    if ERSPAN in here or "erspan" in wish.copies:
        yield ERSPAN, "erspan", _tunnel_options(wish) | {"erspan_ver": "1", "erspan_idx": "0"}
    if TAPS in here or "taps" in wish.copies:
        yield TAPS, wish.tunnel_type, _tunnel_options(wish) | {"dst_port": str(wish.tap_udp_port)}


def _missing_uplinks(rows: Rows, bridge: Row, wish: Wish) -> Iterator[Operation]:
    """A pair of patch ports to each of the operator's bridges that is there."""
    here = _interfaces_by_name(rows, bridge)
    for number, other in enumerate(sorted(wish.mappings.values())):
        found = _bridge(rows, wish, other)
        if found is None:
            continue
        there = _interfaces_by_name(rows, found[1])
        near, far = patch_names(other)
        if near not in here:
            yield from _make_patch(f"near{number}", wish.bridge, near, far)
        if far not in there:
            yield from _make_patch(f"far{number}", other, far, near)


def patch_names(bridge: str) -> tuple[str, str]:
    """The patch port of the integration bridge to another bridge, and that one's to it."""
    return f"int-{bridge}", f"phy-{bridge}"


def uplinks_of(rows: Rows, wish: Wish) -> dict[str, int]:
    """The ofports that lead to physical networks, by name, of those that are there."""
    found = _bridge(rows, wish)
    if found is None:
        return {}
    here = _interfaces_by_name(rows, found[1])
    ports = {
        name: _ofport(here[patch_names(other)[0]])
        for name, other in wish.mappings.items()
        if patch_names(other)[0] in here and _bridge(rows, wish, other) is not None
    }
    return {name: ofport for name, ofport in ports.items() if ofport > 0}


def faults(rows: Rows, wish: Wish) -> Iterator[str]:
    """What is wrong and is not the agent's to change."""
    found = _bridge(rows, wish)
    if found is None:
        return
    _, bridge = found
    if (type_ := datapath_type_of(rows, wish)) != wish.datapath_type:
        yield f"{wish.bridge} has datapath_type '{type_}'"
    if as_set(bridge["controller"]):
        yield f"{wish.bridge} has a controller, which may change its flows"
    for name, other in sorted(wish.mappings.items()):
        if _bridge(rows, wish, other) is None:
            yield f"physical network {name}: there is no bridge {other}"
    here = _interfaces_by_name(rows, bridge)
    for name in (TUNNEL_NAME, GRE, ERSPAN, TAPS):
        if name in here and _error(here[name]):
            yield f"{name}: {_error(here[name])}"


def tunnel_of(rows: Rows, wish: Wish) -> Tunnel | None:
    """The tunnel port, once the switch has opened it."""
    found = _bridge(rows, wish)
    if found is None:
        return None
    here = _interfaces_by_name(rows, found[1])
    row = here.get(TUNNEL_NAME)
    if row is None or _ofport(row) <= 0:
        return None
    if (row["type"], as_map(row["options"])) != (wish.tunnel_type, _tunnel_options(wish)):
        return None
    names = (GRE, ERSPAN, TAPS)  # in the order of `Ports`
    ports = Ports(*(max(_ofport(here[name]), 0) if name in here else 0 for name in names))
    return Tunnel(_ofport(row), address(wish.tunnel_ip), ports)


def interfaces_of(rows: Rows, wish: Wish, seen: Mapping[str, int]) -> dict[str, Interface]:
    """The bridge's interfaces by the port that they say they are.

    When several say the same one, one that works wins, then the newest: `seen` says how late each
    row was first seen.
    """
    found = _bridge(rows, wish)
    if found is None:
        return {}
    best: dict[str, tuple[tuple[bool, int, int], Interface]] = {}
    for uuid, row in _interface_rows(rows, found[1]):
        port_id = as_map(row["external_ids"]).get("iface-id")
        if port_id is None:
            continue
        interface = _interface(row)
        rank = (interface.ofport > 0 and interface.present, seen.get(uuid, 0), interface.ofport)
        if port_id not in best or rank > best[port_id][0]:
            best[port_id] = (rank, interface)
    return {port_id: interface for port_id, (_, interface) in best.items()}


def doubled(rows: Rows, wish: Wish) -> set[str]:
    """Ports that several interfaces say they are."""
    found = _bridge(rows, wish)
    once: set[str] = set()
    twice: set[str] = set()
    for _, row in _interface_rows(rows, found[1]) if found else ():
        port_id = as_map(row["external_ids"]).get("iface-id", "")
        (twice if port_id in once else once).add(port_id)
    return twice - {""}


def replaced(interfaces: Mapping[str, Row], known: dict[str, int]) -> list[str]:
    """Interfaces whose device was deleted and made again under the same name.

    The switch goes on listening to the old one: it sends and hears nothing. `known` is moved on.
    """
    names = []
    for uuid in known.keys() - interfaces.keys():
        del known[uuid]
    for uuid, row in interfaces.items():
        ifindex = next(iter(as_set(row["ifindex"])), 0)
        if ifindex and known.setdefault(uuid, ifindex) != ifindex:
            names.append(str(row["name"]))
            known[uuid] = ifindex
    return names


def datapath_type_of(rows: Rows, wish: Wish) -> str:
    """Of the integration bridge; empty when there is none."""
    row = row_of(rows, wish)
    return "" if row is None else str(row["datapath_type"]) or "system"


def row_of(rows: Rows, wish: Wish) -> Row | None:
    """The integration bridge's row, if there is one."""
    found = _bridge(rows, wish)
    return found[1] if found is not None else None


def _bridge(rows: Rows, wish: Wish, name: str = "") -> tuple[str, Row] | None:
    for uuid, row in rows.get("Bridge", {}).items():
        if row["name"] == (name or wish.bridge):
            return uuid, row
    return None


def _interface_rows(rows: Rows, bridge: Row) -> Iterator[tuple[str, Row]]:
    ports, interfaces = rows.get("Port", {}), rows.get("Interface", {})
    for port in as_set(bridge["ports"]):
        for interface in as_set(ports[port]["interfaces"]) if port in ports else ():
            if interface in interfaces:
                yield interface, interfaces[interface]


def _interfaces_by_name(rows: Rows, bridge: Row) -> dict[str, Row]:
    return {row["name"]: row for _, row in _interface_rows(rows, bridge)}


def _interface(row: Row) -> Interface:
    # Of a device that has gone nothing says so but this: ofport stays, and error stays empty.
    ifindex = as_set(row["ifindex"])
    gone = as_set(row["link_state"]) == ("down",) and ifindex == (0,)
    # Nova plugs a port in before the hypervisor makes its device: until then that is no failure.
    error = _error(row)
    awaited = error.endswith(_NO_DEVICE)
    return Interface(_ofport(row), not (gone or awaited), "" if awaited else error)


def _ofport(row: Row) -> int:
    return next(iter(as_set(row["ofport"])), 0)


def _error(row: Row) -> str:
    return next(iter(as_set(row["error"])), "")


def _tunnel_options(wish: Wish) -> dict[str, str]:
    return {"remote_ip": "flow", "key": "flow", "local_ip": wish.tunnel_ip}


def _make_bridge(wish: Wish) -> list[Operation]:
    settings = {
        "name": wish.bridge,
        "datapath_type": wish.datapath_type,
        "fail_mode": "secure",
        "protocols": set_value(PROTOCOLS),
        "other_config": map_value({"disable-in-band": "true"}),
        "ports": ["named-uuid", "own_port"],
    }
    return [
        _insert("Interface", "own_interface", {"name": wish.bridge, "type": "internal"}),
        _insert(
            "Port",
            "own_port",
            {"name": wish.bridge, "interfaces": ["named-uuid", "own_interface"]},
        ),
        _insert("Bridge", "bridge", settings),
        {
            "op": "mutate",
            "table": "Open_vSwitch",
            "where": [],
            "mutations": [["bridges", "insert", ["set", [["named-uuid", "bridge"]]]]],
        },
    ]


def _make_tunnel(wish: Wish, name: str, type_: str, options: Mapping[str, str]) -> list[Operation]:
    interface = {"name": name, "type": type_, "options": map_value(dict(options))}
    uuid = name.replace("-", "_")
    return [
        _insert("Interface", f"{uuid}_interface", interface),
        _insert(
            "Port",
            f"{uuid}_port",
            {"name": name, "interfaces": ["named-uuid", f"{uuid}_interface"]},
        ),
        {
            "op": "mutate",
            "table": "Bridge",
            "where": [["name", "==", wish.bridge]],
            "mutations": [["ports", "insert", ["set", [["named-uuid", f"{uuid}_port"]]]]],
        },
    ]


def _make_patch(uuid: str, bridge: str, name: str, peer: str) -> Iterator[Operation]:
    interface = {"name": name, "type": "patch", "options": map_value({"peer": peer})}
    yield _insert("Interface", f"{uuid}_interface", interface)
    port = {"name": name, "interfaces": ["named-uuid", f"{uuid}_interface"]}
    yield _insert("Port", f"{uuid}_port", port)
    yield {
        "op": "mutate",
        "table": "Bridge",
        "where": [["name", "==", bridge]],
        "mutations": [["ports", "insert", ["set", [["named-uuid", f"{uuid}_port"]]]]],
    }


def _mend_bridge(bridge: Row, wish: Wish) -> Iterator[Operation]:
    """Only what differs: setting the right value again is harmless, a change may flush flows."""
    row: dict[str, Any] = {}
    if as_set(bridge["fail_mode"]) != ("secure",):
        row["fail_mode"] = "secure"
    if not set(PROTOCOLS) <= set(as_set(bridge["protocols"])):
        row["protocols"] = set_value(sorted({*PROTOCOLS, *as_set(bridge["protocols"])}))
    config = as_map(bridge["other_config"])
    if config.get("disable-in-band") != "true":
        row["other_config"] = map_value({**config, "disable-in-band": "true"})
    if row:
        yield _update("Bridge", wish.bridge, row)


def _insert(table: str, name: str, row: Row) -> Operation:
    return {"op": "insert", "table": table, "uuid-name": name, "row": dict(row)}


def _update(table: str, name: str, row: Row) -> Operation:
    return {"op": "update", "table": table, "where": [["name", "==", name]], "row": dict(row)}
