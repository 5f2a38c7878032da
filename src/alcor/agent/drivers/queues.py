"""The queues of the operator's bridges, by which ports get the bandwidth that they are guaranteed.

Pure. Each uplink of a bridge has a QoS of ours while a port here is guaranteed something there, and
none otherwise. What is ours says so; an uplink with a QoS of somebody else's is left alone. All
others share queue 0 and what is left over; who is guaranteed something may have more of that too.
Source: ovs-vswitchd.conf.db(5), tables QoS and Queue; tc-htb(8).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from alcor.agent.drivers.bridge import Operation, Row, Rows, Wish, lock_of
from alcor.ovs.ovsdb.values import as_map, as_set, map_value

TYPE = "linux-htb"
_OWNER, _UPLINK = "alcor-agent", "alcor-uplink"  # in external_ids: whose it is, and of which port
_OF_DEVICES = ("", "system")  # types of interfaces that the kernel shapes


class _Uplink(NamedTuple):
    """A port by which a bridge leads out of the host."""

    name: str
    qos: str  # the UUID of what it has; empty: nothing
    link_bps: int  # 0: not known


class _Wanted(NamedTuple):
    """What one uplink shall have."""

    uplink: _Uplink
    rate_bps: int  # all together
    minimum_by_queue: Mapping[int, int]  # bits a second


def missing(rows: Rows, wish: Wish) -> list[Operation]:
    """One transaction that makes the queues as wished; empty when they are, or nobody knows yet."""
    if wish.queues is None:
        return []
    ours = _ours(rows, wish)
    wanted = {each.uplink.name: each for each in _wanted(rows, wish)}
    operations: list[Operation] = []
    for uuid, name in ours.items():
        if name not in wanted:
            operations += _take_away(rows, uuid)
    uuid_by_name = {name: uuid for uuid, name in ours.items()}
    for name, each in sorted(wanted.items()):
        operations += _keep(rows, each, uuid_by_name.get(name, ""), _ids(wish, name))
    return operations


def faults(rows: Rows, wish: Wish) -> Iterator[str]:
    """Where what was promised can't be held, and is not the agent's to change."""
    for name in sorted(wish.queues or ()):
        uplinks = list(_uplinks(rows, name))
        if not uplinks:
            yield f"{name} has no uplink that could hold bandwidth back"
        for each in uplinks:
            if _is_foreign(rows, wish, each):
                yield f"{each.name} of {name} has a QoS already: no bandwidth is held there"


def _wanted(rows: Rows, wish: Wish) -> Iterator[_Wanted]:
    for name, minimum_by_queue in (wish.queues or {}).items():
        for uplink in _uplinks(rows, name):
            if minimum_by_queue and not _is_foreign(rows, wish, uplink):
                rate = uplink.link_bps or 1_000 * wish.egress.get(name, 0)
                yield _Wanted(uplink, rate, minimum_by_queue)


def _uplinks(rows: Rows, bridge: str) -> Iterator[_Uplink]:
    interfaces, ports = rows.get("Interface", {}), rows.get("Port", {})
    there = [row for row in rows.get("Bridge", {}).values() if row["name"] == bridge]
    for uuid in as_set(there[0]["ports"]) if there else ():
        port = ports.get(uuid, {})
        held = [interfaces.get(each, {}) for each in as_set(port.get("interfaces", []))]
        if held and all(each.get("type") in _OF_DEVICES for each in held):
            speeds = [next(iter(as_set(each["link_speed"])), 0) for each in held]
            yield _Uplink(port["name"], next(iter(as_set(port["qos"])), ""), sum(speeds))


def _ours(rows: Rows, wish: Wish) -> dict[str, str]:
    """The names of uplinks by the UUIDs of QoS that this agent has made."""
    ids = {uuid: as_map(row["external_ids"]) for uuid, row in rows.get("QoS", {}).items()}
    owner = lock_of(wish)
    return {u: of.get(_UPLINK, "") for u, of in ids.items() if of.get(_OWNER) == owner}


def _is_foreign(rows: Rows, wish: Wish, uplink: _Uplink) -> bool:
    return bool(uplink.qos) and uplink.qos not in _ours(rows, wish)


def _ids(wish: Wish, name: str) -> dict[str, str]:
    return {_OWNER: lock_of(wish), _UPLINK: name}


def _keep(rows: Rows, wanted: _Wanted, uuid: str, ids: Mapping[str, str]) -> Iterator[Operation]:
    """What an uplink's QoS lacks: `uuid`, if it has one of ours."""
    own = "qos_" + wanted.uplink.name.encode().hex()
    qos = rows.get("QoS", {}).get(uuid)
    held = as_map(qos["queues"]) if qos is not None else {}
    queues = dict[int, list[str]]()
    for number, minimum in sorted(wanted.minimum_by_queue.items()):
        config = {"min-rate": str(minimum)}
        there = rows.get("Queue", {}).get(held.get(number, ""))
        if there is None:
            named = f"{own}_{number}"
            row = {"other_config": map_value(config), "external_ids": map_value(dict(ids))}
            yield {"op": "insert", "table": "Queue", "row": row, "uuid-name": named}
            queues[number] = ["named-uuid", named]
        else:
            queues[number] = ["uuid", held[number]]
            if as_map(there["other_config"]) != config:
                yield _update("Queue", held[number], {"other_config": map_value(config)})
    yield from _keep_qos(qos, uuid, own, wanted, queues, ids)
    for number in held.keys() - queues.keys():
        yield _delete("Queue", held[number])


def _keep_qos(
    qos: Row | None,
    uuid: str,
    own: str,
    wanted: _Wanted,
    queues: Mapping[int, list[str]],
    ids: Mapping[str, str],
) -> Iterator[Operation]:
    config = {"max-rate": str(wanted.rate_bps)}
    row = {
        "type": TYPE,
        "queues": ["map", [[number, of] for number, of in queues.items()]],
        "other_config": map_value(config),
        "external_ids": map_value(dict(ids)),
    }
    port = [["name", "==", wanted.uplink.name]]
    if qos is None:
        yield {"op": "insert", "table": "QoS", "row": row, "uuid-name": own}
        set_ = {"qos": ["named-uuid", own]}
        yield {"op": "update", "table": "Port", "where": port, "row": set_}
        return
    there = (qos["type"], as_map(qos["other_config"]), as_map(qos["queues"]))
    if there != (TYPE, config, {number: of[1] for number, of in queues.items()}):
        yield _update("QoS", uuid, row)
    if wanted.uplink.qos != uuid:
        yield {"op": "update", "table": "Port", "where": port, "row": {"qos": ["uuid", uuid]}}


def _take_away(rows: Rows, uuid: str) -> Iterator[Operation]:
    """A QoS with its queues, and from whatever port has it: else it could not go."""
    for port in rows.get("Port", {}).values():
        if uuid in as_set(port["qos"]):
            where = [["name", "==", port["name"]]]
            yield {"op": "update", "table": "Port", "where": where, "row": {"qos": ["set", []]}}
    yield _delete("QoS", uuid)
    for queue in as_map(rows["QoS"][uuid]["queues"]).values():
        yield _delete("Queue", queue)


def _update(table: str, uuid: str, row: Row) -> Operation:
    return {"op": "update", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]], "row": row}


def _delete(table: str, uuid: str) -> Operation:
    return {"op": "delete", "table": table, "where": [["_uuid", "==", ["uuid", uuid]]]}
